//! What of a request refers to things that rest at its provider, and which ids an answer leaves
//! there. Read in place: most requests refer to nothing and are never decoded.

use memchr::memmem;
use serde::Deserialize;
use serde_json::Value;
use tollgate_model::Fault;

use crate::lenient::{Object, Word};
use crate::resting::{Kind, Reference, Rests};
use crate::scan::Scan;

const PREVIOUS: &str = "previous_response_id";
const CONVERSATION: &str = "conversation";
const INPUT: &str = "input";
/// More references than any conversation holds.
const MOST_REFERENCES: usize = 10_000;

pub fn of(body: &[u8], scan: &Scan) -> Result<Rests, Fault> {
    let mut rests = Rests::default();
    let told = |written: &[u8]| written != b"null";
    let refer = |kind, id: String, param| Reference { kind, id, param };
    if scan.written(body, PREVIOUS).is_some_and(told) {
        let id = scan.string(body, PREVIOUS);
        let id = id.map_err(|error| Fault::invalid_field(PREVIOUS, error.to_string()))?;
        let id = id.unwrap_or_default().into_owned();
        rests.refers.push(refer(Kind::Response, id, PREVIOUS));
        rests.binds = Some(PREVIOUS);
    }
    if let Some(written) = scan.written(body, CONVERSATION).filter(|written| told(written)) {
        rests.refers.push(refer(Kind::Conversation, conversation(written)?, CONVERSATION));
        rests.binds = Some(CONVERSATION);
    }
    if scan.written(body, "prompt").is_some_and(told) {
        rests.binds = rests.binds.or(Some("prompt"));
    }
    let flag = |name: &'static str| {
        if !scan.written(body, name).is_some_and(told) {
            return Ok(None);
        }
        scan.flag(body, name).map_err(|error| Fault::invalid_field(name, error.to_string()))
    };
    if flag("background")? == Some(true) {
        rests.binds = rests.binds.or(Some("background"));
    }
    rests.kept = flag("store")?.unwrap_or(true);
    for id in references(body, scan) {
        rests.binds = rests.binds.or(Some(INPUT));
        rests.refers.push(refer(Kind::Item, id, INPUT));
    }
    Ok(rests)
}

/// An id, or an object with one.
fn conversation(written: &[u8]) -> Result<String, Fault> {
    let id = match serde_json::from_slice(written) {
        Ok(Value::String(id)) => Some(id),
        Ok(Value::Object(object)) => object.get("id").and_then(Value::as_str).map(str::to_owned),
        _ => None,
    };
    id.ok_or_else(|| {
        let message = "Invalid type for 'conversation': expected a string or an object with an id.";
        Fault::invalid_field(CONVERSATION, message)
    })
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Item {
    #[serde(rename = "type")]
    kind: Word,
    id: Word,
}

/// The ids of items that the input only refers to.
fn references(body: &[u8], scan: &Scan) -> Vec<String> {
    let input = scan.written(body, INPUT).unwrap_or_default();
    if memmem::find(input, b"item_reference").is_none() {
        return Vec::new();
    }
    let items: Vec<Object<Item>> = serde_json::from_slice(input).unwrap_or_default();
    let items = items.into_iter().filter_map(|item| item.0);
    let named = items.filter(|item| item.kind.0.as_deref() == Some("item_reference"));
    named.filter_map(|item| item.id.0).take(MOST_REFERENCES).collect()
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Answer {
    id: Word,
    output: Option<Vec<Object<Item>>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Ending {
    response: Object<Answer>,
}

impl Answer {
    fn items(self) -> Vec<String> {
        let items = self.output.into_iter().flatten().filter_map(|item| item.0);
        items.filter_map(|item| item.id.0).filter(|id| !id.is_empty()).collect()
    }
}

pub fn items(body: &[u8]) -> Vec<String> {
    let answer: Object<Answer> = serde_json::from_slice(body).unwrap_or_default();
    answer.0.map(Answer::items).unwrap_or_default()
}

pub fn items_at_end(frames: &[u8]) -> Vec<String> {
    let lines = frames.split(|byte| *byte == b'\n').rev();
    let mut data = lines.filter_map(|line| line.strip_prefix(b"data:"));
    let last = data.find(|data| memmem::find(data, b"\"output\"").is_some()).unwrap_or_default();
    let ending: Object<Ending> = serde_json::from_slice(last).unwrap_or_default();
    let answer = ending.0.and_then(|ending| ending.response.0);
    answer.map(Answer::items).unwrap_or_default()
}

pub fn made(body: &[u8]) -> Option<String> {
    let answer: Object<Answer> = serde_json::from_slice(body).ok()?;
    answer.0?.id.0.filter(|id| !id.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::{Limits, scan};

    fn read(body: &str) -> Result<Rests, Fault> {
        of(body.as_bytes(), &scan(body.as_bytes(), &Limits::seeded(1)).unwrap())
    }

    #[test]
    fn what_is_referred_to_is_found() {
        let rests = read(
            r#"{"model":"m","previous_response_id":"resp_1","conversation":{"id":"conv_1"},
            "input":[{"type":"item_reference","id":"msg_1"},{"role":"user","content":"item_reference"},3]}"#,
        )
        .unwrap();
        let found: Vec<(Kind, &str)> =
            rests.refers.iter().map(|found| (found.kind, found.id.as_str())).collect();
        let wanted =
            [(Kind::Response, "resp_1"), (Kind::Conversation, "conv_1"), (Kind::Item, "msg_1")];
        assert_eq!(found, wanted);
        assert!(rests.kept && rests.binds.is_some());
        let nothing =
            read(r#"{"model":"m","input":"x","previous_response_id":null,"store":false}"#);
        assert_eq!(nothing.unwrap(), Rests::default());
        assert_eq!(read(r#"{"background":true}"#).unwrap().binds, Some("background"));
        for wrong in [r#"{"previous_response_id":3}"#, r#"{"conversation":3}"#, r#"{"store":"x"}"#]
        {
            assert!(read(wrong).unwrap_err().param.is_some(), "{wrong}");
        }
    }

    #[test]
    fn ids_are_found_in_answers() {
        let body = br#"{"id":"resp_1","output":[{"id":"rs_1","type":"reasoning"},{"type":"x"},{"id":"msg_1"}]}"#;
        assert_eq!(items(body), ["rs_1", "msg_1"]);
        assert_eq!(made(body).as_deref(), Some("resp_1"));
        let stream = format!(
            "event: a\ndata: {{\"delta\":1}}\n\nevent: response.completed\ndata: {{\"response\":{}}}\n\n",
            String::from_utf8_lossy(body)
        );
        assert_eq!(items_at_end(stream.as_bytes()), ["rs_1", "msg_1"]);
        assert!(items(b"no json").is_empty() && items_at_end(b"data: {").is_empty());
    }
}
