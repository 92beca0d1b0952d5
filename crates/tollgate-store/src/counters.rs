//! Counters that several gateways share, in Redis: one script that holds the whole arithmetic, and
//! what it is asked in one trip. It is told names, shapes and numbers, and knows nothing of what they
//! count.
//!
//! All counters of an installation carry one hash tag, so that a call draws on all of them or on
//! none, in a cluster too. The clock is the server's; a clock of one's own is for tests.
//!
//! Deliberately absent: what to do when Redis is away, and who retries.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, ConnectionAddr, RedisError, Script};
use secrecy::{ExposeSecret, SecretString};

/// Before the name of every key.
const TAG: &str = "{tollgate}";
/// The largest number that the script counts to exactly.
pub const MOST_COUNTED: u64 = (1 << 53) - 1;

/// How a counter forgets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// What was counted so many slots ago still counts for the rest of the window.
    Sliding { slot_ms: u64, slots_ago: u64 },
    /// The moments that part the last window of the calendar, this one and the next.
    Aligned([u64; 4]),
    /// Calls that are being answered, each with a lease that ends.
    Open,
}

/// What a call would draw of one counter.
#[derive(Clone, Copy, Debug)]
pub struct SharedDraw<'a> {
    pub counter: &'a str,
    pub shape: Shape,
    pub most: u64,
    pub amount: u64,
}

/// What one counter said to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SharedAnswer {
    pub has_room: bool,
    /// Where it was drawn, if it was.
    pub place: u64,
    pub used: u64,
    pub reset_ms: u64,
    pub retry_ms: Option<u64>,
}

/// What every counter said, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// In the order of the draws. They were drawn if all had room.
    Said { now_ms: u64, answers: Vec<SharedAnswer> },
    /// The server's clock is in none of the windows that were named.
    Elsewhen { now_ms: u64 },
}

/// A change of one counter that is made whether there is room or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Booking {
    pub counter: String,
    pub shape: Shape,
    /// Given back where it was drawn, if that still counts.
    pub back: [(u64, u64); 2],
    /// Counted besides. Of calls that are being answered: 1, the lease goes on; 0, it is over.
    pub more: u64,
    /// Whose it is, where calls are counted.
    pub lease: String,
}

/// Bookings that are made together, once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Who books; each booker numbers its batches upwards, and sends one after the other.
    pub booker: String,
    pub number: u64,
    pub bookings: Vec<Booking>,
}

/// Where the shared counters are.
#[derive(Clone)]
pub struct SharedAddress {
    client: Client,
    url: SecretString,
}

/// A connection to them. Clones share it.
#[derive(Clone)]
pub struct SharedCounters {
    connection: MultiplexedConnection,
    script: Arc<Script>,
    lease_ms: u64,
}

#[derive(Debug, thiserror::Error)]
pub enum SharedError {
    #[error("it does not answer in time")]
    Silent,
    #[error("{0}")]
    Redis(#[from] RedisError),
    #[error("it answers with something else than counters")]
    Garbled,
}

impl SharedAddress {
    /// `redis://…` or, over TLS, `rediss://…`.
    ///
    /// # Errors
    /// When it is no such address. The text may hold a password: it is not told.
    pub fn parse(url: &SecretString) -> Result<Self, SharedError> {
        Ok(Self { client: Client::open(url.expose_secret())?, url: url.clone() })
    }

    /// Connects, and has the script ready.
    ///
    /// # Errors
    /// When that takes longer than `patience`, or the server refuses.
    pub async fn connect(
        &self,
        patience: Duration,
        lease: Duration,
    ) -> Result<SharedCounters, SharedError> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(patience))
            .set_response_timeout(Some(patience));
        let connecting = async {
            let mut connection =
                self.client.get_multiplexed_async_connection_with_config(&config).await?;
            let script = Script::new(include_str!("counters/script.lua"));
            script.prepare_invoke().load_async(&mut connection).await?;
            let lease_ms = u64::try_from(lease.as_millis()).unwrap_or(u64::MAX);
            Ok(SharedCounters { connection, script: Arc::new(script), lease_ms })
        };
        tokio::time::timeout(patience, connecting).await.unwrap_or(Err(SharedError::Silent))
    }
}

impl PartialEq for SharedAddress {
    fn eq(&self, other: &Self) -> bool {
        self.url.expose_secret() == other.url.expose_secret()
    }
}

impl Eq for SharedAddress {}

