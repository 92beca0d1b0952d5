//! AWS: the chain that its own SDKs walk. Environment, shared configuration, web identity,
//! container (ECS and EKS pod identity) and instance metadata, by AWS's own library.

use aws_config::Region;
use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_credential_types::provider::ProvideCredentials;
use tollgate_wire::auth::sigv4::AwsKeys;

use super::{Credential, FetchError, Fetched};

#[derive(Debug)]
pub(super) struct Chain {
    profile: Option<String>,
    region: String,
}

impl Chain {
    pub(super) fn new(profile: Option<String>, region: String) -> Self {
        Self { profile, region }
    }

    /// Walks the chain anew each time: a file may have been replaced.
    pub(super) async fn fetch(&self) -> Result<Fetched, FetchError> {
        let found = match &self.profile {
            Some(profile) => {
                let chain = ProfileFileCredentialsProvider::builder().profile_name(profile).build();
                chain.provide_credentials().await
            }
            None => {
                let chain = DefaultCredentialsChain::builder();
                let chain = chain.region(Region::new(self.region.clone())).build().await;
                chain.provide_credentials().await
            }
        };
        let found = found.map_err(|error| FetchError::of(&error))?;
        let keys = AwsKeys {
            access_key_id: found.access_key_id().to_owned(),
            secret_access_key: found.secret_access_key().to_owned(),
            session_token: found.session_token().map(str::to_owned),
        };
        Ok(Fetched { credential: Credential::Keys(keys), expires: found.expiry() })
    }
}
