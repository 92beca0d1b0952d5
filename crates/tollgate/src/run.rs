//! The running process: listeners, one worker thread per core, reloads, and a drain at the end.

use std::net::SocketAddr;

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwap;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::sync::watch;
use tollgate_store::{Store, StoreError};

use crate::admin::{self, Admin, Readiness};
use crate::config::{Address, Config};
use crate::gateway::{BuildError, Gateway, Surroundings};
use crate::listener::{self, Acceptor, Door};
use crate::simulate;
use crate::telemetry::{AccessLog, Telemetry};
use crate::worker::{Shared, Worker};

/// Keys made by the command line are seen after this long at most.
const KEYS_EVERY: Duration = Duration::from_secs(1);
/// Idle connections to providers are looked through this often.
const SWEEP_EVERY: Duration = Duration::from_secs(10);
/// Ports tried after a default port that is busy.
const MOST_PORTS: u16 = 50;

/// What a process is started with.
#[derive(Debug)]
pub struct Start {
    pub config: Config,
    pub store: Store,
    /// Turns true when the process is to end.
    pub stop: watch::Receiver<bool>,
    /// Each later configuration that passed its check.
    pub reloads: tokio::sync::mpsc::Receiver<Config>,
}

/// Where the process listens.
#[derive(Clone, Debug)]
pub struct Listening {
    pub data: SocketAddr,
    pub admin: SocketAddr,
    pub tls: bool,
}

impl Listening {
    /// The data plane's address as callers write it.
    #[must_use]
    pub fn data_url(&self) -> String {
        let scheme = if self.tls { "https" } else { "http" };
        format!("{scheme}://{}", self.data)
    }
}

#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error("cannot listen on {0}: {1}")]
    Listen(SocketAddr, std::io::Error),
    #[error(transparent)]
    Build(#[from] BuildError),
    #[error("the listener's TLS cannot be set up: {0}")]
    Tls(#[from] listener::TlsError),
    #[error("the store cannot be read: {0}")]
    Store(#[from] StoreError),
    #[error("the system refused something the process needs: {0}")]
    System(#[from] std::io::Error),
}

/// Serves until `stop` turns true and the drain is over. `announce` is called once everything
/// listens.
///
/// # Errors
/// When an address cannot be had, or the configuration cannot be put to use.
pub async fn run(start: Start, announce: impl FnOnce(&Listening)) -> Result<(), RunError> {
    let Start { config, store, stop, reloads } = start;
    let config = Arc::new(config);
    let data = bound(config.listen.data)?;
    let admin = bound(config.listen.admin)?;
    let acceptor = config.listen.tls.as_ref().map(Acceptor::new).transpose()?;
    let listening =
        Listening { data: data.local_addr()?, admin: admin.local_addr()?, tls: acceptor.is_some() };
    let simulated = simulated(&config, stop.clone()).await?;
    let log = config.log.access.then(|| AccessLog::start(std::io::stdout())).transpose()?;
    let builder =
        Builder { store: store.clone(), simulated, scan_seed: random(), shown: Vec::new() };
    let (builder, gateway) = builder.build(config.clone(), None).await?;
    let shared = Arc::new(Shared {
        gateway: ArcSwap::from_pointee(gateway),
        telemetry: Arc::new(Telemetry::new(log)),
        in_flight: Arc::new(AtomicUsize::new(0)),
        instance: uuid::Uuid::new_v4().simple().to_string(),
    });
    let readiness = Arc::new(Readiness::default());
    let grace = config.shutdown_grace;
    let workers = start_workers(&shared, &data, acceptor.as_ref(), &stop, grace)?;
    drop(data);
    let routes = admin::routes(Admin {
        shared: shared.clone(),
        readiness: readiness.clone(),
        data_url: listening.data_url(),
    });
    let admin = tokio::net::TcpListener::from_std(admin)?;
    let admin = tokio::spawn(async move { axum::serve(admin, routes).await });
    let keeper = tokio::spawn(keep_current(builder, shared, reloads, acceptor));
    readiness.set(true);
    announce(&listening);
    let mut stopping = stop.clone();
    // A sender that is gone means the same as a stop.
    let _ = stopping.wait_for(|stop| *stop).await;
    readiness.set(false);
    tracing::info!(grace_ms = grace.as_millis() as u64, "draining");
    // The workers' threads end by themselves once their connections have.
    let _ =
        tokio::task::spawn_blocking(move || workers.into_iter().for_each(|w| drop(w.join()))).await;
    keeper.abort();
    admin.abort();
    store.close().await;
    Ok(())
}

/// The address, or for a default port that is busy the next that is free.
fn bound(address: Address) -> Result<std::net::TcpListener, RunError> {
    let mut socket = address.socket;
    let mut first = None;
    for _ in 0..MOST_PORTS {
        match listener::bind(socket) {
            Ok(listener) => return Ok(listener),
            Err(error) if address.chosen => return Err(RunError::Listen(socket, error)),
            Err(error) => first = first.or(Some(error)),
        }
        let Some(next) = socket.port().checked_add(1) else { break };
        socket.set_port(next);
    }
    let error = first.unwrap_or_else(|| std::io::ErrorKind::AddrInUse.into());
    Err(RunError::Listen(address.socket, error))
}

/// The simulated provider of this process, if the configuration wants one: on loopback, so that
/// calls to it are calls like any other.
async fn simulated(
    config: &Config,
    mut stop: watch::Receiver<bool>,
) -> Result<Option<SocketAddr>, RunError> {
    if config.providers.values().all(|provider| provider.base.is_some()) {
        return Ok(None);
    }
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    let grace = config.shutdown_grace;
    tokio::spawn(async move {
        let over = async move {
            let _ = stop.wait_for(|stop| *stop).await;
            // Streams that drain still need their provider.
            tokio::time::sleep(grace).await;
        };
        simulate::serve(listener, tollgate_simulate::Simulator::new(), over).await
    });
    Ok(Some(address))
}

/// One thread per core, each with a runtime of its own: a call stays on its core, and so do the
/// connections it uses.
fn start_workers(
    shared: &Arc<Shared>,
    data: &std::net::TcpListener,
    acceptor: Option<&Acceptor>,
    stop: &watch::Receiver<bool>,
    grace: Duration,
) -> Result<Vec<std::thread::JoinHandle<()>>, RunError> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let open = Arc::new(AtomicUsize::new(0));
    let mut workers = Vec::new();
    for number in 0..cores {
        let worker = Arc::new(Worker::new(shared.clone()));
        let door = Arc::new(Door { worker, acceptor: acceptor.cloned(), open: open.clone() });
        let (listener, stop) = (data.try_clone()?, stop.clone());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let thread = std::thread::Builder::new().name(format!("worker-{number}"));
        workers.push(thread.spawn(move || runtime.block_on(work(door, listener, stop, grace)))?);
    }
    Ok(workers)
}

async fn work(
    door: Arc<Door>,
    listener: std::net::TcpListener,
    stop: watch::Receiver<bool>,
    grace: Duration,
) {
    let listener = match tokio::net::TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => return tracing::error!(%error, "a worker cannot listen"),
    };
    let worker = door.worker.clone();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(SWEEP_EVERY).await;
            let gateway = worker.gateway();
            let alive: Vec<u64> = gateway.upstreams.values().map(|u| u.origin.id).collect();
            worker.pool.sweep(&alive);
        }
    });
    let graceful = GracefulShutdown::new();
    listener::accept(door, listener, &graceful, stop).await;
    if tokio::time::timeout(grace, graceful.shutdown()).await.is_err() {
        tracing::warn!("the grace is over: open calls are cut");
    }
}

