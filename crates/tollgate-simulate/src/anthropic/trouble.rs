//! Anthropic's words for trouble that is not the request's fault: limits, overload, outages, keys.
//! Facts of public behaviour, as data.

use crate::refusal::Refusal;

/// That status, as the vendor words it.
pub(super) fn trouble(status: u16, quota: bool) -> Refusal {
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
