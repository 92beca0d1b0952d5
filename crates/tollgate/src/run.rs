//! The running process: listeners, one worker thread per core, reloads, and a drain at the end.

mod current;

use std::net::SocketAddr;
use std::path::PathBuf;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize};
use std::time::Duration;

use arc_swap::ArcSwap;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::sync::{mpsc, watch};
use tollgate_store::{Store, StoreError};

use crate::admin::{self, Admin, Readiness};
use crate::clock::Clock;
use crate::config::{Address, Config};
use crate::cut::Cut;
use crate::gateway::BuildError;
use crate::ledger::Ledger;
use crate::listener::{self, Acceptor, Door};
use crate::objects::Objects;
use crate::tally::{NoCounters, Tally};
use crate::telemetry::{AccessLog, Telemetry};
use crate::worker::{Shared, Worker};
use current::Current;

/// Idle connections to providers are looked through this often.
const SWEEP_EVERY: Duration = Duration::from_secs(10);
/// How long calls that are cut have to say so to their callers.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// Ports tried after a default port that is busy.
const MOST_PORTS: u16 = 50;

/// What a process is started with.
#[derive(Debug)]
pub struct Start {
    pub config: Config,
    pub store: Store,
    /// Where the ledger's journal is.
    pub journal: PathBuf,
    /// When and how the process is to end.
    pub stop: watch::Receiver<Stop>,
    /// Each later configuration; `None` for one that was refused.
    pub reloads: mpsc::Receiver<Option<Config>>,
}

/// How the process is asked to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stop {
    /// Not at all.
    No,
    /// Open calls may go on for the grace.
    Gracefully,
    /// Open calls are cut.
    AtOnce,
}

impl Stop {
    /// Whether no new connections are taken.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        *self > Self::No
    }
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
    #[error(transparent)]
    Counters(#[from] NoCounters),
    #[error("the store cannot be read: {0}")]
    Store(#[from] StoreError),
    #[error("the ledger's journal cannot be opened in {0}: {1}")]
    Journal(PathBuf, std::io::Error),
    #[error("the system refused something the process needs: {0}")]
    System(#[from] std::io::Error),
}

/// Serves until `stop` asks for the end and the drain is over. `announce` is called once everything
/// listens.
///
/// # Errors
/// When an address cannot be had, or the configuration cannot be put to use.
pub async fn run(start: Start, announce: impl FnOnce(&Listening)) -> Result<(), RunError> {
    let Start { config, store, journal, stop, reloads } = start;
    let config = Arc::new(config);
    let data = bound(config.listen.data)?;
    let admin = bound(config.listen.admin)?;
    let acceptor = config.listen.tls.as_ref().map(Acceptor::new).transpose()?;
    let listening =
        Listening { data: data.local_addr()?, admin: admin.local_addr()?, tls: acceptor.is_some() };
    let log = config.log.access.then(|| AccessLog::start(std::io::stdout())).transpose()?;
    let instance = format!("{:016x}", random());
    let (tally, counting) = match &config.storage.shared {
        None => (Tally::own(Clock::start()), None),
        Some(shared) => {
            let (tally, task) = Tally::shared(Clock::start(), shared, instance.clone()).await?;
            (tally, Some(task))
        }
    };
    let mut current = Current::new(store.clone(), random(), tally.own.clone(), stop.clone());
    let gateway = current.first(config.clone()).await?;
    let (objects, owners) = Objects::start(store.clone());
    let instance_number = u32::from_str_radix(&instance[..8], 16).unwrap_or_default();
    let ledger = Ledger::open(&journal, instance_number, cores())
        .map_err(|error| RunError::Journal(journal.clone(), error))?;
    let keeping = ledger.keep(&journal, store.clone());
    let shared = Arc::new(Shared {
        gateway: ArcSwap::from_pointee(gateway),
        telemetry: Arc::new(Telemetry::new(log)),
        in_flight: Arc::new(AtomicUsize::new(0)),
        cut: Cut::default(),
        instance,
        instance_number,
        calls: AtomicU64::new(0),
        objects,
        ledger,
        tally,
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
    let keeper = tokio::spawn(current.keep(shared.clone(), reloads, acceptor));
    readiness.set(true);
    announce(&listening);
    let mut stopping = stop.clone();
    // A sender that is gone means the same as a stop.
    let _ = stopping.wait_for(Stop::is_asked).await;
    readiness.set(false);
    tracing::info!(grace_ms = grace.as_millis() as u64, "draining");
    // The workers' threads end by themselves once their connections have.
    let telemetry = shared.telemetry.clone();
    let ended = move || {
        workers.into_iter().for_each(|worker| drop(worker.join()));
        telemetry.flush();
    };
    let _ = tokio::task::spawn_blocking(ended).await;
    shared.tally.close().await;
    keeping.close().await;
    for task in [Some(keeper), Some(owners), counting].into_iter().flatten() {
        task.abort();
    }
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

/// One thread per core, each with a runtime of its own: a call stays on its core, and so do the
/// connections it uses.
fn start_workers(
    shared: &Arc<Shared>,
    data: &std::net::TcpListener,
    acceptor: Option<&Acceptor>,
    stop: &watch::Receiver<Stop>,
    grace: Duration,
) -> Result<Vec<std::thread::JoinHandle<()>>, RunError> {
    let open = Arc::new(AtomicUsize::new(0));
    let mut workers = Vec::new();
    for number in 0..cores() {
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
    stop: watch::Receiver<Stop>,
    grace: Duration,
) {
    let listener = match tokio::net::TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => return tracing::error!(%error, "a worker cannot listen"),
    };
    let worker = door.worker.clone();
    let cut = worker.shared.cut.clone();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(SWEEP_EVERY).await;
            let gateway = worker.gateway();
            let alive: Vec<u64> = gateway.upstreams.values().map(|u| u.origin.id).collect();
            worker.pool.sweep(&alive);
        }
    });
    let graceful = GracefulShutdown::new();
    listener::accept(door, listener, &graceful, stop.clone()).await;
    let mut drained = std::pin::pin!(graceful.shutdown());
    let mut stop = stop;
    let patience = async {
        tokio::select! {
            () = tokio::time::sleep(grace) => {}
            _ = stop.wait_for(|stop| *stop == Stop::AtOnce) => {}
        }
    };
    tokio::select! {
        () = &mut drained => return,
        () = patience => {}
    }
    tracing::warn!("the grace is over: open calls are cut");
    cut.now();
    if tokio::time::timeout(LAST_WORDS, drained).await.is_err() {
        tracing::warn!("some callers did not take their last words");
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn random() -> u64 {
    uuid::Uuid::new_v4().as_u64_pair().0
}
