//! The recordings: one exchange of a client with a provider per file, with a digest of the answer
//! that was computed elsewhere.
//!
//! Deliberately absent: copies. The corpus lies outside the repository, and tests say aloud when
//! it is not there.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::Value;

/// The wire formats of this gateway that the corpus has recordings of.
pub const DIALECTS: &[&str] = &[
    "anthropic-count-tokens",
    "anthropic-messages",
    "gemini-count-tokens",
    "gemini-embed",
    "gemini-generate",
    "openai-chat",
    "openai-embeddings",
];

/// Recordings that are no evidence of the wire: edited by hand, or framed anew.
const LEFT_OUT: &[&str] = &["edited-possible", "reframed"];

#[derive(Debug)]
pub struct Corpus {
    pub exchanges: Vec<Exchange>,
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
    /// Reads every recording of [`DIALECTS`] that is evidence of the wire, sorted by id. `None`
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
        let mut files = Vec::new();
        for line in index.lines() {
            let row: Row = serde_json::from_str(line).map_err(|e| format!("{line}: {e}"))?;
            if row.is_evidence() {
                files.push(place.join(row.file));
            }
        }
        let mut exchanges = read_all(&files)?;
        exchanges.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(Some(Self { exchanges }))
    }

    /// Recordings of one dialect.
    pub fn of<'a>(&'a self, dialect: &'a str) -> impl Iterator<Item = &'a Exchange> {
        self.exchanges.iter().filter(move |exchange| exchange.dialect == dialect)
    }
}

#[derive(Deserialize)]
struct Row {
    file: String,
    dialect: String,
    #[serde(default)]
    notes: Vec<String>,
}

impl Row {
    fn is_evidence(&self) -> bool {
        DIALECTS.contains(&self.dialect.as_str())
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
        self.kind == "sse"
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
