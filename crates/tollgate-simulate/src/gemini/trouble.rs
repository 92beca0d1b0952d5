//! Google's words for trouble that is not the request's fault: limits, overload, outages, keys.
//! Facts of public behaviour, as data.

use crate::refusal::Refusal;

/// That status, as the vendor words it.
pub(super) fn trouble(status: u16, quota: bool) -> Refusal {
    let new = |kind, message: &str| Refusal::new(status, kind, message);
    match status {
        400 => new("FAILED_PRECONDITION", "User location is not supported for the API use."),
        401 => new("UNAUTHENTICATED", "Request had invalid authentication credentials."),
        403 => new(
            "PERMISSION_DENIED",
            "Your API key was reported as leaked. Please use another API key.",
        ),
        404 => new(
            "NOT_FOUND",
            "models/simulated is not found for API version v1beta, or is not supported for generateContent.",
        ),
        413 => new("INVALID_ARGUMENT", "Request payload size exceeds the limit: 20971520 bytes."),
        429 => {
            let plan = if quota {
                "You exceeded your current quota, please check your plan and billing details."
            } else {
                "Resource has been exhausted (e.g. check quota)."
            };
            let details = serde_json::json!([{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "1s"}]);
            if quota {
                new("RESOURCE_EXHAUSTED", plan)
            } else {
                new("RESOURCE_EXHAUSTED", plan).details(details)
            }
        }
        503 | 529 => {
            Refusal::new(503, "UNAVAILABLE", "The model is overloaded. Please try again later.")
        }
        504 => new("DEADLINE_EXCEEDED", "The request timed out. Please try again."),
        _ => new(
            "INTERNAL",
            "An internal error has occurred. Please retry or report in https://developers.generativeai.google/guide/troubleshooting",
        ),
    }
}
