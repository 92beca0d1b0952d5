//! The gateway as one immutable, shared value: what was configured, made ready to serve. A reload
//! builds another and swaps it in whole; a running call keeps the one it began with.

mod recognised;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use http::HeaderMap;
use secrecy::{ExposeSecret, SecretString};
use tollgate_model::{DialectId, Fault, FaultKind};
use tollgate_policy::limit::{Counters, Limit, Limits};
use tollgate_store::{Digest, Digester};
use tollgate_wire::provider::{Base, Settings, Speaks, filled};
use tollgate_wire::{Carriage, Dialect, Operation, Provider, carriage, codec, dialect};

use crate::config::{BaseUrl, Config, ProviderConfig, TeamConfig, Timeouts};
use crate::credentials::Held;
use crate::known::Known;
use crate::redact;
use crate::upstream::{Origin, SetupError};
use recognised::Recognised;

/// Who calls: a key and the team that pays for it.
#[derive(Debug)]
pub struct Caller {
    /// Name of the key; never the key.
    pub key: String,
    pub team: Arc<TeamConfig>,
    /// What the two may use; `None`: without limit.
    pub limits: Option<Arc<Limits>>,
}

#[derive(Debug)]
pub struct Gateway {
    pub config: Arc<Config>,
    pub upstreams: BTreeMap<String, Arc<Upstream>>,
    /// Unix seconds at which this configuration was taken into service.
    pub since: u64,
    /// Random: keys the hashes of the scan.
    pub scan_seed: u64,
    callers: HashMap<Digest, Arc<Caller>>,
    /// The same callers by the ids that AWS's SDKs sign with.
    signers: HashMap<String, Signer>,
    recognised: Recognised,
    digester: Arc<Digester>,
}

/// Who holds an access key, and the secret that it signs with.
#[derive(Clone, Debug)]
pub struct Signer {
    pub caller: Arc<Caller>,
    pub secret: SecretString,
}

/// A configured provider, ready to be called.
#[derive(Debug)]
pub struct Upstream {
    pub name: String,
    pub row: &'static Provider,
    pub origin: Arc<Origin>,
    pub timeouts: Timeouts,
    /// Everything that it offers is passed on, below this path.
    pub passthrough: bool,
    pub root: String,
    /// Preferred first.
    pub spoken: Vec<Spoken>,
    /// A credential that changes; a call shows the one of the moment.
    pub held: Option<Arc<Held>>,
    /// What its models cost.
    pub known: Known,
    /// What must never be seen in a text of this provider.
    secret: Option<SecretString>,
}

/// One dialect that a provider speaks.
pub struct Spoken {
    pub dialect: &'static Dialect,
    /// How it travels there.
    pub carriage: &'static Carriage,
    /// For which models, and where.
    speaks: &'static Speaks,
    /// What stands before the dialect's own paths.
    prefix: String,
    /// What the host wants at the end of each path, after its `?`.
    query: String,
    /// The credential that never changes, where this dialect wants it. Bound to the upstream's origin.
    pub credential: HeaderMap,
}

impl fmt::Debug for Spoken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spoken")
            .field("dialect", &self.dialect.id())
            .field("prefix", &self.prefix)
            .field("credential", &"[redacted]")
            .finish()
    }
}

impl Spoken {
    /// The whole path of a call; `own` is the dialect's own for it.
    #[must_use]
    pub fn path(&self, operation: Operation, stream: bool, model: &str, own: &str) -> String {
        let prefix = carriage::with_model(&self.prefix, model);
        let below = self.carriage.path(operation, stream, model, own);
        let mut path = String::with_capacity(prefix.len() + below.len() + 1 + self.query.len());
        path.push_str(&prefix);
        path.push_str(&below);
        if !self.query.is_empty() {
            path.push(if path.contains('?') { '&' } else { '?' });
            path.push_str(&self.query);
        }
        path
    }
}

/// Why a checked configuration cannot be served.
#[derive(Debug, thiserror::Error)]
#[error("provider `{provider}`: {error}")]
pub struct BuildError {
    pub provider: String,
    pub error: SetupError,
}

/// What a gateway is built from, besides its configuration.
#[derive(Debug)]
pub struct Surroundings {
    pub digester: Arc<Digester>,
    /// Keys made at run time: name, team, digest.
    pub stored_keys: Vec<(String, String, Digest)>,
    /// Where the simulated provider of this process listens.
    pub simulated: Option<SocketAddr>,
    /// Unix seconds.
    pub now: u64,
    /// Random, one for the life of the process.
    pub scan_seed: u64,
    /// What was used so far, of every limit.
    pub counters: Arc<Counters>,
}

