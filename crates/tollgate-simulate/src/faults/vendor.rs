//! The vendors' own words for trouble that is not the request's fault: limits, overload, outages, keys.
//! Facts of public behaviour, as data.

use crate::refusal::Refusal;
use crate::routes::Dialect;

/// That status, as the vendor words it.
pub(crate) fn refusal(dialect: Dialect, status: u16, retry_after: bool, quota: bool) -> Refusal {
    let refusal = match dialect {
        Dialect::OpenAi => openai(status, quota),
        Dialect::Anthropic => anthropic(status, quota),
        Dialect::Gemini => gemini(status, quota),
    };
    if retry_after { refusal.header("retry-after", "1") } else { refusal }
}

fn openai(status: u16, quota: bool) -> Refusal {
    let new = |kind, message: &str| Refusal::new(status, kind, message);
    match status {
        400 => new("invalid_request_error", "Unsupported parameter: 'temperature' is not supported with this model.").code("unsupported_parameter").param("temperature"),
        401 => new("invalid_request_error", "Incorrect API key provided: sim-****. You can find your API key at https://platform.openai.com/account/api-keys.").code("invalid_api_key"),
        403 => new("invalid_request_error", "Project does not have access to the simulated model.").code("model_not_found"),
        404 => new("invalid_request_error", "The simulated model does not exist or you do not have access to it.").code("model_not_found"),
        408 => new("timeout_error", "Request timed out."),
        413 => new("invalid_request_error", "Maximum content size limit exceeded."),
        429 if quota => new("insufficient_quota", "You exceeded your current quota, please check your plan and billing details. For more information on this error, read the docs: https://platform.openai.com/docs/guides/error-codes/api-errors.").code("insufficient_quota"),
        429 => new("requests", "Rate limit reached for the simulated model in organization org-simulated on requests per min (RPM): Limit 3, Used 3, Requested 1. Please try again in 1s.")
            .code("rate_limit_exceeded")
            .header("x-ratelimit-limit-requests", "3")
            .header("x-ratelimit-remaining-requests", "0")
            .header("x-ratelimit-reset-requests", "1s"),
        503 => new("service_unavailable_error", "The engine is currently overloaded, please try again later."),
        _ => new("server_error", "The server had an error while processing your request. Sorry about that!"),
    }
}

fn anthropic(status: u16, quota: bool) -> Refusal {
    let new = |kind, message: &str| Refusal::new(status, kind, message);
    match status {
        400 => new("invalid_request_error", "The simulated model refuses every request."),
        401 => new("authentication_error", "invalid x-api-key"),
        402 => new("billing_error", "Your credit balance is too low to access the Anthropic API."),
        403 => new("permission_error", "Your API key does not have permission to use the specified resource."),
        404 => new("not_found_error", "model: simulated"),
        408 | 504 => new("timeout_error", "Request timed out."),
        413 => new("request_too_large", "Request exceeds the maximum size"),
        429 if quota => new("rate_limit_error", "Number of request tokens has exceeded your monthly spend limit."),
        429 => new("rate_limit_error", "This request would exceed your organization's rate limit of 50,000 input tokens per minute. For details, refer to: https://docs.claude.com/en/api/rate-limits.")
            .header("anthropic-ratelimit-requests-limit", "50")
            .header("anthropic-ratelimit-requests-remaining", "0")
            .header("anthropic-ratelimit-requests-reset", "2030-01-01T00:00:00Z"),
        529 => new("overloaded_error", "Overloaded"),
        _ => new("api_error", "Internal server error"),
    }
}

fn gemini(status: u16, quota: bool) -> Refusal {
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
