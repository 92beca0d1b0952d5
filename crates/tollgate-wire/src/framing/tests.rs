//! Law 3 for frames: however a body is cut, the frames are the same; and what a frame is.

use bytes::Bytes;
use proptest::prelude::*;

use super::{Frame, FrameError, Framer, Framing, sse};

const MOST: usize = 1 << 20;

/// All frames of a body that comes in these chunks, and how it ended.
pub(super) fn frames<'a>(
    framing: Framing,
    most: usize,
    chunks: impl IntoIterator<Item = &'a [u8]>,
) -> (Vec<Frame>, Option<FrameError>) {
    let mut framer = Framer::new(framing, most);
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

fn whole(framing: Framing, body: &str) -> (Vec<Frame>, Option<FrameError>) {
    frames(framing, MOST, [body.as_bytes()])
}

fn text(bytes: &Bytes) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// Event names and data of the frames, in order.
fn events(body: &str) -> Vec<(String, String)> {
    let (frames, error) = whole(Framing::Sse, body);
    assert_eq!(error, None);
    assert_eq!(frames.iter().map(|frame| text(&frame.raw)).collect::<String>(), body);
    frames.iter().map(|frame| (text(&frame.event).into(), text(&frame.data).into())).collect()
}

fn data(body: &str) -> Vec<String> {
    events(body).into_iter().map(|(_, data)| data).collect()
}

#[test]
fn an_event_has_a_name_and_data() {
    assert_eq!(
        events("event: ping\ndata: {}\n\ndata:1\n\n"),
        [("ping".into(), "{}".into()), (String::new(), "1".into())]
    );
}

#[test]
fn lines_end_with_lf_crlf_or_cr() {
    for end in ["\n", "\r\n", "\r"] {
        let body = "event: a\ndata: 1\ndata: 2\n\ndata: 3\n\n".replace('\n', end);
        assert_eq!(
            events(&body),
            [("a".into(), "1\n2".into()), (String::new(), "3".into())],
            "{end:?}"
        );
    }
}

#[test]
fn only_a_leading_byte_order_mark_is_dropped() {
    assert_eq!(data("\u{feff}data: 1\n\n\u{feff}data: 2\n\n"), ["1", ""]);
}

#[test]
fn a_comment_is_a_frame_without_data() {
    assert_eq!(data(": keep-alive\n\ndata: 1\n\n\n"), ["", "1", ""]);
    assert_eq!(data(": OPENROUTER PROCESSING\ndata: 1\n\n"), ["1"]);
}

#[test]
fn an_event_of_a_stream_with_lone_crs_does_not_wait() {
    let mut framer = Framer::new(Framing::Sse, MOST);
    framer.push(Bytes::from_static(b"data: 1\r\r"));
    assert_eq!(framer.next_frame().unwrap().unwrap().data, "1");
}

#[test]
fn a_last_event_without_its_blank_line_counts_when_its_data_is_whole() {
    for rest in
        ["data: {\"a\":1}", "data: {\"a\":1}\n", "data: [DONE]", "data: [DONE]\r\n", ": bye"]
    {
        let (frames, error) = whole(Framing::Sse, rest);
        assert_eq!((frames.len(), error), (1, None), "{rest:?}");
        assert_eq!(frames[0].raw, rest);
    }
    for rest in ["data: {\"a\":", "data: [DON", "data: {\"a\":\n"] {
        assert_eq!(whole(Framing::Sse, rest), (vec![], Some(FrameError::Unfinished)), "{rest:?}");
    }
    assert_eq!(whole(Framing::Sse, ""), (vec![], None));
}

#[test]
fn elements_of_an_array_are_frames() {
    let body = "[{\"a\": \"]}\\\"\"}\n,\r\n[1, [2]],\"x\\\\\", -1e5 ,null]\n";
    let (frames, error) = whole(Framing::JsonArray, body);
    assert_eq!(error, None);
    let data: Vec<_> = frames.iter().map(|frame| text(&frame.data)).collect();
    assert_eq!(data, ["{\"a\": \"]}\\\"\"}", "[1, [2]]", "\"x\\\\\"", "-1e5", "null", "", ""]);
    assert_eq!(frames.iter().map(|frame| text(&frame.raw)).collect::<String>(), body);
}

#[test]
fn an_element_is_handed_out_with_its_last_byte() {
    let mut framer = Framer::new(Framing::JsonArray, MOST);
    framer.push(Bytes::from_static(b"[{\"a\":1}"));
    assert_eq!(framer.next_frame().unwrap().unwrap().data, "{\"a\":1}");
}

#[test]
fn what_is_no_array_is_refused() {
    for body in ["{}", "[,1]", "[1 2]", "[1,]", "[]]", "[] x", "[x]", "[1\"a\"]", "<html>"] {
        assert_eq!(whole(Framing::JsonArray, body).1, Some(FrameError::Malformed), "{body:?}");
    }
    for body in ["[", "[1", "[1,", "[{\"a\":1}", "[\"a", "[{"] {
        assert_eq!(whole(Framing::JsonArray, body).1, Some(FrameError::Unfinished), "{body:?}");
    }
    assert_eq!(whole(Framing::JsonArray, ""), (vec![], None));
}

#[test]
fn a_line_is_a_frame_whatever_stands_in_it() {
    let body = "{\"a\":1}\r\n\n\u{1e}{\"b\": \"\\n\"}\n \u{1e} \nno json\n";
    let (frames, error) = whole(Framing::Ndjson, body);
    assert_eq!(error, None);
    let data: Vec<_> = frames.iter().map(|frame| text(&frame.data)).collect();
    assert_eq!(data, ["{\"a\":1}", "", "{\"b\": \"\\n\"}", "", "no json"]);
    assert_eq!(frames.iter().map(|frame| text(&frame.raw)).collect::<String>(), body);
}

#[test]
fn a_last_line_without_its_end_counts_when_it_is_whole() {
    for (rest, count) in [("{\"a\":1}", 1), ("{}\n{\"a\":1} ", 2), ("{}\n ", 2), ("", 0)] {
        let (frames, error) = whole(Framing::Ndjson, rest);
        assert_eq!((frames.len(), error), (count, None), "{rest:?}");
    }
    for rest in ["{\"a\":", "{}\n{\"a", "x"] {
        assert_eq!(whole(Framing::Ndjson, rest).1, Some(FrameError::Unfinished), "{rest:?}");
    }
}

#[test]
fn what_a_host_calls_its_stream() {
    for (written, framing) in [
        ("text/event-stream; charset=utf-8", Some(Framing::Sse)),
        ("application/json", Some(Framing::JsonArray)),
        ("application/x-ndjson", Some(Framing::Ndjson)),
        ("Application/JSON-seq ;x=y", Some(Framing::Ndjson)),
        ("application/jsonl", Some(Framing::Ndjson)),
        ("text/html", None),
    ] {
        assert_eq!(Framing::of_content_type(written), framing, "{written}");
    }
    for framing in [Framing::Sse, Framing::JsonArray, Framing::Ndjson] {
        assert_eq!(Framing::of_content_type(framing.content_type()), Some(framing));
    }
}

#[test]
fn a_frame_in_one_chunk_is_a_slice_of_it() {
    for (framing, body) in [
        (Framing::Sse, "event: a\ndata: 1\n\ndata: 2\n\n"),
        (Framing::JsonArray, "[{},{}]"),
        (Framing::Ndjson, "{}\n[1]\n"),
    ] {
        let chunk = Bytes::from_static(body.as_bytes());
        let within = chunk.as_ptr_range();
        let mut framer = Framer::new(framing, MOST);
        framer.push(chunk.clone());
        let mut count = 0;
        while let Some(frame) = framer.next_frame().unwrap() {
            count += 1;
            for part in [&frame.raw, &frame.event, &frame.data] {
                assert!(part.is_empty() || within.contains(&part.as_ptr()));
            }
        }
        assert!(count >= 2);
    }
}

#[test]
fn a_frame_has_a_bound_and_its_error_is_final() {
    for framing in [Framing::Sse, Framing::JsonArray, Framing::Ndjson] {
        let mut framer = Framer::new(framing, 100);
        for _ in 0..101 {
            framer.push(Bytes::from_static(b"["));
            let _ = framer.next_frame();
        }
        assert_eq!(framer.next_frame(), Err(FrameError::TooLarge(100)));
        framer.push(Bytes::from_static(b"\n\ndata: 1\n\n"));
        assert_eq!(framer.next_frame(), Err(FrameError::TooLarge(100)));
        assert_eq!(framer.end(), Err(FrameError::TooLarge(100)));
    }
}

/// Eight megabytes one byte at a time: a framer that reads again from the start of the frame with
/// each byte would never come to an end.
#[test]
fn single_bytes_cost_no_more_than_their_number() {
    let mut framer = Framer::new(Framing::Sse, 16 << 20);
    let x = Bytes::from_static(b"x");
    framer.push(Bytes::from_static(b"data:"));
    for _ in 0..8 << 20 {
        framer.push(x.clone());
        assert_eq!(framer.next_frame(), Ok(None));
    }
    framer.push(Bytes::from_static(b"\n\n"));
    assert_eq!(framer.next_frame().unwrap().unwrap().data.len(), 8 << 20);
}

/// Pieces of which bodies are made that come near every rule of both framings.
fn body() -> impl Strategy<Value = String> {
    let sse = prop::sample::select(vec![
        "\n",
        "\r",
        "\r\n",
        "\n\n",
        "data",
        "data:",
        "data: ",
        "event: a",
        ": c",
        "{\"a\":1}",
        "[DONE]",
        "\u{feff}",
        "id: 1",
        "é",
        " ",
        "x",
    ]);
    let array = prop::sample::select(vec![
        "[",
        "]",
        ",",
        "{",
        "}",
        "\"",
        "\\",
        "1",
        "-",
        "null",
        " ",
        "\n",
        "{\"a\":[1]}",
        "\"\\\"]\"",
        "é",
        "x",
    ]);
    prop_oneof![
        prop::collection::vec(sse, 0..24).prop_map(|pieces| pieces.concat()),
        prop::collection::vec(array.clone(), 0..24).prop_map(|pieces| pieces.concat()),
        prop::collection::vec(array, 0..24).prop_map(|pieces| format!("[{}", pieces.concat())),
    ]
}

/// `body`, cut at these places.
fn pieces<'a>(body: &'a [u8], cuts: &[prop::sample::Index]) -> Vec<&'a [u8]> {
    let mut at: Vec<_> = cuts.iter().map(|cut| cut.index(body.len() + 1)).collect();
    at.extend([0, body.len()]);
    at.sort_unstable();
    at.windows(2).map(|pair| &body[pair[0]..pair[1]]).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn cutting_changes_nothing(
        body in body(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
        most in prop_oneof![Just(MOST), 0usize..24],
        framing in prop::sample::select(vec![Framing::Sse, Framing::JsonArray, Framing::Ndjson]),
    ) {
        let body = body.as_bytes();
        let whole = frames(framing, most, [body]);
        prop_assert_eq!(&frames(framing, most, pieces(body, &cuts)), &whole);
        prop_assert_eq!(&frames(framing, most, body.chunks(1)), &whole);
        let joined: Vec<u8> = whole.0.iter().flat_map(|frame| frame.raw.to_vec()).collect();
        if whole.1.is_none() {
            prop_assert_eq!(joined, body);
        } else {
            prop_assert!(body.starts_with(&joined));
        }
        prop_assert!(whole.0.iter().all(|frame| frame.raw.len() <= most));
    }

    #[test]
    fn elements_come_out_as_they_were_put_in(elements in prop::collection::vec("[a-z\\]\\[{},\"\\\\é]{0,12}", 0..8)) {
        let elements: Vec<_> = elements
            .iter()
            .map(|text| serde_json::json!({ "text": text, "list": [text] }).to_string())
            .collect();
        let body = format!("[{}]", elements.join("\n,\r\n"));
        let (frames, error) = whole(Framing::JsonArray, &body);
        prop_assert_eq!(error, None);
        let data: Vec<_> = frames.iter().map(|frame| text(&frame.data)).filter(|data| !data.is_empty()).collect();
        prop_assert_eq!(data, elements);
    }
}