impl Gateway {
    /// # Errors
    /// When a provider's host, credential or certificate cannot be used.
    pub fn build(
        config: Arc<Config>,
        surroundings: Surroundings,
        before: Option<&Self>,
    ) -> Result<Self, BuildError> {
        let Surroundings { digester, stored_keys, simulated, now, scan_seed, counters } =
            surroundings;
        let mut upstreams = BTreeMap::new();
        for (name, provider) in &config.providers {
            let old = before.and_then(|gateway| gateway.upstreams.get(name));
            let upstream = Upstream::build(&config, provider, simulated, old)
                .map_err(|error| BuildError { provider: name.clone(), error })?;
            upstreams.insert(name.clone(), Arc::new(upstream));
        }
        let teams: HashMap<&str, Arc<TeamConfig>> = config
            .teams
            .iter()
            .map(|(name, team)| (name.as_str(), Arc::new(team.clone())))
            .collect();
        let mut callers = HashMap::new();
        let mut signers = HashMap::new();
        let mut admit = |key: String, team: &str, digest: Digest, own: &[Limit]| {
            if let Some(team) = teams.get(team) {
                let limits = limits(&counters, team, &key, own);
                let caller = Arc::new(Caller { key, team: team.clone(), limits });
                let access = digester.access_key(&digest);
                let signer = Signer { caller: caller.clone(), secret: access.secret };
                signers.insert(access.id, signer);
                callers.insert(digest, caller);
            }
        };
        for (name, team, digest) in stored_keys {
            admit(name, &team, digest, &[]);
        }
        for key in &config.keys {
            let digest = digester.digest(key.secret.expose_secret());
            admit(key.name.clone(), &key.team, digest, &key.limits);
        }
        let recognised = Recognised::default();
        Ok(Self {
            config,
            upstreams,
            since: now,
            scan_seed,
            callers,
            signers,
            recognised,
            digester,
        })
    }

    /// Whose key this is.
    #[must_use]
    pub fn caller(&self, key: &str) -> Option<Arc<Caller>> {
        let verify = || self.callers.get(&self.digester.digest(key)).cloned();
        self.recognised.caller(key, verify)
    }

    /// Whose access key has this id.
    #[must_use]
    pub fn signer(&self, access_key_id: &str) -> Option<Signer> {
        self.signers.get(access_key_id).cloned()
    }

    /// A model for the first call: a configured name, else one that a provider is known for.
    #[must_use]
    pub fn first_model(&self) -> Option<String> {
        let mut named = self.config.models.iter().filter(|model| model.name.is_exact());
        named.next().map(|model| model.name.as_str().to_owned()).or_else(|| {
            self.upstreams.values().find_map(|upstream| {
                let model = upstream.row.sample_models.first()?;
                Some(format!("{}/{model}", upstream.name))
            })
        })
    }

    /// Without a key in store every call is refused.
    #[must_use]
    pub fn has_keys(&self) -> bool {
        !self.callers.is_empty()
    }
}

impl Upstream {
    fn build(
        whole: &Config,
        config: &ProviderConfig,
        simulated: Option<SocketAddr>,
        old: Option<&Arc<Self>>,
    ) -> Result<Self, SetupError> {
        let base = match (&config.base, simulated) {
            (Some(base), _) => base.clone(),
            (None, Some(address)) => BaseUrl::of_address(address, "/v1"),
            (None, None) => return Err(SetupError::Host),
        };
        let fresh = Origin::new(&base, &config.tls, config.timeouts.connect)?;
        // An origin that did not change keeps its pooled connections.
        let origin = match old {
            Some(old) if old.origin.is_like(&fresh) => old.origin.clone(),
            _ => Arc::new(fresh),
        };
        let mut spoken = Vec::new();
        for speaks in config.provider.speaks {
            let forced_away = config.dialect.is_some_and(|forced| forced != speaks.dialect);
            let unset = speaks.needs.is_some_and(|name| !config.settings.contains_key(name));
            let Some(dialect) = dialect(speaks.dialect) else { continue };
            if forced_away || unset {
                continue;
            }
            let mut credential = HeaderMap::new();
            if let Some(secret) = &config.api_key {
                let secret = secret.expose_secret();
                let signed = config.provider.auth.sign(speaks.dialect, secret, &mut credential);
                signed.map_err(|_| SetupError::Credential)?;
            }
            let prefix = prefix(&base, speaks.base, &config.settings);
            let query = filled(speaks.carriage.query, &config.settings);
            spoken.push(Spoken {
                dialect,
                carriage: speaks.carriage,
                speaks,
                prefix,
                query,
                credential,
            });
        }
        Ok(Self {
            name: config.name.clone(),
            row: config.provider,
            origin,
            timeouts: config.timeouts,
            passthrough: config.passthrough,
            root: prefix(&base, Base::Root, &config.settings),
            spoken,
            held: held(config, old),
            known: Known::new(config, &base, whole, old.map(|old| &old.known)),
            secret: config.api_key.clone(),
        })
    }

