//! Microsoft's Entra: tokens for an application, a workload identity or a managed identity. Each is
//! one small request, sent the way calls to providers are: verified, within bounds, no redirects.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::{Credential, FetchError, Fetched};
use crate::config::{Application, BaseUrl, IdentityConfig, UpstreamTls};
use crate::upstream::{self, Call, Origin, Pool};

const AUTHORITY: &str = "https://login.microsoftonline.com";
/// Where a machine of Azure's asks who it is.
const MACHINE: &str = "http://169.254.169.254/metadata/identity/oauth2/token";
const CONNECT: Duration = Duration::from_secs(5);
const MOST_ANSWER: usize = 64 << 10;
const FEDERATED: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

#[derive(Debug)]
pub(super) struct Tokens {
    scope: &'static str,
    config: IdentityConfig,
}

/// One way to a token.
enum Way {
    Application {
        authority: String,
        tenant: String,
        client_id: String,
        proof: Application,
    },
    /// The machine's own endpoint, with the header that it wants.
    Machine {
        address: String,
        api_version: &'static str,
        header: (&'static str, SecretString),
        client_id: Option<String>,
    },
}

/// What an endpoint answers; `expires_in` is a number or its text.
#[derive(Deserialize)]
struct Answer {
    access_token: String,
    #[serde(default)]
    expires_in: serde_json::Value,
}

#[derive(Default, Deserialize)]
struct Refusal {
    #[serde(default)]
    error: String,
    #[serde(default)]
    error_description: String,
}

impl Tokens {
    pub(super) fn new(scope: &'static str, config: IdentityConfig) -> Self {
        Self { scope, config }
    }

    pub(super) async fn fetch(&self) -> Result<Fetched, FetchError> {
        let asked = SystemTime::now();
        let answer = match self.way() {
            Way::Application { authority, tenant, client_id, proof } => {
                let (name, value) = proven(&proof)?;
                let mut form = vec![
                    ("grant_type", "client_credentials"),
                    ("client_id", client_id.as_str()),
                    ("scope", self.scope),
                    (name, value.expose_secret()),
                ];
                if matches!(proof, Application::TokenFile(_)) {
                    form.push(("client_assertion_type", FEDERATED));
                }
                let address =
                    format!("{}/{tenant}/oauth2/v2.0/token", authority.trim_end_matches('/'));
                let kind =
                    (CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
                exchange(&address, "", kind, Some(encoded(&form))).await?
            }
            Way::Machine { address, api_version, header: (name, value), client_id } => {
                let resource = self.scope.trim_end_matches("/.default");
                let mut query = vec![("api-version", api_version), ("resource", resource)];
                query.extend(client_id.as_deref().map(|id| ("client_id", id)));
                let mut value = HeaderValue::from_str(value.expose_secret()).map_err(|_| {
                    FetchError("the endpoint's secret holds what no header may".into())
                })?;
                value.set_sensitive(true);
                let header = (HeaderName::from_static(name), value);
                exchange(&address, &encoded(&query), header, None).await?
            }
        };
        let life = match &answer.expires_in {
            serde_json::Value::String(text) => text.parse().ok(),
            number => number.as_u64(),
        };
        Ok(Fetched {
            credential: Credential::bearer(&answer.access_token)?,
            expires: life.map(|seconds| asked + Duration::from_secs(seconds)),
        })
    }

    fn way(&self) -> Way {
        let known = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let authority = known("AZURE_AUTHORITY_HOST").unwrap_or_else(|| AUTHORITY.to_owned());
        match &self.config {
            IdentityConfig::EntraApplication { tenant, client_id, proof } => {
                let (tenant, client_id, proof) = (tenant.clone(), client_id.clone(), proof.clone());
                return Way::Application { authority, tenant, client_id, proof };
            }
            IdentityConfig::EntraManaged { client_id } => {
                return machine(client_id.clone(), &known);
            }
            _ => {}
        }
        let client_id = known("AZURE_CLIENT_ID");
        let proof = known("AZURE_CLIENT_SECRET")
            .map(|secret| Application::Secret(SecretString::from(secret)))
            .or_else(|| {
                known("AZURE_FEDERATED_TOKEN_FILE").map(|file| Application::TokenFile(file.into()))
            });
        match (known("AZURE_TENANT_ID"), client_id, proof) {
            (Some(tenant), Some(client_id), Some(proof)) => {
                Way::Application { authority, tenant, client_id, proof }
            }
            (_, client_id, _) => machine(client_id, &known),
        }
    }
}

/// App Service and its like name an endpoint in the environment; a machine has it at one address.
fn machine(client_id: Option<String>, known: &dyn Fn(&str) -> Option<String>) -> Way {
    match (known("IDENTITY_ENDPOINT"), known("IDENTITY_HEADER")) {
        (Some(address), Some(secret)) => {
            let header = ("x-identity-header", SecretString::from(secret));
            Way::Machine { address, api_version: "2019-08-01", header, client_id }
        }
        _ => {
            let header = ("metadata", SecretString::from("true"));
            Way::Machine {
                address: MACHINE.to_owned(),
                api_version: "2018-02-01",
                header,
                client_id,
            }
        }
    }
}

/// The field that proves an application, and what stands in it.
fn proven(proof: &Application) -> Result<(&'static str, SecretString), FetchError> {
    match proof {
        Application::Secret(secret) => Ok(("client_secret", secret.clone())),
        Application::TokenFile(file) => Ok(("client_assertion", token_in(file)?)),
    }
}

fn token_in(file: &Path) -> Result<SecretString, FetchError> {
    let unreadable = |error: &dyn std::fmt::Display| {
        FetchError(format!("the token file {} cannot be read: {error}", file.display()))
    };
    let about = std::fs::metadata(file).map_err(|error| unreadable(&error))?;
    if !about.is_file() || about.len() > MOST_ANSWER as u64 {
        return Err(unreadable(&"it is not a small file"));
    }
    let token = std::fs::read_to_string(file).map_err(|error| unreadable(&error))?;
    Ok(SecretString::from(token.trim().to_owned()))
}

/// As a form or a query.
fn encoded(pairs: &[(&str, &str)]) -> String {
    let mut text = String::new();
    for (name, value) in pairs {
        if !text.is_empty() {
            text.push('&');
        }
        text.push_str(name);
        text.push('=');
        for byte in value.bytes() {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                    text.push(char::from(byte));
                }
                other => text.push_str(&format!("%{other:02X}")),
            }
        }
    }
    text
}

