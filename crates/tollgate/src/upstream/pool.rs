//! Kept-alive connections, per origin, last used first. Each worker has a pool of its own, so a
//! connection stays on the runtime that reads it. Nobody watches an idle one: whether it still
//! lives is seen when it is taken, and when the pool is swept.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::http1::Connection;

/// Idle connections kept per origin and worker.
const MOST_IDLE: usize = 256;
/// Most servers close an idle connection after a minute or more.
const LONGEST_IDLE: Duration = Duration::from_secs(50);

#[derive(Debug, Default)]
pub struct Pool {
    idle: Mutex<BTreeMap<u64, Vec<Idle>>>,
}

#[derive(Debug)]
struct Idle {
    connection: Connection,
    since: Instant,
}

impl Idle {
    fn is_alive(&mut self) -> bool {
        self.since.elapsed() <= LONGEST_IDLE && self.connection.is_quiet()
    }
}

impl Pool {
    /// An idle connection that still lives, as far as this side can know.
    pub(super) fn take(&self, origin: u64) -> Option<Connection> {
        loop {
            let mut idle = self.drawers().get_mut(&origin)?.pop()?;
            if idle.is_alive() {
                return Some(idle.connection);
            }
        }
    }

    pub(super) fn put(&self, origin: u64, connection: Connection) {
        let mut drawers = self.drawers();
        let idle = drawers.entry(origin).or_default();
        if idle.len() < MOST_IDLE {
            idle.push(Idle { connection, since: Instant::now() });
        }
    }

    /// Closes what lies idle for origins that are not among `alive`, what lay too long, and what
    /// the other side has closed.
    pub fn sweep(&self, alive: &[u64]) {
        self.drawers().retain(|origin, idle| {
            idle.retain_mut(Idle::is_alive);
            alive.contains(origin)
        });
    }

    fn drawers(&self) -> std::sync::MutexGuard<'_, BTreeMap<u64, Vec<Idle>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
