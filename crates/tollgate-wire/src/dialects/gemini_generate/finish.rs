//! Why an answer ended, in Google's words.

use serde_json::Value;
use tollgate_model::FinishReason;

/// Before the word of a prompt that was not answered at all.
pub(super) const BLOCKED: &str = "blocked:";

/// Google's numbers for its words, which some hosts answer with.
const REASONS: [&str; 14] = [
    "FINISH_REASON_UNSPECIFIED",
    "STOP",
    "MAX_TOKENS",
    "SAFETY",
    "RECITATION",
    "OTHER",
    "LANGUAGE",
    "BLOCKLIST",
    "PROHIBITED_CONTENT",
    "SPII",
    "MALFORMED_FUNCTION_CALL",
    "IMAGE_SAFETY",
    "UNEXPECTED_TOOL_CALL",
    "TOO_MANY_TOOL_CALLS",
];

const BLOCK_REASONS: [&str; 6] = [
    "BLOCKED_REASON_UNSPECIFIED",
    "SAFETY",
    "OTHER",
    "BLOCKLIST",
    "PROHIBITED_CONTENT",
    "IMAGE_SAFETY",
];

/// The word of a `finishReason`; `None` when it is not there or says that nothing ended.
pub(super) fn word(value: &Value) -> Option<String> {
    named(value, &REASONS)
}

/// The word of a `blockReason`.
pub(super) fn block_word(value: &Value) -> Option<String> {
    named(value, &BLOCK_REASONS)
}

fn named(value: &Value, words: &[&str]) -> Option<String> {
    let word = match value {
        Value::String(word) => word.to_ascii_uppercase(),
        Value::Number(number) => {
            let at = usize::try_from(number.as_u64()?).ok()?;
            words.get(at).map_or_else(|| format!("REASON_{at}"), |word| (*word).to_owned())
        }
        _ => return None,
    };
    (!word.is_empty() && !word.ends_with("_UNSPECIFIED")).then_some(word)
}

/// What a word means. Google ends calls of functions with `STOP` as well.
pub(super) fn reason(word: &str, has_calls: bool) -> FinishReason {
    match word {
        "STOP" if has_calls => FinishReason::ToolCalls,
        "STOP" => FinishReason::Stop,
        "MAX_TOKENS" => FinishReason::Length,
        "SAFETY"
        | "RECITATION"
        | "LANGUAGE"
        | "BLOCKLIST"
        | "PROHIBITED_CONTENT"
        | "SPII"
        | "IMAGE_SAFETY"
        | "IMAGE_PROHIBITED_CONTENT"
        | "IMAGE_RECITATION"
        | "MODEL_ARMOR" => FinishReason::ContentFilter,
        word if word.starts_with(BLOCKED) => FinishReason::ContentFilter,
        // Hosts that only resemble Google's have words of their own for the end of calls.
        word if has_calls && !REASONS.contains(&word) => FinishReason::ToolCalls,
        _ => FinishReason::Other,
    }
}

/// Google's word for an end: the provider's own, when it is one of Google's.
pub(super) fn written(reason: FinishReason, word: Option<&str>) -> String {
    let google = |word: &&str| {
        !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
    };
    let fits = |word: &&str| self::reason(word, reason == FinishReason::ToolCalls) == reason;
    // Other vendors write the end of calls in capitals too.
    let foreign = |word: &&str| reason == FinishReason::ToolCalls && !REASONS.contains(word);
    if let Some(word) = word.filter(google).filter(fits).filter(|word| !foreign(word)) {
        return word.to_owned();
    }
    match reason {
        FinishReason::Stop | FinishReason::ToolCalls => "STOP",
        FinishReason::Length => "MAX_TOKENS",
        FinishReason::ContentFilter | FinishReason::Refusal => "SAFETY",
        FinishReason::Pause | FinishReason::Other => "OTHER",
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_numbers_and_small_letters_are_one() {
        for value in [Value::from("MAX_TOKENS"), Value::from("max_tokens"), Value::from(2)] {
            let word = word(&value).unwrap();
            assert_eq!(word, "MAX_TOKENS");
            assert_eq!(reason(&word, true), FinishReason::Length);
        }
        for nothing in [Value::Null, Value::from(0), Value::from("FINISH_REASON_UNSPECIFIED")] {
            assert_eq!(word(&nothing), None);
        }
        assert_eq!(written(FinishReason::ToolCalls, Some("TOOL_CALL")), "STOP");
        assert_eq!(reason("FUNCTION_CALL", true), FinishReason::ToolCalls);
        assert_eq!(reason("MALFORMED_FUNCTION_CALL", true), FinishReason::Other);
        assert_eq!(block_word(&Value::from(4)).as_deref(), Some("PROHIBITED_CONTENT"));
    }

    #[test]
    fn every_reason_is_written_as_a_word_of_its_own_meaning() {
        for word in REASONS.iter().skip(1) {
            for calls in [false, true] {
                assert_eq!(written(reason(word, calls), Some(word)), *word);
            }
        }
        assert_eq!(written(FinishReason::ToolCalls, Some("tool_use")), "STOP");
        assert_eq!(written(FinishReason::Refusal, None), "SAFETY");
    }
}
