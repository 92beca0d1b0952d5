//! The configuration of a gateway that was given no file: every provider whose key is in the
//! environment, and the simulated one, so that the first call works with no account and no network.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use secrecy::SecretString;
use tollgate_catalogue::Catalogue;
use tollgate_wire::provider::{Need, Settings};
use tollgate_wire::{PROVIDERS, Provider};

use super::place::{Path, Place};
use super::providers::{SIMULATED, SIMULATED_KEY};
use super::refusal::{Refusal, Refusals};
use super::secret::{Reference, Surroundings};
use super::{
    BaseUrl, Config, DEFAULT_TEAM, Limits, Listen, Log, LogFormat, ProviderConfig, Storage,
    TeamConfig, Timeouts, UpstreamTls, identity, limits, settings,
};

impl Config {
    /// Every provider whose key `variable` knows, each under the name of its kind, and the
    /// simulated one.
    ///
    /// # Errors
    /// When a key is set that cannot be one, for example with a space in it.
    pub fn from_environment(variable: &dyn Fn(&str) -> Option<String>) -> Result<Self, Refusals> {
        let around = Surroundings { variable, directory: PathBuf::new() };
        let mut providers = BTreeMap::new();
        let mut refusals = Vec::new();
        for row in PROVIDERS.iter().copied() {
            if row.kind == SIMULATED {
                let key = Some(SecretString::from(SIMULATED_KEY));
                providers.insert(row.kind.to_owned(), provider(row, None, key, Settings::new()));
                continue;
            }
            match found(row, &around) {
                Ok(Some(provider)) => {
                    providers.insert(row.kind.to_owned(), provider);
                }
                Ok(None) => {}
                Err(refusal) => refusals.push(refusal),
            }
        }
        if !refusals.is_empty() {
            return Err(Refusals::new(PathBuf::from("environment"), refusals));
        }
        let team = TeamConfig::unlimited(DEFAULT_TEAM);
        Ok(Self {
            listen: Listen::default(),
            storage: Storage { database: None, pepper: None, shared: None },
            providers,
            models: Vec::new(),
            teams: BTreeMap::from([(DEFAULT_TEAM.to_owned(), team)]),
            keys: Vec::new(),
            catalogue: Arc::new(Catalogue::built_in()),
            prices: Arc::default(),
            limits: Limits::default(),
            shutdown_grace: limits::DEFAULT_GRACE,
            log: Log { format: LogFormat::Text, access: true },
        })
    }
}

/// The provider, where the environment holds its key, or says who the gateway is there.
fn found(
    row: &'static Provider,
    around: &Surroundings<'_>,
) -> Result<Option<ProviderConfig>, Refusal> {
    let set = |names: &[&'static str]| {
        let mut names = names.iter().copied();
        names.find_map(|name| Some((name, (around.variable)(name).filter(|v| !v.is_empty())?)))
    };
    let key = set(row.key_env).map(|(name, _)| name);
    let sign = set(row.identity.signs()).map(|(name, _)| name);
    let Some(name) = key.or(sign) else { return Ok(None) };
    let path = Path::top().key(name);
    let refused = |message, hint| Refusal::new(Place::default(), &path, message, hint);
    let mut settings = Settings::new();
    let address = set(row.base_env).map(|(_, address)| address);
    // A key alone does not say where to go.
    if address.is_none() && row.base_url.is_empty() {
        return Ok(None);
    }
    for setting in row.settings {
        match set(setting.env).map(|(_, value)| value).filter(|value| settings::fits(value)) {
            Some(value) => {
                settings.insert(setting.name, value);
            }
            None => {
                let waived = setting.need == Need::Never
                    || (setting.need == Need::WithoutKey && key.is_some())
                    || (address.is_some() && !row.needs_beyond_address(setting));
                // Half of what it takes is no reason to refuse the rest of the environment.
                if !waived {
                    return Ok(None);
                }
            }
        }
    }
    let secret = key.map(|name| Reference::Env(name.to_owned()).resolve(around)).transpose();
    let secret = secret.map_err(|error| refused(error.message, error.hint))?;
    let address = address.unwrap_or_else(|| row.address(&settings));
    let base = BaseUrl::parse(&address).map_err(|error| {
        let hint = "write a configuration file that gives this provider its `base_url`".to_owned();
        refused(format!("kind `{}` has no address: {error}", row.kind), hint)
    })?;
    Ok(Some(provider(row, Some(base), secret, settings)))
}

