//! How long a body's scan takes, beside what serde_json takes to check it and find its model.
//!
//! `cargo bench -p tollgate-wire --bench scan`. The shortest of many runs is told; on a busy
//! machine only the ratios mean anything.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a measurement prints what it finds")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use tollgate_wire::{Limits, Splice, scan};

const LIMITS: Limits = Limits::seeded(0x5EED);

/// What a gateway would ask serde_json for, if it read a body with it in place.
#[derive(Deserialize)]
struct Typed<'a> {
    #[serde(borrow)]
    model: &'a str,
    stream: Option<bool>,
    #[serde(borrow)]
    messages: &'a RawValue,
    #[serde(borrow)]
    tools: Option<&'a RawValue>,
}

fn main() {
    println!(
        "{:>28} {:>9} {:>9} {:>9} {:>9} {:>9}",
        "ns", "bytes", "scan", "typed", "ignored", "splice"
    );
    for (name, body) in [
        ("short question", chat(1, 200, 0)),
        ("1.3 KB, 3 messages", chat(3, 340, 0)),
        ("2 KB, 4 tools", chat(2, 100, 4)),
        ("16 KB, 20 messages", chat(20, 750, 0)),
        ("32 KB, 40 tools", chat(10, 400, 70)),
        ("256 KB, long texts", chat(40, 6500, 0)),
        ("256 KB, umlauts and newlines", chat(40, 5200, 0).replace("lorem", "l\u{f6}rem\\n")),
    ] {
        let body = body.as_bytes();
        let found = scan(body, &LIMITS).unwrap();
        let row = [
            shortest(|| scan(black_box(body), &LIMITS).unwrap()),
            shortest(|| {
                let typed: Typed<'_> = serde_json::from_slice(black_box(body)).unwrap();
                (typed.model.len(), typed.stream, typed.messages.get().len(), typed.tools.is_some())
            }),
            shortest(|| serde_json::from_slice::<IgnoredAny>(black_box(body)).unwrap()),
            shortest(|| Splice::new(black_box(body), &found).set_model("other").finish().unwrap()),
        ];
        print!("{name:>28} {:>9}", body.len());
        for time in row {
            print!(" {:>9}", time.as_nanos());
        }
        println!("   scan {:.0} ns/KB", row[0].as_nanos() as f64 * 1024.0 / body.len() as f64);
    }
}

/// A chat of so many messages of so many bytes, and so many tools.
fn chat(messages: usize, length: usize, tools: usize) -> String {
    let text = "lorem ipsum dolor sit amet, ".repeat(length / 28 + 1);
    let message = format!(r#"{{"role":"user","content":"{}"}}"#, &text[..length]);
    let tool = concat!(
        r#"{"type":"function","function":{"name":"weather","description":"What the sky does","#,
        r#""parameters":{"type":"object","properties":{"city":{"type":"string"},"unit":{"type":"#,
        r#""string","enum":["c","f"]}},"required":["city"],"additionalProperties":false}}}"#,
    );
    let tools = match tools {
        0 => String::new(),
        _ => format!(r#","tools":[{}],"tool_choice":"auto""#, vec![tool; tools].join(",")),
    };
    format!(
        r#"{{"model":"gpt-4o","messages":[{}],"stream":true,"temperature":0.7,"max_tokens":512{tools}}}"#,
        vec![message; messages].join(",")
    )
}

fn shortest<T>(mut run: impl FnMut() -> T) -> Duration {
    let mut best = Duration::MAX;
    for _ in 0..200 {
        let start = Instant::now();
        for _ in 0..20 {
            black_box(run());
        }
        best = best.min(start.elapsed() / 20);
    }
    best
}
