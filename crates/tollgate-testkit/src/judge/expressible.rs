//! What an answer must say when it is written in another shape: the table of what each shape can
//! express, and the comparison.
//!
//! A figure, a word or a mark that a shape has no place for is not demanded of it; everything
//! else is, to the letter.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::digest::{Arguments, Difference, Digest, ErrorDigest, Tokens, shortened};
use crate::readers::Shape;

/// Every field, to the letter.
#[must_use]
pub fn exact(expected: &Digest, got: &Digest) -> Vec<Difference> {
    let mut found = Differences::default();
    if let (Some(expected), Some(got)) = (&expected.error, &got.error) {
        found.words("error.type", expected.kind.as_deref(), got.kind.as_deref());
        found.words("error.code", expected.code.as_deref(), got.code.as_deref());
        found.words("error.message", expected.message.as_deref(), got.message.as_deref());
        found.words("error.param", expected.param.as_deref(), got.param.as_deref());
        found.same("error.status", &expected.status, &got.status);
        return found.0;
    }
    found.same("error", &expected.error.is_some(), &got.error.is_some());
    found.text("text", &expected.text, &got.text);
    found.text("refusal", &expected.refusal, &got.refusal);
    found.text("reasoning", &expected.reasoning, &got.reasoning);
    found.tool_calls(expected, got, Some(Shape::OpenaiChat));
    found.words("finish", expected.finish.as_deref(), got.finish.as_deref());
    found.words("stop_sequence", expected.stop_sequence.as_deref(), got.stop_sequence.as_deref());
    found.same("signatures", &expected.signatures, &got.signatures);
    found.same("redacted", &expected.redacted, &got.redacted);
    found.same("citations", &expected.citations, &got.citations);
    found.same("choices", &expected.choices, &got.choices);
    found.same("logprobs", &expected.logprobs, &got.logprobs);
    found.same("images", &expected.images, &got.images);
    found.same("audio", &expected.audio, &got.audio);
    found.usage(&expected.usage, &got.usage, &FIGURES);
    found.0
}

/// How a recording went through the gateway.
#[derive(Clone, Copy, Debug)]
pub struct Passage {
    /// Dialect of the recording.
    pub from: Shape,
    /// Shape of the answer.
    pub to: Shape,
}

/// What an answer of the gateway must say.
#[must_use]
pub fn passed(expected: &Digest, got: &Digest, passage: Passage) -> Vec<Difference> {
    let Passage { from, to } = passage;
    let own = from == to;
    let mut found = Differences::default();
    match (&expected.error, &got.error) {
        (Some(expected), Some(got)) => {
            found.error(expected, got, passage);
            return found.0;
        }
        (None, None) => {}
        (expected, got) => {
            found.add("error", format!("{expected:?}"), format!("{got:?}"));
            return found.0;
        }
    }
    // Only one shape has a place of its own for a refusal; elsewhere it is what the model said.
    if to == Shape::OpenaiChat {
        found.text("text", &expected.text, &got.text);
        found.text("refusal", &expected.refusal, &got.refusal);
    } else {
        found.text("text", &format!("{}{}", expected.text, expected.refusal), &got.text);
    }
    found.text("reasoning", &expected.reasoning, &got.reasoning);
    let ids = expected.tool_calls.iter().all(|call| !call.id.is_empty());
    found.tool_calls(expected, got, ids.then_some(to));
    found.finish(expected, got, passage);
    if own {
        let (expected, got) = (expected, got);
        found.words(
            "stop_sequence",
            expected.stop_sequence.as_deref(),
            got.stop_sequence.as_deref(),
        );
        found.same("redacted", &expected.redacted, &got.redacted);
        found.same("citations", &expected.citations, &got.citations);
        found.same("images", &expected.images, &got.images);
        found.same("audio", &expected.audio, &got.audio);
    }
    // Google signs its texts too. Anthropic's shape has no place for that: a block of thinking
    // behind the answer would be taken for the answer.
    let demanded = match (from, to) {
        (Shape::GeminiGenerate, Shape::AnthropicMessages) => expected.bound,
        _ => expected.signatures,
    };
    let (said, got_any) = (expected.signatures + expected.redacted, got.signatures + got.redacted);
    if (demanded + expected.redacted > 0 && got_any == 0) || (said == 0 && got_any > 0) {
        found.add("signatures", said.to_string(), got_any.to_string());
    }
    if to != Shape::AnthropicMessages {
        found.same("choices", &expected.choices, &got.choices);
        found.same("logprobs", &expected.logprobs, &got.logprobs);
    }
    found.usage(&consistent(&expected.usage), &got.usage, figures(to));
    found.0
}

type Figure = (&'static str, fn(&Tokens) -> Option<u64>);

const FIGURES: [Figure; 5] = [
    ("usage.input", |usage| usage.input),
    ("usage.output", |usage| usage.output),
    ("usage.cached", |usage| usage.cached),
    ("usage.reasoning", |usage| usage.reasoning),
    ("usage.cache_write", |usage| usage.cache_write),
];

/// The figures of usage that a shape has a place for.
fn figures(to: Shape) -> &'static [Figure] {
    match to {
        Shape::AnthropicMessages | Shape::OpenaiChat => &FIGURES,
        // Google reports no writing to a cache.
        Shape::GeminiGenerate => &FIGURES[..4],
    }
}

