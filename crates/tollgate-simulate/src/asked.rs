//! What a valid request asks for, in words that no vendor owns. Read by each dialect, answered once.

use serde_json::Value;

/// The facts of a request that decide the answer.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) model: String,
    pub(crate) stream: bool,
    /// The text of the last user turn.
    pub(crate) last_user: String,
    /// Media types of what came with the last user turn.
    pub(crate) media: Vec<String>,
    pub(crate) tools: Vec<Tool>,
    pub(crate) choice: Choice,
    pub(crate) parallel: bool,
    /// Results that end the conversation; empty when something else does.
    pub(crate) results: Vec<ToolResult>,
    pub(crate) output: Output,
    pub(crate) cap: Option<u64>,
    pub(crate) stops: Vec<String>,
    pub(crate) choices: u64,
    pub(crate) thinking: bool,
    /// Everything that is read, cached or not.
    pub(crate) input_tokens: u64,
    /// Where the input could be cached, in order.
    pub(crate) prefixes: Vec<Prefix>,
    /// Stands for the whole request; ids are made from it.
    pub(crate) seed: u64,
}

#[derive(Debug, Clone)]
pub(crate) struct Tool {
    pub(crate) name: String,
    pub(crate) schema: Value,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Choice {
    Auto,
    Never,
    /// One of these names, or any tool when empty.
    Must(Vec<String>),
}

#[derive(Debug, Clone)]
pub(crate) struct ToolResult {
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) failed: bool,
}

#[derive(Debug, Clone)]
pub(crate) enum Output {
    Text,
    Json,
    Schema(Value),
}

/// The input up to some point: its hash, its tokens, and whether the caller marked the point.
#[derive(Debug, Clone)]
pub(crate) struct Prefix {
    pub(crate) hash: u64,
    pub(crate) tokens: u64,
    pub(crate) mark: Option<Mark>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    FiveMinutes,
    OneHour,
}

impl Asked {
    /// Adds a further stretch of input to what may be cached.
    pub(crate) fn push_prefix(&mut self, bytes: &[u8], tokens: u64, mark: Option<Mark>) {
        let (hash, before) = self
            .prefixes
            .last()
            .map_or((crate::ids::hash(self.model.as_bytes()), 0), |p| (p.hash, p.tokens));
        self.prefixes.push(Prefix {
            hash: crate::ids::mix(hash, bytes),
            tokens: before + tokens,
            mark,
        });
    }

    pub(crate) fn new(model: &str, body: &[u8]) -> Self {
        Self {
            model: model.to_owned(),
            stream: false,
            last_user: String::new(),
            media: Vec::new(),
            tools: Vec::new(),
            choice: Choice::Auto,
            parallel: true,
            results: Vec::new(),
            output: Output::Text,
            cap: None,
            stops: Vec::new(),
            choices: 1,
            thinking: false,
            input_tokens: 0,
            prefixes: Vec::new(),
            seed: crate::ids::hash(body),
        }
    }
}
