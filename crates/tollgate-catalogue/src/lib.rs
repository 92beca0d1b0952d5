//! Floor 2: what is known of models: names, limits, abilities, prices, lifetimes.
//!
//! The knowledge is one text, sorted, searched where it lies: nothing is parsed at the start, and
//! one that an operator gives is the same text. [`make`] makes it from three public catalogues that
//! check each other.
//!
//! Deliberately absent: what follows from it. Who may use a model, what a call costs and where it
//! goes is decided elsewhere; and nothing here fetches anything.

mod entry;
pub mod make;
mod names;
mod text;

pub use entry::{Entry, Use};
pub use text::{Catalogue, Unreadable};
