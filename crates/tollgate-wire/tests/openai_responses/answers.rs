//! Answers: read as their digests, and written again.

use http::HeaderMap;
use serde_json::{Value, json};
use tollgate_model::{Choice, Event, Fault, FinishReason, PartKind, Reply, Usage};

use crate::{
    Recording, context, first_difference, frames, quirks, read_all, recordings, report, responses,
    same, streams::written_stream,
};

/// What a digest says otherwise, by file and field, and why the dialect is right.
const EXCEPTIONS: [(&str, &str); 3] = [
    // No reason was given, and none is made up.
    ("openai/openai-openai-responses-a44c526c2a2d", "stop"),
    // The pieces and the whole of this text differ; a stream is read by its pieces.
    ("openai/openai-openai-responses-bd88c6f4e526", "text"),
    // Two answers follow each other in one recording; a stream ends with its first.
    ("azure/azure-openai-responses-1e55ac8d0791", "*"),
];

/// A recording that ends in the middle of its stream.
const CUT: &str = "openai/openai-openai-responses-92828782db66";

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
        Err(responses().decode_fault(status, &HeaderMap::new(), &bytes))
    } else if body["kind"] == "sse" {
        Ok(read_all(&frames(&bytes, &[]), quirks))
    } else {
        responses().decode_reply(&bytes, quirks)
    })
}

fn parsed(arguments: &str) -> Value {
    serde_json::from_str(arguments).unwrap_or_else(|_| json!({"invalid": arguments}))
}

/// Where a gathered answer differs from the digest.
fn compare(reply: &Reply, expect: &Value, file: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut check = |what: &str, wanted: Value, found: Value| {
        let excused = EXCEPTIONS
            .iter()
            .any(|(of, field)| file.starts_with(of) && (*field == what || *field == "*"));
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
            (Err(_), _) if recording.file.starts_with(CUT) => Vec::new(),
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
        // The dialect demands these, so that nothing said is written as none.
        "cached": reply.usage.cache_read_input_tokens.unwrap_or_default(),
        "written": reply.usage.total_cache_write(),
        "thinking": reply.usage.reasoning_output_tokens.unwrap_or_default(),
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
        let buffered = responses().encode_reply(&reply, &context()).body;
        let buffered = responses().decode_reply(&buffered, quirks).and_then(Reply::gather);
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
    let reply = include_bytes!("../../../../fixtures/openai-responses/everything-said/reply.json");
    let stream = include_bytes!("../../../../fixtures/openai-responses/everything-said/stream.sse");
    let quirks = quirks("openai");
    let buffered = responses().decode_reply(reply, quirks).and_then(Reply::gather).unwrap();
    let streamed = Reply::gather(read_all(&frames(stream, &[]), quirks)).unwrap();
    assert_eq!(streamed, buffered);
    let choice = &buffered.choices[0];
    assert_eq!(choice.text(), "I looked. \u{1f30a}");
    assert_eq!(choice.reasoning(), "The harbour first.");
    assert_eq!(choice.refusal(), "I cannot say more.");
    assert_eq!((choice.citations.len(), choice.logprobs.len()), (1, 2));
    assert_eq!(choice.finish, Some(FinishReason::ToolCalls));
    let usage = &buffered.usage;
    assert_eq!((usage.input_tokens, usage.cache_read_input_tokens), (Some(20), Some(8)));
    assert_eq!(usage.cache_write_input_tokens, Some(2));
    assert_eq!((usage.output_tokens, usage.reasoning_output_tokens), (Some(15), Some(5)));
    assert_eq!(usage.service_tier.as_deref(), Some("default"));
}

/// What the official SDKs' state machines demand: events numbered without a gap, each item and
/// part opened before its pieces and closed once, and a last event that holds all of it.
#[test]
fn a_written_stream_is_what_the_sdks_demand() {
    let stream = include_bytes!("../../../../fixtures/openai-responses/everything-said/stream.sse");
    let events = read_all(&frames(stream, &[]), quirks("openai"));
    let written = written_stream(events, None);
    let mut open = std::collections::BTreeSet::new();
    let mut last = Value::Null;
    for (number, frame) in frames(&written, &[]).iter().enumerate() {
        let event: Value = serde_json::from_slice(&frame.data).unwrap();
        let kind = event["type"].as_str().unwrap();
        assert_eq!(frame.event, kind.as_bytes());
        assert_eq!(event["sequence_number"], number, "{kind}");
        let item = event["output_index"].to_string();
        let at = event.get("content_index").or(event.get("summary_index"));
        let part = at.map(|at| format!("{item}.{at}"));
        match kind {
            "response.output_item.added" => assert!(open.insert(item)),
            "response.output_item.done" => assert!(open.remove(&item)),
            "response.content_part.added" | "response.reasoning_summary_part.added" => {
                assert!(open.contains(&item) && open.insert(part.unwrap()));
            }
            "response.content_part.done" | "response.reasoning_summary_part.done" => {
                assert!(open.remove(&part.unwrap()), "{kind}");
            }
            "response.created" | "response.in_progress" | "response.completed" => {}
            _ => assert!(open.contains(&part.unwrap_or(item)), "{kind}"),
        }
        last = event;
    }
    assert!(open.is_empty(), "{open:?}");
    assert_eq!(last["type"], "response.completed");
    let kinds: Vec<&str> = last["response"]["output"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["type"].as_str().unwrap())
        .collect();
    let wanted = ["reasoning", "web_search_call", "function_call", "function_call", "message"];
    assert_eq!(kinds, wanted);
    assert_eq!(last["response"]["usage"]["input_tokens"], 30);
}
