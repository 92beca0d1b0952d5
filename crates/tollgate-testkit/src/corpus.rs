//! The recordings: one exchange of a client with a provider per file, with a digest of the answer
//! that was computed elsewhere.
//!
//! Deliberately absent: copies. The corpus lies outside the repository, and tests say aloud when
//! it is not there.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::Value;
use tollgate_wire::Operation;

use crate::readers::eventstream;

/// A wire format of the corpus: the shape to which its recordings belong, and what they ask for.
#[derive(Debug)]
pub struct Recorded {
    pub dialect: &'static str,
    pub shape: &'static str,
    pub operation: Operation,
    /// The row that stands for a provider without one of its own.
    pub provider: &'static str,
    /// Where callers call; `{model}` stands for the model, `{verb}` for the recorded path's own.
    /// Empty: as recorded.
    pub line: &'static str,
}

const fn recorded(
    dialect: &'static str,
    shape: &'static str,
    operation: Operation,
    provider: &'static str,
    line: &'static str,
) -> Recorded {
    Recorded { dialect, shape, operation, provider, line }
}

/// The wire formats of the corpus that this gateway speaks, sorted.
pub const RECORDED: &[Recorded] = &[
    recorded(
        "anthropic-count-tokens",
        "anthropic-messages",
        Operation::CountTokens,
        "anthropic",
        "/v1/messages/count_tokens",
    ),
    recorded(
        "anthropic-messages",
        "anthropic-messages",
        Operation::Chat,
        "anthropic",
        "/v1/messages",
    ),
    recorded(
        "bedrock-converse",
        "bedrock-converse",
        Operation::Chat,
        "bedrock",
        "/model/{model}/{verb}",
    ),
    recorded(
        "bedrock-count-tokens",
        "bedrock-converse",
        Operation::CountTokens,
        "bedrock",
        "/model/{model}/count-tokens",
    ),
    // Of the models behind it only Claude's are spoken: see `is_spoken`.
    recorded("bedrock-invoke", "anthropic-messages", Operation::Chat, "bedrock", ""),
    recorded("cohere-embed", "cohere-v2", Operation::Embed, "cohere", "/v2/embed"),
    recorded("cohere-v2", "cohere-v2", Operation::Chat, "cohere", "/v2/chat"),
    recorded(
        "gemini-count-tokens",
        "gemini-generate",
        Operation::CountTokens,
        "gemini",
        "/v1beta/models/{model}:{verb}",
    ),
    recorded(
        "gemini-embed",
        "gemini-generate",
        Operation::Embed,
        "gemini",
        "/v1beta/models/{model}:{verb}",
    ),
    recorded(
        "gemini-generate",
        "gemini-generate",
        Operation::Chat,
        "gemini",
        "/v1beta/models/{model}:{verb}",
    ),
    recorded("ollama-chat", "ollama-chat", Operation::Chat, "ollama", "/api/chat"),
    recorded("ollama-embed", "ollama-chat", Operation::Embed, "ollama", "/api/embed"),
    recorded(
        "openai-chat",
        "openai-chat",
        Operation::Chat,
        "openai-compatible",
        "/v1/chat/completions",
    ),
    recorded(
        "openai-completions",
        "openai-completions",
        Operation::Chat,
        "openai-compatible",
        "/v1/completions",
    ),
    recorded(
        "openai-embeddings",
        "openai-chat",
        Operation::Embed,
        "openai-compatible",
        "/v1/embeddings",
    ),
    recorded("openai-responses", "openai-responses", Operation::Chat, "openai", "/v1/responses"),
    recorded("vertex-anthropic", "anthropic-messages", Operation::Chat, "vertex", ""),
];

impl Recorded {
    #[must_use]
    pub fn of(dialect: &str) -> Option<&'static Self> {
        RECORDED.iter().find(|recorded| recorded.dialect == dialect)
    }
}

/// Recordings that bear the name of a dialect and are none of it: a report of usage, a host's own
/// prompts by name, a host's own frames.
const MISNAMED: &[&str] = &[
    "openai-openai-completions-1dd123ac2ea5",
    "portkey-openai-completions-0502200c5423",
    "writer-openai-completions-4db5725813c9",
];

/// Recordings that are no evidence of the wire: edited by hand, or framed anew.
const LEFT_OUT: &[&str] = &["edited-possible", "reframed"];

#[derive(Debug)]
pub struct Corpus {
    pub exchanges: Vec<Exchange>,
    /// Recordings of models behind `bedrock-invoke` whose own wire formats nobody speaks here, and
    /// what bears a wrong name.
    pub left_out: usize,
    /// Every provider that was recorded, whatever it was asked.
    pub providers: BTreeSet<String>,
}

#[derive(Debug, Deserialize)]
pub struct Exchange {
    pub id: String,
    pub provider: String,
    pub dialect: String,
    #[serde(default)]
    pub model: Option<String>,
    #[serde(default)]
    pub features: Vec<String>,
    #[serde(default)]
    pub notes: Vec<String>,
    pub request: Option<Request>,
    pub response: Response,
    /// Digest of the answer, as the corpus states it.
    pub expect: Value,
}

#[derive(Debug, Deserialize)]
pub struct Request {
    pub method: String,
    #[serde(default)]
    pub path: String,
    #[serde(default)]
    pub query: Option<Value>,
    #[serde(default)]
    pub headers: HashMap<String, Value>,
    pub body: Body,
}

