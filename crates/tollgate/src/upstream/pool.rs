//! Kept-alive connections, per origin, last used first. Each worker has a pool of its own, so a
//! connection stays on the runtime that drives it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http1::SendRequest;

use super::{ConnectError, Origin, connect};

/// Idle connections kept per origin and worker.
const MOST_IDLE: usize = 256;
/// Most servers close an idle connection after a minute or more.
const LONGEST_IDLE: Duration = Duration::from_secs(50);

#[derive(Debug, Default)]
pub struct Pool {
    idle: Mutex<HashMap<u64, Vec<Idle>>>,
}

#[derive(Debug)]
struct Idle {
    sender: SendRequest<Full<Bytes>>,
    since: Instant,
}

/// A connection in use. Dropped, it is closed.
#[derive(Debug)]
pub struct Lease {
    sender: SendRequest<Full<Bytes>>,
    origin: u64,
    pool: Arc<Pool>,
}

impl Pool {
    /// An idle connection that still seems to live.
    pub(super) async fn take(self: &Arc<Self>, origin: &Origin) -> Option<Lease> {
        loop {
            let idle = self.drawers().get_mut(&origin.id)?.pop()?;
            let mut sender = idle.sender;
            if sender.is_closed() || idle.since.elapsed() > LONGEST_IDLE {
                continue;
            }
            // Ready at once, but for the moment in which the connection's task has yet to see
            // that the last answer was read.
            if sender.ready().await.is_ok() {
                return Some(Lease { sender, origin: origin.id, pool: self.clone() });
            }
        }
    }

    pub(super) async fn open(self: &Arc<Self>, origin: &Origin) -> Result<Lease, ConnectError> {
        let sender = connect::connect(origin).await?;
        Ok(Lease { sender, origin: origin.id, pool: self.clone() })
    }

    /// Closes what lies idle for origins that are not among `alive`, and what lay too long.
    pub fn sweep(&self, alive: &[u64]) {
        self.drawers().retain(|origin, idle| {
            idle.retain(|idle| !idle.sender.is_closed() && idle.since.elapsed() <= LONGEST_IDLE);
            alive.contains(origin)
        });
    }

    fn drawers(&self) -> std::sync::MutexGuard<'_, HashMap<u64, Vec<Idle>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lease {
    pub(super) fn send(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> impl Future<Output = hyper::Result<Response<Incoming>>> {
        self.sender.send_request(request)
    }

    /// The answer was read to its end: the connection may serve again.
    pub fn give_back(self) {
        let Self { sender, origin, pool } = self;
        if sender.is_closed() {
            return;
        }
        let mut drawers = pool.drawers();
        let idle = drawers.entry(origin).or_default();
        if idle.len() < MOST_IDLE {
            idle.push(Idle { sender, since: Instant::now() });
        }
    }
}
