//! The OpenAI Chat dialect against recorded traffic of its hosts: every request comes back as it
//! was, every answer reads as an independent implementation read it, streamed or not, cut
//! anywhere, written again and resumed.
//!
//! The recordings are not part of the repository; `TOLLGATE_SHARED` says where they are.

use std::{collections::BTreeMap, fs, path::PathBuf};

use bytes::Bytes;
use http::HeaderMap;
use serde_json::{Map, Value, json};
use tollgate_model::{DialectId, Event, Fault, FaultKind, FinishReason, PartKind, Reply, Usage};
use tollgate_wire::{
    Dialect, Frame, Framer, Framing, Incoming, Quirks, Recipient, ReplyContext, StreamDecoder,
    dialect, provider,
};

const ID: DialectId = DialectId("openai-chat");
/// Requests that were not recorded as they were sent.
const UNFAITHFUL: [&str; 4] =
    ["edited-possible", "reframed", "request-elided", "request-body-missing"];
/// What a digest says otherwise, by file and field, and why the dialect is right.
const EXCEPTIONS: [(&str, &str); 8] = [
    // The digest took the status for the type, which is null.
    ("azure/azure-openai-chat-1ef04fe8e300", "error.type"),
    // The digest counts only the log-probabilities of visible text; these are of the thinking.
    ("deepseek/deepseek-openai-chat-00e0fcdb98c2", "logprobs"),
    ("deepseek/deepseek-openai-chat-08b810a0f2f9", "logprobs"),
    ("deepseek/deepseek-openai-chat-e5e020ef84b0", "logprobs"),
    // An early vision model: `finish_details` instead of `finish_reason`.
    ("openai/openai-openai-chat-2f9aee8547b0", "stop"),
    // An empty name is no name.
    ("snowflake/snowflake-openai-chat-76fe1bced06e", "model"),
    // The digest does not read the text of `reasoning_details`.
    ("snowflake/snowflake-openai-chat-c93faa3e6ce9", "reasoning"),
    // `logprobs` is an object that holds only nulls.
    ("snowflake/snowflake-openai-chat-d89585fedafa", "logprobs"),
];

/// Figures that cannot all be true as a digest has them: a part larger than its whole, or audio
/// beside the input that the total counts. The dialect's sums differ from the digest's there.
fn contradicts_itself(expect: &Value) -> bool {
    let usage = &expect["usage"];
    let figure = |name: &str| usage[name].as_u64().unwrap_or_default();
    let audio = expect["usage_raw"]["prompt_tokens_details"]["audio_tokens"].as_u64();
    figure("cached") + figure("cache_write") > figure("input")
        || figure("reasoning") > figure("output")
        || audio.unwrap_or_default() > figure("input")
}

fn shared() -> Option<PathBuf> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared");
    let root = PathBuf::from(std::env::var("TOLLGATE_SHARED").unwrap_or(default.to_owned()));
    let corpus = root.join("corpus");
    if corpus.join("index.jsonl").exists() {
        return Some(corpus);
    }
    assert!(std::env::var("STRICT").is_err(), "no recordings at {}", corpus.display());
    println!("skipped: no recordings at {}", corpus.display());
    None
}

struct Recording {
    file: String,
    provider: String,
    notes: Vec<String>,
    exchange: Value,
}

fn recordings() -> Vec<Recording> {
    let Some(corpus) = shared() else { return Vec::new() };
    let index = fs::read_to_string(corpus.join("index.jsonl")).unwrap();
    let lines = index.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines
        .filter(|line| line["dialect"] == "openai-chat")
        .map(|line| {
            let file = line["file"].as_str().unwrap().to_owned();
            let exchange = fs::read(corpus.join(&file)).unwrap();
            let notes = line["notes"].as_array().cloned().unwrap_or_default();
            Recording {
                provider: line["provider"].as_str().unwrap().to_owned(),
                notes: notes.iter().filter_map(|n| n.as_str().map(str::to_owned)).collect(),
                exchange: serde_json::from_slice(&exchange).unwrap(),
                file,
            }
        })
        .collect()
}

fn chat() -> &'static dyn Dialect {
    dialect(ID).unwrap()
}

fn quirks(host: &str) -> &'static Quirks {
    let row = provider::find(host).or_else(|| provider::find("openai-compatible"));
    &row.unwrap().quirks
}

/// All that went wrong, in one message.
fn report(what: &str, seen: usize, wrong: &[String]) {
    println!("{what}: {} of {seen}", seen - wrong.len());
    assert!(wrong.is_empty(), "{what}: {} of {seen} wrong\n{}", wrong.len(), wrong.join("\n"));
}

/// The same values: numbers by value, so that a `1.0` and a `1` of different writers agree.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(k, a)| b.get(k).is_some_and(|b| same(a, b)))
        }
        (a, b) => a == b,
    }
}

