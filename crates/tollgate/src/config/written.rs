//! The configuration, as written: one struct for each mapping of the file. The comments here are
//! what editors show, and the JSON Schema made from these types is what the shape of a file is
//! checked against. Nothing here is resolved.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Deserialize;
use tollgate_wire::PROVIDERS;

use super::units::{DURATION_PATTERN, SIZE_PATTERN};

/// A Tollgate configuration.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "tollgate.yaml")]
pub(super) struct File {
    /// Where the gateway listens.
    pub(super) listen: Option<Listen>,
    /// Where state rests.
    pub(super) storage: Option<Storage>,
    /// Who answers calls, by a name of your choice.
    pub(super) providers: BTreeMap<String, Provider>,
    /// Names that callers use for models, and where they lead. A name may hold one `*`. Without an
    /// entry here a model is still reached as `provider/model`.
    pub(super) models: Option<BTreeMap<String, Model>>,
    /// Who pays, and what its keys may use.
    pub(super) teams: Option<BTreeMap<String, Team>>,
    /// Keys that callers show. Others are made with `tollgate keys create`.
    pub(super) keys: Option<BTreeMap<String, Key>>,
    /// The file of what is known of models, as `tollgate catalogue` makes it. Default: the one that
    /// the program carries.
    pub(super) catalogue: Option<String>,
    /// Bounds on what may be sent and received.
    pub(super) limits: Option<Limits>,
    /// How the process ends.
    pub(super) shutdown: Option<Shutdown>,
    /// What the process writes: its log to standard error, one line for each call to standard
    /// output.
    pub(super) log: Option<Log>,
}

/// Where the gateway listens. A change of an address needs a restart.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Listen {
    /// Address for callers, such as `0.0.0.0:8080`. Default `127.0.0.1:8080`, or the next free
    /// port.
    pub(super) data: Option<String>,
    /// Address for operators: health, metrics, the page that says what runs. Default
    /// `127.0.0.1:8081`, or the next free port.
    pub(super) admin: Option<String>,
    /// Serve callers over TLS. Default: plain HTTP.
    pub(super) tls: Option<ListenTls>,
    /// How long a caller may take.
    pub(super) timeouts: Option<ListenTimeouts>,
}

/// TLS towards callers.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ListenTls {
    /// PEM file with the certificate and its chain.
    pub(super) certificate: String,
    /// PEM file with the private key.
    pub(super) key: String,
    /// PEM file with roots. When given, every caller must show a certificate from one of them.
    pub(super) client_ca: Option<String>,
}

/// How long a caller may take.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ListenTimeouts {
    /// For the whole head of a request, once it has begun. Default `15s`.
    #[schemars(extend("pattern" = DURATION_PATTERN))]
    pub(super) head: Option<String>,
    /// Between two pieces of a request body. Default `30s`.
    #[schemars(extend("pattern" = DURATION_PATTERN))]
    pub(super) body: Option<String>,
    /// For taking the next piece of an answer. Default `60s`.
    #[schemars(extend("pattern" = DURATION_PATTERN))]
    pub(super) write: Option<String>,
    /// For the next request on an open connection. Default `90s`.
    #[schemars(extend("pattern" = DURATION_PATTERN))]
    pub(super) idle: Option<String>,
}

/// Where state rests.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Storage {
    /// `sqlite:PATH`. Default: `tollgate.db` in the data directory.
    #[schemars(extend("pattern" = "^sqlite:."))]
    pub(super) database: Option<String>,
}

