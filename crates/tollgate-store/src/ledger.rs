//! The ledger: one entry for each call that left for a provider, and for each that was refused to a
//! known caller.
//!
//! An entry is first a line of the *journal*, a file of this machine that is only ever appended to: the
//! intent before the call leaves, the outcome before its last bytes do. What the kernel was given
//! survives the process. From there entries are *shipped* to the database, in batches, each exactly
//! once by its id; nobody who calls waits for that.

mod book;
mod calls;
mod entry;
mod journal;
mod segment;
mod tail;
mod usage;

pub use calls::CallsQuery;
pub use entry::{CLASSES, Entry};
pub use journal::Journal;
pub use tail::{Tail, Unshipped};
pub use usage::{By, UsageLine, UsageQuery};
