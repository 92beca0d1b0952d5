//! One credential under care: a task fetches it and the next one before it expires; calls look at
//! the value of the moment.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::header::AUTHORIZATION;
use secrecy::ExposeSecret;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep, timeout};
use tollgate_model::{Fault, FaultKind, Source};
use tollgate_wire::auth::Identity;
use tollgate_wire::auth::sigv4::{AwsKeys, Leaving, Scope, sign};

use super::{Credential, FetchError, Fetched, Fetcher};
use crate::config::IdentityConfig;
use crate::redact::redacted;
use crate::upstream::{Call, Payload};

/// Longest that one fetch may take, all its own tries included.
const MOST_FETCH: Duration = Duration::from_secs(30);
/// A credential is replaced so long before it expires, or at three quarters of a shorter life.
const BEFORE_EXPIRY: Duration = Duration::from_secs(300);
/// One that states no expiry is looked for again after this.
const UNSTATED: Duration = Duration::from_secs(60);
/// Between two fetches, whatever happens.
const LEAST_PAUSE: Duration = Duration::from_secs(1);
/// After failures, doubled each time up to this.
const MOST_PAUSE: Duration = Duration::from_secs(60);
/// A credential that a provider refuses is fetched anew, but not more often than this.
const BETWEEN_DOUBTS: Duration = Duration::from_secs(10);

/// A credential that is kept fresh as long as this lives.
#[derive(Debug)]
pub struct Held {
    config: IdentityConfig,
    identity: Identity,
    region: String,
    state: watch::Receiver<State>,
    doubted: Arc<Notify>,
}

#[derive(Clone, Debug, Default)]
struct State {
    good: Option<Arc<Fetched>>,
    /// The one before: a provider may speak of it yet.
    before: Option<Arc<Fetched>>,
    /// The first fetch is over, whatever came of it.
    tried: bool,
}

impl State {
    fn valid(&self) -> Option<&Arc<Fetched>> {
        let now = SystemTime::now();
        self.good.as_ref().filter(|good| good.expires.is_none_or(|expires| expires > now))
    }
}

impl Held {
    /// Begins to care for a credential; `provider` is the name for the log.
    #[must_use]
    pub fn start(
        identity: Identity,
        config: &IdentityConfig,
        region: &str,
        provider: &str,
    ) -> Self {
        let doubted = Arc::new(Notify::new());
        let first = fixed(config)
            .map(|keys| Arc::new(Fetched { credential: Credential::Keys(keys), expires: None }));
        let tried = first.is_some();
        let (sender, state) = watch::channel(State { good: first, before: None, tried });
        if let Some(fetcher) = Fetcher::new(identity, config, region) {
            let secrets: Vec<_> = config.secrets().cloned().collect();
            let safe = move |error: FetchError| {
                let texts = secrets.iter().map(ExposeSecret::expose_secret);
                texts.fold(error.0, |text, secret| redacted(&text, secret))
            };
            let provider = provider.to_owned();
            tokio::spawn(keep(fetcher, sender, doubted.clone(), move |error| {
                tracing::warn!(provider, error = safe(error), "no fresh credential");
            }));
        }
        Self { config: config.clone(), identity, region: region.to_owned(), state, doubted }
    }

    /// Whether what is held serves such a configuration too.
    #[must_use]
    pub fn serves(&self, identity: Identity, config: &IdentityConfig, region: &str) -> bool {
        self.identity == identity && self.region == region && self.config.is_like(config)
    }

    /// Shows the credential: a call that is ready to leave is signed as it stands. Only the very
    /// first credential is waited for, and not longer than `patience`.
    ///
    /// # Errors
    /// When there is none.
    pub async fn show(&self, call: &mut Call, patience: Duration) -> Result<(), Fault> {
        let fetched = self.current(patience).await.ok_or_else(nothing_to_show)?;
        match (&fetched.credential, self.identity) {
            (Credential::Bearer { header, .. }, _) => {
                call.headers.insert(AUTHORIZATION, header.clone());
                Ok(())
            }
            (Credential::Keys(keys), Identity::Aws { service }) => {
                let scope = Scope { region: &self.region, service };
                let Payload::Whole(body) = &call.body else { return Err(unsigned()) };
                let leaving = Leaving { method: &call.method, uri: &call.uri, body };
                let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                sign(keys, scope, now, leaving, &mut call.headers)
                    .map_err(|error| nothing_to_show().with_note(error.to_string()))
            }
            (Credential::Keys(_), _) => Err(nothing_to_show()),
        }
    }

