//! The model list as Anthropic's SDKs read it.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::{ModelEntry, operation::Models};

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
        "created_at": moment(model.created),
    })
}

/// Unix seconds as RFC 3339, by the civil calendar counted in 400-year eras that begin in March.
fn moment(unix: u64) -> String {
    const DAYS_OF_ERA: u64 = 146_097;
    // Days from the first of March of the year 0 to the first of January 1970.
    const EPOCH: u64 = 719_468;
    let (days, second) = (unix / 86_400 + EPOCH, unix % 86_400);
    let (era, day) = (days / DAYS_OF_ERA, days % DAYS_OF_ERA);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, year) = if month < 10 { (month + 3, year) } else { (month - 9, year + 1) };
    let year = year + era * 400;
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_as_the_sdks_read_them() {
        assert_eq!(moment(0), "1970-01-01T00:00:00Z");
        assert_eq!(moment(951_782_399), "2000-02-28T23:59:59Z");
        assert_eq!(moment(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(moment(1_795_478_400), "2026-11-24T00:00:00Z");
    }

    #[test]
    fn the_list_is_one_page() {
        let model = ModelEntry { name: "assistant".into(), owner: "tollgate".into(), created: 0 };
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
