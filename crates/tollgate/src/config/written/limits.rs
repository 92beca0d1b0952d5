//! Where state rests, what may be sent at most, how the process ends and what it writes.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::units::{DURATION_PATTERN, SIZE_PATTERN};

/// Where state rests.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Storage {
    /// `sqlite:PATH`, `postgres://USER@HOST/DATABASE`, or a reference to one of them, which it must
    /// be where it holds a password: `${env:NAME}` or `${file:PATH}`. Default: `tollgate.db` in the
    /// data directory.
    #[schemars(extend("pattern" = r"^(sqlite:.|postgres(ql)?://.|\$\{)"))]
    pub(in crate::config) database: Option<String>,
    /// What stored keys are hashed with, as a reference to 64 hexadecimal digits: `${env:NAME}` or
    /// `${file:PATH}`. The same for every gateway of one database. Default: the file `pepper` in the
    /// data directory, made at the first start.
    pub(in crate::config) pepper: Option<String>,
    /// Where limits are counted: `memory`, each gateway for itself, or a Redis that several gateways
    /// share: `redis://HOST:PORT`, over TLS `rediss://HOST:PORT`, or a reference to such an address.
    /// Default `memory`.
    pub(in crate::config) shared: Option<String>,
    /// What is done with calls that have limits while that Redis is away.
    pub(in crate::config) away: Option<Away>,
    /// With `away: local`: how many gateways there are at most. Each holds its calls to its share of
    /// every limit.
    pub(in crate::config) gateways: Option<u32>,
    /// How long a call waits for that Redis before it is taken for away. Default `100ms`.
    #[schemars(extend("pattern" = DURATION_PATTERN))]
    pub(in crate::config) patience: Option<String>,
}

/// What is done with calls that have limits while the shared counters are away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::config) enum Away {
    /// Each gateway holds them to its share.
    Local,
    /// They are refused.
    Refuse,
}

/// Bounds on what may be sent and received.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Limits {
    /// A request body, also after it is inflated. Default `32MiB`.
    #[schemars(extend("pattern" = SIZE_PATTERN))]
    pub(in crate::config) body: Option<String>,
    /// A request body that is passed on while it arrives: forms with files, and bodies under
    /// `/providers/`. Default `512MiB`.
    #[schemars(extend("pattern" = SIZE_PATTERN))]
    pub(in crate::config) upload: Option<String>,
    /// All header lines of a request together. Default `64KiB`.
    #[schemars(extend("pattern" = SIZE_PATTERN))]
    pub(in crate::config) head: Option<String>,
    /// How many header lines a request may have. Default `100`.
    pub(in crate::config) headers: Option<u32>,
    /// A provider's reply that is not streamed. Default `64MiB`.
    #[schemars(extend("pattern" = SIZE_PATTERN))]
    pub(in crate::config) reply: Option<String>,
    /// One line of a provider's stream. Default `16MiB`.
    #[schemars(extend("pattern" = SIZE_PATTERN))]
    pub(in crate::config) line: Option<String>,
    /// One event of a provider's stream. Default `16MiB`.
    #[schemars(extend("pattern" = SIZE_PATTERN))]
    pub(in crate::config) event: Option<String>,
    /// How deep JSON may be nested. Default `128`.
    pub(in crate::config) json_depth: Option<u32>,
    /// Open connections of callers. Default `10000`.
    pub(in crate::config) connections: Option<u32>,
}

/// How the process ends.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Shutdown {
    /// How long open streams may go on after the order to end. Default `30s`.
    #[schemars(extend("pattern" = DURATION_PATTERN))]
    pub(in crate::config) grace: Option<String>,
}

/// What the process writes: its log to standard error, one line for each call to standard output.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Log {
    /// Default `text`.
    pub(in crate::config) format: Option<LogFormat>,
    /// One line for each call. Default `true`.
    pub(in crate::config) access: Option<bool>,
}

/// How a line of the log looks.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::config) enum LogFormat {
    /// One JSON object on each line.
    Json,
    /// For people.
    Text,
}
