//! Judges the judge: every recorded request of real providers is sent to the simulated one.
//! What they answered must be accepted, what they refused must be refused with the same status and
//! error type wherever the request alone decides it. Exceptions stand in `strictness/exceptions.tsv`,
//! each with its reason. The recordings are read, never copied.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that breaks should say so at once"
)]

use bytes::Bytes;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use tollgate_simulate::{Request, Simulator};

const DIALECTS: &[&str] = &[
    "openai-chat",
    "openai-embeddings",
    "openai-responses",
    "anthropic-messages",
    "anthropic-count-tokens",
    "bedrock-converse",
    "gemini-generate",
    "gemini-count-tokens",
    "gemini-embed",
    "cohere-v2",
    "cohere-rerank",
    "ollama-chat",
    "ollama-embed",
    "openai-completions",
];
/// Whose verdicts bind. Other hosts of the same dialect forgive or demand other things.
const STRICT: &[&str] = &["openai", "anthropic", "bedrock", "gemini", "vertex", "cohere", "ollama"];
/// What is known to be incomplete or changed is no witness.
const NO_WITNESS: &[&str] =
    &["edited-possible", "reframed", "request-elided", "request-body-missing", "response-only"];

#[derive(Default)]
struct Row {
    answered: usize,
    accepted: usize,
    refused: usize,
    decided: usize,
    same_type: usize,
    same_message: usize,
    excepted: usize,
}

#[test]
fn recorded_requests_get_the_verdict_they_got() {
    let Some(corpus) = corpus() else { return };
    let exceptions = exceptions();
    let mut unused: BTreeSet<&str> = exceptions.keys().map(String::as_str).collect();
    let mut strict: BTreeMap<&str, Row> = BTreeMap::new();
    let mut lenient: BTreeMap<(&str, String), (usize, usize)> = BTreeMap::new();
    let mut wrong = Vec::new();
    for entry in index(&corpus) {
        let dialect = entry["dialect"].as_str().unwrap();
        let Some(dialect) = DIALECTS.iter().find(|d| **d == dialect) else { continue };
        let notes = entry["notes"].as_array().into_iter().flatten();
        if notes.filter_map(Value::as_str).any(|n| NO_WITNESS.contains(&n)) {
            continue;
        }
        let recorded = json_file(&corpus.join(entry["file"].as_str().unwrap()));
        // What is only fetched asks for no judgement.
        if recorded["request"].is_null() || recorded["request"]["method"] == "GET" {
            continue;
        }
        let provider = entry["provider"].as_str().unwrap();
        let verdict = verdict(&recorded, provider);
        if !STRICT.contains(&provider) || (dialect.starts_with("openai") && provider != "openai") {
            if verdict.expected.is_none() {
                let counts = lenient.entry((dialect, provider.to_owned())).or_default();
                counts.0 += 1;
                counts.1 += usize::from(verdict.status < 400);
            }
            continue;
        }
        let id = recorded["id"].as_str().unwrap();
        let row = strict.entry(dialect).or_default();
        let excepted = exceptions.contains_key(id);
        unused.remove(id);
        if let Some(complaint) = row.count(&verdict, excepted) {
            wrong.push(format!("{id}: {complaint}"));
        }
    }
    tell(&strict, &lenient, &exceptions);
    assert!(wrong.is_empty(), "{} wrong verdicts:\n{}", wrong.len(), wrong.join("\n"));
    assert!(unused.is_empty(), "exceptions that except nothing: {unused:?}");
    assert_eq!(strict.len(), DIALECTS.len(), "a dialect has no witness");
    for (dialect, row) in &strict {
        assert!(row.accepted * 100 >= row.answered * 99, "{dialect}: accepts too little");
        assert_eq!(row.same_type, row.decided, "{dialect}: refuses with another type");
    }
}

