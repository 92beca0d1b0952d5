//! What a frame is, that damage of any kind shows, and that cutting changes nothing.

use bytes::Bytes;
use proptest::prelude::*;

use super::super::tests::frames;
use super::*;
use crate::Framing;

const MOST: usize = 1 << 20;

fn whole(body: &[u8]) -> (Vec<Frame>, Option<FrameError>) {
    frames(Framing::AwsEventStream, MOST, [body])
}

fn header(name: &str, kind: u8, value: &[u8]) -> Vec<u8> {
    let length = u8::try_from(name.len()).unwrap();
    [&[length], name.as_bytes(), &[kind], value].concat()
}

fn text(value: &str) -> Vec<u8> {
    [&u16::try_from(value.len()).unwrap().to_be_bytes()[..], value.as_bytes()].concat()
}

fn sealed(headers: &[Vec<u8>], payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    seal(&headers.concat(), payload, &mut out);
    out
}

/// A frame, its headers, and its payload.
type Vector<'a> = (&'a [u8], &'a [Vec<u8>], &'a [u8]);

/// The frames that Amazon's own libraries are tested with.
#[test]
fn the_vendors_vectors_are_read_and_written() {
    let vectors: [Vector; 3] = [
        (b"\0\0\0\x10\0\0\0\0\x05\xc2\x48\xeb\x7d\x98\xc8\xff", &[], b""),
        (
            b"\0\0\0\x1d\0\0\0\0\xfd\x52\x8c\x5a{'foo':'bar'}\xc3\x65\x39\x36",
            &[],
            b"{'foo':'bar'}",
        ),
        (
            b"\0\0\0\x3d\0\0\0\x20\x07\xfd\x83\x96\x0ccontent-type\x07\0\x10application/json{'foo':'bar'}\x8d\x9c\x08\xb1",
            &[header("content-type", 7, &text("application/json"))],
            b"{'foo':'bar'}",
        ),
    ];
    for (bytes, headers, payload) in vectors {
        assert_eq!(sealed(headers, payload), bytes);
        let (frames, error) = whole(bytes);
        assert_eq!(error, None);
        assert_eq!((&frames[0].data[..], &frames[0].raw[..]), (payload, bytes));
    }
}

#[test]
fn a_frame_says_what_it_is() {
    let mut body = Vec::new();
    write_event("contentBlockDelta", b"{}", &mut body);
    write_exception("throttlingException", b"{\"message\":\"slow\"}", &mut body);
    let error = [
        header(":error-code", 7, &text("InternalError")),
        header(":error-message", 7, &text("broken")),
        header(":message-type", 7, &text("error")),
    ];
    body.extend(sealed(&error, b"ignored"));
    let (frames, error) = whole(&body);
    assert_eq!(error, None);
    let said: Vec<_> = frames.iter().map(|f| (f.kind, &f.event[..], &f.data[..])).collect();
    assert_eq!(
        said,
        [
            (MessageType::Event, &b"contentBlockDelta"[..], &b"{}"[..]),
            (MessageType::Exception, b"throttlingException", b"{\"message\":\"slow\"}"),
            (MessageType::Error, b"InternalError", b"broken"),
        ]
    );
}

#[test]
fn headers_of_every_type_are_stepped_over() {
    let headers = [
        header("yes", 0, &[]),
        header("no", 1, &[]),
        header("byte", 2, &[0x80]),
        header("short", 3, &[0; 2]),
        header("integer", 4, &[0; 4]),
        header("long", 5, &[0; 8]),
        header("bytes", 6, &text("\0\u{1}\u{2}")),
        header("string", 7, &text("é")),
        header("timestamp", 8, &[0; 8]),
        header("uuid", 9, &[0; 16]),
        header(":event-type", 7, &text("chunk")),
    ];
    let (frames, error) = whole(&sealed(&headers, b"x"));
    assert_eq!(error, None);
    assert_eq!((&frames[0].event[..], &frames[0].data[..]), (&b"chunk"[..], &b"x"[..]));
}

