//! A request to put documents in order of relevance, and its answer, in no vendor's words.

use serde_json::{Map, Value};

use crate::{Extras, Usage};

#[derive(Clone, Debug, Default, PartialEq)]
pub struct RerankRequest {
    pub model: String,
    pub query: String,
    pub documents: Vec<RerankDocument>,
    /// How many of the best are wanted; all of them when it is not said.
    pub top_n: Option<u64>,
    /// The documents are to stand in the answer.
    pub return_documents: Option<bool>,
    pub extras: Extras,
}

#[derive(Clone, Debug, PartialEq)]
pub enum RerankDocument {
    Text(String),
    /// Named fields, of which `text` is the one that most vendors look at.
    Fields(Map<String, Value>),
}

impl RerankDocument {
    /// The document as one text: its `text`, or its fields line by line where it has more.
    #[must_use]
    pub fn as_text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Fields(fields) => {
                if let (1, Some(Value::String(text))) = (fields.len(), fields.get("text")) {
                    return text.clone();
                }
                let lines = fields.iter().map(|(name, value)| match value {
                    Value::String(text) => format!("{name}: {text}"),
                    other => format!("{name}: {other}"),
                });
                lines.collect::<Vec<_>>().join("\n")
            }
        }
    }

    /// It says no more than its text.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        match self {
            Self::Text(_) => true,
            Self::Fields(fields) => {
                fields.len() == 1 && fields.get("text").is_some_and(Value::is_string)
            }
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct RerankReply {
    pub id: Option<String>,
    pub model: Option<String>,
    /// Best first.
    pub results: Vec<Ranked>,
    pub usage: Usage,
}

/// One document's place.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranked {
    /// Which of the documents, from 0.
    pub index: u64,
    pub score: f64,
    /// The document as the provider repeated it.
    pub document: Option<Value>,
}