/// One provider.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Provider {
    /// What kind of provider it is: this decides its dialects, its address and how it is
    /// authenticated.
    pub(super) kind: String,
    /// What the vendor's own SDK takes as its base URL. Default: the kind's own address, where it
    /// has one.
    pub(super) base_url: Option<String>,
    /// The credential, as a reference: `${env:NAME}` or `${file:PATH}`.
    pub(super) api_key: Option<String>,
    /// Who the gateway is in a cloud (`azure-openai`, `bedrock`, `vertex`), where there is no
    /// `api_key`. Default: what the cloud's own SDKs would find on this machine.
    pub(super) credentials: Option<Credentials>,
    /// The AWS region, such as `eu-central-1` (`bedrock`).
    pub(super) region: Option<String>,
    /// The Google Cloud project that pays (`vertex`).
    pub(super) project: Option<String>,
    /// The place at Google, such as `europe-west4` or `global` (`vertex`).
    pub(super) location: Option<String>,
    /// The name of the Azure resource: the first word of its address (`azure-openai`).
    pub(super) resource: Option<String>,
    /// The version of Azure's older paths, such as `2024-10-21`; without it those under
    /// `/openai/v1` are called (`azure-openai`).
    pub(super) api_version: Option<String>,
    /// Speak this dialect only. Default: the caller's own where the kind speaks it, else the kind's
    /// preferred one.
    pub(super) dialect: Option<String>,
    /// PEM file with roots that are trusted for this provider besides the system's.
    pub(super) ca: Option<String>,
    /// PEM file with the certificate that is shown to the provider. Needs `key`.
    pub(super) certificate: Option<String>,
    /// PEM file with the private key of `certificate`.
    pub(super) key: Option<String>,
    /// Whether everything that it offers is passed on under `/providers/NAME/`. Default `true`.
    pub(super) passthrough: Option<bool>,
    /// How long to wait for this provider.
    pub(super) timeouts: Option<Timeouts>,
    /// What becomes of what it is sent, where your contract says otherwise than the vendor's public
    /// terms.
    pub(super) data: Option<Data>,
}

/// What becomes of what a provider is sent.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Data {
    /// Where it is processed, such as `eu`, `us` or `on-premises`.
    pub(super) region: Option<String>,
    /// The longest that it is kept after the call, in days: `0d`, `30d`.
    #[schemars(extend("pattern" = "^[0-9]{1,5}d$"))]
    pub(super) retention: Option<String>,
    /// Models are trained on it.
    pub(super) trains: Option<bool>,
    /// There is a business associate agreement (HIPAA).
    pub(super) baa: Option<bool>,
}

/// Who the gateway is in a cloud. Secrets are references: `${env:NAME}` or `${file:PATH}`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Credentials {
    /// AWS: the id of an access key. Needs `secret_access_key`.
    pub(super) access_key_id: Option<String>,
    /// AWS: the secret of the access key.
    pub(super) secret_access_key: Option<String>,
    /// AWS: the session's token, of keys that are good for a while only.
    pub(super) session_token: Option<String>,
    /// AWS: the profile of the shared configuration files to take keys from.
    pub(super) profile: Option<String>,
    /// Google: the JSON file of a service account, an authorized user or a workload identity.
    pub(super) file: Option<String>,
    /// Entra: the tenant's id or domain. Needs `client_id`, and `client_secret` or `token_file`.
    pub(super) tenant: Option<String>,
    /// Entra: the id of the application, or of a managed identity that the machine was given.
    pub(super) client_id: Option<String>,
    /// Entra: the secret of the application.
    pub(super) client_secret: Option<String>,
    /// Entra: the file with the token of a workload identity; it is read anew each time.
    pub(super) token_file: Option<String>,
    /// Entra: ask this machine for its managed identity.
    pub(super) managed_identity: Option<bool>,
}

/// How long to wait for a provider.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Timeouts {
    /// For a connection, its TLS included. Default `5s`.
    #[schemars(extend("pattern" = DURATION_PATTERN))]
    pub(super) connect: Option<String>,
    /// From the request sent to the first token. Default `60s`.
    #[schemars(extend("pattern" = DURATION_PATTERN))]
    pub(super) first_token: Option<String>,
    /// Between two tokens. Default `60s`.
    #[schemars(extend("pattern" = DURATION_PATTERN))]
    pub(super) between_tokens: Option<String>,
    /// For the whole call. Default `10m`.
    #[schemars(extend("pattern" = DURATION_PATTERN))]
    pub(super) total: Option<String>,
}

