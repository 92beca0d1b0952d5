//! What Google refuses in the parts of a turn: roles, emptiness, media, forged signatures.

use super::tables::DATA;
use super::wording::{field, invalid};
use crate::refusal::Refusal;
use crate::shape::snake;
use crate::signature;
use serde_json::Value;

/// The first byte of our own signatures.
pub(super) const ENVELOPE: u8 = 0x0a;
/// First bytes seen on genuine signatures.
const GENUINE: &[u8] = &[0x01, 0x0a, 0x12];
/// What the vendor lets stand for a signature that the caller does not have.
const DUMMIES: &[&[u8]] =
    &[b"skip_thought_signature_validator", b"context_engineering_is_the_way_to_go"];

/// Every turn of the conversation.
pub(super) fn contents(contents: &[Value]) -> Result<(), Refusal> {
    for (at, content) in contents.iter().enumerate() {
        let role = content["role"].as_str().unwrap_or("user");
        if !matches!(role, "user" | "model" | "function" | "") {
            return Err(invalid("Please use a valid role: user, model."));
        }
        let parts = content["parts"].as_array().map(Vec::as_slice).unwrap_or_default();
        if parts.is_empty() {
            return Err(field(
                "GenerateContentRequest",
                &format!("contents[{at}].parts"),
                "contents.parts must not be empty.",
            ));
        }
        for (part_at, each) in parts.iter().enumerate() {
            part(&format!("contents[{at}].parts[{part_at}]"), each)?;
        }
    }
    Ok(())
}

/// A system instruction is text.
pub(super) fn system(content: &Value) -> Result<(), Refusal> {
    if content.is_null() {
        return Ok(());
    }
    let parts = content["parts"].as_array().map(Vec::as_slice).unwrap_or_default();
    if parts.is_empty() {
        return Err(field(
            "GenerateContentRequest",
            "system_instruction.parts",
            "contents.parts must not be empty.",
        ));
    }
    for (at, each) in parts.iter().enumerate() {
        part(&format!("system_instruction.parts[{at}]"), each)?;
    }
    Ok(())
}

fn part(path: &str, part: &Value) -> Result<(), Refusal> {
    let set: Vec<&&str> = DATA.iter().filter(|d| !part[**d].is_null()).collect();
    match set.as_slice() {
        // A signature or a cut of a video may stand alone.
        [] if part["thoughtSignature"].is_null() && part["videoMetadata"].is_null() => {
            return Err(field(
                "GenerateContentRequest",
                &format!("{path}.data"),
                "required oneof field 'data' must have one initialized field",
            ));
        }
        [_, second, ..] => {
            return Err(invalid(format!(
                "Invalid value at '{path}' (oneof), oneof field 'data' is already set. Cannot set '{}'",
                snake(second)
            )));
        }
        _ => {}
    }
    signed(path, part)?;
    let nested = part["functionResponse"]["parts"].as_array().into_iter().flatten();
    for blob in
        std::iter::once(part).chain(nested).map(|p| &p["inlineData"]).filter(|b| !b.is_null())
    {
        inline(path, blob)?;
    }
    if let Some(uri) = part["fileData"]["fileUri"].as_str()
        && uri.is_empty()
    {
        return Err(field(
            "GenerateContentRequest",
            &format!("{path}.file_data.file_uri"),
            "file_uri must not be empty.",
        ));
    }
    for kind in ["functionCall", "functionResponse"] {
        if !part[kind].is_null() && part[kind]["name"].as_str().is_none_or(str::is_empty) {
            return Err(field(
                "GenerateContentRequest",
                &format!("{path}.{}.name", snake(kind)),
                "Name cannot be empty.",
            ));
        }
    }
    Ok(())
}

fn not_base64(path: &str, text: &str) -> Refusal {
    let shown: String = text.chars().take(40).collect();
    invalid(format!(
        "Invalid value at '{path}' (TYPE_BYTES), Base64 decoding failed for \"{shown}\""
    ))
}

fn inline(path: &str, blob: &Value) -> Result<(), Refusal> {
    let data = blob["data"].as_str().unwrap_or_default();
    match signature::decode_either(data) {
        None => return Err(not_base64(&format!("{path}.inline_data.data"), data)),
        Some(empty) if empty.is_empty() => {
            return Err(field(
                "GenerateContentRequest",
                &format!("{path}.inline_data.data"),
                "data must not be empty.",
            ));
        }
        Some(_) => {}
    }
    let mime = blob["mimeType"].as_str().unwrap_or_default();
    let known = ["image/", "audio/", "video/", "text/"].iter().any(|m| mime.starts_with(m))
        || matches!(
            mime,
            "application/pdf"
                | "application/json"
                | "application/xml"
                | "application/rtf"
                | "application/x-javascript"
                | "application/x-python-code"
        );
    if known {
        return Ok(());
    }
    Err(invalid(format!("Unsupported MIME type: {mime}")))
}

fn signed(path: &str, part: &Value) -> Result<(), Refusal> {
    let Some(text) = part["thoughtSignature"].as_str() else {
        return Ok(());
    };
    let Some(decoded) = signature::decode_either(text) else {
        return Err(not_base64(&format!("{path}.thought_signature"), text));
    };
    let over = part["functionCall"]["name"].as_str().unwrap_or_default();
    let ours = signature::ours(&decoded);
    let good = match decoded.first() {
        Some(_) if ours => signature::holds(ENVELOPE, over, text),
        Some(first) => GENUINE.contains(first) || DUMMIES.contains(&decoded.as_slice()),
        None => true,
    };
    if good { Ok(()) } else { Err(invalid("Corrupted thought signature.")) }
}