fn provider(
    row: &'static Provider,
    base: Option<BaseUrl>,
    api_key: Option<SecretString>,
    settings: Settings,
) -> ProviderConfig {
    ProviderConfig {
        name: row.kind.to_owned(),
        provider: row,
        base,
        identity: api_key.is_none().then(|| identity::by_default(row.identity)).flatten(),
        api_key,
        settings,
        dialect: None,
        passthrough: true,
        tls: UpstreamTls::default(),
        timeouts: Timeouts::default(),
        data: row.terms.data.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::IdentityConfig;

    #[test]
    fn without_a_key_only_the_simulated_provider_answers() {
        let config = Config::from_environment(&|_| None).unwrap();
        assert_eq!(config.providers.keys().collect::<Vec<_>>(), [SIMULATED]);
        assert!(config.providers[SIMULATED].base.is_none());
        assert!(config.teams[DEFAULT_TEAM].may_use("simulated/hello"));
    }

    #[test]
    fn every_key_in_the_environment_brings_its_provider() {
        let with_keys =
            PROVIDERS.iter().filter(|row| !row.key_env.is_empty() && !row.base_url.is_empty());
        for row in with_keys {
            for name in row.key_env {
                let setting = |asked: &str| row.settings.iter().any(|s| s.env.contains(&asked));
                let config = Config::from_environment(&|asked| {
                    let word = if setting(asked) { "place-1" } else { "sk-not-real" };
                    (asked == *name || setting(asked)).then(|| word.to_owned())
                })
                .unwrap();
                let provider = &config.providers[row.kind];
                assert!(provider.api_key.is_some(), "{name}");
                assert!(!format!("{config:?}").contains("sk-not-real"));
            }
        }
    }

    #[test]
    fn a_key_of_a_host_without_an_address_brings_nothing() {
        let config = Config::from_environment(&|asked| {
            (asked == "SNOWFLAKE_PAT").then(|| "not-real-token".to_owned())
        });
        assert_eq!(config.unwrap().providers.keys().collect::<Vec<_>>(), [SIMULATED]);
    }

    #[test]
    fn who_the_gateway_is_in_a_cloud_is_known_by_what_its_sdks_look_for() {
        let set = |pairs: &'static [(&str, &str)]| {
            let known = move |asked: &str| {
                pairs.iter().find(|(name, _)| *name == asked).map(|(_, value)| (*value).to_owned())
            };
            Config::from_environment(&known).unwrap().providers
        };
        let aws = set(&[("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"), ("AWS_REGION", "eu-central-1")]);
        let bedrock = &aws["bedrock"];
        assert!(matches!(bedrock.identity, Some(IdentityConfig::AwsChain { profile: None })));
        let base = bedrock.base.as_ref().unwrap().to_string();
        assert_eq!(base, "https://bedrock-runtime.eu-central-1.amazonaws.com");
        let google = set(&[
            ("GOOGLE_APPLICATION_CREDENTIALS", "/not/there.json"),
            ("GOOGLE_CLOUD_PROJECT", "p"),
            ("GOOGLE_CLOUD_LOCATION", "global"),
        ]);
        let base = google["vertex"].base.as_ref().unwrap().to_string();
        assert_eq!(base, "https://aiplatform.googleapis.com");
        let azure = set(&[
            ("AZURE_OPENAI_API_KEY", "not-a-key"),
            ("AZURE_OPENAI_ENDPOINT", "https://r.openai.azure.com/"),
        ]);
        assert!(azure["azure-openai"].identity.is_none());
        assert_eq!(set(&[("AWS_PROFILE", "x")]).len(), 1, "no region, no provider");
    }

    #[test]
    fn an_empty_key_is_no_key_and_a_broken_one_is_an_error() {
        let config = Config::from_environment(&|_| Some(String::new())).unwrap();
        assert_eq!(config.providers.len(), 1);
        let refused = Config::from_environment(&|_| Some("two words".to_owned())).unwrap_err();
        assert!(refused.to_string().contains("OPENAI_API_KEY"), "{refused}");
        assert!(!refused.to_string().contains("two words"));
    }
}
