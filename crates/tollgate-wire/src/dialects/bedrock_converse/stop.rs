//! Why an answer ended: Bedrock's words and the hub's reasons.

use tollgate_model::FinishReason;

/// Every word, with what it stands for. The first for a reason is the one that is written.
const WORDS: &[(&str, FinishReason)] = &[
    ("end_turn", FinishReason::Stop),
    ("stop_sequence", FinishReason::Stop),
    ("max_tokens", FinishReason::Length),
    ("model_context_window_exceeded", FinishReason::Length),
    ("tool_use", FinishReason::ToolCalls),
    ("content_filtered", FinishReason::ContentFilter),
    ("guardrail_intervened", FinishReason::ContentFilter),
    ("malformed_model_output", FinishReason::Other),
    ("malformed_tool_use", FinishReason::Other),
];

/// The reason that a `stopReason` stands for.
pub(super) fn reason(word: &str) -> FinishReason {
    WORDS.iter().find(|(own, _)| *own == word).map_or(FinishReason::Other, |(_, reason)| *reason)
}

/// The `stopReason` for the end of an answer. The provider's own word is kept where it is one of
/// Bedrock's and stands for the same reason.
pub(super) fn word(
    reason: FinishReason,
    own: Option<&str>,
    stop_sequence: bool,
    tool_calls: bool,
) -> &'static str {
    let is_own = |(word, of): &&(&'static str, FinishReason)| Some(*word) == own && *of == reason;
    if let Some((own, _)) = WORDS.iter().find(is_own) {
        return own;
    }
    match reason {
        FinishReason::ToolCalls => "tool_use",
        // Some providers end a call with their word for an ordinary end.
        FinishReason::Stop if tool_calls => "tool_use",
        FinishReason::Stop if stop_sequence => "stop_sequence",
        FinishReason::Length => "max_tokens",
        FinishReason::ContentFilter | FinishReason::Refusal => "content_filtered",
        FinishReason::Stop | FinishReason::Pause | FinishReason::Other => "end_turn",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_bedrock_comes_back_as_it_was() {
        for (own, reason) in WORDS {
            assert_eq!(word(*reason, Some(own), false, true), *own);
        }
    }

    #[test]
    fn foreign_ends_find_their_word() {
        assert_eq!(word(FinishReason::Stop, Some("STOP"), false, true), "tool_use");
        assert_eq!(word(FinishReason::Stop, Some("stop"), true, false), "stop_sequence");
        assert_eq!(word(FinishReason::Refusal, None, false, false), "content_filtered");
        assert_eq!(word(FinishReason::Other, Some("eos"), false, false), "end_turn");
    }
}