/// A model name, and where it leads.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Model {
    /// How a target is chosen. Default `priority`.
    pub(super) strategy: Option<Strategy>,
    /// Where the name leads.
    #[schemars(extend("minItems" = 1))]
    pub(super) targets: Vec<Target>,
    /// How long to wait; these go before the provider's own.
    pub(super) timeouts: Option<Timeouts>,
    /// Refuse a call when its translation would lose a field. Default `false`: the loss is named in
    /// `x-tollgate-loss`.
    pub(super) strict: Option<bool>,
}

impl Credentials {
    /// What is written of them.
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        let texts = [
            ("access_key_id", &self.access_key_id),
            ("secret_access_key", &self.secret_access_key),
            ("session_token", &self.session_token),
            ("profile", &self.profile),
            ("file", &self.file),
            ("tenant", &self.tenant),
            ("client_id", &self.client_id),
            ("client_secret", &self.client_secret),
            ("token_file", &self.token_file),
        ];
        let texts = texts.map(|(name, text)| text.as_ref().map(|_| name));
        let flag = self.managed_identity.map(|_| "managed_identity");
        texts.into_iter().flatten().chain(flag)
    }
}

impl Provider {
    /// What is written for one of the settings that a row may have.
    pub(super) fn setting(&self, name: &str) -> Option<&str> {
        let written = match name {
            "region" => &self.region,
            "project" => &self.project,
            "location" => &self.location,
            "resource" => &self.resource,
            "api_version" => &self.api_version,
            _ => return None,
        };
        written.as_deref()
    }
}

/// How a target is chosen.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Strategy {
    /// In the order written, until one answers.
    Priority,
}

/// One place a model name leads to.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Target {
    /// `provider/model`; `provider/*` passes on the name that the caller used.
    #[schemars(extend("pattern" = "^[^/]+/.+$"))]
    pub(super) to: String,
    /// Ask in this dialect only, whatever the caller speaks. Default: the provider's `dialect`.
    pub(super) dialect: Option<String>,
}

/// A team.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Team {
    /// Model names its keys may use; each may hold one `*`. Default: all.
    #[schemars(extend("minItems" = 1))]
    pub(super) models: Option<Vec<String>>,
    /// How much its keys may use together. Default: no limit.
    #[schemars(extend("minItems" = 1))]
    pub(super) limits: Option<Vec<Rate>>,
}

/// How much of what in how long: one of `requests`, `tokens`, `input_tokens` and `output_tokens`
/// with `per`, or `concurrent`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Rate {
    /// Calls.
    pub(super) requests: Option<u64>,
    /// Tokens of input and output together, cached and hidden ones included.
    pub(super) tokens: Option<u64>,
    /// Tokens of input, cached ones included.
    pub(super) input_tokens: Option<u64>,
    /// Tokens of output, hidden ones included.
    pub(super) output_tokens: Option<u64>,
    /// Calls that are being answered at the same moment.
    pub(super) concurrent: Option<u64>,
    /// In how long.
    pub(super) per: Option<Per>,
    /// Count by the calendar of this time zone, such as `Europe/Berlin` or `UTC`. Default: in the
    /// last minute, hour … before each call.
    pub(super) zone: Option<String>,
}

/// In how long.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Per {
    /// Of the clock, or sixty seconds.
    Minute,
    /// Of the clock, or sixty minutes.
    Hour,
    /// Of the calendar, or twenty-four hours.
    Day,
    /// From Monday on, or seven days.
    Week,
    /// Of the calendar, or thirty days.
    Month,
}

