//! How a request shows its credential to a provider. The secret is an argument and is written
//! into one header; nothing here keeps it.

use http::{HeaderMap, HeaderName, HeaderValue, header::InvalidHeaderValue};
use tollgate_model::DialectId;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auth {
    /// `authorization: Bearer …` whatever the dialect.
    Bearer,
    /// Where the dialect's own vendor takes it.
    ByDialect,
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
