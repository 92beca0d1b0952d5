//! What an answer says, apart from how it is written: the common measure of recordings, readers
//! and the judge.
//!
//! Deliberately absent: any knowledge of a wire format (see [`readers`](crate::readers)).

use serde_json::Value;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Digest {
    /// Visible text of the first choice, joined.
    pub text: String,
    /// Visible thinking of the first choice, joined.
    pub reasoning: String,
    /// Signed or encrypted pieces of thinking.
    pub signatures: u64,
    /// Those of them that stand on a call or on thinking, where a shape signs its texts too.
    pub bound: u64,
    /// Blocks of thinking that only the provider can read.
    pub redacted: u64,
    pub tool_calls: Vec<ToolCall>,
    /// In the corpus' vocabulary: `stop`, `length`, `tool_calls`, `content_filter`, …
    pub finish: Option<String>,
    pub refusal: String,
    pub stop_sequence: Option<String>,
    pub citations: u64,
    pub choices: u64,
    pub logprobs: bool,
    pub images: u64,
    pub audio: bool,
    pub usage: Tokens,
    pub error: Option<ErrorDigest>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ToolCall {
    pub id: String,
    pub name: String,
    pub arguments: Arguments,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Arguments {
    Json(Value),
    /// What does not parse, as after a truncation.
    Broken(String),
}

impl Default for Arguments {
    fn default() -> Self {
        Self::Json(Value::Object(serde_json::Map::new()))
    }
}

impl Arguments {
    /// No text at all stands for no arguments.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        if text.trim().is_empty() {
            return Self::default();
        }
        serde_json::from_str(text).map_or_else(|_| Self::Broken(text.to_owned()), Self::Json)
    }
}

/// Tokens as the corpus counts them: `input` includes what was cached, `output` what was thought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tokens {
    pub input: Option<u64>,
    pub output: Option<u64>,
    pub cached: Option<u64>,
    pub cache_write: Option<u64>,
    pub reasoning: Option<u64>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ErrorDigest {
    pub status: u16,
    pub kind: Option<String>,
    pub code: Option<String>,
    pub message: Option<String>,
    pub param: Option<String>,
}

/// One field that came out otherwise than it should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    pub field: &'static str,
    pub expected: String,
    pub got: String,
}

impl Difference {
    pub fn new(field: &'static str, expected: impl Into<String>, got: impl Into<String>) -> Self {
        Self { field, expected: expected.into(), got: got.into() }
    }
}

impl Digest {
    /// The digest that a recording states of itself.
    #[must_use]
    pub fn expected(expect: &Value, status: u16) -> Self {
        let text = |field: &str| expect[field].as_str().unwrap_or_default().to_owned();
        let count = |field: &str| expect[field].as_u64().unwrap_or_default();
        let calls = expect["tool_calls"].as_array().map(Vec::as_slice).unwrap_or_default();
        Self {
            text: text("text"),
            reasoning: text("reasoning"),
            signatures: count("reasoning_signatures"),
            bound: count("reasoning_signatures"),
            redacted: count("redacted_reasoning"),
            tool_calls: calls.iter().map(ToolCall::expected).collect(),
            finish: expect["finish"].as_str().map(str::to_owned),
            refusal: text("refusal"),
            stop_sequence: expect["stop_sequence"].as_str().map(str::to_owned),
            citations: count("citations"),
            choices: expect["choices"].as_u64().unwrap_or(1),
            logprobs: expect["logprobs"].as_bool().unwrap_or_default(),
            images: count("images"),
            audio: expect["audio"].as_bool().unwrap_or_default(),
            usage: Tokens::expected(&expect["usage"], &expect["usage_raw"]),
            error: ErrorDigest::expected(&expect["error"], status),
        }
    }
}

impl ToolCall {
    fn expected(call: &Value) -> Self {
        let text = |field: &str| call[field].as_str().unwrap_or_default().to_owned();
        let arguments = match &call["arguments"] {
            Value::String(broken) if call["invalid_json"] == Value::Bool(true) => {
                Arguments::Broken(broken.clone())
            }
            json => Arguments::Json(json.clone()),
        };
        Self { id: text("id"), name: text("name"), arguments }
    }
}

impl Tokens {
    /// The figures of the digest, and two that it does not look for where one provider states them.
    fn expected(usage: &Value, raw: &Value) -> Self {
        let beside = raw["tokens"]["image_tokens"].as_u64();
        Self {
            input: usage["input"].as_u64().map(|input| input + beside.unwrap_or(0)),
            output: usage["output"].as_u64(),
            cached: usage["cached"].as_u64(),
            cache_write: usage["cache_write"].as_u64(),
            reasoning: usage["reasoning"].as_u64().or(raw["tokens"]["reasoning_tokens"].as_u64()),
        }
    }
}

impl ErrorDigest {
    fn expected(error: &Value, status: u16) -> Option<Self> {
        error.is_object().then(|| Self {
            status: error["status"].as_u64().and_then(|n| n.try_into().ok()).unwrap_or(status),
            kind: word(&error["type"]),
            code: word(&error["code"]),
            message: word(&error["message"]),
            param: word(&error["param"]),
        })
    }
}

/// A word or number as text; `None` for anything else.
#[must_use]
pub fn word(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The start of a long text, on one line, for a report.
#[must_use]
pub fn shortened(text: &str) -> String {
    const MOST: usize = 160;
    let line = text.replace('\n', "\\n");
    if line.chars().count() <= MOST {
        return line;
    }
    line.chars().take(MOST).chain(['…']).collect()
}
