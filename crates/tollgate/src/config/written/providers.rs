//! Who answers calls.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::units::DURATION_PATTERN;

/// One provider.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Provider {
    /// What kind of provider it is: this decides its dialects, its address and how it is
    /// authenticated.
    pub(in crate::config) kind: String,
    /// What the vendor's own SDK takes as its base URL. Default: the kind's own address, where it
    /// has one.
    pub(in crate::config) base_url: Option<String>,
    /// The credential, as a reference: `${env:NAME}` or `${file:PATH}`.
    pub(in crate::config) api_key: Option<String>,
    /// Who the gateway is in a cloud (`azure-openai`, `bedrock`, `vertex`), where there is no
    /// `api_key`. Default: what the cloud's own SDKs would find on this machine.
    pub(in crate::config) credentials: Option<Credentials>,
    /// The AWS region, such as `eu-central-1` (`bedrock`).
    pub(in crate::config) region: Option<String>,
    /// The Google Cloud project that pays (`vertex`).
    pub(in crate::config) project: Option<String>,
    /// The place at Google, such as `europe-west4` or `global` (`vertex`).
    pub(in crate::config) location: Option<String>,
    /// The name of the Azure resource: the first word of its address (`azure-openai`).
    pub(in crate::config) resource: Option<String>,
    /// The version of Azure's older paths, such as `2024-10-21`; without it those under
    /// `/openai/v1` are called (`azure-openai`).
    pub(in crate::config) api_version: Option<String>,
    /// Speak this dialect only. Default: the caller's own where the kind speaks it, else the kind's
    /// preferred one.
    pub(in crate::config) dialect: Option<String>,
    /// PEM file with roots that are trusted for this provider besides the system's.
    pub(in crate::config) ca: Option<String>,
    /// PEM file with the certificate that is shown to the provider. Needs `key`.
    pub(in crate::config) certificate: Option<String>,
    /// PEM file with the private key of `certificate`.
    pub(in crate::config) key: Option<String>,
    /// Whether everything that it offers is passed on under `/providers/NAME/`. Default `true`.
    pub(in crate::config) passthrough: Option<bool>,
    /// How long to wait for this provider.
    pub(in crate::config) timeouts: Option<Timeouts>,
    /// What becomes of what it is sent, where your contract says otherwise than the vendor's public
    /// terms.
    pub(in crate::config) data: Option<Data>,
}

impl Provider {
    /// What is written for one of the settings that a row may have.
    pub(in crate::config) fn setting(&self, name: &str) -> Option<&str> {
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

/// What becomes of what a provider is sent.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Data {
    /// Where it is processed, such as `eu`, `us` or `on-premises`.
    pub(in crate::config) region: Option<String>,
    /// The longest that it is kept after the call, in days: `0d`, `30d`.
    #[schemars(extend("pattern" = "^[0-9]{1,5}d$"))]
    pub(in crate::config) retention: Option<String>,
    /// Models are trained on it.
    pub(in crate::config) trains: Option<bool>,
    /// There is a business associate agreement (HIPAA).
    pub(in crate::config) baa: Option<bool>,
}

/// Who the gateway is in a cloud. Secrets are references: `${env:NAME}` or `${file:PATH}`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Credentials {
    /// AWS: the id of an access key. Needs `secret_access_key`.
    pub(in crate::config) access_key_id: Option<String>,
    /// AWS: the secret of the access key.
    pub(in crate::config) secret_access_key: Option<String>,
    /// AWS: the session's token, of keys that are good for a while only.
    pub(in crate::config) session_token: Option<String>,
    /// AWS: the profile of the shared configuration files to take keys from.
    pub(in crate::config) profile: Option<String>,
    /// Google: the JSON file of a service account, an authorized user or a workload identity.
    pub(in crate::config) file: Option<String>,
    /// Entra: the tenant's id or domain. Needs `client_id`, and `client_secret` or `token_file`.
    pub(in crate::config) tenant: Option<String>,
    /// Entra: the id of the application, or of a managed identity that the machine was given.
    pub(in crate::config) client_id: Option<String>,
    /// Entra: the secret of the application.
    pub(in crate::config) client_secret: Option<String>,
    /// Entra: the file with the token of a workload identity; it is read anew each time.
    pub(in crate::config) token_file: Option<String>,
    /// Entra: ask this machine for its managed identity.
    pub(in crate::config) managed_identity: Option<bool>,
}

impl Credentials {
    /// What is written of them.
    pub(in crate::config) fn names(&self) -> impl Iterator<Item = &'static str> {
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

/// How long to wait for a provider.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Timeouts {
    /// For a connection, its TLS included. Default `5s`.
    #[schemars(extend("pattern" = DURATION_PATTERN))]
    pub(in crate::config) connect: Option<String>,
    /// From the request sent to the first token. Default `60s`.
    #[schemars(extend("pattern" = DURATION_PATTERN))]
    pub(in crate::config) first_token: Option<String>,
    /// Between two tokens. Default `60s`.
    #[schemars(extend("pattern" = DURATION_PATTERN))]
    pub(in crate::config) between_tokens: Option<String>,
    /// For the whole call. Default `10m`.
    #[schemars(extend("pattern" = DURATION_PATTERN))]
    pub(in crate::config) total: Option<String>,
}
