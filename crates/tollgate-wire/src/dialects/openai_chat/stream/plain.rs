//! The plain frame: one piece of text or thinking and nothing else. Nearly all frames of a
//! stream are plain, so they are read without building a tree. A frame with any field that is not
//! known to say nothing here is not plain, and the whole reader reads it.

use serde::{Deserialize, de::IgnoredAny};

/// What a plain frame adds.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Plain {
    pub(super) choice: u32,
    pub(super) reasoning: Option<String>,
    pub(super) content: Option<String>,
}

pub(super) fn read(data: &[u8]) -> Option<Plain> {
    let Chunk { choices: [choice], .. } = serde_json::from_slice(data).ok()?;
    let Delta { content, reasoning_content, reasoning, .. } = choice.delta;
    let reasoning = [reasoning_content, reasoning].into_iter().flatten().find(|t| !t.is_empty());
    Some(Plain { choice: choice.index, reasoning, content: content.filter(|t| !t.is_empty()) })
}

// A field of type `()` must be `null` or absent.

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "the fields that say nothing are named so that others are noticed")]
struct Chunk {
    choices: [Choice; 1],
    #[serde(default)]
    id: IgnoredAny,
    #[serde(default)]
    object: IgnoredAny,
    #[serde(default)]
    created: IgnoredAny,
    #[serde(default)]
    model: IgnoredAny,
    #[serde(default)]
    system_fingerprint: IgnoredAny,
    #[serde(default)]
    service_tier: IgnoredAny,
    #[serde(default)]
    provider: IgnoredAny,
    #[serde(default)]
    obfuscation: IgnoredAny,
    #[serde(default)]
    p: IgnoredAny,
    #[serde(default)]
    usage: (),
    #[serde(default)]
    error: (),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "the fields that say nothing are named so that others are noticed")]
struct Choice {
    index: u32,
    delta: Delta,
    #[serde(default)]
    logprobs: (),
    #[serde(default)]
    finish_reason: (),
    #[serde(default)]
    native_finish_reason: (),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "the fields that say nothing are named so that others are noticed")]
struct Delta {
    #[serde(default)]
    role: IgnoredAny,
    #[serde(default)]
    content: Option<String>,
    #[serde(default)]
    reasoning_content: Option<String>,
    #[serde(default)]
    reasoning: Option<String>,
    #[serde(default)]
    refusal: (),
    #[serde(default)]
    tool_calls: (),
    #[serde(default)]
    function_call: (),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_frame_that_says_nothing_else_is_plain() {
        let plain = |choice: &str, more: &str| {
            read(format!(r#"{{"id":"x","choices":[{choice}],"created":1{more}}}"#).as_bytes())
        };
        let text = r#"{"index":1,"delta":{"content":"a\nb"},"finish_reason":null}"#;
        let read = Plain { choice: 1, reasoning: None, content: Some("a\nb".into()) };
        assert_eq!(plain(text, ""), Some(read));
        assert!(plain(text, r#","usage":null"#).is_some());
        for more in [r#","usage":{}"#, r#","error":{}"#, r#","citations":[]"#, r#","x_groq":{}"#] {
            assert_eq!(plain(text, more), None, "{more}");
        }
        for choice in [
            r#"{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}"#,
            r#"{"index":0,"delta":{"content":[]}}"#,
            r#"{"index":0,"delta":{"content":"a","tool_calls":[]}}"#,
            r#"{"index":0,"delta":{"content":"a","annotations":[]}}"#,
            r#"{"index":0,"delta":{"content":"a"},"logprobs":{}}"#,
            r#"{"delta":{"content":"a"}}"#,
        ] {
            assert_eq!(plain(choice, ""), None, "{choice}");
        }
    }
}