#[derive(Debug, Deserialize)]
pub struct Response {
    pub status: u16,
    #[serde(default)]
    pub headers: HashMap<String, Value>,
    pub body: Body,
}

#[derive(Debug, Deserialize)]
pub struct Body {
    pub kind: String,
    #[serde(default)]
    pub json: Value,
    #[serde(default)]
    text: String,
    #[serde(default)]
    base64: String,
}

/// Where the corpus lies: below `TOLLGATE_SHARED`, else in the directory `shared` beside the
/// repository.
#[must_use]
pub fn place() -> PathBuf {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    std::env::var_os("TOLLGATE_SHARED").map_or(beside, PathBuf::from).join("corpus")
}

impl Corpus {
    /// Reads every recording of [`RECORDED`] that is evidence of the wire, sorted by id. `None`
    /// when the corpus is not there.
    ///
    /// # Errors
    /// A recording that cannot be read, or a missing corpus when `STRICT=1` demands it.
    pub fn load() -> Result<Option<Self>, String> {
        let place = place();
        let index = place.join("index.jsonl");
        if !index.is_file() {
            if std::env::var("STRICT").is_ok_and(|strict| strict == "1") {
                return Err(format!("no corpus at {} (STRICT=1 demands it)", place.display()));
            }
            return Ok(None);
        }
        let index = fs::read_to_string(&index).map_err(|e| format!("index of the corpus: {e}"))?;
        let (mut files, mut providers) = (Vec::new(), BTreeSet::new());
        for line in index.lines() {
            let row: Row = serde_json::from_str(line).map_err(|e| format!("{line}: {e}"))?;
            if row.is_evidence() {
                files.push(place.join(&row.file));
            }
            providers.insert(row.provider);
        }
        let mut exchanges = read_all(&files)?;
        let all = exchanges.len();
        exchanges.retain(Exchange::is_spoken);
        exchanges.sort_by(|a, b| a.id.cmp(&b.id));
        let left_out = all - exchanges.len();
        Ok(Some(Self { exchanges, left_out, providers }))
    }

    /// Recordings of one dialect.
    pub fn of<'a>(&'a self, dialect: &'a str) -> impl Iterator<Item = &'a Exchange> {
        self.exchanges.iter().filter(move |exchange| exchange.dialect == dialect)
    }
}

#[derive(Deserialize)]
struct Row {
    file: String,
    provider: String,
    dialect: String,
    #[serde(default)]
    notes: Vec<String>,
}

impl Row {
    fn is_evidence(&self) -> bool {
        Recorded::of(&self.dialect).is_some()
            && !self.notes.iter().any(|note| LEFT_OUT.contains(&note.as_str()))
    }
}

fn read_all(files: &[PathBuf]) -> Result<Vec<Exchange>, String> {
    let read = |file: &PathBuf| -> Result<Exchange, String> {
        let bytes = fs::read(file).map_err(|e| format!("{}: {e}", file.display()))?;
        serde_json::from_slice(&bytes).map_err(|e| format!("{}: {e}", file.display()))
    };
    crate::judge::in_parallel(files, read).into_iter().collect()
}

impl Exchange {
    #[must_use]
    pub fn has_note(&self, note: &str) -> bool {
        self.notes.iter().any(|have| have == note)
    }

    #[must_use]
    pub fn expected_kind(&self) -> &str {
        self.expect["kind"].as_str().unwrap_or_default()
    }

    /// Behind `bedrock-invoke` each family of models has a wire format of its own.
    fn is_spoken(&self) -> bool {
        if self.dialect != "bedrock-invoke" {
            return !MISNAMED.contains(&self.id.as_str());
        }
        let asked = self.request.as_ref().map(|request| &request.body.json);
        let version = |body: &Value| body["anthropic_version"].is_string();
        asked.map_or_else(
            || self.model.as_deref().is_some_and(|model| model.contains("anthropic.claude-")),
            version,
        )
    }

    /// The answer as the shape's own framing has it: events out of the frames that wrap them.
    ///
    /// # Errors
    /// Where the frames are broken.
    pub fn answer(&self) -> Result<Vec<u8>, String> {
        let bytes = self.response.body.bytes();
        if self.dialect == "bedrock-invoke" && self.response.body.kind == "eventstream" {
            return eventstream::unwrapped(&bytes);
        }
        Ok(bytes)
    }

    /// The request as a whole JSON document, where it was recorded whole.
    #[must_use]
    pub fn whole_request(&self) -> Option<&Request> {
        let elided = self.has_note("request-elided") || self.has_note("request-body-missing");
        self.request.as_ref().filter(|request| !elided && request.body.kind == "json")
    }
}

impl Body {
    #[must_use]
    pub fn is_stream(&self) -> bool {
        matches!(self.kind.as_str(), "eventstream" | "ndjson" | "sse")
    }

    /// The body as it was on the wire (JSON up to its spelling).
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        match self.kind.as_str() {
            "json" => self.json.to_string().into_bytes(),
            "sse" | "text" | "ndjson" => self.text.clone().into_bytes(),
            _ => STANDARD.decode(&self.base64).unwrap_or_default(),
        }
    }
}