/// Without the password.
impl fmt::Display for SharedAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.client.get_connection_info().addr() {
            ConnectionAddr::Tcp(host, port) => write!(f, "{host}:{port}"),
            ConnectionAddr::TcpTls { host, port, .. } => write!(f, "{host}:{port} over TLS"),
            _ => f.write_str("a local socket"),
        }
    }
}

impl fmt::Debug for SharedAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SharedAddress({self})")
    }
}

impl fmt::Debug for SharedCounters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedCounters")
    }
}

impl SharedCounters {
    /// Draws on every counter, or on none. `lease` names the call among all of all gateways.
    ///
    /// # Errors
    /// When the server does not answer as it should; whether it drew is then not known.
    pub async fn take(
        &self,
        lease: &str,
        draws: &[SharedDraw<'_>],
        now: Option<u64>,
    ) -> Result<Taken, SharedError> {
        let mut asked = self.script.prepare_invoke();
        asked.arg("take").arg(clock(now)).arg(lease).arg(self.lease_ms);
        for draw in draws {
            asked.key(key(draw.counter));
            shape(&mut asked, draw.shape);
            asked.arg(draw.most).arg(draw.amount);
        }
        let said: Vec<i64> = asked.invoke_async(&mut self.connection.clone()).await?;
        let numbers = |at: usize| said.get(at).copied().ok_or(SharedError::Garbled);
        let now_ms = unsigned(numbers(1)?)?;
        if numbers(0)? < 0 {
            return Ok(Taken::Elsewhen { now_ms });
        }
        let answers = said[2..].chunks_exact(5).map(|answer| {
            Ok(SharedAnswer {
                has_room: answer[0] == 1,
                place: unsigned(answer[1])?,
                used: unsigned(answer[2])?,
                reset_ms: unsigned(answer[3])?,
                retry_ms: u64::try_from(answer[4]).ok(),
            })
        });
        let answers: Vec<SharedAnswer> = answers.collect::<Result<_, SharedError>>()?;
        if answers.len() == draws.len() {
            Ok(Taken::Said { now_ms, answers })
        } else {
            Err(SharedError::Garbled)
        }
    }

    /// Makes every booking of a batch, and says where each was counted. A batch that was made already
    /// is not made again: it is safe to repeat the last one whose answer was lost.
    ///
    /// # Errors
    /// When the server does not answer as it should.
    pub async fn book(&self, batch: &Batch, now: Option<u64>) -> Result<Vec<u64>, SharedError> {
        let mut asked = self.script.prepare_invoke();
        asked.key(key(&format!("booked by {}", batch.booker)));
        asked.arg("book").arg(clock(now)).arg(batch.number).arg(self.lease_ms);
        for booking in &batch.bookings {
            asked.key(key(&booking.counter));
            shape(&mut asked, booking.shape);
            for (place, amount) in booking.back {
                asked.arg(place).arg(amount);
            }
            asked.arg(booking.more).arg(booking.lease.as_str());
        }
        let said: Vec<i64> = asked.invoke_async(&mut self.connection.clone()).await?;
        if said.len() != batch.bookings.len() + 1 {
            return Err(SharedError::Garbled);
        }
        // A window that the server's clock is not in has no place; it forgets what was booked there.
        Ok(said[1..].iter().map(|place| u64::try_from(*place).unwrap_or(0)).collect())
    }

    /// The name of what the server remembers: it changes when the server has lost that, and `fresh`
    /// is its next.
    ///
    /// # Errors
    /// When the server does not answer as it should.
    pub async fn memory(&self, fresh: &str) -> Result<String, SharedError> {
        let mut connection = self.connection.clone();
        let mut asked = redis::pipe();
        asked.cmd("SET").arg(key("memory")).arg(fresh).arg("NX").ignore();
        asked.cmd("GET").arg(key("memory"));
        let (name,): (String,) = asked.query_async(&mut connection).await?;
        Ok(name)
    }
}

fn key(counter: &str) -> String {
    format!("{TAG}:{counter}")
}

/// The server's own, where none is given.
fn clock(now: Option<u64>) -> String {
    now.map_or_else(String::new, |now| now.to_string())
}

fn shape(asked: &mut redis::ScriptInvocation<'_>, shape: Shape) {
    let (letter, numbers) = match shape {
        Shape::Sliding { slot_ms, slots_ago } => ("s", [slot_ms, slots_ago, 0, 0]),
        Shape::Aligned(moments) => ("a", moments),
        Shape::Open => ("o", [0; 4]),
    };
    asked.arg(letter);
    for number in numbers {
        asked.arg(number);
    }
}

fn unsigned(number: i64) -> Result<u64, SharedError> {
    u64::try_from(number).map_err(|_| SharedError::Garbled)
}
