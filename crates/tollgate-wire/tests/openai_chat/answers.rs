//! Answers: read as their digests, and written again.

use http::HeaderMap;
use serde_json::{Value, json};
use tollgate_model::{Choice, Event, Fault, FinishReason, PartKind, Reply, Usage};

use crate::{
    Recording, chat, context, first_difference, frames, quirks, read_all, recordings, report, same,
    streams::written_stream,
};

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

/// What of an answer must survive being written again.
fn essence(reply: &Reply) -> Value {
    let calls = |choice: &Choice| {
        let calls = choice.parts.iter().filter_map(|part| match &part.kind {
            PartKind::ToolCall { id, name, arguments, .. } => {
                let arguments = if arguments.is_empty() { "{}" } else { arguments };
                let id = if id.is_empty() { "made up" } else { id };
                let id = if id.starts_with("call_0190abc") { "made up" } else { id };
                Some(json!([id, name, parsed(arguments)]))
            }
            _ => None,
        });
        calls.collect::<Vec<_>>()
    };
    let signatures = |choice: &Choice| {
        let all = choice.parts.iter().filter_map(|part| match &part.kind {
            PartKind::Reasoning { signature: Some(signature), .. }
            | PartKind::RedactedReasoning(signature) => {
                Some(format!("{} {}", signature.origin, signature.data))
            }
            _ => None,
        });
        all.collect::<Vec<_>>()
    };
    let choices = reply.choices.iter().map(|choice| {
        json!({
            "text": choice.text(),
            "reasoning": choice.reasoning(),
            "refusal": choice.refusal(),
            "calls": calls(choice),
            "signatures": signatures(choice),
            "media": choice.parts.iter().filter(|p| matches!(p.kind, PartKind::Media(_))).count(),
            "citations": choice.citations.iter().map(|(_, c)| c.url.clone()).collect::<Vec<_>>(),
            "logprobs": choice.logprobs.len(),
            "finish": match choice.finish {
                // The dialect has no word for the rest.
                Some(FinishReason::Other) => Some("stop"),
                other => other.map(FinishReason::as_str),
            },
        })
    });
    json!({
        "choices": choices.collect::<Vec<_>>(),
        "model": reply.model,
        "input": reply.usage.total_input(),
        "output": reply.usage.total_output(),
        "cached": reply.usage.cache_read_input_tokens,
        "written": reply.usage.total_cache_write(),
        "thinking": reply.usage.reasoning_output_tokens,
    })
}

#[test]
fn an_answer_written_again_says_the_same_streamed_or_not() {
    let (mut seen, mut wrong) = (0, Vec::new());
    for recording in recordings() {
        let Some(Ok(read)) = events(&recording) else { continue };
        let Ok(reply) = Reply::gather(read.clone()) else { continue };
        seen += 1;
        let quirks = quirks("openai");
        let mut wanted = essence(&reply);
        if reply.model.is_none() {
            wanted["model"] = "m".into();
        }
        let stream = written_stream(read, None);
        let streamed = Reply::gather(read_all(&frames(&stream, &[]), quirks));
        let buffered = chat().encode_reply(&reply, &context()).body;
        let buffered = chat().decode_reply(&buffered, quirks).and_then(Reply::gather);
        for (how, again) in [("streamed", streamed), ("buffered", buffered)] {
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

#[test]
fn the_streamed_sample_gathers_to_the_buffered_one() {
    let reply = include_bytes!("../../../../fixtures/openai-chat/everything-said/reply.json");
    let stream = include_bytes!("../../../../fixtures/openai-chat/everything-said/stream.sse");
    let quirks = quirks("openai");
    let buffered = chat().decode_reply(reply, quirks).and_then(Reply::gather).unwrap();
    let streamed = Reply::gather(read_all(&frames(stream, &[]), quirks)).unwrap();
    assert_eq!(streamed, buffered);
    let choice = &buffered.choices[0];
    assert_eq!(choice.text(), "I will look. \u{1f30a}");
    assert_eq!(choice.reasoning(), "The harbour first.");
    assert_eq!((choice.citations.len(), choice.logprobs.len()), (1, 2));
    assert_eq!(buffered.choices[1].refusal(), "I cannot help with that.");
    let usage = &buffered.usage;
    assert_eq!(usage.input_tokens, Some(20));
    assert_eq!(usage.output_tokens, Some(14));
    assert_eq!((usage.total_input(), usage.total_output()), (Some(30), Some(20)));
    for cut in (1..stream.len()).step_by(3) {
        let again = Reply::gather(read_all(&frames(stream, &[cut]), quirks));
        assert_eq!(again.as_ref(), Ok(&buffered), "cut at {cut}");
    }
    // Up to the last choice's end, a stream that breaks off is never an answer.
    let all = frames(stream, &[]);
    for short in 0..all.len() - 3 {
        let broken = Reply::gather(read_all(&all[..short], quirks));
        assert!(broken.is_err(), "{short} of {} frames", all.len());
    }
}
