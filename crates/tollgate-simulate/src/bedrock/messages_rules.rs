//! What Bedrock refuses in messages: empty content, unions with two members, media,
//! names of documents, forged signatures.

use super::wording::invalid;
use crate::refusal::Refusal;
use crate::signature;
use serde_json::Value;

/// The first byte of a genuine signature of Claude's.
pub(super) const ENVELOPE: u8 = 0x12;

pub(super) fn messages(body: &Value, model: &str) -> Result<(), Refusal> {
    let messages = body["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
    if messages.first().is_none_or(|m| m["role"] != "user") {
        return Err(invalid(
            "A conversation must start with a user message. Try again with a conversation that starts with a user message.",
        ));
    }
    for (at, block) in body["system"].as_array().into_iter().flatten().enumerate() {
        one_of(block, &format!("system.{at}"), "SystemContentBlock")?;
        text(block, &format!("system.{at}"), "SystemContentBlock")?;
    }
    for (at, message) in messages.iter().enumerate() {
        let blocks = message["content"].as_array().map(Vec::as_slice).unwrap_or_default();
        if blocks.is_empty() {
            return Err(invalid(format!(
                "The content field in the Message object at messages.{at} is empty. Add a ContentBlock object to the content field and try again."
            )));
        }
        for (block_at, block) in blocks.iter().enumerate() {
            let path = format!("messages.{at}.content.{block_at}");
            self::block(&path, message["role"].as_str().unwrap_or_default(), block)?;
            if model.contains("anthropic.") {
                not_for_claude(block)?;
            }
        }
    }
    Ok(())
}

/// What Bedrock does not pass on to Claude.
fn not_for_claude(block: &Value) -> Result<(), Refusal> {
    let inside = block["toolResult"]["content"].as_array().into_iter().flatten();
    for block in inside.chain([block]) {
        if !block["video"].is_null() {
            return Err(invalid(
                "This model doesn't support the video content block that you provided. Update the content block and try again.",
            ));
        }
        if !block["image"]["source"]["s3Location"].is_null() {
            return Err(invalid(
                "This model doesn't support the s3Uri field. Remove s3Uri and try again.",
            ));
        }
    }
    Ok(())
}

fn block(path: &str, role: &str, block: &Value) -> Result<(), Refusal> {
    one_of(block, path, "ContentBlock")?;
    text(block, path, "ContentBlock")?;
    media(path, block)?;
    for (at, inner) in block["toolResult"]["content"].as_array().into_iter().flatten().enumerate() {
        let path = format!("{path}.toolResult.content.{at}");
        one_of(inner, &path, "ToolResultContentBlock")?;
        media(&path, inner)?;
    }
    let misplaced = match role {
        "assistant" => ["toolResult", "document", "video"].as_slice(),
        _ => ["toolUse", "reasoningContent"].as_slice(),
    };
    if let Some(kind) = misplaced.iter().find(|kind| !block[**kind].is_null()) {
        return Err(invalid(format!(
            "The {kind} block at {path} is not allowed in a message with role {role}. Remove it and try again."
        )));
    }
    reasoning(path, &block["reasoningContent"])
}

/// A union holds one member, and not none.
fn one_of(block: &Value, path: &str, kind: &str) -> Result<(), Refusal> {
    match block.as_object().map_or(0, serde_json::Map::len) {
        1 => Ok(()),
        0 => Err(invalid(format!(
            "The {kind} object at {path} must set one of the following keys: text, image, toolUse, toolResult, document, video, cachePoint, reasoningContent."
        ))),
        _ => Err(invalid(format!(
            "The {kind} object at {path} must set one of its keys, and only one."
        ))),
    }
}

fn text(block: &Value, path: &str, kind: &str) -> Result<(), Refusal> {
    match block["text"].as_str() {
        Some("") => Err(invalid(format!(
            "The text field in the {kind} object at {path} is blank. Add text to the text field, and try again."
        ))),
        _ => Ok(()),
    }
}

fn media(path: &str, block: &Value) -> Result<(), Refusal> {
    for kind in ["image", "document", "video", "audio"] {
        let Some(source) = block[kind]["source"].as_object() else { continue };
        let path = format!("{path}.{kind}");
        if source.len() != 1 {
            return Err(invalid(format!(
                "The source object at {path}.source must set one of its keys, and only one."
            )));
        }
        let Some(data) = source.get("bytes").and_then(Value::as_str) else { continue };
        let bytes = signature::decode(data).filter(|b| !b.is_empty());
        let Some(bytes) = bytes else {
            return Err(invalid(format!(
                "The bytes field at {path}.source.bytes is not valid base64."
            )));
        };
        if kind == "image" && !is_image(&bytes) {
            return Err(invalid(format!(
                "The model returned the following errors: {path}: Could not process image"
            )));
        }
    }
    name(path, &block["document"]["name"])
}

fn is_image(bytes: &[u8]) -> bool {
    [&b"\x89PNG"[..], b"\xff\xd8\xff", b"GIF8", b"RIFF"]
        .iter()
        .any(|magic| bytes.starts_with(magic))
}

fn name(path: &str, name: &Value) -> Result<(), Refusal> {
    let Some(name) = name.as_str() else { return Ok(()) };
    let fits = |c: char| c.is_ascii_alphanumeric() || " -()[]".contains(c);
    if !name.is_empty() && name.chars().all(fits) && !name.contains("  ") {
        return Ok(());
    }
    Err(invalid(format!(
        "The document file name at {path} can only contain alphanumeric characters, whitespace characters, hyphens, parentheses, and square brackets. The name can't contain more than one consecutive whitespace character."
    )))
}

/// Reasoning that comes back is signed by the model that wrote it.
fn reasoning(path: &str, reasoning: &Value) -> Result<(), Refusal> {
    let Some(text) = reasoning["reasoningText"]["text"].as_str() else { return Ok(()) };
    match reasoning["reasoningText"]["signature"].as_str() {
        Some(signed) if !signature::holds(ENVELOPE, text, signed) => Err(invalid(format!(
            "The model returned the following errors: {path}: Invalid `signature` in `thinking` block"
        ))),
        _ => Ok(()),
    }
}
