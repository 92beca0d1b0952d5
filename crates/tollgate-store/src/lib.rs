//! Floor 2: the only crate that knows SQL and Redis. What must outlive the process rests here: the
//! database, of SQLite or PostgreSQL (keys, the owners of objects that rest at providers, the ledger),
//! the ledger's journal, and the pepper that digests are keyed with. What several gateways count
//! together is in Redis.
//!
//! Deliberately absent: HTTP, wire formats, and any secret in a form that could be read back.

mod address;
mod counters;
mod database;
mod digest;
mod keys;
mod ledger;
mod migrations;
mod mint;
mod objects;
mod pepper;
mod store;

pub use address::{Address, AddressError, Server};
pub use counters::{
    Batch, Booking, MOST_COUNTED, Shape, SharedAddress, SharedAnswer, SharedCounters, SharedDraw,
    SharedError, Taken,
};
pub use database::Engine;
pub use digest::{AccessKey, Digest, Digester};
pub use keys::StoredKey;
pub use ledger::{By, CLASSES, CallsQuery, Entry, Journal, Tail, Unshipped, UsageLine, UsageQuery};
pub use mint::{KEY_PREFIX, is_well_formed};
pub use objects::{ObjectKind, StoredObject};
pub use pepper::Pepper;
pub use store::{Place, Store, StoreError};
