//! The stages of a request, one file each. `pipeline.rs` knows their order.

pub mod admit;
pub mod authorize;
pub mod call;
pub mod identify;
pub mod own;
pub mod plan;
pub mod read;
pub mod reply;
pub mod rest;
pub mod settle;
pub mod watch;

pub use reply::ReplyBody;
pub use settle::Settling;
