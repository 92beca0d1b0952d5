//! The model list as OpenAI's SDKs read it.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::{ModelEntry, operation::Models};

#[derive(Debug)]
pub struct List;

impl Models for List {
    fn encode_list(&self, models: &[ModelEntry]) -> Bytes {
        let data: Vec<Value> = models.iter().map(object).collect();
        Bytes::from(json!({"object": "list", "data": data}).to_string())
    }

    fn encode_one(&self, model: &ModelEntry) -> Bytes {
        Bytes::from(object(model).to_string())
    }
}

fn object(model: &ModelEntry) -> Value {
    json!({
        "id": model.name,
        "object": "model",
        "created": model.created,
        "owned_by": model.owner,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_one_page_of_models() {
        let model = ModelEntry {
            name: "a/b".into(),
            owner: "a".into(),
            created: 7,
            ..ModelEntry::default()
        };
        let list: Value =
            serde_json::from_slice(&List.encode_list(std::slice::from_ref(&model))).unwrap();
        let one: Value = serde_json::from_slice(&List.encode_one(&model)).unwrap();
        assert_eq!(one, json!({"id": "a/b", "object": "model", "created": 7, "owned_by": "a"}));
        assert_eq!(list, json!({"object": "list", "data": [one]}));
    }
}
