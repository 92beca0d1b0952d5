//! Why an answer ended: Anthropic's words and the hub's reasons.

use tollgate_model::FinishReason;

/// The reason that a `stop_reason` stands for.
pub(super) fn reason(word: &str) -> FinishReason {
    match word {
        "end_turn" | "stop_sequence" => FinishReason::Stop,
        "max_tokens" | "model_context_window_exceeded" => FinishReason::Length,
        "tool_use" => FinishReason::ToolCalls,
        "refusal" => FinishReason::Refusal,
        "pause_turn" | "compaction" => FinishReason::Pause,
        _ => FinishReason::Other,
    }
}

/// The `stop_reason` for the end of an answer. The provider's own word is kept where it is one
/// of Anthropic's and stands for the same reason.
pub(super) fn word(
    reason: FinishReason,
    own: Option<&str>,
    stop_sequence: bool,
    tool_calls: bool,
) -> String {
    if let Some(own) = own
        && reason != FinishReason::Other
        && self::reason(own) == reason
    {
        return own.to_owned();
    }
    let word = match reason {
        FinishReason::ToolCalls => "tool_use",
        // Some providers end a call with their word for an ordinary end.
        FinishReason::Stop if tool_calls => "tool_use",
        FinishReason::Stop if stop_sequence => "stop_sequence",
        FinishReason::Length => "max_tokens",
        FinishReason::ContentFilter | FinishReason::Refusal => "refusal",
        FinishReason::Pause => "pause_turn",
        FinishReason::Stop | FinishReason::Other => "end_turn",
    };
    word.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_anthropic_comes_back_as_it_was() {
        for own in [
            "end_turn",
            "stop_sequence",
            "max_tokens",
            "model_context_window_exceeded",
            "tool_use",
            "refusal",
            "pause_turn",
            "compaction",
        ] {
            assert_eq!(word(reason(own), Some(own), false, true), own);
        }
    }

    #[test]
    fn foreign_ends_find_their_word() {
        assert_eq!(word(FinishReason::Stop, Some("STOP"), false, true), "tool_use");
        assert_eq!(word(FinishReason::Stop, Some("stop"), true, false), "stop_sequence");
        assert_eq!(word(FinishReason::ContentFilter, None, false, false), "refusal");
        assert_eq!(word(FinishReason::Other, Some("eos"), false, false), "end_turn");
    }
}