impl Row {
    /// Counts the verdict; says what is wrong with it, unless it is excepted.
    fn count(&mut self, verdict: &Verdict, excepted: bool) -> Option<String> {
        let got = &verdict.told["error"];
        let got = if got.is_null() { &verdict.told } else { got };
        let kind = word(got, &["status", "type"]);
        let message = got["message"].as_str().unwrap_or_default();
        match &verdict.expected {
            None => {
                self.answered += 1;
                self.accepted += usize::from(verdict.status < 400);
                self.excepted += usize::from(excepted);
                let wrong = (verdict.status >= 400) != excepted;
                wrong.then(|| format!("was answered, now {} {message}", verdict.status))
            }
            Some(_) if excepted => {
                self.refused += 1;
                self.excepted += 1;
                None
            }
            Some((status, error)) => {
                self.refused += 1;
                self.decided += 1;
                let same_status = *status == u64::from(verdict.status);
                // One vendor says the type in a header, which some recordings lost.
                let same = same_status && error["type"].as_str().unwrap_or_default() == kind;
                let recorded = error["message"].as_str().map(str::trim);
                self.same_type += usize::from(same);
                self.same_message += usize::from(recorded == Some(message.trim()));
                (!same).then(|| {
                    format!("was {status} {error}, now {} {kind} {message}", verdict.status)
                })
            }
        }
    }
}

struct Verdict {
    status: u16,
    told: Value,
    /// The recorded refusal.
    expected: Option<(u64, Value)>,
}

fn verdict(recorded: &Value, provider: &str) -> Verdict {
    let simulator = Simulator::new();
    let asked = request(recorded, provider);
    lay_ready(&simulator, &recorded["request"]["body"]["json"]);
    let script = simulator.answer(&asked);
    let told = match script.status {
        ..400 => Value::Null,
        // Google answers an unknown path with a page.
        _ => serde_json::from_slice(&script.sent()).unwrap_or_default(),
    };
    let status = recorded["response"]["status"].as_u64().unwrap();
    let refused = recorded["expect"]["kind"] == "error" || status >= 400;
    let expected = refused.then(|| (status, recorded["expect"]["error"].clone()));
    Verdict { status: script.status, told, expected }
}

/// What the provider had stored when it was asked: which ids exist is no matter of the request.
fn lay_ready(simulator: &Simulator, body: &Value) {
    let items = body["input"].as_array().into_iter().flatten();
    let references = items.filter(|i| i["type"] == "item_reference").map(|i| &i["id"]);
    let ids = references.chain([&body["previous_response_id"], &body["conversation"]]);
    for id in ids.filter(|id| id.is_string()) {
        let request = Request {
            method: "POST".to_owned(),
            path: "/_simulate/stored".to_owned(),
            query: String::new(),
            headers: Vec::new(),
            body: serde_json::json!({"id": id}).to_string().into(),
        };
        assert_eq!(simulator.answer(&request).status, 204);
    }
}

/// The call as it was sent. Credentials and versions, which the recordings had removed, are put back.
fn request(recorded: &Value, provider: &str) -> Request {
    let sent = &recorded["request"];
    let text = |name: &str| sent[name].as_str().unwrap_or_default().to_owned();
    let mut headers: Vec<(String, String)> = Vec::new();
    for (name, value) in sent["headers"].as_object().into_iter().flatten() {
        if !matches!(name.as_str(), "authorization" | "x-api-key" | "x-goog-api-key" | "api-key") {
            headers.push((name.clone(), value.as_str().unwrap_or_default().to_owned()));
        }
    }
    let (key, value) = match provider {
        "anthropic" => ("x-api-key", "key"),
        "gemini" => ("x-goog-api-key", "key"),
        _ => ("authorization", "Bearer key"),
    };
    headers.push((key.to_owned(), value.to_owned()));
    if provider == "anthropic" && !headers.iter().any(|(n, _)| n == "anthropic-version") {
        headers.push(("anthropic-version".to_owned(), "2023-06-01".to_owned()));
    }
    let path =
        if STRICT.contains(&provider) { text("path") } else { vendor_path(&recorded["dialect"]) };
    let body = match sent["body"]["text"].as_str() {
        Some(text) => text.to_owned().into(),
        None => body(&sent["body"]["json"]),
    };
    Request { method: text("method"), path, query: text("query"), headers, body }
}

