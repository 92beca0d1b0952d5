//! Framers: law 3 (cutting changes nothing), and nothing lost.

use bytes::Bytes;
use tollgate_wire::framing::aws_eventstream;
use tollgate_wire::{Frame, FrameError, Framer, Framing};

const MOST: usize = 1 << 16;

pub(crate) fn check(framing: Framing, body: &[u8]) {
    let whole = frames(framing, [body]);
    for seed in [1, body.len() as u64] {
        assert_eq!(frames(framing, cuts(body, seed)), whole, "cutting changed the frames");
    }
    let joined: Vec<u8> = whole.0.iter().flat_map(|frame| frame.raw.to_vec()).collect();
    if whole.1.is_none() {
        assert_eq!(joined, body, "bytes were lost");
    } else {
        assert!(body.starts_with(&joined), "bytes were made up");
    }
}

/// As it is, and as the headers and payload of a frame whose checksums agree: nothing that was made
/// up would ever get past them.
pub(crate) fn sealed(data: &[u8]) {
    check(Framing::AwsEventStream, data);
    let Some((&split, rest)) = data.split_first() else { return };
    let (headers, payload) = rest.split_at(usize::from(split).min(rest.len()));
    let mut body = Vec::new();
    aws_eventstream::seal(headers, payload, &mut body);
    aws_eventstream::write_event("event", payload, &mut body);
    check(Framing::AwsEventStream, &body);
}

/// All frames of a body that comes in these chunks, and how it ended.
pub(crate) fn frames<'a>(
    framing: Framing,
    chunks: impl IntoIterator<Item = &'a [u8]>,
) -> (Vec<Frame>, Option<FrameError>) {
    let mut framer = Framer::new(framing, MOST);
    let mut out = Vec::new();
    for chunk in chunks {
        framer.push(Bytes::copy_from_slice(chunk));
        loop {
            match framer.next_frame() {
                Ok(Some(frame)) => out.push(frame),
                Ok(None) => break,
                Err(error) => return (out, Some(error)),
            }
        }
    }
    match framer.end() {
        Ok(last) => out.extend(last),
        Err(error) => return (out, Some(error)),
    }
    (out, None)
}

/// Chunks of a few bytes each; of one byte for the seed 1.
pub(crate) fn cuts(body: &[u8], seed: u64) -> impl Iterator<Item = &[u8]> {
    let (mut rest, mut state) = (body, seed);
    std::iter::from_fn(move || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let wanted = if seed == 1 { 1 } else { (state >> 59) as usize + 1 };
        let (chunk, later) = rest.split_at_checked(wanted).unwrap_or((rest, &[]));
        rest = later;
        (!chunk.is_empty()).then_some(chunk)
    })
}
