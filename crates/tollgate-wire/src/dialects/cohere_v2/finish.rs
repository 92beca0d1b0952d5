//! Why an answer ended, in Cohere's words.

use tollgate_model::FinishReason;

pub(super) const ERROR: &str = "ERROR";

pub(super) fn reason(word: &str) -> FinishReason {
    match word {
        "COMPLETE" | "STOP_SEQUENCE" => FinishReason::Stop,
        "MAX_TOKENS" | "ERROR_LIMIT" => FinishReason::Length,
        "TOOL_CALL" => FinishReason::ToolCalls,
        "ERROR_TOXIC" => FinishReason::ContentFilter,
        _ => FinishReason::Other,
    }
}

pub(super) fn word(reason: FinishReason, stop_sequence: bool) -> &'static str {
    match reason {
        FinishReason::Stop if stop_sequence => "STOP_SEQUENCE",
        FinishReason::Stop | FinishReason::Pause | FinishReason::Other => "COMPLETE",
        FinishReason::Length => "MAX_TOKENS",
        FinishReason::ToolCalls => "TOOL_CALL",
        // The word of the first version; the second has none.
        FinishReason::ContentFilter | FinishReason::Refusal => "ERROR_TOXIC",
    }
}
