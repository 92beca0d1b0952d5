//! Where the gateway listens, and how long a caller may take.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::units::DURATION_PATTERN;

/// Where the gateway listens. A change of an address needs a restart.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Listen {
    /// Address for callers, such as `0.0.0.0:8080`. Default `127.0.0.1:8080`, or the next free
    /// port.
    pub(in crate::config) data: Option<String>,
    /// Address for operators: health, metrics, the page that says what runs. Default
    /// `127.0.0.1:8081`, or the next free port.
    pub(in crate::config) admin: Option<String>,
    /// Serve callers over TLS. Default: plain HTTP.
    pub(in crate::config) tls: Option<ListenTls>,
    /// How long a caller may take.
    pub(in crate::config) timeouts: Option<ListenTimeouts>,
}

/// TLS towards callers.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct ListenTls {
    /// PEM file with the certificate and its chain.
    pub(in crate::config) certificate: String,
    /// PEM file with the private key.
    pub(in crate::config) key: String,
    /// PEM file with roots. When given, every caller must show a certificate from one of them.
    pub(in crate::config) client_ca: Option<String>,
}

/// How long a caller may take.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct ListenTimeouts {
    /// For the whole head of a request, once it has begun. Default `15s`.
    #[schemars(extend("pattern" = DURATION_PATTERN))]
    pub(in crate::config) head: Option<String>,
    /// Between two pieces of a request body. Default `30s`.
    #[schemars(extend("pattern" = DURATION_PATTERN))]
    pub(in crate::config) body: Option<String>,
    /// For taking the next piece of an answer. Default `60s`.
    #[schemars(extend("pattern" = DURATION_PATTERN))]
    pub(in crate::config) write: Option<String>,
    /// For the next request on an open connection. Default `90s`.
    #[schemars(extend("pattern" = DURATION_PATTERN))]
    pub(in crate::config) idle: Option<String>,
}
