//! Requests that are not about a model's answer: files, batches, and whatever else a provider offers
//! under `/providers/NAME/`. Where they go, and whose objects they touch, as their path says it.

use std::borrow::Cow;
use std::sync::LazyLock;

use http::Method;
use memchr::memmem::Finder;
use tollgate_model::{Fault, FaultKind, Source};
use tollgate_store::ObjectKind;

/// Before the provider's name in a path.
pub const PREFIX: &str = "/providers/";

/// Collections in which callers' objects rest at a provider, by the word that stands in a path.
/// Whoever asks for one of their entries must own it.
const COLLECTIONS: &[(&str, ObjectKind)] = &[
    ("assistants", ObjectKind::Other),
    ("batchPredictionJobs", ObjectKind::Other),
    ("batches", ObjectKind::Batch),
    ("cachedContents", ObjectKind::Other),
    ("chatkit", ObjectKind::Other),
    ("containers", ObjectKind::Other),
    ("conversations", ObjectKind::Conversation),
    ("corpora", ObjectKind::Other),
    ("evals", ObjectKind::Other),
    ("fileSearchStores", ObjectKind::Other),
    ("files", ObjectKind::File),
    ("fine_tuning", ObjectKind::Other),
    ("interactions", ObjectKind::Other),
    ("jobs", ObjectKind::Other),
    ("responses", ObjectKind::Response),
    ("skills", ObjectKind::Other),
    ("threads", ObjectKind::Other),
    ("tunedModels", ObjectKind::Other),
    ("uploads", ObjectKind::Other),
    ("vector_stores", ObjectKind::Other),
    ("videos", ObjectKind::Other),
];

/// Words that stand where an id would, and are none.
const NO_IDS: &[&str] = &["compact", "count_tokens", "input_tokens"];

/// How ids of objects begin, where a body names them.
const IDS: &[(&str, ObjectKind)] = &[
    ("batch_", ObjectKind::Batch),
    ("conv_", ObjectKind::Conversation),
    ("file-", ObjectKind::File),
    ("file_", ObjectKind::File),
    ("msgbatch_", ObjectKind::Batch),
    ("resp_", ObjectKind::Response),
];

const LONGEST_ID: usize = 256;

/// A request that goes where its path says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Errand {
    /// Named in the path.
    pub provider: Option<String>,
    /// Below the root of the provider's host, as written.
    pub path: String,
    pub touches: Option<Touches>,
}

/// The object, or the collection of them, that a path names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Touches {
    pub kind: ObjectKind,
    /// As it is kept; `None`: the collection.
    pub id: Option<String>,
    /// What stands behind the id.
    pub rest: String,
    collection: &'static str,
}

impl Errand {
    /// Under `/providers/`. `None`: the path is another.
    ///
    /// # Errors
    /// When the path could be understood as another than it looks.
    pub fn under_providers(path: &str) -> Result<Option<Self>, Fault> {
        let Some(rest) = path.strip_prefix(PREFIX) else { return Ok(None) };
        let Some((provider, _)) = rest.split_once('/') else { return Ok(None) };
        let below = rest.get(provider.len()..).unwrap_or_default();
        if !is_plain(below) {
            let message = "The path cannot be passed on: it holds an empty or dotted part.";
            return Err(Fault::invalid(message).with_code("invalid_path"));
        }
        let touches = Touches::find(below);
        Ok(Some(Self { provider: Some(provider.to_owned()), path: below.to_owned(), touches }))
    }

    /// On a path of the dialect's own.
    ///
    /// # Errors
    /// As [`under_providers`](Self::under_providers).
    pub fn own(path: &str) -> Result<Self, Fault> {
        if !is_plain(path) {
            return Err(Fault::invalid("The path names no object.").with_code("invalid_path"));
        }
        Ok(Self { provider: None, path: path.to_owned(), touches: Touches::find(path) })
    }

    /// Its answer is taken whole, since what it says of objects has to be known first.
    #[must_use]
    pub fn is_about_objects(&self) -> bool {
        self.touches.as_ref().is_some_and(|touches| matches!(touches.rest.as_str(), "" | "cancel"))
    }
}