#[test]
fn broken_headers_are_refused() {
    for headers in [
        header("x", 10, &[]),
        header("x", 3, &[0]),
        header("x", 7, &[0, 9, b'a']),
        vec![5, b'a'],
        vec![0],
        header(":message-type", 7, &text("telegram")),
        header(":event-type", 6, &text("chunk")),
    ] {
        let body = sealed(std::slice::from_ref(&headers), b"payload that is long enough");
        assert_eq!(whole(&body), (vec![], Some(FrameError::Malformed)), "{headers:?}");
    }
}

#[test]
fn impossible_lengths_are_refused_though_their_checksum_agrees() {
    for (total, headers) in [(0u32, 0u32), (15, 0), (16, 1), (40, 25), (40, u32::MAX)] {
        let mut body = [total.to_be_bytes(), headers.to_be_bytes()].concat();
        body.extend(crc32fast::hash(&body).to_be_bytes());
        body.extend([0; 64]);
        assert_eq!(whole(&body), (vec![], Some(FrameError::Malformed)), "{total} {headers}");
    }
}

#[test]
fn no_flipped_bit_goes_unseen() {
    let mut body = Vec::new();
    write_event("messageStart", b"{\"role\":\"assistant\"}", &mut body);
    for at in 0..body.len() * 8 {
        let mut broken = body.clone();
        broken[at / 8] ^= 1 << (at % 8);
        assert_eq!(whole(&broken), (vec![], Some(FrameError::Checksum)), "bit {at}");
    }
}

#[test]
fn a_body_that_ends_inside_a_frame_is_unfinished() {
    let mut body = Vec::new();
    write_event("messageStop", b"{}", &mut body);
    for end in 1..body.len() {
        assert_eq!(whole(&body[..end]), (vec![], Some(FrameError::Unfinished)), "{end}");
    }
    assert_eq!(whole(&body).1, None);
    assert_eq!(whole(b""), (vec![], None));
}

#[test]
fn a_frame_in_one_chunk_is_a_slice_of_it_and_has_a_bound() {
    let mut body = Vec::new();
    write_event("a", b"{}", &mut body);
    let (one, body) = (body.len(), Bytes::from(body));
    let within = body.as_ptr_range();
    let mut framer = crate::Framer::new(Framing::AwsEventStream, one);
    framer.push(body.clone());
    let frame = framer.next_frame().unwrap().unwrap();
    for part in [&frame.raw, &frame.event, &frame.data] {
        assert!(within.contains(&part.as_ptr()));
    }
    for most in 0..one {
        let chunks = [body.chunks(1).collect(), vec![&body[..]]];
        for chunks in chunks {
            let found = frames(Framing::AwsEventStream, most, chunks);
            assert_eq!(found, (vec![], Some(FrameError::TooLarge(most))));
        }
    }
}

proptest! {
    #[test]
    fn cutting_changes_nothing(
        payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..5),
        damage in prop::option::of((any::<prop::sample::Index>(), 1u8..)),
        sizes in prop::collection::vec(1usize..30, 1..60),
    ) {
        let mut body = Vec::new();
        for payload in &payloads {
            write_event("contentBlockDelta", payload, &mut body);
        }
        if let Some((at, bits)) = damage && !body.is_empty() {
            let at = at.index(body.len());
            body[at] ^= bits;
        }
        let whole = whole(&body);
        let single = frames(Framing::AwsEventStream, MOST, body.chunks(1));
        prop_assert_eq!(&single, &whole);
        let mut rest = &body[..];
        let chunks = sizes.iter().cycle().map_while(|size| {
            let (chunk, later) = rest.split_at((*size).min(rest.len()));
            rest = later;
            (!chunk.is_empty()).then_some(chunk)
        });
        prop_assert_eq!(&frames(Framing::AwsEventStream, MOST, chunks), &whole);
        if damage.is_none() {
            let data: Vec<_> = whole.0.iter().map(|frame| frame.data.to_vec()).collect();
            prop_assert_eq!(data, payloads);
        }
    }
}