    /// A provider does not accept it: it may have been replaced before its time.
    pub fn doubt(&self) {
        self.doubted.notify_one();
    }

    /// `text` without any secret of this credential.
    #[must_use]
    pub fn without_secrets(&self, text: &str) -> String {
        let state = self.state.borrow().clone();
        let held = state.good.iter().chain(&state.before);
        let mut clean = text.to_owned();
        for fetched in held {
            for secret in fetched.credential.secrets() {
                clean = redacted(&clean, secret);
            }
        }
        for secret in self.config.secrets() {
            clean = redacted(&clean, secret.expose_secret());
        }
        clean
    }

    async fn current(&self, patience: Duration) -> Option<Arc<Fetched>> {
        {
            let state = self.state.borrow();
            if state.tried || state.good.is_some() {
                return state.valid().cloned();
            }
        }
        let mut state = self.state.clone();
        let first = timeout(patience, state.wait_for(|state| state.tried)).await;
        first.ok()?.ok()?.valid().cloned()
    }
}

/// A signature is over the whole body, and this one is not there yet.
fn unsigned() -> Fault {
    let message = "This provider takes signed calls only, and a body that is passed on while it arrives cannot be signed.";
    Fault::new(FaultKind::Unsupported, Source::Internal, message).with_code("upload_unsigned")
}

/// Keys that the configuration itself holds.
fn fixed(config: &IdentityConfig) -> Option<AwsKeys> {
    let IdentityConfig::AwsKeys { access_key_id, secret_access_key, session_token } = config else {
        return None;
    };
    Some(AwsKeys {
        access_key_id: access_key_id.expose_secret().to_owned(),
        secret_access_key: secret_access_key.expose_secret().to_owned(),
        session_token: session_token.as_ref().map(|token| token.expose_secret().to_owned()),
    })
}

fn nothing_to_show() -> Fault {
    let message = "The gateway has no valid credential for this provider at the moment.";
    Fault::new(FaultKind::BadUpstream, Source::Internal, message).with_code("provider_credential")
}

/// Fetches for as long as anyone holds what is fetched. A fetch that fails leaves the last
/// credential in its place.
async fn keep(
    mut fetcher: Fetcher,
    sender: watch::Sender<State>,
    doubted: Arc<Notify>,
    complain: impl Fn(FetchError),
) {
    let mut failures = 0;
    loop {
        let begun = Instant::now();
        let fetched = match timeout(MOST_FETCH, fetcher.fetch()).await {
            Ok(fetched) => fetched,
            Err(_) => Err(FetchError(format!("no answer within {} s", MOST_FETCH.as_secs()))),
        };
        let pause = match fetched {
            Ok(fetched) => {
                failures = 0;
                let pause = until_next(fetched.expires);
                sender.send_modify(|state| {
                    state.before = state.good.replace(Arc::new(fetched));
                    state.tried = true;
                });
                pause
            }
            Err(error) => {
                complain(error);
                sender.send_modify(|state| state.tried = true);
                failures += 1;
                (LEAST_PAUSE * 2_u32.saturating_pow(failures - 1)).min(MOST_PAUSE)
            }
        };
        tokio::select! {
            () = sleep(pause) => {}
            () = doubted.notified() => sleep_until_allowed(begun).await,
            () = sender.closed() => return,
        }
    }
}

async fn sleep_until_allowed(begun: Instant) {
    tokio::time::sleep_until(begun + BETWEEN_DOUBTS).await;
}

fn until_next(expires: Option<SystemTime>) -> Duration {
    let Some(expires) = expires else { return UNSTATED };
    let life = expires.duration_since(SystemTime::now()).unwrap_or_default();
    life.saturating_sub(BEFORE_EXPIRY.min(life / 4)).max(LEAST_PAUSE)
}
