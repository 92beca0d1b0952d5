//! Amazon's words for trouble that is not the request's fault: limits, overload, outages, keys.
//! Facts of public behaviour, as data.

use crate::refusal::Refusal;

/// That status, as the vendor words it. It has no 401 and no 529: a rejected key is 403, overload 503.
pub(super) fn trouble(status: u16, quota: bool) -> Refusal {
    let new = |kind, message: &str| Refusal::new(status, kind, message);
    match status {
        400 => new("ValidationException", "The simulated model refuses every request."),
        401 => Refusal::new(
            403,
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
        ),
        403 => new(
            "AccessDeniedException",
            "You don't have access to the model with the specified model ID.",
        ),
        404 => new(
            "ResourceNotFoundException",
            "Could not resolve the foundation model from the provided model identifier.",
        ),
        408 | 504 => new(
            "ModelTimeoutException",
            "Model has timed out in processing the request. Try your request again.",
        ),
        413 => new("RequestEntityTooLargeException", "The request is too large."),
        429 if quota => {
            new("ThrottlingException", "Too many tokens per day, please wait before trying again.")
        }
        429 => new("ThrottlingException", "Too many requests, please wait before trying again."),
        502 => new("ModelErrorException", "The model returned an error."),
        503 | 529 => Refusal::new(
            503,
            "ServiceUnavailableException",
            "Bedrock is unable to process your request.",
        ),
        _ => new(
            "InternalServerException",
            "The system encountered an unexpected error during processing. Try your request again.",
        ),
    }
}