/// Builds gateways from configurations and the keys in store.
#[derive(Debug)]
struct Builder {
    store: Store,
    simulated: Option<SocketAddr>,
    scan_seed: u64,
    /// The stored keys that the gateway of the moment knows.
    shown: Vec<(String, String, tollgate_store::Digest)>,
}

impl Builder {
    async fn stored_keys(&self) -> Result<Vec<(String, String, tollgate_store::Digest)>, RunError> {
        let keys = self.store.keys().await?.into_iter();
        let valid = keys.filter(|key| key.revoked.is_none());
        Ok(valid.map(|key| (key.name, key.team, key.digest)).collect())
    }

    async fn build(
        mut self,
        config: Arc<Config>,
        before: Option<&Gateway>,
    ) -> Result<(Self, Gateway), RunError> {
        self.shown = self.stored_keys().await?;
        let gateway = self.gateway(config, before)?;
        Ok((self, gateway))
    }

    fn gateway(&self, config: Arc<Config>, before: Option<&Gateway>) -> Result<Gateway, RunError> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let surroundings = Surroundings {
            digester: self.store.digester(),
            stored_keys: self.shown.clone(),
            simulated: self.simulated,
            now,
            scan_seed: self.scan_seed,
        };
        Ok(Gateway::build(config, surroundings, before)?)
    }
}

/// Takes over new configurations and keys; what cannot be taken over leaves the old in service.
async fn keep_current(
    mut builder: Builder,
    shared: Arc<Shared>,
    mut reloads: tokio::sync::mpsc::Receiver<Config>,
    acceptor: Option<Acceptor>,
) {
    let mut open = true;
    loop {
        let offered = tokio::select! {
            offered = reloads.recv(), if open => {
                open = offered.is_some();
                offered.map(Arc::new)
            }
            () = tokio::time::sleep(KEYS_EVERY) => None,
        };
        let before = shared.gateway.load_full();
        let is_reload = offered.is_some();
        match builder.stored_keys().await {
            Ok(keys) if !is_reload && keys == builder.shown => continue,
            Ok(keys) => builder.shown = keys,
            Err(error) => {
                tracing::warn!(%error, "keys cannot be read; those known stay valid");
                if !is_reload {
                    continue;
                }
            }
        }
        let config = offered.unwrap_or_else(|| before.config.clone());
        let built = builder.gateway(config, Some(&before)).and_then(|gateway| {
            if is_reload
                && let (Some(acceptor), Some(tls)) = (&acceptor, &gateway.config.listen.tls)
            {
                acceptor.renew(tls)?;
            }
            Ok(gateway)
        });
        match built {
            Ok(gateway) => {
                shared.gateway.store(Arc::new(gateway));
                if is_reload {
                    shared.telemetry.metrics.reloaded(true);
                    tracing::info!("a new configuration is in service");
                }
            }
            Err(error) => {
                shared.telemetry.metrics.reloaded(false);
                tracing::error!(%error, "the new configuration cannot be used; the old one serves on");
            }
        }
    }
}

fn random() -> u64 {
    uuid::Uuid::new_v4().as_u64_pair().0
}