/// The corpus counts what was cached inside the input and what was thought inside the output. Where
/// a provider's part is larger than its whole, it stood beside it.
#[must_use]
pub fn consistent(usage: &Tokens) -> Tokens {
    let whole = |whole: Option<u64>, part: Option<u64>| match (whole, part) {
        (Some(whole), Some(part)) if part > whole => Some(whole + part),
        _ => whole,
    };
    let input = whole(usage.input, usage.cached);
    let output = whole(usage.output, usage.reasoning);
    Tokens { input, output, ..*usage }
}

/// How a finish may be said: in the corpus' vocabulary, per shape.
fn finishes(finish: &str, calls: bool, passage: Passage) -> &'static [&'static str] {
    let own = passage.from == passage.to;
    match (finish, passage.to) {
        // Google closes a tool call with STOP; everybody else must be told of it.
        ("stop" | "tool_calls", Shape::GeminiGenerate) if calls => &["stop"],
        ("stop" | "tool_calls", _) if calls && own => &["stop", "tool_calls"],
        ("stop" | "tool_calls", _) if calls => &["tool_calls"],
        ("stop" | "tool_calls", _) => &["stop"],
        ("length", _) => &["length"],
        ("content_filter" | "refusal", Shape::AnthropicMessages) => &["refusal"],
        ("content_filter" | "refusal", _) => &["content_filter"],
        ("pause", Shape::AnthropicMessages) => &["pause"],
        // A call whose end has no word is a call.
        (_, Shape::AnthropicMessages | Shape::OpenaiChat) if calls => {
            &["other", "stop", "tool_calls"]
        }
        // No word for it: the provider's own passes, or the plain end.
        _ => &["other", "stop"],
    }
}

/// The error types with which a shape says what a status means, in its own SDK's vocabulary.
#[must_use]
pub fn error_types(status: u16, to: Shape) -> &'static [&'static str] {
    match (to, status) {
        (Shape::AnthropicMessages, 401) => &["authentication_error"],
        (Shape::AnthropicMessages, 402) => &["billing_error"],
        (Shape::AnthropicMessages, 403) => &["permission_error"],
        (Shape::AnthropicMessages, 404) => &["not_found_error"],
        (Shape::AnthropicMessages, 413) => &["request_too_large"],
        (Shape::AnthropicMessages, 429) => &["rate_limit_error"],
        // One vendor answers a wrong key with 400.
        (Shape::AnthropicMessages, 400) => &["invalid_request_error", "authentication_error"],
        (Shape::AnthropicMessages, 402..=499) => &["invalid_request_error"],
        (Shape::AnthropicMessages, 501) => &["api_error", "invalid_request_error"],
        (Shape::AnthropicMessages, 504) => &["timeout_error"],
        (Shape::AnthropicMessages, 503 | 529) => &["overloaded_error", "api_error"],
        (Shape::AnthropicMessages, _) => &["api_error"],
        (Shape::GeminiGenerate, 401) => &["UNAUTHENTICATED"],
        (Shape::GeminiGenerate, 402 | 429) => &["RESOURCE_EXHAUSTED"],
        (Shape::GeminiGenerate, 403) => &["PERMISSION_DENIED"],
        (Shape::GeminiGenerate, 404) => &["NOT_FOUND"],
        (Shape::GeminiGenerate, 400..=499) => &["INVALID_ARGUMENT", "FAILED_PRECONDITION"],
        (Shape::GeminiGenerate, 501) => &["UNIMPLEMENTED", "INTERNAL"],
        (Shape::GeminiGenerate, 503 | 529) => &["UNAVAILABLE"],
        (Shape::GeminiGenerate, 504) => &["DEADLINE_EXCEEDED"],
        (Shape::GeminiGenerate, _) => &["INTERNAL"],
        (Shape::OpenaiChat, 401) => &["invalid_request_error", "authentication_error"],
        (Shape::OpenaiChat, 403) => &["invalid_request_error", "permission_error"],
        (Shape::OpenaiChat, 404) => &["invalid_request_error", "not_found_error"],
        (Shape::OpenaiChat, 402) => &["insufficient_quota"],
        (Shape::OpenaiChat, 429) => &["rate_limit_error", "insufficient_quota"],
        (Shape::OpenaiChat, 400..=499) => &["invalid_request_error"],
        (Shape::OpenaiChat, _) => &["server_error", "api_error"],
    }
}

#[derive(Debug, Default)]
struct Differences(Vec<Difference>);

impl Differences {
    fn add(&mut self, field: &'static str, expected: impl Into<String>, got: impl Into<String>) {
        self.0.push(Difference::new(field, expected, got));
    }

