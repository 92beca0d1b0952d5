//! `teams` and `keys`: who may ask for what. Keys made by the command line rest in the store and
//! are not seen here.

use std::collections::BTreeMap;

use secrecy::ExposeSecret;

use super::check::Check;
use super::nearest::suggestion;
use super::place::Path;
use super::{
    DEFAULT_TEAM, KeyConfig, ModelConfig, Pattern, ProviderConfig, TeamConfig, rates, written,
};

/// Shortest key that is accepted: a shorter one can be guessed.
const MIN_SECRET: usize = 16;
/// Longest key that is accepted: it travels in a header of every call.
const MAX_SECRET: usize = 512;

impl TeamConfig {
    /// The team of keys that name none, when the file does not describe it: every model.
    #[must_use]
    pub fn unlimited(name: &str) -> Self {
        Self { name: name.to_owned(), models: vec![Pattern::any()], limits: Vec::new() }
    }
}

pub(super) fn check(
    check: &mut Check<'_>,
    written: BTreeMap<String, written::Team>,
    models: &[ModelConfig],
    providers: &BTreeMap<String, ProviderConfig>,
) -> BTreeMap<String, TeamConfig> {
    let path = Path::top().key("teams");
    let mut teams = BTreeMap::new();
    for (name, written) in written {
        let path = path.key(&name);
        check.name(&path, &name);
        let mut team = TeamConfig::unlimited(&name);
        team.limits = rates::check(check, &path, written.limits);
        if let Some(allowed) = written.models {
            let path = path.key("models");
            team.models = allowed
                .iter()
                .enumerate()
                .filter_map(|(index, text)| {
                    allowance(check, &path.index(index), text, models, providers)
                })
                .collect();
        }
        teams.insert(name, team);
    }
    teams.entry(DEFAULT_TEAM.to_owned()).or_insert_with(|| TeamConfig::unlimited(DEFAULT_TEAM));
    teams
}

/// One entry of an allow-list. An entry that no name can match is a slip, and is refused.
fn allowance(
    check: &mut Check<'_>,
    path: &Path,
    text: &str,
    models: &[ModelConfig],
    providers: &BTreeMap<String, ProviderConfig>,
) -> Option<Pattern> {
    let pattern = match Pattern::parse(text) {
        Ok(pattern) => pattern,
        Err(error) => {
            check.refuse(
                path,
                format!("{text:?} cannot name models: {error}"),
                "a name such as `assistant`, or a pattern such as `openai/*`",
            );
            return None;
        }
    };
    let leads_somewhere = models.iter().any(|model| model.name.overlaps(&pattern))
        || providers.keys().any(|name| pattern.reaches_under(&format!("{name}/")));
    if !leads_somewhere && !check.refused_any() {
        let names = models.iter().map(|model| model.name.as_str());
        let under = text.split_once('/');
        let hint = match under {
            Some((provider, _)) => {
                suggestion(provider, providers.keys().map(String::as_str), "providers of this file")
            }
            None => suggestion(text, names, "models of this file"),
        };
        check.refuse(path, format!("`{text}` matches no model of this file"), hint);
    }
    Some(pattern)
}

pub(super) fn check_keys(
    check: &mut Check<'_>,
    written: BTreeMap<String, written::Key>,
    teams: &BTreeMap<String, TeamConfig>,
) -> Vec<KeyConfig> {
    let path = Path::top().key("keys");
    let mut keys: Vec<KeyConfig> = Vec::new();
    for (name, written) in written {
        let path = path.key(&name);
        check.name(&path, &name);
        let team = written.team.unwrap_or_else(|| DEFAULT_TEAM.to_owned());
        if !teams.contains_key(&team) {
            let hint = suggestion(&team, teams.keys().map(String::as_str), "teams of this file");
            check.refuse(&path.key("team"), format!("there is no team `{team}`"), hint);
        }
        let limits = rates::check(check, &path, written.limits);
        let at = path.key("secret");
        let Some(secret) = check.secret(&at, &written.secret) else { continue };
        let length = secret.expose_secret().len();
        if !(MIN_SECRET..=MAX_SECRET).contains(&length) {
            let hint = "take 32 random bytes: `openssl rand -hex 32`, or let `tollgate keys create` make one";
            let message = format!(
                "a key has from {MIN_SECRET} to {MAX_SECRET} characters; this one has {length}"
            );
            check.refuse(&at, message, hint);
        }
        if let Some(twin) =
            keys.iter().find(|key| key.secret.expose_secret() == secret.expose_secret())
        {
            let message = format!("it is the same secret as that of `{}`", twin.name);
            check.refuse(&at, message, "give each key a secret of its own: it says who calls");
        }
        keys.push(KeyConfig { name, team, secret, limits });
    }
    keys
}
