//! Floor 2: the only crate that knows SQL. What must outlive the process rests here, in one data
//! directory: the database (keys, and the owners of objects that rest at providers) and the pepper
//! that its digests are keyed with.
//!
//! Deliberately absent: HTTP, wire formats, and any secret in a form that could be read back.

mod digest;
mod keys;
mod migrations;
mod mint;
mod objects;
mod pepper;
mod store;

pub use digest::{AccessKey, Digest, Digester};
pub use keys::StoredKey;
pub use mint::{KEY_PREFIX, is_well_formed};
pub use objects::{ObjectKind, StoredObject};
pub use store::{Store, StoreError};