    fn same<T: PartialEq + std::fmt::Debug>(&mut self, field: &'static str, expected: &T, got: &T) {
        if expected != got {
            self.add(field, format!("{expected:?}"), format!("{got:?}"));
        }
    }

    fn words(&mut self, field: &'static str, expected: Option<&str>, got: Option<&str>) {
        if expected != got {
            let said = |word: Option<&str>| word.map_or_else(|| "nothing".into(), shortened);
            self.add(field, said(expected), said(got));
        }
    }

    fn text(&mut self, field: &'static str, expected: &str, got: &str) {
        if expected != got {
            let agree = expected.chars().zip(got.chars()).take_while(|(a, b)| a == b).count();
            let rest = |text: &str| {
                let tail: String = text.chars().skip(agree.saturating_sub(20)).collect();
                format!("({} chars, differ at {agree}) {}", text.chars().count(), shortened(&tail))
            };
            self.add(field, rest(expected), rest(got));
        }
    }

    /// `ids`: the shape in which to compare them, where the recording had any.
    fn tool_calls(&mut self, expected: &Digest, got: &Digest, ids: Option<Shape>) {
        let names = |digest: &Digest| -> Vec<String> {
            digest.tool_calls.iter().map(|call| call.name.clone()).collect()
        };
        self.same("tool_name", &names(expected), &names(got));
        if expected.tool_calls.len() != got.tool_calls.len() {
            return;
        }
        for (expected, got) in expected.tool_calls.iter().zip(&got.tool_calls) {
            if let Some(shape) = ids {
                self.same("tool_id", &id_in(shape, &expected.id), &got.id);
            }
            if !same_arguments(&expected.arguments, &got.arguments) {
                let said = |arguments: &Arguments| match arguments {
                    Arguments::Json(json) => shortened(&json.to_string()),
                    Arguments::Broken(text) => format!("broken: {}", shortened(text)),
                };
                self.add("tool_arguments", said(&expected.arguments), said(&got.arguments));
            }
        }
    }

    fn finish(&mut self, expected: &Digest, got: &Digest, passage: Passage) {
        let Some(finish) = expected.finish.as_deref() else { return };
        let allowed = finishes(finish, !expected.tool_calls.is_empty(), passage);
        let said = got.finish.as_deref().unwrap_or("nothing");
        if !allowed.contains(&said) {
            self.add("finish", allowed.join(" or "), said);
        }
    }

    fn usage(&mut self, expected: &Tokens, got: &Tokens, figures: &[Figure]) {
        for (field, figure) in figures {
            let (expected, got) = (figure(expected), figure(got));
            // A shape that demands a figure says 0 where the provider said nothing, and one
            // without it means 0 where the provider said so.
            if expected.unwrap_or(0) != got.unwrap_or(0) {
                let said = |n: Option<u64>| n.map_or_else(|| "nothing".into(), |n| n.to_string());
                self.add(field, said(expected), said(got));
            }
        }
    }

    fn error(&mut self, expected: &ErrorDigest, got: &ErrorDigest, passage: Passage) {
        if expected.status >= 400 {
            self.same("error.status", &expected.status, &got.status);
        }
        let said = got.kind.as_deref();
        if passage.from == passage.to {
            let number = |kind: &String| kind.parse::<u16>().is_ok();
            if expected.kind.as_ref().is_some_and(|kind| !number(kind)) {
                self.words("error.type", expected.kind.as_deref(), said);
            }
            if expected.code.is_some() {
                self.words("error.code", expected.code.as_deref(), got.code.as_deref());
            }
            if expected.param.is_some() {
                self.words("error.param", expected.param.as_deref(), got.param.as_deref());
            }
        } else {
            // One shape has free words for its types: the provider's own word may stand there.
            let free = passage.to == Shape::OpenaiChat && said == expected.kind.as_deref();
            let allowed = error_types(expected.status, passage.to);
            if !free && !said.is_some_and(|said| allowed.contains(&said)) && expected.status >= 400
            {
                self.add("error.type", allowed.join(" or "), said.unwrap_or("nothing"));
            }
        }
        if let Some(message) = &expected.message
            && got.message.as_ref().is_none_or(|got| !got.contains(message.as_str()))
        {
            self.words("error.message", Some(message), got.message.as_deref());
        }
    }
}

/// An id of a call as it must stand in a shape. Anthropic refuses ids with other characters than
/// letters, digits, `_` and `-`, so that one of those stands there in base64 behind a mark.
fn id_in(shape: Shape, id: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if shape != Shape::AnthropicMessages || id.chars().all(fits) {
        return id.to_owned();
    }
    format!("toolu_tg_{}", URL_SAFE_NO_PAD.encode(id))
}

/// Zero-argument calls are written as nothing, `{}` or `null`.
fn same_arguments(expected: &Arguments, got: &Arguments) -> bool {
    let none = |arguments: &Arguments| match arguments {
        Arguments::Json(json) => {
            json.is_null() || json.as_object().is_some_and(serde_json::Map::is_empty)
        }
        Arguments::Broken(_) => false,
    };
    expected == got || (none(expected) && none(got))
}
