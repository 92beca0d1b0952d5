//! What an answer must say when it is written in another shape: the table of what each shape can
//! express, and the comparison.
//!
//! A figure, a word or a mark that a shape has no place for is not demanded of it; everything
//! else is, to the letter.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::digest::{Arguments, Difference, Digest, ErrorDigest, Tokens, shortened};
use crate::readers::{Figure, Shape};

/// Every field, to the letter.
#[must_use]
pub fn exact(expected: &Digest, got: &Digest) -> Vec<Difference> {
    let mut found = Differences::default();
    if let (Some(expected), Some(got)) = (&expected.error, &got.error) {
        found.words("error.type", expected.kind.as_deref(), got.kind.as_deref());
        // The digest does not look for it everywhere.
        if expected.code.is_some() {
            found.words("error.code", expected.code.as_deref(), got.code.as_deref());
        }
        found.words("error.message", expected.message.as_deref(), got.message.as_deref());
        found.words("error.param", expected.param.as_deref(), got.param.as_deref());
        found.same("error.status", &expected.status, &got.status);
        return found.0;
    }
    found.same("error", &expected.error.is_some(), &got.error.is_some());
    found.text("text", &expected.text, &got.text);
    found.text("refusal", &expected.refusal, &got.refusal);
    found.text("reasoning", &expected.reasoning, &got.reasoning);
    found.tool_calls(expected, got, Some(None));
    found.words("finish", expected.finish.as_deref(), got.finish.as_deref());
    found.words("stop_sequence", expected.stop_sequence.as_deref(), got.stop_sequence.as_deref());
    found.same("signatures", &expected.signatures, &got.signatures);
    found.same("redacted", &expected.redacted, &got.redacted);
    found.same("citations", &expected.citations, &got.citations);
    found.same("choices", &expected.choices, &got.choices);
    found.same("logprobs", &expected.logprobs, &got.logprobs);
    found.same("images", &expected.images, &got.images);
    found.same("audio", &expected.audio, &got.audio);
    found.usage(&expected.usage, &got.usage, Figure::ALL);
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
    // Not every shape has a place of its own for a refusal; elsewhere it is what the model said.
    if to.can().refusals {
        found.text("text", &expected.text, &got.text);
        found.text("refusal", &expected.refusal, &got.refusal);
    } else {
        found.text("text", &format!("{}{}", expected.text, expected.refusal), &got.text);
    }
    found.text("reasoning", &expected.reasoning, &got.reasoning);
    let ids = expected.tool_calls.iter().all(|call| !call.id.is_empty());
    found.tool_calls(expected, got, ids.then_some(to.can().id_marks));
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
    // Google signs its texts too. Other shapes have no place for that: a block of thinking behind
    // the answer would be taken for the answer.
    let signs = from.can().signed_texts && !to.can().signed_texts;
    let demanded = if signs { expected.bound } else { expected.signatures };
    let (said, got_any) = (expected.signatures + expected.redacted, got.signatures + got.redacted);
    if (demanded + expected.redacted > 0 && got_any == 0) || (said == 0 && got_any > 0) {
        found.add("signatures", said.to_string(), got_any.to_string());
    }
    if to.can().choices {
        found.same("choices", &expected.choices, &got.choices);
    }
    // A shape of one choice hangs them on its text, and nothing on a refusal or on thinking.
    let hung = to.can().choices || !expected.text.is_empty();
    if to.can().logprobs && hung {
        found.same("logprobs", &expected.logprobs, &got.logprobs);
    }
    found.usage(&consistent(&expected.usage), &got.usage, to.can().figures);
    found.0
}

impl Figure {
    fn name(self) -> &'static str {
        match self {
            Self::Input => "usage.input",
            Self::Output => "usage.output",
            Self::Cached => "usage.cached",
            Self::Reasoning => "usage.reasoning",
            Self::CacheWrite => "usage.cache_write",
        }
    }

    fn of(self, usage: &Tokens) -> Option<u64> {
        match self {
            Self::Input => usage.input,
            Self::Output => usage.output,
            Self::Cached => usage.cached,
            Self::Reasoning => usage.reasoning,
            Self::CacheWrite => usage.cache_write,
        }
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
    let said = (passage.to.can().finishes)(finish, calls);
    match (finish, said) {
        // Some imitators close a call with the word for a plain end, or the other way about.
        ("stop" | "tool_calls", ["tool_calls"]) if passage.from == passage.to => {
            &["stop", "tool_calls"]
        }
        _ => said,
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

    /// `ids`: the marks that they may hold, where the recording had any.
    fn tool_calls(&mut self, expected: &Digest, got: &Digest, ids: Option<Option<&str>>) {
        let names = |digest: &Digest| -> Vec<String> {
            digest.tool_calls.iter().map(|call| call.name.clone()).collect()
        };
        self.same("tool_name", &names(expected), &names(got));
        if expected.tool_calls.len() != got.tool_calls.len() {
            return;
        }
        for (expected, got) in expected.tool_calls.iter().zip(&got.tool_calls) {
            if let Some(marks) = ids {
                self.same("tool_id", &id_in(marks, &expected.id), &got.id);
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
        for figure in figures {
            let (expected, got) = (figure.of(expected), figure.of(got));
            // A shape that demands a figure says 0 where the provider said nothing, and one
            // without it means 0 where the provider said so.
            if expected.unwrap_or(0) != got.unwrap_or(0) {
                let said = |n: Option<u64>| n.map_or_else(|| "nothing".into(), |n| n.to_string());
                self.add(figure.name(), said(expected), said(got));
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
            // Some shapes have free words for their types: the provider's own word may stand there.
            let can = passage.to.can();
            let free = can.free_types && said == expected.kind.as_deref();
            let allowed = (can.error_types)(expected.status);
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

/// An id of a call as it must stand in a shape. Where a vendor refuses ids with other characters,
/// one of those stands in base64 behind a mark.
fn id_in(marks: Option<&str>, id: &str) -> String {
    let Some(marks) = marks else { return id.to_owned() };
    if id.chars().all(|c| c.is_ascii_alphanumeric() || marks.contains(c)) {
        return id.to_owned();
    }
    format!("toolu_tg_{}", URL_SAFE_NO_PAD.encode(id))
}

/// Zero-argument calls are written as nothing, `{}` or `null`; the text of a custom tool as it is,
/// or as the member `input` of an object.
fn same_arguments(expected: &Arguments, got: &Arguments) -> bool {
    let none = |arguments: &Arguments| match arguments {
        Arguments::Json(json) => {
            json.is_null() || json.as_object().is_some_and(serde_json::Map::is_empty)
        }
        Arguments::Broken(_) => false,
    };
    let custom = |arguments: &Arguments| match arguments {
        Arguments::Json(json) if json.as_object().is_some_and(|fields| fields.len() == 1) => {
            json["input"].as_str().map(Arguments::parse)
        }
        _ => None,
    };
    expected == got
        || (none(expected) && none(got))
        || custom(expected).is_some_and(|text| text == *got)
        || custom(got).is_some_and(|text| text == *expected)
}
