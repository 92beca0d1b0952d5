//! OpenAI's words for trouble that is not the request's fault: limits, overload, outages, keys.
//! Facts of public behaviour, as data.

use crate::refusal::Refusal;

/// That status, as the vendor words it.
pub(super) fn trouble(status: u16, quota: bool) -> Refusal {
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
