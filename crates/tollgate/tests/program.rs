//! The real program, called over real sockets, in front of simulated providers that misbehave.
//! Each test is named after a promise to the user.

#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test that breaks should say so at once; these wait and print outside any runtime"
)]

#[path = "program/attacks.rs"]
mod attacks;
#[path = "program/clouds.rs"]
mod clouds;
#[path = "program/costs.rs"]
mod costs;
#[path = "program/edges.rs"]
mod edges;
#[path = "program/errands.rs"]
mod errands;
#[path = "program/faults.rs"]
mod faults;
#[path = "program/hostile.rs"]
mod hostile;
#[path = "program/leaving.rs"]
mod leaving;
#[path = "program/ledger.rs"]
mod ledger;
#[path = "program/limits.rs"]
mod limits;
#[path = "program/operating.rs"]
mod operating;
#[path = "program/operations.rs"]
mod operations;
#[path = "program/sharing.rs"]
mod sharing;
#[path = "program/sink.rs"]
mod sink;
#[path = "program/site.rs"]
mod site;
#[path = "program/tls.rs"]
mod tls;