impl Touches {
    fn find(path: &str) -> Option<Self> {
        let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
        let (at, collection, kind) = segments.iter().enumerate().find_map(|(at, segment)| {
            let word = decoded(segment)?;
            // Google puts a verb behind a colon.
            let word = word.split(':').next().unwrap_or_default();
            let known = COLLECTIONS.iter().find(|(name, _)| *name == word)?;
            Some((at, known.0, known.1))
        })?;
        let id = segments.get(at + 1).and_then(|id| decoded(id)).map(Cow::into_owned);
        if id.as_deref().is_some_and(|id| NO_IDS.contains(&id)) {
            return None;
        }
        let rest = segments.get(at + 2..).unwrap_or_default().join("/");
        Some(Self { kind, id: id.map(|id| kept_id(kind, collection, &id)), rest, collection })
    }

    /// As the table keeps an id of this collection.
    #[must_use]
    pub fn kept(&self, id: &str) -> String {
        kept_id(self.kind, self.collection, id)
    }

    /// Whether such a call makes an object.
    #[must_use]
    pub fn is_made(&self, method: &Method) -> bool {
        self.id.is_none() && *method == Method::POST
    }

    /// Whether such a call lists the collection.
    #[must_use]
    pub fn is_listed(&self, method: &Method) -> bool {
        self.id.is_none() && *method == Method::GET
    }

    /// Whether such a call ends the object.
    #[must_use]
    pub fn is_deleted(&self, method: &Method) -> bool {
        self.id.is_some() && self.rest.is_empty() && *method == Method::DELETE
    }

    /// The refusal of an object that is not this caller's, or never was.
    #[must_use]
    pub fn missing(&self) -> Fault {
        let id = self.id.as_deref().unwrap_or_default();
        not_there(id)
    }
}

/// The refusal of an id, whoever else may have it.
#[must_use]
pub fn not_there(id: &str) -> Fault {
    let id: String = id.chars().filter(|c| !c.is_control()).take(80).collect();
    let message = format!("There is no object `{id}` here.");
    Fault::new(FaultKind::NotFound, Source::Downstream, message).with_code("object_not_found")
}

/// Whether a body may name a file that rests at a provider.
#[must_use]
pub fn names_a_file(body: &[u8]) -> bool {
    static NAME: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"file_id\""));
    NAME.find(body).is_some()
}

/// Ids of objects that a body names, wherever in it they stand.
#[must_use]
pub fn named_in(body: &serde_json::Value) -> Vec<(ObjectKind, &str)> {
    let mut found = Vec::new();
    let mut left = vec![body];
    while let Some(value) = left.pop() {
        match value {
            serde_json::Value::Array(list) => left.extend(list),
            serde_json::Value::Object(members) => left.extend(members.values()),
            serde_json::Value::String(text) if text.len() <= LONGEST_ID => {
                let known =
                    IDS.iter().find(|(begin, _)| text.strip_prefix(begin).is_some_and(is_made_up));
                found.extend(known.map(|(_, kind)| (*kind, text.as_str())));
            }
            _ => {}
        }
    }
    found
}

/// What follows is no word: tools have parameters like `file_path`.
fn is_made_up(rest: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    let long = rest.len() >= 16 && !rest.contains('-');
    rest.bytes().all(plain) && (long || rest.bytes().any(|b| b.is_ascii_digit()))
}

/// Ids of kinds without a name of their own carry their collection.
fn kept_id(kind: ObjectKind, collection: &str, id: &str) -> String {
    // Google's own form of an id is `files/abc`.
    let id = id.rsplit('/').next().unwrap_or(id);
    match kind {
        ObjectKind::Other => format!("{collection}/{id}"),
        _ => id.to_owned(),
    }
}

