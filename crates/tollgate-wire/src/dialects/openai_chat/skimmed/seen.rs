//! An answer of the usual shape, skimmed in one pass over its bytes that takes the few values that
//! count and passes over the rest. Whatever is unusual is not seen here, and read by the other way.

use std::borrow::Cow;

use serde::de::IgnoredAny;

use super::{Groq, Skimmed, SkimmedChoice, SkimmedDetails, SkimmedMessage};
use crate::dialects::openai_chat::usage::Figures;
use crate::lenient::Object;
use crate::scan::reader::Reader;

impl<'a> Skimmed<'a> {
    pub(super) fn seen(body: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(body);
        let mut seen = Self::default();
        reader.object(|key, value| {
            match key {
                b"id" => seen.id = text(value)?,
                b"model" => seen.model = text(value)?,
                b"created" => seen.created = value.count()?,
                b"choices" => seen.choices = choices(value)?,
                b"usage" => seen.usage = Object::seen(value, Figures::seen)?,
                b"x_groq" => seen.x_groq = Object::seen(value, groq)?,
                b"service_tier" => seen.service_tier = text(value)?,
                b"error" => seen.error = some(value)?,
                _ => drop(value.skip()?),
            }
            Some(())
        })?;
        reader.end()?;
        Some(seen)
    }
}

/// A text or `null`.
fn text(value: &mut Reader<'_>) -> Option<Option<String>> {
    value.text().map(|text| text.map(Cow::into_owned))
}

/// Whether there is more than `null`.
fn some(value: &mut Reader<'_>) -> Option<Option<IgnoredAny>> {
    value.skip().map(|written| (written != b"null").then_some(IgnoredAny))
}

fn groq(value: &mut Reader<'_>) -> Option<Groq> {
    let mut usage = Object(None);
    value.object(|key, value| {
        match key {
            b"usage" => usage = Object::seen(value, Figures::seen)?,
            _ => drop(value.skip()?),
        }
        Some(())
    })?;
    Some(Groq { usage: Object(usage.0.map(Box::new)) })
}

fn choices<'a>(value: &mut Reader<'a>) -> Option<Option<Vec<SkimmedChoice<'a>>>> {
    if value.peek()? != b'[' {
        return value.null().map(|()| None);
    }
    let mut seen = Vec::new();
    value.list(|value| {
        seen.push(choice(value)?);
        Some(())
    })?;
    Some(Some(seen))
}

fn choice<'a>(value: &mut Reader<'a>) -> Option<SkimmedChoice<'a>> {
    let mut seen = SkimmedChoice::default();
    value.object(|key, value| {
        match key {
            b"index" => {
                seen.index = match value.count()? {
                    Some(index) => Some(u32::try_from(index).ok()?),
                    None => None,
                };
            }
            b"finish_reason" => seen.finish_reason = text(value)?,
            b"finish_details" => seen.finish_details = details(value)?,
            b"message" => seen.message = message(value)?,
            b"delta" => seen.delta = message(value)?,
            _ => drop(value.skip()?),
        }
        Some(())
    })?;
    Some(seen)
}

fn details(value: &mut Reader<'_>) -> Option<Option<SkimmedDetails>> {
    if value.peek()? != b'{' {
        return value.null().map(|()| None);
    }
    let mut kind = None;
    value.object(|key, value| {
        match key {
            b"type" => kind = text(value)?,
            _ => drop(value.skip()?),
        }
        Some(())
    })?;
    Some(Some(SkimmedDetails { kind: kind? }))
}

fn message<'a>(value: &mut Reader<'a>) -> Option<Option<SkimmedMessage<'a>>> {
    if value.peek()? != b'{' {
        return value.null().map(|()| None);
    }
    let mut seen = SkimmedMessage::default();
    value.object(|key, value| {
        match key {
            b"tool_calls" => {
                let written = std::str::from_utf8(value.skip()?).ok()?;
                seen.tool_calls = (written != "null").then_some(written);
            }
            b"function_call" => seen.function_call = some(value)?,
            _ => drop(value.skip()?),
        }
        Some(())
    })?;
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
            r#"{"choices":[{"message":{"tool_calls":[1,]}}]}"#,
            r#"{"id":"\ud800"}"#,
            r#"{"usage":{"prompt_tokens":1e999}}"#,
            r#"{"choices":[]"#,
            r#"{"choices":[]}}"#,
        ] {
            assert!(Skimmed::seen(body.as_bytes()).is_none(), "{body}");
        }
    }
}
