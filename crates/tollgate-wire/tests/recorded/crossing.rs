//! Chats of the other dialects, written in these, and these in the others.

use serde_json::Value;
use tollgate_model::{Chat, PartKind};
use tollgate_wire::{Dialect, Quirks, Recipient};

use crate::{DIALECTS, UNFAITHFUL, recordings, recordings_of, report, requests::decode, spoken};

/// Every text and call of a chat that any dialect can carry.
fn said(chat: &Chat) -> Vec<String> {
    let mut out = Vec::new();
    for part in chat.messages.iter().flat_map(|message| &message.parts) {
        match &part.kind {
            PartKind::Text(text) => out.push(text.clone()),
            PartKind::ToolCall { name, .. } => out.push(name.clone()),
            PartKind::ToolResult { parts, .. } => {
                out.extend(parts.iter().filter_map(|part| match &part.kind {
                    PartKind::Text(text) => Some(text.clone()),
                    _ => None,
                }));
            }
            _ => {}
        }
    }
    // A result of a tool that is JSON may travel as such.
    let plain = |text: &String| serde_json::from_str::<Value>(text).is_err();
    out.retain(|text| !text.trim().is_empty() && plain(text));
    out
}

fn strings(value: &Value, out: &mut Vec<String>) {
    match value {
        Value::String(text) => out.push(text.clone()),
        Value::Array(list) => list.iter().for_each(|item| strings(item, out)),
        Value::Object(fields) => fields.values().for_each(|item| strings(item, out)),
        _ => {}
    }
}

/// What of `chat` is missing in what `to` writes of it, which it must be able to read.
fn missing(chat: &Chat, to: &Dialect) -> Option<String> {
    const QUIRKS: &Quirks = &Quirks::NONE;
    if chat.only.is_some_and(|(only, _)| only != to.id()) {
        return None;
    }
    let outgoing = match to.encode_request(chat, &Recipient { model: "m", quirks: QUIRKS }) {
        Ok(outgoing) => outgoing,
        // What is refused is not lost.
        Err(_) => return None,
    };
    let body: Value = serde_json::from_slice(&outgoing.body).unwrap();
    let mut written = Vec::new();
    strings(&body, &mut written);
    let written = written.join("\n");
    if let Some(text) = said(chat).into_iter().find(|text| !written.contains(text.as_str())) {
        let text: String = text.chars().take(60).collect();
        return Some(format!("`{text}` did not reach {}", to.id()));
    }
    decode(to, &body).err().map(|fault| format!("{} cannot read it: {fault}", to.id()))
}

#[test]
fn texts_and_calls_cross_into_every_dialect() {
    let (mut seen, mut wrong) = (0, Vec::new());
    let own = recordings();
    let others = ["openai-chat", "anthropic-messages", "gemini-generate"];
    for recording in own.into_iter().chain(others.iter().flat_map(|id| recordings_of(id))) {
        let body = &recording.exchange["request"]["body"];
        if recording.notes.iter().any(|note| UNFAITHFUL.contains(&note.as_str()))
            || body["kind"] != "json"
        {
            continue;
        }
        let Ok(chat) = decode(recording.dialect, &body["json"]) else { continue };
        let mine = DIALECTS.contains(&recording.dialect.id().as_str());
        let targets = if mine { others.iter().chain(DIALECTS) } else { [].iter().chain(DIALECTS) };
        for to in targets.filter(|to| **to != recording.dialect.id().as_str()) {
            seen += 1;
            if let Some(wrong_with) = missing(&chat, spoken(to)) {
                wrong.push(format!("{}: {wrong_with}", recording.file));
            }
        }
    }
    report("chats that cross", seen, &wrong);
}
