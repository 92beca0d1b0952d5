//! Answers: read as their digests, and written again.

use serde_json::{Value, json};
use tollgate_model::{Choice, Event, Fault, FinishReason, PartKind, Reply};
use tollgate_wire::{Dialect, Snapshot};

use crate::{Recording, context, first_difference, frames, read_all, recordings, report, same};

/// What a digest says otherwise, by file and field, and why the dialect is right.
const EXCEPTIONS: &[(&str, &str)] = &[
    // The stream's last event tells an error (`INVALID_TOOL_GENERATION`): no answer, but a fault.
    ("cohere/cohere-cohere-v2-5e6fb038c590", "fault"),
    ("cohere/cohere-cohere-v2-d3be8758dc48", "fault"),
    // Tokens of images stand beside those of the input, as the bill shows.
    ("cohere/cohere-cohere-v2-88fac543c567", "usage.input"),
    ("cohere/cohere-cohere-v2-ae94ca88c665", "usage.input"),
    ("cohere/cohere-cohere-v2-d852469304bb", "usage.input"),
    ("cohere/cohere-cohere-v2-f488fd4b872f", "usage.input"),
    // A page of the organisation's usage, which is no completion.
    ("openai/openai-openai-completions-1dd123ac2ea5", "fault"),
    // The digest knows the log-probabilities of chats only.
    ("openai/openai-openai-completions-b6afb2db49c7", "logprobs"),
    // A template of Portkey's own, answered with a chat.
    ("portkey/portkey-openai-completions-0502200c5423", "text"),
    // Writer streams `value` instead of choices.
    ("writer/writer-openai-completions-4db5725813c9", "fault"),
];

fn is_excused(file: &str, what: &str) -> bool {
    EXCEPTIONS.iter().any(|(of, field)| file.starts_with(of) && *field == what)
}

fn parsed(arguments: &str) -> Value {
    serde_json::from_str(arguments).unwrap_or_else(|_| json!({"invalid": arguments}))
}