/// The standard's own reading of a frame, as a browser does it; it differs from a [`Framer`]'s in
/// three things, each kept apart here: an event that lacks its blank line is dropped, one with an
/// empty `data:` line is still an event, and `id` and `retry` are read.
#[derive(Debug, Default)]
struct Strict {
    last_id: String,
    retry: Option<u64>,
    events: Vec<serde_json::Value>,
}

impl Strict {
    fn read(&mut self, frame: &Frame, first: bool) {
        let raw = &frame.raw;
        let mark = if first && raw.starts_with("\u{feff}".as_bytes()) { 3 } else { 0 };
        let mut has_data = false;
        for field in sse::fields(raw, mark) {
            let value = std::str::from_utf8(&raw[field.value]).unwrap();
            match &raw[field.name] {
                b"data" => has_data = true,
                b"id" if !value.contains('\0') => self.last_id = value.into(),
                b"retry" if value.bytes().all(|byte| byte.is_ascii_digit()) => {
                    self.retry = value.parse().ok();
                }
                _ => {}
            }
        }
        if has_data {
            let event = if frame.event.is_empty() { "message" } else { text(&frame.event) };
            self.events.push(serde_json::json!({
                "event": event, "data": text(&frame.data), "last_id": self.last_id,
            }));
        }
    }
}

