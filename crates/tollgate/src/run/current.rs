//! Keeps the gateway current: builds it from a configuration and the keys in store, and builds it
//! anew when either changes. What cannot be taken over leaves the old one in service.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::{mpsc, watch};
use tollgate_policy::limit::Counters;
use tollgate_store::{Digest, Store};

use super::{LAST_WORDS, RunError, Stop};
use crate::config::Config;
use crate::gateway::{Gateway, Surroundings};
use crate::listener::Acceptor;
use crate::simulate;
use crate::worker::Shared;

/// The keys in store are looked at this often: twice a second, so that one that was revoked, by
/// whichever gateway of the database, is refused within a second.
const KEYS_EVERY: Duration = Duration::from_millis(500);

/// A key in store: name, team, digest.
type StoredKey = (String, String, Digest);

#[derive(Debug)]
pub(super) struct Current {
    store: Store,
    scan_seed: u64,
    counters: Arc<Counters>,
    stop: watch::Receiver<Stop>,
    /// Where the simulated provider of this process listens, once one was wanted.
    simulated: Option<SocketAddr>,
    /// The stored keys that the gateway of the moment knows.
    known: Vec<StoredKey>,
}

impl Current {
    pub(super) fn new(
        store: Store,
        scan_seed: u64,
        counters: Arc<Counters>,
        stop: watch::Receiver<Stop>,
    ) -> Self {
        Self { store, scan_seed, counters, stop, simulated: None, known: Vec::new() }
    }

    /// The gateway that the process starts with.
    pub(super) async fn first(&mut self, config: Arc<Config>) -> Result<Gateway, RunError> {
        self.known = self.stored_keys().await?;
        self.build(config, None).await
    }

    /// Never ends by itself.
    pub(super) async fn keep(
        mut self,
        shared: Arc<Shared>,
        mut offers: mpsc::Receiver<Option<Config>>,
        acceptor: Option<Acceptor>,
    ) {
        let mut open = true;
        // A steady beat: many reloads in a row do not put it off.
        let mut beat = tokio::time::interval(KEYS_EVERY);
        beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let offer = tokio::select! {
                _ = beat.tick() => {
                    self.take_keys(&shared).await;
                    continue;
                }
                offer = offers.recv(), if open => offer,
            };
            match offer {
                None => open = false,
                Some(None) => shared.telemetry.metrics.reloaded(false),
                Some(Some(config)) => {
                    let taken = self.take_config(&shared, config, acceptor.as_ref()).await;
                    shared.telemetry.metrics.reloaded(taken.is_ok());
                    match taken {
                        Ok(()) => tracing::info!("a new configuration is in service"),
                        Err(error) => tracing::error!(
                            %error,
                            "the new configuration cannot be used, the old one serves on"
                        ),
                    }
                }
            }
        }
    }

    async fn take_config(
        &mut self,
        shared: &Shared,
        config: Config,
        acceptor: Option<&Acceptor>,
    ) -> Result<(), RunError> {
        let before = shared.gateway.load_full();
        let gateway = self.build(Arc::new(config), Some(&before)).await?;
        if let (Some(acceptor), Some(tls)) = (acceptor, &gateway.config.listen.tls) {
            acceptor.renew(tls)?;
        }
        shared.gateway.store(Arc::new(gateway));
        Ok(())
    }

    /// Builds the gateway anew when the keys in store have changed.
    async fn take_keys(&mut self, shared: &Shared) {
        let keys = match self.stored_keys().await {
            Ok(keys) if keys == self.known => return,
            Ok(keys) => keys,
            Err(error) => {
                tracing::warn!(%error, "keys cannot be read; those known stay valid");
                return;
            }
        };
        self.known = keys;
        let before = shared.gateway.load_full();
        match self.build(before.config.clone(), Some(&before)).await {
            Ok(gateway) => shared.gateway.store(Arc::new(gateway)),
            Err(error) => tracing::error!(%error, "the changed keys cannot be put to use"),
        }
    }

    async fn stored_keys(&self) -> Result<Vec<StoredKey>, RunError> {
        let keys = self.store.keys().await?.into_iter();
        let valid = keys.filter(|key| key.revoked.is_none());
        Ok(valid.map(|key| (key.name, key.team, key.digest)).collect())
    }

    async fn build(
        &mut self,
        config: Arc<Config>,
        before: Option<&Gateway>,
    ) -> Result<Gateway, RunError> {
        if self.simulated.is_none() && config.providers.values().any(|p| p.base.is_none()) {
            self.simulated = Some(self.simulate(config.shutdown_grace).await?);
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let surroundings = Surroundings {
            digester: self.store.digester(),
            stored_keys: self.known.clone(),
            simulated: self.simulated,
            now,
            scan_seed: self.scan_seed,
            counters: self.counters.clone(),
        };
        Ok(Gateway::build(config, surroundings, before)?)
    }

    /// Starts the simulated provider of this process: on loopback, so that calls to it are calls
    /// like any other.
    async fn simulate(&self, grace: Duration) -> Result<SocketAddr, RunError> {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let mut stop = self.stop.clone();
        tokio::spawn(async move {
            let over = async move {
                let _ = stop.wait_for(Stop::is_asked).await;
                // Streams that drain still need their provider.
                tokio::time::sleep(grace + LAST_WORDS).await;
            };
            simulate::serve(listener, tollgate_simulate::Simulator::new(), over).await
        });
        Ok(address)
    }
}
