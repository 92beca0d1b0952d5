//! Credentials that change: found where the cloud's own SDKs would find them, fetched anew before
//! they expire, and held for the calls that need one. No call fetches anything: it takes what is
//! held, or is told that there is nothing.
//!
//! Deliberately absent: keys of the configuration, which never change; and how a request is signed,
//! which the wire crate knows.

mod aws;
mod entra;
mod google;
mod held;

use std::fmt;
use std::time::SystemTime;

use http::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use tollgate_wire::auth::Identity;
use tollgate_wire::auth::sigv4::AwsKeys;

use crate::config::IdentityConfig;

pub use held::Held;

/// What is shown to a provider.
pub enum Credential {
    /// In `authorization`, ready to be put there.
    Bearer { header: HeaderValue, token: SecretString },
    /// Keys with which a request is signed.
    Keys(AwsKeys),
}

/// A credential, and how long it is good.
#[derive(Debug)]
struct Fetched {
    credential: Credential,
    /// `None`: its source does not say; it is asked again soon.
    expires: Option<SystemTime>,
}

/// Why there is no credential. For the operator's log; it holds no secret.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct FetchError(String);

impl FetchError {
    /// An error and what caused it, without line breaks and within reason.
    fn of(error: &dyn std::error::Error) -> Self {
        let (mut text, mut cause) = (error.to_string(), error.source());
        while let Some(error) = cause {
            text = format!("{text}: {error}");
            cause = error.source();
        }
        Self(text.chars().filter(|c| !c.is_control()).take(400).collect())
    }
}

/// Where credentials come from.
#[derive(Debug)]
enum Fetcher {
    Aws(aws::Chain),
    Entra(entra::Tokens),
    Google(google::Tokens),
}

impl Fetcher {
    /// `None`: what is configured never changes.
    fn new(identity: Identity, config: &IdentityConfig, region: &str) -> Option<Self> {
        match (identity, config) {
            (Identity::Aws { .. }, IdentityConfig::AwsChain { profile }) => {
                Some(Self::Aws(aws::Chain::new(profile.clone(), region.to_owned())))
            }
            (Identity::Google { scope }, IdentityConfig::GoogleFile(json)) => {
                Some(Self::Google(google::Tokens::new(scope, Some(json.clone()))))
            }
            (Identity::Google { scope }, _) => Some(Self::Google(google::Tokens::new(scope, None))),
            (Identity::Entra { scope }, config) => {
                Some(Self::Entra(entra::Tokens::new(scope, config.clone())))
            }
            _ => None,
        }
    }

    async fn fetch(&mut self) -> Result<Fetched, FetchError> {
        match self {
            Self::Aws(chain) => chain.fetch().await,
            Self::Entra(tokens) => tokens.fetch().await,
            Self::Google(tokens) => tokens.fetch().await,
        }
    }
}

impl Credential {
    fn bearer(token: &str) -> Result<Self, FetchError> {
        let header = HeaderValue::from_str(&format!("Bearer {token}"));
        let mut header =
            header.map_err(|_| FetchError("the token holds what no header may".into()))?;
        header.set_sensitive(true);
        Ok(Self::Bearer { header, token: SecretString::from(token) })
    }

    /// What must never be seen in a text.
    fn secrets(&self) -> Vec<&str> {
        match self {
            Self::Bearer { token, .. } => vec![token.expose_secret()],
            Self::Keys(keys) => std::iter::once(keys.secret_access_key.as_str())
                .chain(keys.session_token.as_deref())
                .collect(),
        }
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bearer { .. } => "Bearer([redacted])",
            Self::Keys(_) => "Keys([redacted])",
        })
    }
}
