//! Requests, read (`decode`, `content`) and written (`encode`, `conversation`, `blocks`); `tools`
//! and `thinking` both ways; `call_ids`: what Anthropic demands of requests that others wrote.

mod blocks;
mod call_ids;
mod content;
mod conversation;
mod decode;
mod encode;
mod thinking;
mod tools;

pub(super) use blocks::sealed_block;
pub(super) use decode::decode;
pub(super) use encode::{Purpose, encode};
