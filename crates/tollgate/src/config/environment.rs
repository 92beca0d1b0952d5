//! The configuration of a gateway that was given no file: every provider whose key is in the
//! environment, and the simulated one, so that the first call works with no account and no network.

use std::collections::BTreeMap;
use std::path::PathBuf;

use secrecy::SecretString;
use tollgate_wire::{PROVIDERS, Provider};

use super::place::{Path, Place};
use super::providers::{SIMULATED, SIMULATED_KEY};
use super::refusal::{Refusal, Refusals};
use super::secret::{Reference, Surroundings};
use super::{
    BaseUrl, Config, DEFAULT_TEAM, Limits, Listen, Log, LogFormat, ProviderConfig, Storage,
    TeamConfig, Timeouts, UpstreamTls, limits,
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
            // A key alone does not say where to go.
            let placed = !row.base_url.is_empty() || row.kind == SIMULATED;
            if !placed {
                continue;
            }
            let set = row
                .key_env
                .iter()
                .find(|name| variable(name).is_some_and(|value| !value.is_empty()));
            let found = match set {
                Some(name) => with_key(row, name, &around),
                None if row.kind == SIMULATED => {
                    Ok(provider(row, None, Some(SecretString::from(SIMULATED_KEY))))
                }
                None => continue,
            };
            match found {
                Ok(provider) => {
                    providers.insert(row.kind.to_owned(), provider);
                }
                Err(refusal) => refusals.push(refusal),
            }
        }
        if !refusals.is_empty() {
            return Err(Refusals::new(PathBuf::from("environment"), refusals));
        }
        let team = TeamConfig::unlimited(DEFAULT_TEAM);
        Ok(Self {
            listen: Listen::default(),
            storage: Storage { database: None },
            providers,
            models: Vec::new(),
            teams: BTreeMap::from([(DEFAULT_TEAM.to_owned(), team)]),
            keys: Vec::new(),
            limits: Limits::default(),
            shutdown_grace: limits::DEFAULT_GRACE,
            log: Log { format: LogFormat::Text, access: true },
        })
    }
}

fn with_key(
    row: &'static Provider,
    name: &str,
    around: &Surroundings<'_>,
) -> Result<ProviderConfig, Refusal> {
    let path = Path::top().key(name);
    let secret = Reference::Env(name.to_owned())
        .resolve(around)
        .map_err(|error| Refusal::new(Place::default(), &path, error.message, error.hint))?;
    let base = BaseUrl::parse(row.base_url).map_err(|error| {
        let hint = "write a configuration file that gives this provider its `base_url`";
        Refusal::new(
            Place::default(),
            &path,
            format!("kind `{}` has no address: {error}", row.kind),
            hint,
        )
    })?;
    Ok(provider(row, Some(base), Some(secret)))
}

fn provider(
    row: &'static Provider,
    base: Option<BaseUrl>,
    api_key: Option<SecretString>,
) -> ProviderConfig {
    ProviderConfig {
        name: row.kind.to_owned(),
        provider: row,
        base,
        api_key,
        dialect: None,
        tls: UpstreamTls::default(),
        timeouts: Timeouts::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
                let config = Config::from_environment(&|asked| {
                    (asked == *name).then(|| "sk-not-real".to_owned())
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
    fn an_empty_key_is_no_key_and_a_broken_one_is_an_error() {
        let config = Config::from_environment(&|_| Some(String::new())).unwrap();
        assert_eq!(config.providers.len(), 1);
        let refused = Config::from_environment(&|_| Some("two words".to_owned())).unwrap_err();
        assert!(refused.to_string().contains("OPENAI_API_KEY"), "{refused}");
        assert!(!refused.to_string().contains("two words"));
    }
}
