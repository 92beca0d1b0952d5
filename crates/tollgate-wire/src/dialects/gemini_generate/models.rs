//! The model list as Gemini's SDKs read it.

use bytes::Bytes;

use crate::{ModelEntry, operation::Models};

#[derive(Debug)]
pub struct List;

impl Models for List {
    fn encode_list(&self, _: &[ModelEntry]) -> Bytes {
        Bytes::new()
    }
    fn encode_one(&self, _: &ModelEntry) -> Bytes {
        Bytes::new()
    }
}