/// Sends a form, or asks with a query, and reads the token.
async fn exchange(
    address: &str,
    query: &str,
    (name, value): (HeaderName, HeaderValue),
    form: Option<String>,
) -> Result<Answer, FetchError> {
    let wrong = |what: &str| FetchError(format!("{address}: {what}"));
    let base = BaseUrl::parse(address).map_err(|error| FetchError::of(&error))?;
    let tls = UpstreamTls::default();
    let origin = Origin::new(&base, &tls, CONNECT).map_err(|error| FetchError::of(&error))?;
    let origin = Arc::new(origin);
    let path = match query {
        "" => base.path_prefix.clone(),
        query => format!("{}?{query}", base.path_prefix),
    };
    let mut headers = HeaderMap::new();
    headers.insert(HOST, origin.authority.clone());
    headers.insert(name, value);
    let call = Call {
        method: if form.is_some() { Method::POST } else { Method::GET },
        uri: path.parse::<Uri>().map_err(|_| wrong("it is no address"))?,
        headers,
        body: form.map(Bytes::from).unwrap_or_default().into(),
    };
    // A pool of its own: a token is fetched once in a long while.
    let response = upstream::send(&Arc::new(Pool::default()), &origin, &call)
        .await
        .map_err(|error| FetchError::of(&error))?;
    let status = response.status();
    let (mut from, mut body) = (response.into_body(), Vec::new());
    while let Some(data) = from.data().await {
        let data = data.map_err(|_| wrong("the answer broke off"))?;
        if body.len() + data.len() > MOST_ANSWER {
            return Err(wrong("the answer is too long"));
        }
        body.extend_from_slice(&data);
    }
    if !status.is_success() {
        let Refusal { error, error_description } =
            serde_json::from_slice(&body).unwrap_or_default();
        let said = error_description.lines().next().unwrap_or_default();
        return Err(wrong(&format!("status {}, {error} {said}", status.as_u16())));
    }
    serde_json::from_slice(&body).map_err(|_| wrong("the answer holds no token"))
}
