//! What is allowed, chosen, hidden and charged: decisions only. State is owned here where it is
//! nothing but numbers; time is an argument, and nothing here waits, reads or sends.

pub mod limit;
pub mod price;
