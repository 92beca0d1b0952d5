//! What OpenAI refuses about images and files in the input of a response.

use crate::openai::{image_url, wording::invalid};
use crate::refusal::Refusal;
use crate::signature;
use serde_json::Value;

/// A part of a message or of a tool's result.
pub(super) fn part(path: &str, part: &Value) -> Result<(), Refusal> {
    match part["type"].as_str() {
        Some("input_image") => match (part["image_url"].as_str(), part["file_id"].as_str()) {
            (Some(url), _) => image_url(&format!("{path}.image_url"), url),
            (None, Some(_)) => Ok(()),
            (None, None) => Err(missing(format!("{path}.image_url"))),
        },
        Some("input_file") => file(path, part),
        _ => Ok(()),
    }
}

fn missing(path: String) -> Refusal {
    invalid(format!("Missing required parameter: '{path}'."))
        .code("missing_required_parameter")
        .param(path)
}

fn file(path: &str, part: &Value) -> Result<(), Refusal> {
    let Some(data) = part["file_data"].as_str() else {
        if part["file_id"].is_string() || part["file_url"].is_string() {
            return Ok(());
        }
        return Err(missing(format!("{path}.file_id")));
    };
    let data_path = format!("{path}.file_data");
    let inline = data.strip_prefix("data:").and_then(|d| d.split_once(";base64,"));
    let Some((kind, encoded)) = inline else {
        return Err(invalid(format!("Invalid '{data_path}'. Expected a base64-encoded data URL with a file type (e.g. 'data:application/pdf;base64,aGVsbG8='), but got a value without the 'data:' prefix."))
            .code("invalid_value")
            .param(data_path));
    };
    if ["audio/", "video/"].iter().any(|family| kind.starts_with(family)) {
        return Err(invalid(format!("Invalid file data: '{data_path}'. Expected a base64-encoded data URL with a valid file MIME type (e.g. 'data:text/plain;base64,SGVsbG8sIFdvcmxkIQ=='), but got unsupported MIME type '{kind}'. Please see https://platform.openai.com/docs/assistants/tools/file-search#supported-files for supported file types."))
            .code("invalid_value")
            .param(data_path));
    }
    if signature::decode(encoded).is_none() {
        return Err(invalid(format!("Invalid '{data_path}'. Expected a base64-encoded data URL, but the data is not valid base64."))
            .code("invalid_value")
            .param(data_path));
    }
    Ok(())
}
