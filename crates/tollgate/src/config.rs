//! The configuration, as checked: plain immutable values that the gateway is built from.
//!
//! A file is read in two shapes and no third: `written` is what stands in the file, `Config` is
//! what is true of it after every name, reference, secret and unit has been resolved. Nothing here
//! reads a clock or opens a socket.

pub mod base_url;
mod check;
mod data;
mod environment;
mod identity;
pub mod import;
mod later;
mod limits;
mod listen;
mod load;
mod models;
#[cfg(test)]
mod mutations;
pub mod nearest;
pub mod pattern;
mod pem;
mod place;
mod prices;
mod providers;
mod rates;
pub mod refusal;
mod secret;
mod settings;
mod shape;
mod storage;
mod teams;
#[cfg(test)]
mod tests;
mod units;
pub mod watch;
mod written;
mod yaml;

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use secrecy::SecretString;
use tollgate_catalogue::Catalogue;
use tollgate_model::{DataTerms, DialectId};
use tollgate_policy::limit::Limit;
use tollgate_store::SharedAddress;
use tollgate_wire::provider::{Provider, Settings};

pub use base_url::{BaseUrl, Scheme};
pub use check::is_name;
pub use identity::{Application, IdentityConfig};
pub use load::Loaded;
pub use pattern::Pattern;
pub use prices::PriceRule;
pub use providers::SIMULATED;
pub use refusal::{Refusal, Refusals};
pub use watch::Watch;
pub use written::schema;

/// The team that a key belongs to when none is named.
pub const DEFAULT_TEAM: &str = "default";

/// Everything the gateway needs to know before it serves.
#[derive(Debug)]
pub struct Config {
    pub listen: Listen,
    pub storage: Storage,
    pub providers: BTreeMap<String, ProviderConfig>,
    /// Exact names first, then patterns from the longest literal text to the shortest: the first
    /// match is the right one.
    pub models: Vec<ModelConfig>,
    /// Always holds [`DEFAULT_TEAM`].
    pub teams: BTreeMap<String, TeamConfig>,
    pub keys: Vec<KeyConfig>,
    /// What is known of models.
    pub catalogue: Arc<Catalogue>,
    /// What they cost here, where that is not what the catalogue says. The first that fits decides.
    pub prices: Arc<[PriceRule]>,
    pub limits: Limits,
    pub shutdown_grace: Duration,
    pub log: Log,
}

/// Where the gateway listens.
#[derive(Debug)]
pub struct Listen {
    pub data: Address,
    pub admin: Address,
    /// TLS on the data listener.
    pub tls: Option<ListenTls>,
    pub timeouts: ListenTimeouts,
}

/// An address, and whether a person chose it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Address {
    pub socket: SocketAddr,
    /// A chosen port that is busy is an error; a default port that is busy gives way to the next
    /// free one.
    pub chosen: bool,
}

/// The certificate that callers see, and the roots their own certificates must come from.
pub struct ListenTls {
    pub chain: Vec<CertificateDer<'static>>,
    pub key: PrivateKeyDer<'static>,
    /// When set, a caller without a certificate from one of these roots is refused.
    pub client_roots: Option<Vec<CertificateDer<'static>>>,
}

/// How long a caller may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListenTimeouts {
    /// From the opened connection, or the last answer, to the last byte of the request's head once
    /// it has begun.
    pub head: Duration,
    /// Between two pieces of a request body.
    pub body: Duration,
    /// For a caller to take the next piece of an answer.
    pub write: Duration,
    /// A kept-alive connection without a request.
    pub idle: Duration,
}

/// Where state rests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Storage {
    /// `None`: the file `tollgate.db` in the data directory.
    pub database: Option<tollgate_store::Address>,
    /// `None`: the file `pepper` in the data directory.
    pub pepper: Option<tollgate_store::Pepper>,
    /// Counters that several gateways share. `None`: in memory.
    pub shared: Option<SharedStorage>,
}

/// Counters that several gateways share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedStorage {
    pub address: SharedAddress,
    pub away: Away,
    /// How long a call waits for them.
    pub patience: Duration,
}

/// What is done with calls that have limits while the shared counters are away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Away {
    /// Each gateway holds them to its share of every limit.
    Local {
        gateways: u64,
    },
    Refuse,
}