/// Nothing in it changes its meaning on the way: no empty part, no dots, however they are written.
fn is_plain(path: &str) -> bool {
    let Some(inner) = path.strip_prefix('/') else { return false };
    if inner.is_empty() || !inner.bytes().all(|byte| byte.is_ascii_graphic()) {
        return false;
    }
    let inner = inner.strip_suffix('/').unwrap_or(inner);
    let mut text = Cow::Borrowed(inner);
    // Some hosts undo escapes twice.
    for _ in 0..3 {
        let sound = text.split('/').all(|part| {
            let name = part.split(';').next().unwrap_or_default();
            !name.is_empty() && name != "." && name != ".."
        });
        if !sound || text.contains(['\\', '#', '?', '\0']) {
            return false;
        }
        text = match decoded(&text) {
            Some(once) => Cow::Owned(once.into_owned()),
            None => return false,
        };
    }
    true
}

/// Escapes undone once; `None` for broken ones and what is no text.
fn decoded(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('%') {
        return Some(Cow::Borrowed(text));
    }
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let high = char::from(bytes.next()?).to_digit(16)?;
            let low = char::from(bytes.next()?).to_digit(16)?;
            out.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            out.push(byte);
        }
    }
    String::from_utf8(out).ok().filter(|text| !text.chars().any(char::is_control)).map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn under(path: &str) -> Result<Option<Errand>, Fault> {
        Errand::under_providers(path)
    }

    #[test]
    fn a_path_names_its_provider_and_its_object() {
        let errand = under("/providers/openai/v1/files/file-1/content").unwrap().unwrap();
        assert_eq!(errand.provider.as_deref(), Some("openai"));
        assert_eq!(errand.path, "/v1/files/file-1/content");
        let touches = errand.touches.unwrap();
        assert_eq!((touches.kind, touches.id.as_deref()), (ObjectKind::File, Some("file-1")));
        assert_eq!(touches.rest, "content");
        let escaped = under("/providers/openai/v1/%66iles/file%2D1").unwrap().unwrap();
        assert_eq!(escaped.touches.unwrap().id.as_deref(), Some("file-1"));
        let other = under("/providers/openai/v1/vector_stores/vs_1/files").unwrap().unwrap();
        assert_eq!(other.touches.unwrap().id.as_deref(), Some("vector_stores/vs_1"));
        let batches = under("/providers/claude/v1/messages/batches").unwrap().unwrap();
        assert!(batches.touches.unwrap().is_made(&Method::POST));
        assert_eq!(under("/providers/openai/v1/chat/completions").unwrap().unwrap().touches, None);
        assert_eq!(
            under("/providers/openai/v1/responses/input_tokens").unwrap().unwrap().touches,
            None
        );
        assert_eq!(under("/v1/files").unwrap(), None);
    }

    #[test]
    fn a_path_that_is_not_what_it_looks_like_is_refused() {
        for path in [
            "/providers/openai/../x",
            "/providers/openai/v1/%2e%2e/x",
            "/providers/openai/v1/%252e%252e/x",
            "/providers/openai/v1/..%2fx",
            "/providers/openai/v1/..;a=b/x",
            "/providers/openai//evil.test/x",
            "/providers/openai/v1//x",
            "/providers/openai/v1/a\\b",
            "/providers/openai/v1/a%5cb",
            "/providers/openai/v1/a%00b",
            "/providers/openai/v1/a%3fb",
            "/providers/openai/",
        ] {
            assert!(under(path).is_err(), "{path}");
        }
        assert!(
            under("/providers/bedrock/model/arn%3Aaws%3Abedrock%2Fx/invoke").unwrap().is_some()
        );
    }

    #[test]
    fn ids_in_a_body_are_found_wherever_they_stand() {
        let body = serde_json::json!({
            "input_file_id": "file-1", "a": [{"b": "resp_2"}, "file-x y"], "text": "a file-3 here",
            "required": ["file_path", "file_id", "batch_size", "file_2_path"],
            "long": "file_abcdefghijklmnopqrst",
        });
        let mut found = named_in(&body);
        found.sort();
        let files = ["file-1", "file_abcdefghijklmnopqrst"].map(|id| (ObjectKind::File, id));
        assert_eq!(found, [(ObjectKind::Response, "resp_2"), files[0], files[1]]);
    }
}
