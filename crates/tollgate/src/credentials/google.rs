//! Google: access tokens for a key file or for whoever this machine is, by Google's own library,
//! which keeps them fresh by itself.

use google_cloud_auth::credentials::{
    AccessTokenCredentials, Builder, external_account, impersonated, service_account, user_account,
};
use secrecy::{ExposeSecret, SecretString};

use super::{Credential, FetchError, Fetched};

#[derive(Debug)]
pub(super) struct Tokens {
    scope: &'static str,
    /// A key file's JSON; `None`: what Google's own SDKs would find.
    json: Option<SecretString>,
    /// The library's own, once built.
    library: Option<AccessTokenCredentials>,
}

impl Tokens {
    pub(super) fn new(scope: &'static str, json: Option<SecretString>) -> Self {
        Self { scope, json, library: None }
    }

    /// The token of the moment. An error may be the library's last word, so it is built anew then.
    pub(super) async fn fetch(&mut self) -> Result<Fetched, FetchError> {
        let library = match self.library.take() {
            Some(library) => library,
            None => self.built()?,
        };
        let token = library.access_token().await.map_err(|error| FetchError::of(&error))?;
        self.library = Some(library);
        Ok(Fetched { credential: Credential::bearer(&token.token)?, expires: None })
    }

    fn built(&self) -> Result<AccessTokenCredentials, FetchError> {
        let scopes = [self.scope];
        let Some(json) = &self.json else {
            let builder = Builder::default().with_scopes(scopes);
            return builder.build_access_token_credentials().map_err(|e| FetchError::of(&e));
        };
        // The file's text stays out of what is said of it.
        let json: serde_json::Value = serde_json::from_str(json.expose_secret())
            .map_err(|_| FetchError("the key file is no JSON".into()))?;
        let built = match json["type"].as_str() {
            Some("service_account") => service_account::Builder::new(json)
                .with_access_specifier(service_account::AccessSpecifier::from_scopes(scopes))
                .build_access_token_credentials(),
            Some("authorized_user") => user_account::Builder::new(json)
                .with_scopes(scopes)
                .build_access_token_credentials(),
            Some("external_account") => external_account::Builder::new(json)
                .with_scopes(scopes)
                .build_access_token_credentials(),
            _ => impersonated::Builder::new(json)
                .with_scopes(scopes)
                .build_access_token_credentials(),
        };
        built.map_err(|error| FetchError::of(&error))
    }
}
