//! What Google refuses in a request beyond its shape: ranges, thinking, structured output.

use super::parts_rules;
use super::read;
use super::tables;
use super::tools_rules;
use super::wording::{field, flawed, invalid};
use crate::asked::Asked;
use crate::refusal::Refusal;
use crate::shape::{self, Reading, Shape};
use serde_json::{Value, json};

const GENERATE: &str = "GenerateContentRequest";

/// The request in the tables' own spelling, or the first thing Google would refuse.
pub(super) fn generate(body: &Value, model: &str) -> Result<Value, Refusal> {
    let body = canonical(&tables::GENERATE, body)?;
    let contents = body["contents"].as_array().map(Vec::as_slice).unwrap_or_default();
    if contents.is_empty() {
        return Err(field(GENERATE, "contents", "contents is not specified"));
    }
    ranges(&body["generationConfig"])?;
    thinking(&body["generationConfig"]["thinkingConfig"], model)?;
    output(&body)?;
    parts_rules::contents(contents)?;
    parts_rules::system(&body["systemInstruction"])?;
    tools_rules::tools(&body)?;
    tools_rules::turns(contents, model)?;
    Ok(body)
}

/// What a count reads, or the first thing Google would refuse in it.
pub(super) fn count_tokens(
    body: &Value,
    vertex: bool,
    bytes: &[u8],
    model: &str,
) -> Result<Asked, Refusal> {
    if vertex {
        return Ok(read::asked(&generate(body, model)?, bytes, model));
    }
    let body = canonical(&tables::COUNT, body)?;
    let inner = &body["generateContentRequest"];
    if inner.is_null() {
        let contents = json!({"contents": body["contents"]});
        return Ok(read::asked(&generate(&contents, model)?, bytes, model));
    }
    if !body["contents"].is_null() {
        return Err(invalid("Only one of contents and generate_content_request can be set."));
    }
    match inner["model"].as_str() {
        Some(name) if name.strip_prefix("models/").unwrap_or(name) == model => {
            Ok(read::asked(&generate(inner, model)?, bytes, model))
        }
        Some(name) => Err(invalid(format!(
            "The model in the generate_content_request ({name}) does not match the model of the call (models/{model})."
        ))),
        None => Err(field(
            "CountTokensRequest",
            "generate_content_request.model",
            "model is not specified",
        )),
    }
}

/// Checks the shape and takes the table's spelling.
pub(super) fn canonical(table: &Shape, body: &Value) -> Result<Value, Refusal> {
    shape::check(table, body, Reading { loose: true }).map_err(|f| flawed(&f))?;
    Ok(shape::canonical(table, body))
}

fn ranges(config: &Value) -> Result<(), Refusal> {
    let wrong = |name: &str, what: &str| {
        Err(field(GENERATE, &format!("generation_config.{}", shape::snake(name)), what))
    };
    let out = |name: &str, least: f64, most: f64| {
        config[name].as_f64().is_some_and(|f| !(least..=most).contains(&f))
    };
    if out("temperature", 0.0, 2.0) {
        return wrong("temperature", "temperature must be in the range [0.0, 2.0].");
    }
    if out("topP", 0.0, 1.0) {
        return wrong("topP", "top_p must be in the range [0.0, 1.0].");
    }
    if out("topK", 1.0, f64::INFINITY) {
        return wrong("topK", "top_k must be positive.");
    }
    if out("candidateCount", 1.0, 8.0) {
        return wrong("candidateCount", "candidateCount must be in the range [1, 8].");
    }
    if out("maxOutputTokens", 1.0, f64::INFINITY) {
        return wrong("maxOutputTokens", "max_output_tokens must be positive.");
    }
    if out("logprobs", 0.0, 20.0) {
        return wrong("logprobs", "logprobs must be in the range [0, 20].");
    }
    if !config["logprobs"].is_null() && config["responseLogprobs"] != true {
        return Err(invalid("logprobs can only be set when response_logprobs is true."));
    }
    if config["stopSequences"].as_array().is_some_and(|s| s.len() > 5) {
        return wrong("stopSequences", "the number of stop_sequences must be at most 5.");
    }
    if config["stopSequences"].as_array().is_some_and(|s| s.iter().any(|s| s == "")) {
        return wrong("stopSequences", "stop_sequences must not be empty.");
    }
    Ok(())
}

fn thinking(config: &Value, model: &str) -> Result<(), Refusal> {
    let budget = config["thinkingBudget"].as_i64();
    let level = config["thinkingLevel"].as_str();
    if budget.is_some() && level.is_some() {
        return Err(invalid("You can only set only one of thinking budget and thinking level."));
    }
    if level.is_some() && (model.contains("gemini-2") || model.contains("gemini-1")) {
        return Err(invalid("Thinking level is not supported for this model."));
    }
    let Some(budget) = budget else { return Ok(()) };
    let pro = model.contains("pro");
    let most = if pro { 32_768 } else { 24_576 };
    if budget == 0 && pro && model.contains("2.5") {
        return Err(invalid("Budget 0 is invalid. This model only works in thinking mode."));
    }
    if budget < -1 || budget > most {
        let least = if pro { 128 } else { 0 };
        return Err(invalid(format!(
            "The thinking budget {budget} is invalid. Please choose a value between {least} and {most}."
        )));
    }
    if budget == 0 && config["includeThoughts"] == true {
        return Err(invalid(
            "Thinking_config.include_thoughts is only enabled when thinking is enabled.",
        ));
    }
    Ok(())
}

const MIME_TYPES: &[&str] =
    &["text/plain", "application/json", "application/xml", "application/yaml", "text/x.enum"];

fn output(body: &Value) -> Result<(), Refusal> {
    let config = &body["generationConfig"];
    let mime = config["responseMimeType"].as_str().filter(|m| !m.is_empty());
    if let Some(mime) = mime
        && !MIME_TYPES.contains(&mime)
        && !mime.starts_with("image/")
        && !mime.starts_with("audio/")
    {
        return Err(field(
            GENERATE,
            "generation_config.response_mime_type",
            "allowed mimetypes are `text/plain`, `application/json`, `application/xml`, `application/yaml` and `text/x.enum`.",
        ));
    }
    let schemas = ["responseSchema", "responseJsonSchema", "_responseJsonSchema"];
    let given: Vec<&&str> = schemas.iter().filter(|s| !config[**s].is_null()).collect();
    if given.len() > 1 {
        return Err(field(
            GENERATE,
            "generation_config",
            "only one of response_schema and response_json_schema can be set.",
        ));
    }
    if !given.is_empty() && !matches!(mime, Some("application/json" | "text/x.enum")) {
        return Err(field(
            GENERATE,
            "generation_config.response_schema",
            "only allowed for response_mime_type `application/json` or `text/x.enum`.",
        ));
    }
    if let Some(schema) = given.first().map(|s| &config[**s]) {
        tools_rules::schema(
            "generation_config.response_schema",
            schema,
            **given[0] == *"responseSchema",
        )?;
    }
    Ok(())
}
