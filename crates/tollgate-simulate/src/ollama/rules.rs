//! What Ollama refuses. Its reader knows types and overlooks names, so that a field it has never
//! heard of is no flaw.

use crate::refusal::Refusal;
use base64::Engine as _;
use serde_json::Value;

pub(super) fn wrong(message: impl Into<String>) -> Refusal {
    Refusal::new(400, "", message)
}

/// The type of a field, as the vendor's language calls it.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    Flag,
    Number,
    Whole,
    Object,
    List,
}

impl Kind {
    fn fits(self, value: &Value) -> bool {
        match self {
            Self::Text => value.is_string(),
            Self::Flag => value.is_boolean(),
            Self::Number => value.is_number(),
            Self::Whole => value.as_f64().is_some_and(|number| number.fract() == 0.0),
            Self::Object => value.is_object(),
            Self::List => value.is_array(),
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Text => "string",
            Self::Flag => "bool",
            Self::Number => "float32",
            Self::Whole => "int",
            Self::Object => "map[string]interface {}",
            Self::List => "[]",
        }
    }
}

/// Checks fields that may be left out or null.
fn check(of: &Value, at: &str, fields: &[(&str, Kind)]) -> Result<(), Refusal> {
    for (name, kind) in fields {
        let value = &of[*name];
        if !value.is_null() && !kind.fits(value) {
            let got = got(value);
            let word = kind.word();
            return Err(wrong(format!(
                "json: cannot unmarshal {got} into Go struct field {at}.{name} of type {word}"
            )));
        }
    }
    Ok(())
}

fn got(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

pub(super) fn chat(body: &Value) -> Result<(), Refusal> {
    const TOP: &[(&str, Kind)] = &[
        ("model", Kind::Text),
        ("messages", Kind::List),
        ("stream", Kind::Flag),
        ("options", Kind::Object),
        ("tools", Kind::List),
        ("logprobs", Kind::Flag),
        ("top_logprobs", Kind::Whole),
    ];
    check(body, "ChatRequest", TOP)?;
    if body["model"].as_str().unwrap_or_default().is_empty() {
        return Err(wrong("model is required"));
    }
    options(&body["options"])?;
    match &body["format"] {
        Value::Null | Value::Object(_) => {}
        Value::String(word) if word.is_empty() || word == "json" => {}
        other => {
            let text =
                format!("invalid format: {other}; expected \"json\" or a valid JSON Schema object");
            return Err(wrong(text));
        }
    }
    match &body["think"] {
        Value::Null | Value::Bool(_) => {}
        Value::String(word) if matches!(word.as_str(), "high" | "medium" | "low") => {}
        other => {
            return Err(wrong(format!(
                "invalid think value: {other} (must be \"high\", \"medium\", \"low\", true, or false)"
            )));
        }
    }
    for tool in body["tools"].as_array().into_iter().flatten() {
        check(tool, "ChatRequest.tools", &[("type", Kind::Text), ("function", Kind::Object)])?;
        let function =
            [("name", Kind::Text), ("description", Kind::Text), ("parameters", Kind::Object)];
        check(&tool["function"], "ToolFunction.tools.function", &function)?;
    }
    body["messages"].as_array().into_iter().flatten().try_for_each(message)
}

fn options(options: &Value) -> Result<(), Refusal> {
    const NUMBERS: [&str; 6] = [
        "temperature",
        "top_p",
        "min_p",
        "repeat_penalty",
        "presence_penalty",
        "frequency_penalty",
    ];
    const WHOLE: [&str; 5] = ["num_predict", "num_ctx", "seed", "top_k", "num_keep"];
    let typed = |name: &str, good: bool, word: &str| match good || options[name].is_null() {
        true => Ok(()),
        false => Err(wrong(format!("option \"{name}\" must be of type {word}"))),
    };
    for name in NUMBERS {
        typed(name, Kind::Number.fits(&options[name]), "float32")?;
    }
    for name in WHOLE {
        typed(name, Kind::Whole.fits(&options[name]), "integer")?;
    }
    typed("stop", Kind::List.fits(&options["stop"]), "array")
}

fn message(message: &Value) -> Result<(), Refusal> {
    const FIELDS: &[(&str, Kind)] = &[
        ("role", Kind::Text),
        ("content", Kind::Text),
        ("thinking", Kind::Text),
        ("images", Kind::List),
        ("tool_calls", Kind::List),
        ("tool_name", Kind::Text),
        ("tool_call_id", Kind::Text),
    ];
    check(message, "ChatRequest.messages", FIELDS)?;
    for image in message["images"].as_array().into_iter().flatten() {
        let data = image.as_str().unwrap_or("?");
        if base64::engine::general_purpose::STANDARD.decode(data).is_err() {
            return Err(wrong("illegal base64 data at input byte 4"));
        }
    }
    for call in message["tool_calls"].as_array().into_iter().flatten() {
        let function = [("name", Kind::Text), ("arguments", Kind::Object), ("index", Kind::Whole)];
        check(&call["function"], "ToolCallFunction.messages.tool_calls.function", &function)?;
    }
    Ok(())
}

pub(super) fn embed(body: &Value) -> Result<(), Refusal> {
    check(body, "EmbedRequest", &[("model", Kind::Text), ("dimensions", Kind::Whole)])?;
    if body["model"].as_str().unwrap_or_default().is_empty() {
        return Err(wrong("model is required"));
    }
    match &body["input"] {
        Value::String(_) | Value::Null => Ok(()),
        Value::Array(list) if list.iter().all(Value::is_string) => Ok(()),
        _ => Err(wrong("invalid input type")),
    }
}
