//! What the tests stand on: recorded traffic, independent readers, and the judge that compares.
//!
//! [`Corpus`] loads the recordings, [`cuts`] cuts their bytes as a network would, [`readers`] read
//! an answer as a caller's SDK would, and [`judge`] replays every recording through the dialects
//! and says what came out wrong. [`robustness`] finds the hostile input; [`Postgres`] and [`Redis`] are
//! real servers of a test's own.
//!
//! Deliberately absent: anything the program itself runs. The readers share no code with
//! `tollgate-wire`, so that a mistake made there is not made here again.

pub mod corpus;
pub mod cuts;
pub mod digest;
pub mod exceptions;
pub mod judge;
mod postgres;
pub mod readers;
mod redis;
mod robustness;

pub use corpus::{Corpus, Exchange};
pub use digest::{Difference, Digest};
pub use postgres::Postgres;
pub use redis::Redis;
pub use robustness::robustness;
