//! What people who mean harm send, and what a provider who means harm answers. Each test is named
//! for its attack in the threat model and for the promise that it must not break.
//!
//! Not here: attacks on the configuration (`src/config/mutations.rs` holds settings that would move
//! a credential to another host, T03) and on single decoders (`tollgate-wire`).

#[path = "attacks/answers.rs"]
mod answers;
#[path = "attacks/bench.rs"]
pub(crate) mod bench;
#[path = "attacks/bodies.rs"]
mod bodies;
#[path = "attacks/choice.rs"]
mod choice;
#[path = "attacks/framing.rs"]
pub(crate) mod framing;
#[path = "attacks/http2.rs"]
mod http2;
#[path = "attacks/rests.rs"]
mod rests;
#[path = "attacks/secrets.rs"]
mod secrets;
#[path = "attacks/signatures.rs"]
mod signatures;
#[path = "attacks/streams.rs"]
mod streams;