    /// In which dialect to ask a model for an operation: the caller's own where it is spoken, else
    /// the first that has it.
    #[must_use]
    pub fn speaks(
        &self,
        operation: Operation,
        model: &str,
        callers: DialectId,
        forced: Option<DialectId>,
    ) -> Option<&Spoken> {
        if operation == Operation::Resting {
            // Whatever its model: it is asked for in the dialect it was made in.
            return self.spoken.iter().find(|spoken| spoken.dialect.id() == callers);
        }
        if !self.row.operations.contains(&operation) {
            return None;
        }
        let can = |spoken: &&Spoken| {
            let id = spoken.dialect.id();
            forced.is_none_or(|forced| forced == id)
                && (id == callers || !operation.travels_as_is())
                && spoken.speaks.fits(model)
                && codec(id, operation).is_some()
        };
        let mut able = self.spoken.iter().filter(can).peekable();
        let first = able.peek().copied();
        able.find(|spoken| spoken.dialect.id() == callers).or(first)
    }

    /// What it is told can rest with it between two calls.
    #[must_use]
    pub fn keeps(&self) -> bool {
        self.row.operations.contains(&Operation::Resting)
    }

    /// How it is asked for something that is no dialect's operation.
    #[must_use]
    pub fn speaks_most_like(&self, callers: DialectId) -> Option<&Spoken> {
        let own = self.spoken.iter().find(|spoken| spoken.dialect.id() == callers);
        own.or_else(|| self.spoken.first())
    }

    /// A provider's words as a caller may hear them: without the gateway's credential, and nothing
    /// at all of what it says about that credential.
    #[must_use]
    pub fn retold(&self, mut fault: Fault) -> Fault {
        if let Some(said) = &mut fault.upstream {
            if matches!(fault.kind, FaultKind::Unauthenticated) {
                let message = format!(
                    "The provider `{}` does not accept the gateway's credential.",
                    self.name
                );
                said.message = Some(message.clone());
                fault.message = message;
            } else {
                said.message = said.message.as_deref().map(|text| self.redacted(text));
            }
            let [kind, code] = [&mut said.kind, &mut said.code];
            for text in [kind, code, &mut said.param, &mut said.request_id, &mut said.inner] {
                *text = text.as_deref().map(|text| self.redacted(text));
            }
            fault.code.get_or_insert("upstream_error");
        }
        fault.message = self.redacted(&fault.message);
        fault.note = fault.note.as_deref().map(|note| self.redacted(note));
        fault.param = fault.param.as_deref().map(|param| self.redacted(param));
        fault
    }

    /// `text` without this provider's credential.
    fn redacted(&self, text: &str) -> String {
        match (&self.secret, &self.held) {
            (Some(secret), _) => redact::redacted(text, secret.expose_secret()),
            (None, Some(held)) => held.without_secrets(text),
            (None, None) => text.to_owned(),
        }
    }
}

/// The limits that a key is held to: its team's and its own.
fn limits(counters: &Counters, team: &TeamConfig, key: &str, own: &[Limit]) -> Option<Arc<Limits>> {
    if team.limits.is_empty() && own.is_empty() {
        return None;
    }
    let owners = [
        (format!("team {}", team.name), team.limits.as_slice()),
        (format!("key {key} of {}", team.name), own),
    ];
    Some(counters.bind(&team.name, owners))
}

/// The credential that stands in for a key; the one that is held already, where it will do.
fn held(config: &ProviderConfig, old: Option<&Arc<Upstream>>) -> Option<Arc<Held>> {
    let (row, identity) = (config.provider, config.identity.as_ref()?);
    let region = config.settings.get("region").map_or("", String::as_str);
    let before = old.and_then(|old| old.held.as_ref());
    match before.filter(|held| held.serves(row.identity, identity, region)) {
        Some(held) => Some(held.clone()),
        None => Some(Arc::new(Held::start(row.identity, identity, region, &config.name))),
    }
}

fn prefix(base: &BaseUrl, place: Base, settings: &Settings) -> String {
    let given = base.path_prefix.as_str();
    match place {
        Base::Given => given.to_owned(),
        Base::Root => given.strip_suffix("/v1").unwrap_or(given).to_owned(),
        Base::V1 => format!("{}/v1", given.strip_suffix("/v1").unwrap_or(given)),
        Base::Path(path) => filled(path, settings),
        Base::Below(path) => format!("{given}{}", filled(path, settings)),
    }
}