/// Where a gathered answer differs from the digest.
fn compare(reply: &Reply, expect: &Value, file: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut check = |what: &str, wanted: Value, found: Value| {
        if !is_excused(file, what) && !same(&wanted, &found) {
            let cut = |v: &Value| v.to_string().chars().take(160).collect::<String>();
            wrong.push(format!("{what}: wanted {} found {}", cut(&wanted), cut(&found)));
        }
    };
    let none = Choice::default();
    let choice = reply.choices.first().unwrap_or(&none);
    let text = |field: &str| Value::from(expect[field].as_str().unwrap_or_default());
    check("text", text("text"), choice.text().into());
    check("reasoning", text("reasoning"), choice.reasoning().into());
    check("refusal", text("refusal"), choice.refusal().into());
    if !expect["model"].is_null() {
        check("model", expect["model"].clone(), reply.model.clone().into());
    }
    let calls = choice.parts.iter().filter_map(|part| match &part.kind {
        PartKind::ToolCall { id, name, arguments, .. } => {
            let id = if id.is_empty() { Value::Null } else { id.as_str().into() };
            let arguments = if arguments.is_empty() { json!({}) } else { parsed(arguments) };
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
    // A choice that calls tools has finished for them, whatever the host's word.
    let excused = choice.has_tool_calls() && matches!(expect["finish"].as_str(), Some("stop"));
    if !excused && !expect["finish"].is_null() {
        let finish = choice.finish.map(FinishReason::as_str);
        check("finish", expect["finish"].clone(), finish.into());
    }
    let count = |field: &str| expect[field].as_u64().unwrap_or_default();
    check("citations", count("citations").into(), choice.citations.len().into());
    check("logprobs", (expect["logprobs"] == true).into(), (!choice.logprobs.is_empty()).into());
    // Of completions a digest tells the first alone.
    if let Some(choices) = expect["choices"].as_u64() {
        check("choices", choices.into(), reply.choices.len().into());
    }
    for (field, found) in [
        ("input", reply.usage.total_input()),
        ("output", reply.usage.total_output()),
        ("cached", reply.usage.cache_read_input_tokens),
        ("reasoning", reply.usage.reasoning_output_tokens),
        ("total", reply.usage.stated_total),
    ] {
        let wanted = &expect["usage"][field];
        if !wanted.is_null() {
            check(&format!("usage.{field}"), wanted.clone(), found.into());
        }
    }
    wrong
}

fn compare_fault(fault: &Fault, expect: &Value) -> Vec<String> {
    let said = fault.upstream.clone().unwrap_or_default();
    let text = |v: &Value| v.as_str().map(str::to_owned).or((!v.is_null()).then(|| v.to_string()));
    let fields = [
        ("type", said.kind),
        ("code", said.code),
        ("message", said.message),
        ("param", said.param),
    ];
    let wrong = fields.into_iter().filter_map(|(field, found)| {
        let wanted = text(&expect["error"][field]);
        (wanted != found).then(|| format!("error.{field}: wanted {wanted:?} found {found:?}"))
    });
    wrong.collect()
}

#[test]
fn every_recorded_answer_reads_as_its_digest() {
    let (mut seen, mut wrong) = (0, Vec::new());
    for recording in recordings() {
        let expect = &recording.exchange["expect"];
        if !matches!(expect["kind"].as_str(), Some("message" | "error")) {
            continue;
        }
        seen += 1;
        let found = match (recording.events().and_then(Reply::gather), expect["kind"].as_str()) {
            (Ok(reply), Some("message")) => compare(&reply, expect, &recording.file),
            (Err(fault), _) if expect["error"].is_object() => compare_fault(&fault, expect),
            (Err(_), _) if is_excused(&recording.file, "fault") => Vec::new(),
            (Err(fault), _) => vec![format!("fault: {}", fault.message)],
            (Ok(_), _) => vec!["no fault".to_owned()],
        };
        if !found.is_empty() {
            wrong.push(format!("{}: {}", recording.file, found.join("; ")));
        }
    }
    report("answers that read as their digest", seen, &wrong);
}

/// What of an answer must survive being written again.
pub(crate) fn essence(reply: &Reply) -> Value {
    let choices = reply.choices.iter().map(|choice| {
        let calls = choice.parts.iter().filter_map(|part| match &part.kind {
            PartKind::ToolCall { id, name, arguments, .. } => {
                let arguments = if arguments.is_empty() { "{}" } else { arguments };
                let made = id.is_empty() || id.contains("0190abc");
                Some(json!([if made { "made up" } else { id }, name, parsed(arguments)]))
            }
            _ => None,
        });
        json!({
            "text": choice.text(),
            "reasoning": choice.reasoning(),
            "refusal": choice.refusal(),
            "calls": calls.collect::<Vec<_>>(),
            "citations": choice.citations.iter().map(|(_, c)| json!([c.start, c.end, c.cited_text])).collect::<Vec<_>>(),
            "logprobs": choice.logprobs.len(),
            "finish": match choice.finish {
                // Not every dialect has a word for the rest.
                Some(FinishReason::Other) => Some("stop"),
                other => other.map(FinishReason::as_str),
            },
        })
    });
    json!({
        "choices": choices.collect::<Vec<_>>(),
        "input": reply.usage.total_input(),
        "output": reply.usage.total_output().unwrap_or_default(),
        "cached": reply.usage.cache_read_input_tokens,
        "thinking": reply.usage.reasoning_output_tokens,
    })
}

pub(crate) fn written_stream(
    dialect: &Dialect,
    events: Vec<Event>,
    resume: Option<Snapshot>,
) -> Vec<u8> {
    let mut encoder = dialect.encode_stream(context(), resume);
    let mut out = Vec::new();
    for event in events {
        encoder.write(event, &mut out);
    }
    out
}

fn again(
    recording: &Recording,
    events: Vec<Event>,
    reply: &Reply,
) -> [(&'static str, Result<Reply, Fault>); 2] {
    let (dialect, quirks) = (recording.dialect, recording.quirks());
    let stream = written_stream(dialect, events, None);
    let streamed = Reply::gather(read_all(dialect, &frames(dialect, &stream, &[]), quirks));
    let buffered = dialect.encode_reply(reply, &context()).body;
    let buffered = dialect.decode_reply(&buffered, quirks).and_then(Reply::gather);
    [("streamed", streamed), ("buffered", buffered)]
}

#[test]
fn an_answer_written_again_says_the_same_streamed_or_not() {
    let (mut seen, mut wrong) = (0, Vec::new());
    for recording in recordings() {
        let Ok(read) = recording.events() else { continue };
        let Ok(reply) = Reply::gather(read.clone()) else { continue };
        seen += 1;
        let wanted = essence(&reply);
        for (how, again) in again(&recording, read, &reply) {
            match again {
                Err(fault) => wrong.push(format!("{}: {how}: {fault}", recording.file)),
                Ok(again) if essence(&again) != wanted => wrong.push(format!(
                    "{}: {how}: {}",
                    recording.file,
                    first_difference("", &wanted, &essence(&again))
                )),
                Ok(_) => {}
            }
        }
    }
    report("answers written again", seen, &wrong);
}
