//! A request for vectors, and its answer, in no vendor's words.

use crate::{Extras, Usage};

#[derive(Clone, Debug, Default, PartialEq)]
pub struct EmbedRequest {
    pub model: String,
    pub inputs: Vec<EmbedInput>,
    /// The caller wrote one bare input instead of a list.
    pub single: bool,
    pub dimensions: Option<u64>,
    /// `None`: the dialect's default (floats).
    pub encoding: Option<Encoding>,
    pub end_user: Option<String>,
    pub extras: Extras,
}

#[derive(Clone, Debug, PartialEq)]
pub enum EmbedInput {
    Text(String),
    /// Token ids of the model's own vocabulary.
    Tokens(Vec<u64>),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    #[default]
    Float,
    /// Little-endian 32-bit floats in base64.
    Base64,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct EmbedReply {
    pub model: Option<String>,
    pub vectors: Vec<Vec<f32>>,
    pub usage: Usage,
}
