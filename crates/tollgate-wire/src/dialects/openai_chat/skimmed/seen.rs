//! An answer of the usual shape, skimmed from its bytes: one validating scan, and a look at the few
//! values that count. Whatever is unusual is not seen here, and read by the other way.

use std::borrow::Cow;

use serde::de::IgnoredAny;

use super::{Groq, Skimmed, SkimmedChoice, SkimmedDetails, SkimmedMessage};
use crate::dialects::openai_chat::usage::Figures;
use crate::lenient::Object;
use crate::scan::{self, Limits, walk};

/// A provider's keys are few: where they are not, the hashes that hold them are not used.
const LIMITS: Limits = Limits { keys: 1000, ..Limits::seeded(0) };
const NULL: &[u8] = b"null";

impl<'a> Skimmed<'a> {
    pub(super) fn seen(body: &'a [u8]) -> Option<Self> {
        let scan = scan::scan(body, &LIMITS).ok()?;
        let mut seen = Self::default();
        for (key, value) in scan.plain_members(body)? {
            match key {
                b"id" => seen.id = text(value)?,
                b"model" => seen.model = text(value)?,
                b"created" if value != NULL => seen.created = Some(walk::count(value)?),
                b"choices" if value != NULL => {
                    seen.choices = Some(walk::items(value)?.map(choice).collect::<Option<_>>()?);
                }
                b"usage" => seen.usage = Figures::seen(value)?,
                b"x_groq" => seen.x_groq = groq(value)?,
                b"service_tier" => seen.service_tier = text(value)?,
                b"error" if value != NULL => seen.error = Some(IgnoredAny),
                _ => {}
            }
        }
        Some(seen)
    }
}

/// A text or `null`; the outer `None` for anything else.
fn text(value: &[u8]) -> Option<Option<String>> {
    if value == NULL {
        return Some(None);
    }
    walk::text(value).map(|text| Some(Cow::into_owned(text)))
}

fn groq(value: &[u8]) -> Option<Object<Groq>> {
    let Some(mut members) = walk::members(value) else { return Some(Object(None)) };
    let usage = members.find(|(key, _)| *key == b"usage");
    let usage = usage.map_or(Some(Object(None)), |(_, value)| Figures::seen(value))?;
    Some(Object(Some(Groq { usage })))
}

fn choice(value: &[u8]) -> Option<SkimmedChoice<'_>> {
    let mut seen = SkimmedChoice::default();
    for (key, value) in walk::members(value)? {
        match key {
            b"index" if value != NULL => {
                seen.index = Some(u32::try_from(walk::count(value)?).ok()?);
            }
            b"finish_reason" => seen.finish_reason = text(value)?,
            b"finish_details" if value != NULL => {
                let mut members = walk::members(value)?;
                let (_, kind) = members.find(|(key, _)| *key == b"type")?;
                let kind = walk::text(kind)?.into_owned();
                seen.finish_details = Some(SkimmedDetails { kind });
            }
            b"message" => seen.message = message(value)?,
            b"delta" => seen.delta = message(value)?,
            _ => {}
        }
    }
    Some(seen)
}

fn message(value: &[u8]) -> Option<Option<SkimmedMessage<'_>>> {
    if value == NULL {
        return Some(None);
    }
    let mut seen = SkimmedMessage::default();
    for (key, value) in walk::members(value)? {
        match key {
            b"tool_calls" if value != NULL => {
                seen.tool_calls = Some(std::str::from_utf8(value).ok()?);
            }
            b"function_call" if value != NULL => seen.function_call = Some(IgnoredAny),
            _ => {}
        }
    }
    Some(Some(seen))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seen, an answer says what it says when it is read.
    #[test]
    fn what_is_seen_is_what_is_read() {
        let choice = r#"{"index":0,"message":{"role":"assistant","content":"a\n\"}]","tool_calls":[ {"id":"x"}]},"finish_reason":"stop"}"#;
        let usual = [
            format!(r#"{{"id":"a","model":"m","created":12,"choices":[{choice}],"usage":{{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}}}}"#),
            format!(" {{ \"choices\" : [ {choice} , {{ }} ] , \"usage\" : null }} \n"),
            r#"{"choices":[],"usage":{"prompt_tokens":3.0,"output_tokens":-1,"total_tokens":"9","completion_tokens_details":{"reasoning_tokens":2,"x":[{}]},"prompt_tokens_details":[1],"cache_creation":{"ephemeral_1h_input_tokens":5},"service_tier":"flex"}}"#.into(),
            r#"{"choices":null,"x_groq":{"id":"g","usage":{"prompt_tokens":1}},"service_tier":"x"}"#.into(),
            r#"{"choices":[{"delta":{"tool_calls":[],"function_call":{}},"finish_details":{"a":1,"type":"stop"}}]}"#.into(),
            r#"{"choices":[{"message":null,"index":null,"finish_reason":null}],"error":{}}"#.into(),
            r#"{}"#.into(),
        ];
        for body in &usual {
            let seen = Skimmed::seen(body.as_bytes());
            assert!(seen.is_some(), "{body}");
            let read = Skimmed::read(body.as_bytes());
            assert_eq!(format!("{seen:?}"), format!("{read:?}"), "{body}");
        }
    }

    #[test]
    fn what_is_unusual_is_not_seen() {
        for body in [
            "",
            "[]",
            r#"{"id":1}"#,
            r#"{"created":1.5}"#,
            r#"{"created":"1"}"#,
            r#"{"choices":{}}"#,
            r#"{"choices":["a"]}"#,
            r#"{"choices":[{"index":-1}]}"#,
            r#"{"choices":[{"index":4294967296}]}"#,
            r#"{"choices":[{"finish_reason":1}]}"#,
            r#"{"choices":[{"finish_details":{}}]}"#,
            r#"{"choices":[{"message":"a"}]}"#,
            r#"{"ch\u006fices":[]}"#,
            r#"{"choices":[{"m\u0065ssage":{}}]}"#,
            r#"{"id":"a","id":"b"}"#,
            r#"{"id":"\ud800"}"#,
            r#"{"usage":{"prompt_tokens":1e999}}"#,
            r#"{"choices":[]"#,
            r#"{"choices":[]}}"#,
        ] {
            assert!(Skimmed::seen(body.as_bytes()).is_none(), "{body}");
        }
    }
}
