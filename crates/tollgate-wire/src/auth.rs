//! How a request shows its credential to a provider. Secrets and the time are arguments and are
//! written into headers; nothing here keeps them, and nothing here fetches one.

pub mod sigv4;

use http::{HeaderMap, HeaderName, HeaderValue, header::InvalidHeaderValue};
use tollgate_model::DialectId;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auth {
    /// `authorization: Bearer …` whatever the dialect.
    Bearer,
    /// Where the dialect's own vendor takes it.
    ByDialect,
    /// In this header, whatever the dialect.
    Header(&'static str),
}

/// What stands in for a key that the configuration does not give: who the gateway is in that cloud.
/// The program finds it, keeps it fresh, and shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identity {
    /// Nothing does.
    None,
    /// AWS keys, with which each request to this service is signed.
    Aws { service: &'static str },
    /// A token of Google's with this scope, shown as a bearer.
    Google { scope: &'static str },
    /// A token of Microsoft's Entra with this scope, shown as a bearer.
    Entra { scope: &'static str },
}

impl Identity {
    /// Environment variables that say that such an identity is at hand.
    #[must_use]
    pub fn signs(self) -> &'static [&'static str] {
        match self {
            Self::None => &[],
            Self::Aws { .. } => &[
                "AWS_ACCESS_KEY_ID",
                "AWS_CONTAINER_CREDENTIALS_FULL_URI",
                "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
                "AWS_PROFILE",
                "AWS_WEB_IDENTITY_TOKEN_FILE",
            ],
            Self::Google { .. } => &["GOOGLE_APPLICATION_CREDENTIALS"],
            Self::Entra { .. } => {
                &["AZURE_CLIENT_SECRET", "AZURE_FEDERATED_TOKEN_FILE", "IDENTITY_ENDPOINT"]
            }
        }
    }
}

impl Auth {
    /// Puts `secret` where a provider of `dialect` looks for it.
    ///
    /// # Errors
    /// When the secret holds a character that no header may.
    pub fn sign(
        self,
        dialect: DialectId,
        secret: &str,
        headers: &mut HeaderMap,
    ) -> Result<(), InvalidHeaderValue> {
        let (name, value) = match (self, dialect.as_str()) {
            (Self::Header(name), _) => {
                (HeaderName::from_static(name), HeaderValue::from_str(secret)?)
            }
            (Self::ByDialect, "anthropic-messages") => {
                (HeaderName::from_static("x-api-key"), HeaderValue::from_str(secret)?)
            }
            (Self::ByDialect, "gemini-generate") => {
                (HeaderName::from_static("x-goog-api-key"), HeaderValue::from_str(secret)?)
            }
            _ => (http::header::AUTHORIZATION, HeaderValue::from_str(&format!("Bearer {secret}"))?),
        };
        let mut value = value;
        value.set_sensitive(true);
        headers.insert(name, value);
        Ok(())
    }
}
