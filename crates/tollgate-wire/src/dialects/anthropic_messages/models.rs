//! The model list as Anthropic's SDKs read it.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::{ModelEntry, moment, operation::Models};

#[derive(Debug)]
pub struct List;

impl Models for List {
    fn encode_list(&self, models: &[ModelEntry]) -> Bytes {
        let data: Vec<Value> = models.iter().map(entry).collect();
        let list = json!({
            "data": data,
            "has_more": false,
            "first_id": models.first().map(|model| &model.name),
            "last_id": models.last().map(|model| &model.name),
        });
        Bytes::from(list.to_string())
    }

    fn encode_one(&self, model: &ModelEntry) -> Bytes {
        Bytes::from(entry(model).to_string())
    }
}

fn entry(model: &ModelEntry) -> Value {
    json!({
        "type": "model",
        "id": model.name,
        "display_name": model.name,
        "created_at": moment::written(model.created),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_one_page() {
        let model = ModelEntry {
            name: "assistant".into(),
            owner: "tollgate".into(),
            created: 0,
            ..ModelEntry::default()
        };
        let list: Value = serde_json::from_slice(&List.encode_list(&[model])).unwrap();
        assert_eq!(list["data"][0]["id"], "assistant");
        assert_eq!(
            (&list["first_id"], &list["last_id"]),
            (&json!("assistant"), &json!("assistant"))
        );
        assert_eq!(list["has_more"], false);
        let empty: Value = serde_json::from_slice(&List.encode_list(&[])).unwrap();
        assert_eq!(
            empty,
            json!({"data": [], "has_more": false, "first_id": null, "last_id": null})
        );
    }
}
