//! Requests, read (`decode`, `content`, `tools`) and written (`encode`, `conversation`, `blocks`,
//! `tools`); `families`: what the models behind the one format take beyond it.

mod blocks;
mod content;
mod conversation;
mod decode;
mod encode;
mod families;
mod tools;

pub(super) use decode::{decode, decode_fields};
pub(super) use encode::{encode, input};
