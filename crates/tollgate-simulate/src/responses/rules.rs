//! What OpenAI refuses in a request for a response beyond its shape: ranges, items, models.

use super::stored::History;
use super::{media_rules, sealed, tables, tools_rules};
use crate::openai::wording::{flawed_under, invalid};
use crate::openai::{in_range, output_schema};
use crate::refusal::Refusal;
use crate::shape::{self, Reading, Seg};
use serde_json::Value;

const READING: Reading = Reading { loose: false };

/// The first thing OpenAI would refuse, whatever is stored.
pub(super) fn create(body: &Value) -> Result<(), Refusal> {
    shape::check(&tables::CREATE, body, READING).map_err(|f| flawed_under(&[], &f))?;
    ranges(body)?;
    let sources = ["input", "prompt", "conversation", "previous_response_id"];
    if sources.iter().all(|name| body[*name].is_null()) {
        return Err(invalid("One of \"input\" or \"previous_response_id\" or 'prompt' or 'conversation_id' must be provided.")
            .code("missing_required_parameter")
            .param("input"));
    }
    for (at, item) in items(body).iter().enumerate() {
        one(at, item)?;
    }
    tools_rules::tools(body)?;
    format(body)?;
    together(body)?;
    model(body)
}

/// What depends on the turns before, too: every result has its call and every call its result.
pub(super) fn input(body: &Value, history: &History) -> Result<(), Refusal> {
    tools_rules::results_match_calls(items(body), history)
}

/// The items of the input; none when it is a text.
pub(super) fn items(body: &Value) -> &[Value] {
    body["input"].as_array().map(Vec::as_slice).unwrap_or_default()
}

/// Figures with bounds: name, least, most, whether whole.
const RANGES: &[(&str, f64, f64, bool)] = &[
    ("max_output_tokens", 16.0, f64::INFINITY, true),
    ("max_tool_calls", 1.0, f64::INFINITY, true),
    ("temperature", 0.0, 2.0, false),
    ("top_logprobs", 0.0, 20.0, true),
    ("top_p", 0.0, 1.0, false),
];

fn ranges(body: &Value) -> Result<(), Refusal> {
    for (name, least, most, whole) in RANGES {
        in_range(body, name, (*least, *most), *whole)?;
    }
    Ok(())
}

fn one(at: usize, item: &Value) -> Result<(), Refusal> {
    let before = [Seg::Key("input".to_owned()), Seg::Index(at)];
    let message = item["type"] == "message" || (item["type"].is_null() && !item["role"].is_null());
    // What has nothing but an id is a reference.
    let reference = item["type"].is_null() && item["id"].is_string();
    if !reference {
        let table = if message { &tables::MESSAGE } else { &tables::ITEM };
        shape::check(table, item, READING).map_err(|f| flawed_under(&before, &f))?;
    }
    let content = if item["type"].as_str().is_some_and(|t| t.ends_with("_output")) {
        "output"
    } else {
        "content"
    };
    for (part_at, part) in item[content].as_array().into_iter().flatten().enumerate() {
        media_rules::part(&format!("input[{at}].{content}[{part_at}]"), part)?;
    }
    if message && item["content"].as_array().is_some_and(Vec::is_empty) && item["role"] == "user" {
        return Err(invalid(format!("Invalid 'input[{at}].content': empty array. Expected an array with minimum length 1, but got an empty array instead."))
            .code("empty_array")
            .param(format!("input[{at}].content")));
    }
    own_ids(at, item, message)?;
    match item["encrypted_content"].as_str() {
        Some(content) if !sealed::holds(content) => {
            let shown: String = content.chars().take(4).collect();
            Err(invalid(format!("The encrypted content {shown}... could not be verified. Reason: Encrypted content could not be decrypted or parsed."))
                .code("invalid_encrypted_content"))
        }
        _ => Ok(()),
    }
}

/// Ids that the vendor gives out say what they belong to, and must when they come back.
fn own_ids(at: usize, item: &Value, message: bool) -> Result<(), Refusal> {
    let kind = if message { "message" } else { item["type"].as_str().unwrap_or_default() };
    let prefix = match kind {
        "message" => "msg",
        "function_call" => "fc",
        "reasoning" => "rs",
        "custom_tool_call" => "ctc",
        _ => return Ok(()),
    };
    match item["id"].as_str() {
        Some(id) if !id.starts_with(prefix) => {
            let path = format!("input[{at}].id");
            Err(invalid(format!(
                "Invalid '{path}': '{id}'. Expected an ID that begins with '{prefix}'."
            ))
            .code("invalid_value")
            .param(path))
        }
        _ => Ok(()),
    }
}

fn format(body: &Value) -> Result<(), Refusal> {
    let format = &body["text"]["format"];
    match format["type"].as_str() {
        Some("json_schema") => output_schema(
            format,
            "text.format",
            ("text.format.schema", Some("invalid_json_schema")),
        ),
        Some("json_object") => {
            let input = body["input"].to_string().to_lowercase();
            let said = input.contains("json")
                || !body["previous_response_id"].is_null()
                || !body["conversation"].is_null();
            if said {
                return Ok(());
            }
            Err(invalid("Response input messages must contain the word 'json' in some form to use 'text.format' of type 'json_object'.").param("input"))
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
    if set("previous_response_id") && set("conversation") {
        return Err(invalid("Mutually exclusive parameters: 'previous_response_id' and 'conversation'. Ensure you are only providing one of them.")
            .code("mutually_exclusive_parameters"));
    }
    if body["background"] == true && body["store"] == false {
        return Err(invalid("Background responses must be stored.").param("background"));
    }
    Ok(())
}

/// Models that reason take fewer parameters, and others no effort.
fn model(body: &Value) -> Result<(), Refusal> {
    let model = body["model"].as_str().unwrap_or_default();
    let begins = |names: &[&str]| names.iter().any(|n| model.starts_with(n));
    let unsupported = |name: &str| {
        invalid(format!("Unsupported parameter: '{name}' is not supported with this model."))
            .code("unsupported_parameter")
            .param(name)
    };
    let effort = body["reasoning"]["effort"].as_str();
    if begins(&["gpt-4", "gpt-3"]) && effort.is_some() {
        return Err(unsupported("reasoning.effort"));
    }
    if begins(&["o1", "o3", "o4"])
        && let Some(word @ ("minimal" | "none" | "xhigh" | "max")) = effort
    {
        return Err(invalid(format!("Unsupported value: '{word}' is not supported with the '{model}' model. Supported values are: 'low', 'medium', and 'high'."))
            .code("unsupported_value")
            .param("reasoning.effort"));
    }
    let always_reasons = begins(&["o1", "o3", "o4"])
        || (begins(&["gpt-5-", "gpt-5"]) && !model.contains("-chat") && !model.contains('.'));
    if always_reasons {
        for name in ["temperature", "top_p"] {
            if body[name].as_f64().is_some_and(|f| (f - 1.0).abs() > f64::EPSILON) {
                return Err(unsupported(name));
            }
        }
    }
    Ok(())
}
