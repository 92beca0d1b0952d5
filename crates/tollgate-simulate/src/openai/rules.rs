//! What OpenAI refuses in a chat completion beyond its shape: ranges, order of turns, media, models.

use super::schema_rules;
use super::tables;
use super::tools_rules;
use super::wording::{flawed, invalid};
use crate::refusal::Refusal;
use crate::shape::{self, Reading};
use crate::signature;
use serde_json::Value;

/// The first thing OpenAI would refuse.
pub(super) fn chat(body: &Value) -> Result<(), Refusal> {
    shape::check(&tables::CHAT, body, Reading { loose: false }).map_err(|f| flawed(&f))?;
    ranges(body)?;
    let messages = body["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
    if messages.is_empty() {
        return Err(empty_array("messages"));
    }
    for (at, message) in messages.iter().enumerate() {
        turn(at, message)?;
    }
    tools_rules::results_match_calls(messages)?;
    tools_rules::tools(body)?;
    schema_rules::response_format(body, messages)?;
    together(body)?;
    model(body, messages)
}

fn empty_array(name: &str) -> Refusal {
    invalid(format!("Invalid '{name}': empty array. Expected an array with minimum length 1, but got an empty array instead."))
        .code("empty_array")
        .param(name)
}

/// Figures with bounds: name, least, most, whether whole.
const RANGES: &[(&str, f64, f64, bool)] = &[
    ("frequency_penalty", -2.0, 2.0, false),
    ("max_completion_tokens", 1.0, f64::INFINITY, true),
    ("max_tokens", 1.0, f64::INFINITY, true),
    ("n", 1.0, 128.0, true),
    ("presence_penalty", -2.0, 2.0, false),
    ("temperature", 0.0, 2.0, false),
    ("top_logprobs", 0.0, 20.0, true),
    ("top_p", 0.0, 1.0, false),
];

fn ranges(body: &Value) -> Result<(), Refusal> {
    for (name, least, most, whole) in RANGES {
        in_range(body, name, (*least, *most), *whole)?;
    }
    if body["stop"].as_array().is_some_and(|s| s.len() > 4) {
        return Err(invalid("Invalid 'stop': array too long. Expected an array with maximum length 4, but got a longer array instead.")
            .code("array_above_max_length")
            .param("stop"));
    }
    Ok(())
}

/// Refuses a figure that is out of its bounds.
pub(crate) fn in_range(
    body: &Value,
    name: &str,
    (least, most): (f64, f64),
    whole: bool,
) -> Result<(), Refusal> {
    let Some(figure) = body[name].as_f64() else {
        return Ok(());
    };
    let (word, side, sign, bound) = match figure {
        f if f < least => ("below minimum", "below_min_value", ">=", least),
        f if f > most => ("above maximum", "above_max_value", "<=", most),
        _ => return Ok(()),
    };
    let kind = if whole { "integer" } else { "decimal" };
    let got = &body[name];
    Err(invalid(format!("Invalid '{name}': {kind} {word} value. Expected a value {sign} {bound}, but got {got} instead."))
        .code(format!("{kind}_{side}"))
        .param(name))
}

fn turn(at: usize, message: &Value) -> Result<(), Refusal> {
    if message["content"].as_array().is_some_and(Vec::is_empty) && message["role"] == "user" {
        return Err(empty_array(&format!("messages[{at}].content")));
    }
    let silent =
        message["content"].is_null() && message["refusal"].is_null() && message["audio"].is_null();
    let calls = message["tool_calls"].as_array();
    if message["role"] == "assistant" {
        if calls.is_some_and(Vec::is_empty) {
            return Err(empty_array(&format!("messages[{at}].tool_calls")));
        }
        if silent && calls.is_none() && message["function_call"].is_null() {
            return Err(invalid("Invalid value for 'content': expected a string, got null.")
                .param(format!("messages.[{at}].content")));
        }
    }
    if let Some(name) = message["name"].as_str()
        && (name.is_empty() || name.chars().any(|c| c.is_whitespace() || "<|\\/>".contains(c)))
    {
        let path = format!("messages[{at}].name");
        return Err(invalid(format!("Invalid '{path}': string does not match pattern. Expected a string that matches the pattern '^[^\\s<|\\\\/>]+$'."))
            .code("invalid_value")
            .param(path));
    }
    for (part_at, part) in message["content"].as_array().into_iter().flatten().enumerate() {
        media(&format!("messages[{at}].content[{part_at}]"), part)?;
    }
    Ok(())
}

fn media(path: &str, part: &Value) -> Result<(), Refusal> {
    match part["type"].as_str() {
        Some("image_url") => {
            let url = part["image_url"]["url"]
                .as_str()
                .or_else(|| part["image_url"].as_str())
                .unwrap_or_default();
            image_url(&format!("{path}.image_url.url"), url)
        }
        Some("input_audio") => {
            match part["input_audio"]["data"].as_str().and_then(signature::decode) {
                Some(data) if !data.is_empty() => Ok(()),
                _ => Err(invalid("Invalid value: the audio data is not valid base64.")
                    .code("invalid_value")
                    .param(format!("{path}.input_audio.data"))),
            }
        }
        Some("file") => file(path, &part["file"]),
        _ => Ok(()),
    }
}

/// An image by data or address, at that path.
pub(crate) fn image_url(path: &str, url: &str) -> Result<(), Refusal> {
    let Some(inline) = url.strip_prefix("data:") else {
        if url.starts_with("https://") || url.starts_with("http://") {
            return Ok(());
        }
        let shown: String = url.chars().take(60).collect();
        return Err(invalid(format!("Invalid '{path}'. Expected a valid URL, but got a value with an invalid format: {shown}"))
            .code("invalid_value")
            .param(path));
    };
    let Some((kind, data)) = inline.split_once(";base64,") else {
        return Err(invalid("Invalid base64 image_url.").code("invalid_base64"));
    };
    if !kind.starts_with("image/") {
        return Err(invalid("Invalid MIME type. Only image types are supported.")
            .code("invalid_image_format"));
    }
    let Some(bytes) = signature::decode(data) else {
        return Err(invalid("Invalid base64 image_url.").code("invalid_base64"));
    };
    let known = [&b"\x89PNG"[..], b"\xff\xd8\xff", b"GIF8", b"RIFF"];
    if known.iter().any(|magic| bytes.starts_with(magic)) {
        return Ok(());
    }
    Err(invalid("You uploaded an unsupported image. Please make sure your image has of one the following formats: ['png', 'jpeg', 'gif', 'webp'].")
        .code("invalid_image_format"))
}

fn file(path: &str, file: &Value) -> Result<(), Refusal> {
    match (file["file_data"].as_str(), file["file_id"].as_str()) {
        (None, None) => Err(invalid(format!("Missing required parameter: '{path}.file.file_id'."))
            .code("missing_required_parameter")
            .param(format!("{path}.file.file_id"))),
        (Some(data), None) => {
            let inline =
                data.strip_prefix("data:").and_then(|d| d.split_once(";base64,")).map(|(_, d)| d);
            match inline.and_then(signature::decode) {
                Some(_) => Ok(()),
                None => Err(invalid(format!("Invalid '{path}.file.file_data'. Expected a base64-encoded data URL with a file type (e.g. 'data:application/pdf;base64,aGVsbG8='), but got a value without the 'data:' prefix."))
                    .code("invalid_value")
                    .param(format!("{path}.file.file_data"))),
            }
        }
        _ => Ok(()),
    }
}

/// Members that need, or exclude, each other.
fn together(body: &Value) -> Result<(), Refusal> {
    let set = |name: &str| !body[name].is_null();
    if set("stream_options") && body["stream"] != true {
        return Err(invalid(
            "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
        )
        .param("stream_options"));
    }
    if set("top_logprobs") && body["logprobs"] != true {
        return Err(invalid(
            "The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled.",
        )
        .param("top_logprobs"));
    }
    if set("max_tokens") && set("max_completion_tokens") {
        return Err(invalid(
            "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.",
        )
        .code("invalid_parameter_combination"));
    }
    let audio = body["modalities"].as_array().is_some_and(|m| m.iter().any(|w| w == "audio"));
    if audio && !set("audio") {
        return Err(invalid("Audio output requires the 'audio' parameter.")
            .code("missing_required_parameter")
            .param("audio"));
    }
    Ok(())
}

/// Models that reason take fewer parameters.
fn model(body: &Value, messages: &[Value]) -> Result<(), Refusal> {
    let model = body["model"].as_str().unwrap_or_default();
    let unsupported = |name: &str, hint: &str| {
        invalid(format!("Unsupported parameter: '{name}' is not supported with this model.{hint}"))
            .code("unsupported_parameter")
            .param(name)
    };
    let first_reasoners = ["o1", "o3", "o4", "gpt-5"]
        .iter()
        .any(|p| model == *p || model.starts_with(&format!("{p}-")));
    if first_reasoners && !model.contains("-chat") {
        if !body["max_tokens"].is_null() {
            return Err(unsupported("max_tokens", " Use 'max_completion_tokens' instead."));
        }
        for name in ["logit_bias", "logprobs", "top_p", "presence_penalty", "frequency_penalty"] {
            if !matches!(body[name], Value::Null | Value::Bool(false)) {
                return Err(unsupported(name, ""));
            }
        }
        if body["temperature"].as_f64().is_some_and(|t| (t - 1.0).abs() > f64::EPSILON) {
            let got = &body["temperature"];
            return Err(invalid(format!("Unsupported value: 'temperature' does not support {got} with this model. Only the default (1) value is supported."))
                .code("unsupported_value")
                .param("temperature"));
        }
    }
    if model.starts_with("gpt-5") && !body["stop"].is_null() {
        return Err(unsupported("stop", ""));
    }
    if model.starts_with("o1-mini") || model.starts_with("o1-preview") {
        for (at, message) in messages.iter().enumerate() {
            if let Some(role @ ("developer" | "system")) = message["role"].as_str() {
                let path = format!("messages[{at}].role");
                return Err(invalid(format!(
                    "Unsupported value: '{path}' does not support '{role}' with this model."
                ))
                .code("unsupported_value")
                .param(path));
            }
        }
    }
    if !body["web_search_options"].is_null() && !model.contains("search") {
        return Err(invalid("Web search options not supported with this model.")
            .param("web_search_options"));
    }
    Ok(())
}
