//! The model list as Gemini's SDKs read it.

use bytes::Bytes;
use serde_json::{Value, json};

use super::request::resource;
use crate::{ModelEntry, operation::Models};

#[derive(Debug)]
pub struct List;

impl Models for List {
    fn encode_list(&self, models: &[ModelEntry]) -> Bytes {
        let models: Vec<Value> = models.iter().map(written).collect();
        json!({"models": models}).to_string().into()
    }

    fn encode_one(&self, model: &ModelEntry) -> Bytes {
        written(model).to_string().into()
    }
}

fn written(model: &ModelEntry) -> Value {
    let mut written = json!({
        "name": resource(&model.name),
        "displayName": model.name,
        "description": format!("Offered by {}", model.owner),
        "supportedGenerationMethods": [
            "generateContent", "streamGenerateContent", "countTokens", "embedContent",
            "batchEmbedContents",
        ],
    });
    for (field, limit) in
        [("inputTokenLimit", model.max_input), ("outputTokenLimit", model.max_output)]
    {
        if let Some(limit) = limit {
            written[field] = limit.into();
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_named_as_google_names_resources() {
        let entry = ModelEntry {
            name: "assistant".into(),
            owner: "tollgate".into(),
            created: 0,
            ..ModelEntry::default()
        };
        let list: Value =
            serde_json::from_slice(&List.encode_list(std::slice::from_ref(&entry))).unwrap();
        assert_eq!(list["models"][0]["name"], "models/assistant");
        let one: Value = serde_json::from_slice(&List.encode_one(&entry)).unwrap();
        assert_eq!(one, list["models"][0]);
        assert!(one.get("inputTokenLimit").is_none(), "not known");
        let known = ModelEntry { max_input: Some(1_048_576), ..entry };
        let one: Value = serde_json::from_slice(&List.encode_one(&known)).unwrap();
        assert_eq!(one["inputTokenLimit"], 1_048_576);
    }
}
