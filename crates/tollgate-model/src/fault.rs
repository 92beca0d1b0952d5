//! What went wrong, whose fault it is, and what follows from it.
//!
//! Status, retryability and metric label derive from the kind in one table below; the body's
//! shape comes from the caller's dialect.

use std::fmt;

/// The closed list of what can go wrong with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FaultKind {
    /// The request is malformed or asks for something impossible.
    InvalidRequest,
    /// No key, or none that is known.
    Unauthenticated,
    /// The key is known and this is not allowed to it.
    Forbidden,
    /// The model, route or object does not exist.
    NotFound,
    /// The request is larger than allowed.
    TooLarge,
    /// The media type or encoding is not understood.
    UnsupportedMedia,
    /// The operation or feature cannot be had from this provider.
    Unsupported,
    /// Too many requests or tokens for now; trying again later helps.
    RateLimited,
    /// The quota or budget is used up; trying again does not help.
    QuotaExhausted,
    /// A content policy refused the prompt or the answer.
    ContentBlocked,
    /// A deadline passed.
    Timeout,
    /// The provider says that it has too much to do.
    Overloaded,
    /// No target can be reached, or the gateway is going down.
    Unavailable,
    /// The provider answered with something that is not an answer, or broke off.
    BadUpstream,
    /// The call came back to the gateway that had sent it on.
    Loop,
    /// A bug or a broken part of the gateway itself.
    Internal,
}

/// On whose side the fault lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    Downstream,
    Upstream,
    Internal,
}

impl Source {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Downstream => "downstream",
            Self::Upstream => "upstream",
            Self::Internal => "internal",
        }
    }
}

/// What follows from each kind.
struct Consequence {
    status: u16,
    /// Another try (or another target) may succeed.
    retryable: bool,
    /// `error.type` in metrics and logs, and `code` in the gateway's own errors.
    code: &'static str,
}

impl FaultKind {
    pub const ALL: [FaultKind; 16] = [
        Self::InvalidRequest,
        Self::Unauthenticated,
        Self::Forbidden,
        Self::NotFound,
        Self::TooLarge,
        Self::UnsupportedMedia,
        Self::Unsupported,
        Self::RateLimited,
        Self::QuotaExhausted,
        Self::ContentBlocked,
        Self::Timeout,
        Self::Overloaded,
        Self::Unavailable,
        Self::BadUpstream,
        Self::Loop,
        Self::Internal,
    ];

    const fn consequence(self) -> Consequence {
        let (status, retryable, code) = match self {
            Self::InvalidRequest => (400, false, "invalid_request"),
            Self::Unauthenticated => (401, false, "unauthenticated"),
            Self::Forbidden => (403, false, "forbidden"),
            Self::NotFound => (404, false, "not_found"),
            Self::TooLarge => (413, false, "too_large"),
            Self::UnsupportedMedia => (415, false, "unsupported_media"),
            Self::Unsupported => (400, false, "unsupported"),
            Self::RateLimited => (429, true, "rate_limited"),
            Self::QuotaExhausted => (429, false, "quota_exhausted"),
            Self::ContentBlocked => (400, false, "content_blocked"),
            Self::Timeout => (504, true, "timeout"),
            Self::Overloaded => (529, true, "overloaded"),
            Self::Unavailable => (503, true, "unavailable"),
            Self::BadUpstream => (502, true, "bad_upstream"),
            Self::Loop => (508, false, "loop"),
            Self::Internal => (500, true, "internal"),
        };
        Consequence { status, retryable, code }
    }

    /// The HTTP status, unless the caller's dialect has its own for the kind.
    #[must_use]
    pub const fn status(self) -> u16 {
        self.consequence().status
    }

    #[must_use]
    pub const fn retryable(self) -> bool {
        self.consequence().retryable
    }

    #[must_use]
    pub const fn code(self) -> &'static str {
        self.consequence().code
    }

    /// The kind that an HTTP status stands for when nothing else is known.
    #[must_use]
    pub fn of_status(status: u16) -> Self {
        match status {
            401 => Self::Unauthenticated,
            402 => Self::QuotaExhausted,
            403 => Self::Forbidden,
            404 | 410 => Self::NotFound,
            408 | 504 => Self::Timeout,
            413 => Self::TooLarge,
            415 => Self::UnsupportedMedia,
            429 => Self::RateLimited,
            501 => Self::Unsupported,
            503 => Self::Unavailable,
            508 => Self::Loop,
            529 => Self::Overloaded,
            400..=499 => Self::InvalidRequest,
            500 => Self::Internal,
            _ => Self::BadUpstream,
        }
    }
}

/// What a provider said in a well-formed error, kept for the caller.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UpstreamError {
    /// HTTP status; 0 for an error inside a stream that states none.
    pub status: u16,
    /// The provider's own type word (`rate_limit_error`, `RESOURCE_EXHAUSTED`, …).
    pub kind: Option<String>,
    pub code: Option<String>,
    pub message: Option<String>,
    pub param: Option<String>,
    pub request_id: Option<String>,
    /// What the dialect says in an object of its own besides (Azure's `innererror`), as JSON.
    pub inner: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    pub kind: FaultKind,
    pub source: Source,
    /// A sentence for the caller. Never holds a secret or a body.
    pub message: String,
    /// The field or parameter at fault, as the caller wrote it.
    pub param: Option<String>,
    /// A code of the gateway's documented list, where one is finer than the kind's own.
    pub code: Option<&'static str>,
    /// How long the caller should wait, in seconds.
    pub retry_after_s: Option<u64>,
    /// What the provider said, when it said it in its own well-formed error.
    pub upstream: Option<Box<UpstreamError>>,
    /// For the operator's log only.
    pub note: Option<String>,
}

impl Fault {
    #[must_use]
    pub fn new(kind: FaultKind, source: Source, message: impl Into<String>) -> Self {
        Self {
            kind,
            source,
            message: message.into(),
            param: None,
            code: None,
            retry_after_s: None,
            upstream: None,
            note: None,
        }
    }

    /// The caller's request cannot be understood.
    #[must_use]
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(FaultKind::InvalidRequest, Source::Downstream, message)
    }

    /// The caller's request cannot be understood because of one field.
    #[must_use]
    pub fn invalid_field(param: impl Into<String>, message: impl Into<String>) -> Self {
        Self { param: Some(param.into()), ..Self::invalid(message) }
    }

    /// The provider answered with something that is not an answer.
    #[must_use]
    pub fn bad_upstream(message: impl Into<String>) -> Self {
        Self::new(FaultKind::BadUpstream, Source::Upstream, message)
    }

    #[must_use]
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(FaultKind::Internal, Source::Internal, message)
    }

    #[must_use]
    pub fn with_code(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }

    #[must_use]
    pub fn with_note(mut self, note: impl Into<String>) -> Self {
        self.note = Some(note.into());
        self
    }

    /// The code of the documented list: the finer one, or the kind's.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.code.unwrap_or(self.kind.code())
    }

    /// The status to answer with: the provider's own where it stated one that fits an error.
    #[must_use]
    pub fn status(&self) -> u16 {
        match &self.upstream {
            Some(said) if (400..600).contains(&said.status) => said.status,
            _ => self.kind.status(),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code(), self.message)
    }
}

impl std::error::Error for Fault {}
