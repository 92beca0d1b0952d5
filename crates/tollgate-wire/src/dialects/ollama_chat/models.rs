//! The models as `ollama list` reads them. What only a server with the files knows (size, digest,
//! quantization) is left empty.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::{ModelEntry, moment, operation::Models};

#[derive(Debug)]
pub struct List;

impl Models for List {
    fn encode_list(&self, models: &[ModelEntry]) -> Bytes {
        let list: Vec<Value> = models.iter().map(entry).collect();
        Bytes::from(json!({"models": list}).to_string())
    }

    fn encode_one(&self, model: &ModelEntry) -> Bytes {
        Bytes::from(entry(model).to_string())
    }
}

fn entry(model: &ModelEntry) -> Value {
    json!({
        "name": model.name,
        "model": model.name,
        "modified_at": moment::written(model.created),
        "size": 0,
        "digest": "",
        "details": {"format": "", "family": model.owner, "families": null, "parameter_size": "",
            "quantization_level": ""},
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_names_each_model_twice_as_ollama_does() {
        let model = ModelEntry {
            name: "a/b".into(),
            owner: "a".into(),
            created: 0,
            ..ModelEntry::default()
        };
        let list: Value = serde_json::from_slice(&List.encode_list(&[model])).unwrap();
        assert_eq!(list["models"][0]["name"], "a/b");
        assert_eq!(list["models"][0]["model"], "a/b");
        assert_eq!(list["models"][0]["modified_at"], "1970-01-01T00:00:00Z");
    }
}
