//! What Bedrock refuses in a conversation beyond its shape: figures, structured output, the model's name.

use super::wording::{constraint, flawed, invalid};
use super::{messages_rules, tables, tools_rules};
use crate::refusal::Refusal;
use crate::shape::{self, Reading};
use serde_json::Value;

/// The first thing Bedrock would refuse.
pub(super) fn converse(body: &Value, model: &str) -> Result<(), Refusal> {
    shape::check(&tables::CONVERSE, body, Reading { loose: false }).map_err(|f| flawed(&f))?;
    name(model)?;
    figures(&body["inferenceConfig"])?;
    messages_rules::messages(body, model)?;
    tools_rules::tools(body)?;
    output(&body["outputConfig"]["textFormat"])?;
    thinking(body)
}

fn name(model: &str) -> Result<(), Refusal> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.:/".contains(c);
    if !model.is_empty() && model.len() <= 2048 && model.chars().all(fits) {
        return Ok(());
    }
    Err(invalid("The provided model identifier is invalid."))
}

fn figures(config: &Value) -> Result<(), Refusal> {
    if let Some(cap) = config["maxTokens"].as_f64()
        && cap < 1.0
    {
        let what = "have value greater than or equal to 1";
        return Err(constraint(
            &config["maxTokens"].to_string(),
            "inferenceConfig.maxTokens",
            what,
        ));
    }
    for name in ["temperature", "topP"] {
        let at = format!("inferenceConfig.{name}");
        let value = config[name].to_string();
        match config[name].as_f64() {
            Some(f) if f < 0.0 => {
                return Err(constraint(&value, &at, "have value greater than or equal to 0"));
            }
            Some(f) if f > 1.0 => {
                return Err(constraint(&value, &at, "have value less than or equal to 1"));
            }
            _ => {}
        }
    }
    let stops = config["stopSequences"].as_array().map(Vec::as_slice).unwrap_or_default();
    if stops.iter().any(|s| s.as_str().is_some_and(str::is_empty)) {
        let what = "satisfy constraint: [Member must have length greater than or equal to 1]";
        return Err(constraint("[]", "inferenceConfig.stopSequences", what));
    }
    Ok(())
}

/// The schema travels as a text.
fn output(format: &Value) -> Result<(), Refusal> {
    let Some(schema) = format["structure"]["jsonSchema"]["schema"].as_str() else { return Ok(()) };
    match serde_json::from_str::<Value>(schema) {
        Ok(Value::Object(_)) => Ok(()),
        _ => Err(invalid(
            "The value at outputConfig.textFormat.structure.jsonSchema.schema is not a valid JSON schema.",
        )),
    }
}

/// What the model behind says of thinking, through Bedrock.
fn thinking(body: &Value) -> Result<(), Refusal> {
    let thinking = &body["additionalModelRequestFields"]["thinking"];
    if thinking["type"] != "enabled" {
        return Ok(());
    }
    let says =
        |what: &str| Err(invalid(format!("The model returned the following errors: {what}")));
    let budget = thinking["budget_tokens"].as_i64().unwrap_or(0);
    if budget < 1024 {
        return says(
            "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024",
        );
    }
    if body["inferenceConfig"]["maxTokens"].as_i64().is_some_and(|most| budget >= most) {
        return says(
            "`max_tokens` must be greater than `thinking.budget_tokens`. Please consult our documentation at https://docs.claude.com/en/docs/build-with-claude/extended-thinking#max-tokens-and-context-window-size",
        );
    }
    let choice = &body["toolConfig"]["toolChoice"];
    if !choice["any"].is_null() || !choice["tool"].is_null() {
        return says("Thinking may not be enabled when tool_choice forces tool use.");
    }
    if body["inferenceConfig"]["temperature"]
        .as_f64()
        .is_some_and(|t| (t - 1.0).abs() > f64::EPSILON)
    {
        return says(
            "`temperature` may only be set to 1 when thinking is enabled. Please consult our documentation at https://docs.claude.com/en/docs/build-with-claude/extended-thinking#important-considerations-when-using-extended-thinking",
        );
    }
    Ok(())
}
