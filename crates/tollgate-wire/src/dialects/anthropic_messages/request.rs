//! Requests, read (`decode`, `content`) and written (`encode`, `conversation`, `blocks`); `tools`
//! and `thinking` both ways; `call_ids`, `schema` and `known`: what Anthropic demands of requests
//! that others wrote.

mod blocks;
mod call_ids;
mod content;
mod conversation;
mod decode;
mod encode;
mod known;
mod schema;
mod thinking;
mod thoughts;
mod tools;

pub(super) use blocks::sealed_block;
pub(super) use decode::decode;
pub(super) use encode::{Purpose, encode};