fn first_difference(path: &str, a: &Value, b: &Value) -> String {
    match (a, b) {
        (Value::Object(x), Value::Object(y)) => {
            for (key, value) in x {
                match y.get(key) {
                    None => return format!("{path}.{key} is missing"),
                    Some(other) if value != other => {
                        return first_difference(&format!("{path}.{key}"), value, other);
                    }
                    Some(_) => {}
                }
            }
            let extra: Vec<_> = y.keys().filter(|key| !x.contains_key(*key)).collect();
            format!("{path}: additional {extra:?}")
        }
        (Value::Array(x), Value::Array(y)) if x.len() == y.len() => {
            let at = x.iter().zip(y).position(|(x, y)| x != y).unwrap_or_default();
            first_difference(&format!("{path}[{at}]"), &x[at], &y[at])
        }
        _ => {
            let cut = |v: &Value| v.to_string().chars().take(120).collect::<String>();
            format!("{path}: {} became {}", cut(a), cut(b))
        }
    }
}

#[test]
fn every_recorded_request_comes_back_as_it_was() {
    let (mut seen, mut wrong) = (0, Vec::new());
    for recording in recordings() {
        let request = &recording.exchange["request"];
        if recording.notes.iter().any(|note| UNFAITHFUL.contains(&note.as_str()))
            || request["body"]["kind"] != "json"
        {
            continue;
        }
        seen += 1;
        let body = &request["body"]["json"];
        let mut wanted = body.clone();
        wanted["model"] = "there".into();
        let bytes = body.to_string();
        let incoming = Incoming {
            route: &chat().rules().routes[0],
            model: Some("from-the-path"),
            headers: &HeaderMap::new(),
            body: bytes.as_bytes(),
        };
        let decoded = match chat().decode_request(&incoming) {
            Ok(decoded) => decoded,
            Err(fault) => {
                wrong.push(format!("{}: refused: {}", recording.file, fault.message));
                continue;
            }
        };
        let to = Recipient { model: "there", quirks: quirks(&recording.provider) };
        let outgoing = chat().encode_request(&decoded, &to).unwrap();
        let written: Value = serde_json::from_slice(&outgoing.body).unwrap();
        if written != wanted {
            wrong.push(format!("{}: {}", recording.file, first_difference("", &wanted, &written)));
        } else if !outgoing.losses.is_empty() {
            wrong.push(format!("{}: losses {:?}", recording.file, outgoing.losses));
        }
    }
    report("requests that come back as they were", seen, &wrong);
}

fn frames(text: &[u8], cuts: &[usize]) -> Vec<Frame> {
    let mut framer = Framer::new(Framing::Sse, 64 << 20);
    let mut out = Vec::new();
    let mut from = 0;
    for to in cuts.iter().copied().chain([text.len()]) {
        framer.push(Bytes::copy_from_slice(&text[from..to]));
        from = to;
        while let Some(frame) = framer.next_frame().unwrap() {
            out.push(frame);
        }
    }
    out.extend(framer.end().unwrap_or_default());
    out
}

fn read_all(frames: &[Frame], quirks: &'static Quirks) -> Vec<Event> {
    let mut decoder = chat().decode_stream(quirks);
    let mut out = Vec::new();
    for frame in frames {
        decoder.read(frame, &mut out);
    }
    decoder.end(&mut out);
    out
}

/// The events of a recorded answer, or the fault it is.
fn events(recording: &Recording) -> Option<Result<Vec<Event>, Fault>> {
    let response = &recording.exchange["response"];
    let status = u16::try_from(response["status"].as_u64()?).unwrap();
    let body = &response["body"];
    let bytes = match body["kind"].as_str()? {
        "json" => body["json"].to_string().into_bytes(),
        "sse" | "text" => body["text"].as_str()?.as_bytes().to_vec(),
        "empty" => Vec::new(),
        _ => return None,
    };
    let quirks = quirks(&recording.provider);
    Some(if status >= 400 {
        Err(chat().decode_fault(status, &HeaderMap::new(), &bytes))
    } else if body["kind"] == "sse" {
        Ok(read_all(&frames(&bytes, &[]), quirks))
    } else {
        chat().decode_reply(&bytes, quirks)
    })
}

fn parsed(arguments: &str) -> Value {
    serde_json::from_str(arguments).unwrap_or_else(|_| json!({"invalid": arguments}))
}