/// What the corpora's README states of server-sent events.
#[test]
fn the_standards_own_vectors_are_read_as_it_says() {
    let Some(vectors) = tollgate_testkit::robustness("sse.jsonl.gz") else { return };
    assert!(vectors.len() >= 16);
    for vector in &vectors {
        let chunks: Vec<_> = vector["chunks"]
            .as_array()
            .unwrap()
            .iter()
            .map(|chunk| chunk.as_str().unwrap())
            .collect();
        let joined = chunks.concat();
        let ways: [Vec<&[u8]>; 3] = [
            chunks.iter().map(|chunk| chunk.as_bytes()).collect(),
            vec![joined.as_bytes()],
            joined.as_bytes().chunks(1).collect(),
        ];
        for way in ways {
            let mut framer = Framer::new(Framing::Sse, MOST);
            let mut strict = Strict::default();
            let mut first = true;
            for chunk in way {
                framer.push(Bytes::copy_from_slice(chunk));
                while let Some(frame) = framer.next_frame().unwrap() {
                    strict.read(&frame, first);
                    first = false;
                }
            }
            assert_eq!(vector["events"], serde_json::json!(strict.events), "{}", vector["name"]);
            assert_eq!(vector["retry"], serde_json::json!(strict.retry), "{}", vector["name"]);
        }
    }
}