/// The other hosts have paths of their own.
fn vendor_path(dialect: &Value) -> String {
    match dialect.as_str() {
        Some("openai-embeddings") => "/v1/embeddings".to_owned(),
        Some("openai-responses") => "/v1/responses".to_owned(),
        _ => "/v1/chat/completions".to_owned(),
    }
}

/// Some sources replaced signatures and the names of documents by placeholders; what a vendor would
/// take stands in for them.
fn body(json: &Value) -> Bytes {
    fn mend(value: &mut Value) {
        match value {
            Value::String(s)
                if s.starts_with("signature_REDACTED") || s.starts_with("redacted_thinking_") =>
            {
                *s = "EgRtYWRl".to_owned();
            }
            Value::String(s) if s.starts_with("encrypted_content_REDACTED") => {
                *s = "gAAAAABmade_by_the_vendor".to_owned();
            }
            // No name of a document may hold such a line.
            Value::String(s) if s.starts_with("document-REDACTED_") => *s = s.replace('_', "-"),
            Value::Array(items) => items.iter_mut().for_each(mend),
            Value::Object(map) => map.values_mut().for_each(mend),
            _ => {}
        }
    }
    let mut json = json.clone();
    mend(&mut json);
    json.to_string().into()
}

fn word<'a>(error: &'a Value, names: &[&str]) -> &'a str {
    names.iter().find_map(|n| error[*n].as_str()).unwrap_or_default()
}

fn tell(
    strict: &BTreeMap<&str, Row>,
    lenient: &BTreeMap<(&str, String), (usize, usize)>,
    exceptions: &BTreeMap<String, String>,
) {
    println!(
        "{:24} {:>8} {:>8} {:>7} {:>8} {:>8} {:>9} {:>8} {:>8}",
        "dialect",
        "answered",
        "accepted",
        "%",
        "refused",
        "decided",
        "same type",
        "message",
        "excepted"
    );
    for (dialect, row) in strict {
        let rate = row.accepted as f64 * 100.0 / row.answered.max(1) as f64;
        println!(
            "{dialect:24} {:>8} {:>8} {rate:>6.2}% {:>8} {:>8} {:>9} {:>8} {:>8}",
            row.answered,
            row.accepted,
            row.refused,
            row.decided,
            row.same_type,
            row.same_message,
            row.excepted
        );
    }
    println!("\nother hosts, whose additions are not the vendor's own (accepted of answered):");
    for ((dialect, provider), (answered, accepted)) in lenient {
        println!("  {dialect:18} {provider:18} {accepted:>4} of {answered:>4}");
    }
    println!("\n{} exceptions:", exceptions.len());
    for (id, reason) in exceptions {
        println!("  {id}: {reason}");
    }
}

fn exceptions() -> BTreeMap<String, String> {
    let text = include_str!("strictness/exceptions.tsv");
    let lines = text.lines().filter(|l| !l.is_empty() && !l.starts_with('#'));
    lines
        .map(|l| l.split_once('\t').unwrap())
        .map(|(id, why)| (id.to_owned(), why.to_owned()))
        .collect()
}

fn corpus() -> Option<PathBuf> {
    let near = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let corpus =
        std::env::var_os("TOLLGATE_SHARED").map_or_else(near, PathBuf::from).join("corpus");
    if corpus.join("index.jsonl").is_file() {
        return Some(corpus);
    }
    let strict = std::env::var("STRICT").as_deref() == Ok("1");
    assert!(!strict, "no corpus at {}", corpus.display());
    println!("SKIPPED: no corpus at {}", corpus.display());
    None
}

fn index(corpus: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(corpus.join("index.jsonl")).unwrap();
    text.lines().map(|l| serde_json::from_str(l).unwrap()).collect()
}

fn json_file(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}
