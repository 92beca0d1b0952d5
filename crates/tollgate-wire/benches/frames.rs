//! How long the framer takes for one event of a stream, as chunks of one event each, of many, and
//! of a size that cuts events anywhere.
//!
//! `cargo bench -p tollgate-wire --bench frames`. The shortest of many runs is told; on a busy
//! machine only the ratios mean anything.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a measurement prints what it finds")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tollgate_wire::{Framer, Framing};

const EVENTS: usize = 500;

fn main() {
    let delta = concat!(
        r#"{"id":"chatcmpl-0123456789","object":"chat.completion.chunk","created":1700000000,"#,
        r#""model":"gpt-4o-2024-08-06","system_fingerprint":"fp_0123456789","choices":[{"index":0,"#,
        r#""delta":{"content":" lorem"},"logprobs":null,"finish_reason":null}]}"#,
    );
    println!("{:>34} {:>8} {:>12}", "", "bytes", "ns an event");
    let plain = format!("data: {delta}\n\n");
    let named = format!("event: content_block_delta\ndata: {delta}\n\n");
    let crlf = format!("data: {delta}\r\n\r\n");
    for (name, framing, event) in [
        ("data", Framing::Sse, plain.as_str()),
        ("event and data", Framing::Sse, &named),
        ("data, CRLF", Framing::Sse, &crlf),
        ("element of an array", Framing::JsonArray, &format!("{delta}\n,\r\n")),
    ] {
        let start = if framing == Framing::JsonArray { "[" } else { "" };
        let body = Bytes::from(format!("{start}{}", event.repeat(EVENTS)));
        for (cut, size) in
            [("one a chunk", event.len()), ("16 KB chunks", 16 << 10), ("100 bytes", 100)]
        {
            let chunks: Vec<_> = (0..body.len())
                .step_by(size)
                .map(|at| body.slice(at..(at + size).min(body.len())))
                .collect();
            let time = shortest(|| run(framing, &chunks));
            let each = time.as_nanos() / EVENTS as u128;
            println!("{:>34} {:>8} {each:>12}", format!("{name}, {cut}"), event.len());
        }
    }
}

fn run(framing: Framing, chunks: &[Bytes]) -> usize {
    let mut framer = Framer::new(framing, 1 << 20);
    let mut length = 0;
    for chunk in chunks {
        framer.push(black_box(chunk).clone());
        while let Some(frame) = framer.next_frame().unwrap() {
            length += frame.data.len();
        }
    }
    length
}

fn shortest<T>(mut run: impl FnMut() -> T) -> Duration {
    let mut best = Duration::MAX;
    for _ in 0..300 {
        let start = Instant::now();
        black_box(run());
        best = best.min(start.elapsed());
    }
    best
}