/// Where a gathered answer differs from the digest.
fn compare(reply: &Reply, expect: &Value, file: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut check = |what: &str, wanted: Value, found: Value| {
        let excused = EXCEPTIONS.iter().any(|(of, field)| file.starts_with(of) && *field == what);
        if !excused && !same(&wanted, &found) {
            let cut = |v: &Value| v.to_string().chars().take(160).collect::<String>();
            wrong.push(format!("{what}: wanted {} found {}", cut(&wanted), cut(&found)));
        }
    };
    let none = tollgate_model::Choice::default();
    let choice = reply.choices.first().unwrap_or(&none);
    let text = |field: &str| Value::from(expect[field].as_str().unwrap_or_default());
    check("text", text("text"), choice.text().into());
    check("reasoning", text("reasoning"), choice.reasoning().into());
    check("refusal", text("refusal"), choice.refusal().into());
    check("model", expect["model"].clone(), reply.model.clone().into());
    let calls = choice.parts.iter().filter_map(|part| match &part.kind {
        PartKind::ToolCall { id, name, arguments, .. } => {
            let id = if id.is_empty() { Value::Null } else { id.as_str().into() };
            let empty = arguments.is_empty();
            let arguments = if empty { json!({}) } else { parsed(arguments) };
            Some(json!({"id": id, "name": name, "arguments": arguments}))
        }
        _ => None,
    });
    let wanted = expect["tool_calls"].as_array().cloned().unwrap_or_default();
    let wanted = wanted.into_iter().map(|call| {
        let arguments = if call["invalid_json"] == true {
            json!({"invalid": call["arguments"]})
        } else {
            call["arguments"].clone()
        };
        json!({"id": call["id"], "name": call["name"], "arguments": arguments})
    });
    check("tool calls", wanted.collect(), calls.collect());
    check("stop", expect["stop"].clone(), choice.finish_word.clone().into());
    let finish = choice.finish.map(FinishReason::as_str);
    // A choice that calls tools has finished for them, whatever the host's word.
    let excused = matches!(expect["finish"].as_str(), None | Some("other" | "stop"))
        && (choice.has_tool_calls() || expect["finish"].is_null());
    if !excused {
        check("finish", expect["finish"].clone(), finish.into());
    }
    let signed = choice.parts.iter().filter(|part| {
        matches!(
            part.kind,
            PartKind::Reasoning { signature: Some(_), .. } | PartKind::RedactedReasoning(_)
        )
    });
    let signed = signed.count();
    check(
        "signatures",
        (expect["reasoning_signatures"].as_u64().unwrap_or(0) > 0).into(),
        (signed > 0).into(),
    );
    let count = |field: &str| expect[field].as_u64().unwrap_or_default();
    check("citations", count("citations").into(), choice.citations.len().into());
    check("logprobs", (expect["logprobs"] == true).into(), (!choice.logprobs.is_empty()).into());
    check(
        "choices",
        expect["choices"].as_u64().unwrap_or(1).into(),
        reply.choices.len().max(1).into(),
    );
    let audio = choice.parts.iter().any(|part| matches!(part.kind, PartKind::Media(_)));
    check("audio", (expect["audio"] == true).into(), audio.into());
    if !contradicts_itself(expect) {
        for (field, found) in usage_figures(&reply.usage) {
            let wanted = &expect["usage"][field];
            if !wanted.is_null() {
                check(&format!("usage.{field}"), wanted.clone(), found.into());
            }
        }
    }
    wrong
}

fn usage_figures(usage: &Usage) -> [(&'static str, Option<u64>); 6] {
    [
        ("input", usage.total_input()),
        ("output", usage.total_output()),
        ("cached", usage.cache_read_input_tokens),
        ("cache_write", usage.total_cache_write()),
        ("reasoning", usage.reasoning_output_tokens),
        ("total", usage.stated_total),
    ]
}

fn compare_fault(fault: &Fault, expect: &Value, file: &str) -> Vec<String> {
    let said = fault.upstream.clone().unwrap_or_default();
    let mut wrong = Vec::new();
    let error = &expect["error"];
    let text = |v: &Value| v.as_str().map(str::to_owned).or((!v.is_null()).then(|| v.to_string()));
    let fields = [
        ("type", said.kind),
        ("code", said.code),
        ("message", said.message),
        ("param", said.param),
    ];
    for (field, found) in fields {
        let wanted = text(&error[field]);
        let what = format!("error.{field}");
        let excused = EXCEPTIONS.iter().any(|(of, field)| file.starts_with(of) && *field == what);
        if !excused && wanted != found {
            wrong.push(format!("error.{field}: wanted {wanted:?} found {found:?}"));
        }
    }
    wrong
}

#[test]
fn every_recorded_answer_reads_as_its_digest() {
    let (mut seen, mut wrong) = (0, Vec::new());
    for recording in recordings() {
        let expect = &recording.exchange["expect"];
        let Some(result) = events(&recording) else { continue };
        if !matches!(expect["kind"].as_str(), Some("message" | "error")) {
            continue;
        }
        seen += 1;
        let found = match (result.and_then(Reply::gather), expect["kind"].as_str()) {
            (Ok(reply), Some("message")) => compare(&reply, expect, &recording.file),
            (Err(fault), _) if expect["error"].is_object() => {
                compare_fault(&fault, expect, &recording.file)
            }
            (Err(fault), _) => vec![format!("fault: {}", fault.message)],
            (Ok(_), _) => vec!["no fault".to_owned()],
        };
        if !found.is_empty() {
            wrong.push(format!("{}: {}", recording.file, found.join("; ")));
        }
    }
    report("answers that read as their digest", seen, &wrong);
}