/// One provider: a row of the registry with its address and credentials.
#[derive(Debug)]
pub struct ProviderConfig {
    pub name: String,
    pub provider: &'static Provider,
    /// `None`, of the simulated kind only: the one inside this process.
    pub base: Option<BaseUrl>,
    pub api_key: Option<SecretString>,
    /// Who the gateway is there, where a cloud is shown that instead of a key.
    pub identity: Option<IdentityConfig>,
    /// Region, project and the like: what fills the places in the row's addresses and paths.
    pub settings: Settings,
    /// Speak this dialect only, whatever the caller speaks.
    pub dialect: Option<DialectId>,
    pub tls: UpstreamTls,
    /// Everything that it offers is passed on.
    pub passthrough: bool,
    pub timeouts: Timeouts,
    /// What becomes of what it is sent: what the file says over what the vendor says.
    pub data: DataTerms,
}

/// How the gateway meets a provider over TLS. Verification is not an option here: it always
/// happens.
#[derive(Debug, Default)]
pub struct UpstreamTls {
    /// Roots trusted for this provider besides the system's.
    pub extra_roots: Vec<CertificateDer<'static>>,
    pub client: Option<Arc<ClientIdentity>>,
}

/// The certificate that the gateway shows to a provider.
pub struct ClientIdentity {
    pub chain: Vec<CertificateDer<'static>>,
    pub key: PrivateKeyDer<'static>,
}

/// A model name callers may use, and where it leads.
#[derive(Debug, Clone)]
pub struct ModelConfig {
    pub name: Pattern,
    /// Tried in order until one answers. Never empty.
    pub targets: Vec<TargetConfig>,
    /// Refuse a call whose translation would lose a field.
    pub strict: bool,
}

/// One place a model name leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetConfig {
    /// A key of [`Config::providers`].
    pub provider: String,
    /// The provider's name for the model, or `*`: the name the caller asked for.
    pub model: String,
    /// Ask in this dialect only, whatever the caller speaks.
    pub dialect: Option<DialectId>,
    /// The model's own timeouts over the provider's over the defaults.
    pub timeouts: Timeouts,
}

/// How long a call may wait for a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// For a connection, its TLS included.
    pub connect: Duration,
    /// From the request sent to the first token.
    pub first_token: Duration,
    /// Between two tokens.
    pub between_tokens: Duration,
    /// For the whole call, every attempt included.
    pub total: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            first_token: Duration::from_secs(60),
            between_tokens: Duration::from_secs(60),
            total: Duration::from_secs(600),
        }
    }
}

/// Who pays, and which models its keys may use.
#[derive(Debug, Clone)]
pub struct TeamConfig {
    pub name: String,
    /// Names that its keys may ask for. `*` when the file says nothing.
    pub models: Vec<Pattern>,
    /// What its keys may use together.
    pub limits: Vec<Limit>,
}

impl TeamConfig {
    /// Whether a key of this team may ask for `model`, the name as the caller wrote it.
    #[must_use]
    pub fn may_use(&self, model: &str) -> bool {
        self.models.iter().any(|pattern| pattern.matches(model))
    }
}

/// A key that the file declares.
#[derive(Debug)]
pub struct KeyConfig {
    pub name: String,
    /// A key of [`Config::teams`].
    pub team: String,
    pub secret: SecretString,
    /// What it may use; its team's limits hold besides.
    pub limits: Vec<Limit>,
}

/// Bounds on what a caller or a provider may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// A request body, also after it is inflated.
    pub body_bytes: usize,
    /// A request body that is passed on while it arrives.
    pub upload_bytes: u64,
    /// All header lines of a request together.
    pub head_bytes: usize,
    pub headers: usize,
    /// A buffered reply of a provider.
    pub reply_bytes: usize,
    /// One line of a provider's stream.
    pub line_bytes: usize,
    /// One event of a provider's stream.
    pub event_bytes: usize,
    pub json_depth: usize,
    /// Open connections on the data listener.
    pub connections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 32 << 20,
            upload_bytes: 512 << 20,
            head_bytes: 64 << 10,
            headers: 100,
            reply_bytes: 64 << 20,
            line_bytes: 16 << 20,
            event_bytes: 16 << 20,
            json_depth: 128,
            connections: 10_000,
        }
    }
}

/// How the process speaks to its operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Log {
    pub format: LogFormat,
    /// One line for each call.
    pub access: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    Json,
    Text,
}

impl Config {
    /// The model a caller's name leads to: an exact name before a pattern.
    #[must_use]
    pub fn model(&self, asked: &str) -> Option<&ModelConfig> {
        self.models.iter().find(|model| model.name.matches(asked))
    }
}

impl fmt::Debug for ListenTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ListenTls")
            .field("chain", &self.chain.len())
            .field("key", &"[redacted]")
            .field("client_roots", &self.client_roots.as_ref().map(Vec::len))
            .finish()
    }
}

impl fmt::Debug for ClientIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientIdentity")
            .field("chain", &self.chain.len())
            .field("key", &"[redacted]")
            .finish()
    }
}
