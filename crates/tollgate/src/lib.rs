//! Floor 3: the program. Everything that opens a socket, a file or a timer lives here.
//!
//! Begin with `pipeline.rs`: it is the life of a request on one page.

pub mod admin;
pub mod caught;
pub mod cli;
pub mod clock;
pub mod config;
pub mod credentials;
pub mod cut;
pub mod errand;
pub mod gateway;
pub mod hop;
pub mod inflate;
pub mod known;
pub mod ledger;
pub mod listener;
pub mod objects;
pub mod passing;
pub mod pipeline;
pub mod redact;
pub mod run;
pub mod simulate;
pub mod source;
pub mod stages;
pub mod tally;
pub mod telemetry;
pub mod upload;
pub mod upstream;
pub mod worker;
