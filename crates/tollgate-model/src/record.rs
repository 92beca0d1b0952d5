//! What is known about a call when it is over: one row of the ledger, one line of the access log.
//! Holds no content and no secret.

use crate::{Cost, DialectId, Fault, FinishReason, Losses, Usage};

/// How the bytes travel. Correctness never depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lane {
    /// The caller's dialect is the target's and nothing touched the content.
    Verbatim,
    /// The dialects differ, or the request had to be written anew.
    Translated,
}

impl Lane {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Verbatim => "verbatim",
            Self::Translated => "translated",
        }
    }
}

/// Names one call among those of all gateways, and sorts by when it came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecordId(u128);

impl RecordId {
    /// Of a call that came at that Unix time, to that process, as its so many-th.
    #[must_use]
    pub fn new(started_us: u64, instance: u32, number: u32) -> Self {
        let low = (u64::from(instance) << 32) | u64::from(number);
        Self((u128::from(started_us) << 64) | u128::from(low))
    }

    /// From its 32 hexadecimal digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        digits.then(|| u128::from_str_radix(text, 16).ok().map(Self)).flatten()
    }

    /// In an order that is that of the ids.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }

    /// When the call came.
    #[must_use]
    pub fn started_us(self) -> u64 {
        u64::try_from(self.0 >> 64).unwrap_or_default()
    }

    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(u128::from_be_bytes(bytes))
    }
}

impl std::fmt::Display for RecordId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// Filled in from stage to stage; nothing reads it before `settle`.
#[derive(Clone, Debug, Default)]
pub struct Record {
    pub id: RecordId,
    /// How the caller may name it, too: not unique.
    pub request_id: String,
    /// Unix time of the first byte, in microseconds.
    pub started_us: u64,
    /// Name of the key that called; never the key.
    pub key: Option<String>,
    pub team: Option<String>,
    /// Dialect of the caller.
    pub dialect: Option<DialectId>,
    pub operation: &'static str,
    pub stream: bool,
    pub model_asked: Option<String>,
    /// `provider/model` that was called last.
    pub target: Option<String>,
    pub provider: Option<String>,
    /// The model that answered, as the provider named it.
    pub model_answered: Option<String>,
    pub upstream_dialect: Option<DialectId>,
    pub upstream_request_id: Option<String>,
    pub lane: Option<Lane>,
    /// Calls that left for a provider.
    pub attempts: u32,
    /// HTTP status that the caller got.
    pub status: u16,
    pub finish: Option<FinishReason>,
    pub fault: Option<Fault>,
    /// The limit that refused the call, by its place in the configuration.
    pub limit: Option<String>,
    /// The caller left before the answer was whole.
    pub left: bool,
    pub usage: Usage,
    /// Some of the usage is the gateway's own estimate: the provider did not say, or the answer was
    /// not heard to its end.
    pub estimated: bool,
    /// `None`: nothing was charged for.
    pub cost: Option<Cost>,
    pub losses: Losses,
    /// From the first byte of the request to the first piece of content, in microseconds.
    pub first_chunk_us: Option<u64>,
    /// The gateway's own share before the request left for the provider, in microseconds.
    pub overhead_us: Option<u64>,
    pub duration_us: u64,
    pub request_bytes: u64,
    pub response_bytes: u64,
}