/// A key that callers show.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Key {
    /// The team it belongs to. Default `default`.
    pub(super) team: Option<String>,
    /// The key itself, as a reference: `${env:NAME}` or `${file:PATH}`.
    pub(super) secret: String,
    /// How much this key may use; its team's limits hold besides. Default: no limit.
    #[schemars(extend("minItems" = 1))]
    pub(super) limits: Option<Vec<Rate>>,
}

/// Bounds on what may be sent and received.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Limits {
    /// A request body, also after it is inflated. Default `32MiB`.
    #[schemars(extend("pattern" = SIZE_PATTERN))]
    pub(super) body: Option<String>,
    /// A request body that is passed on while it arrives: forms with files, and bodies under
    /// `/providers/`. Default `512MiB`.
    #[schemars(extend("pattern" = SIZE_PATTERN))]
    pub(super) upload: Option<String>,
    /// All header lines of a request together. Default `64KiB`.
    #[schemars(extend("pattern" = SIZE_PATTERN))]
    pub(super) head: Option<String>,
    /// How many header lines a request may have. Default `100`.
    pub(super) headers: Option<u32>,
    /// A provider's reply that is not streamed. Default `64MiB`.
    #[schemars(extend("pattern" = SIZE_PATTERN))]
    pub(super) reply: Option<String>,
    /// One line of a provider's stream. Default `16MiB`.
    #[schemars(extend("pattern" = SIZE_PATTERN))]
    pub(super) line: Option<String>,
    /// One event of a provider's stream. Default `16MiB`.
    #[schemars(extend("pattern" = SIZE_PATTERN))]
    pub(super) event: Option<String>,
    /// How deep JSON may be nested. Default `128`.
    pub(super) json_depth: Option<u32>,
    /// Open connections of callers. Default `10000`.
    pub(super) connections: Option<u32>,
}

/// How the process ends.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Shutdown {
    /// How long open streams may go on after the order to end. Default `30s`.
    #[schemars(extend("pattern" = DURATION_PATTERN))]
    pub(super) grace: Option<String>,
}

/// What the process writes: its log to standard error, one line for each call to standard output.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Log {
    /// Default `text`.
    pub(super) format: Option<LogFormat>,
    /// One line for each call. Default `true`.
    pub(super) access: Option<bool>,
}

/// How a line of the log looks.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum LogFormat {
    /// One JSON object on each line.
    Json,
    /// For people.
    Text,
}

/// The JSON Schema of the file, for editors and for the check of its shape.
#[must_use]
pub fn schema() -> serde_json::Value {
    let mut schema = schemars::schema_for!(File).to_value();
    without_null(&mut schema);
    let kinds: Vec<&str> = PROVIDERS.iter().map(|row| row.kind).collect();
    schema["$defs"]["Provider"]["properties"]["kind"]["enum"] = kinds.into();
    let dialects: BTreeSet<&str> =
        PROVIDERS.iter().flat_map(|row| row.speaks).map(|speaks| speaks.dialect.as_str()).collect();
    let dialects: serde_json::Value = dialects.into_iter().collect();
    for with_dialect in ["Provider", "Target"] {
        schema["$defs"][with_dialect]["properties"]["dialect"]["enum"] = dialects.clone();
    }
    schema
}

/// What may be left out is left out, never written as `null`: a key without a value is a slip.
fn without_null(schema: &mut serde_json::Value) {
    match schema {
        serde_json::Value::Array(items) => items.iter_mut().for_each(without_null),
        serde_json::Value::Object(fields) => {
            if let Some(serde_json::Value::Array(types)) = fields.get_mut("type") {
                types.retain(|name| name != "null");
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    fields.insert("type".to_owned(), only);
                }
            }
            if let Some(serde_json::Value::Array(ways)) = fields.get_mut("anyOf") {
                ways.retain(|way| way["type"] != "null");
                if let [serde_json::Value::Object(only)] = ways.as_slice() {
                    let only = only.clone();
                    fields.shift_remove("anyOf");
                    fields.extend(only);
                }
            }
            fields.values_mut().for_each(without_null);
        }
        _ => {}
    }
}
