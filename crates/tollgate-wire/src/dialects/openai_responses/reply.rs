//! Reading and writing a buffered answer.

use bytes::Bytes;
use serde_json::{Map, Value};
use tollgate_model::{
    Choice, Event, Fault, FinishReason, Losses, Media, MediaKind, MediaSource, Part, PartKind,
    Reply,
};

use super::{
    ID,
    answer::{self, Answer},
    reading::{self, Reader},
    seal,
    skimmed::Skimmed,
};
use crate::dialects::openai_chat::{fault, reply::call_id};
use crate::{Encoded, Quirks, ReplyContext, sealed, tree};

pub(super) fn decode(body: &[u8], quirks: &Quirks) -> Result<Vec<Event>, Fault> {
    let Ok(Value::Object(body)) = tree::read(body) else {
        return Err(Fault::bad_upstream("The provider's answer is not a JSON object."));
    };
    if let Some(fault) = failed(&body) {
        return Err(fault);
    }
    let Some(output) = body.get("output").and_then(Value::as_array) else {
        return Err(Fault::bad_upstream("The provider's answer has no output."));
    };
    let mut out = vec![reading::start(&body)];
    let mut reader = Reader::default();
    for (at, item) in output.iter().enumerate() {
        reader.complete(at as u64, item, &mut out);
    }
    out.push(finish(&body, reader.called()));
    out.extend(reading::usage_of(&body, quirks).map(Event::Usage));
    out.push(Event::End);
    Ok(out)
}

/// The fault that stands in place of an answer, or that ended it.
pub(super) fn failed(response: &Map<String, Value>) -> Option<Fault> {
    fault::inside(response).or_else(|| {
        let status = response.get("status").and_then(Value::as_str);
        (status == Some("failed"))
            .then(|| Fault::bad_upstream("The provider says that its answer failed."))
    })
}

/// How the answer ended, by its own words.
pub(super) fn finish(response: &Map<String, Value>, called: bool) -> Event {
    let status = response.get("status").and_then(Value::as_str);
    let why = response.get("incomplete_details").and_then(|why| why.get("reason")?.as_str());
    reading::finish(status, why, called)
}

/// Reads no more of a whole answer than metering needs.
pub(super) fn skim(body: &[u8], quirks: &Quirks) -> Result<Vec<Event>, Fault> {
    match Skimmed::of(body) {
        Some(skimmed) if skimmed.is_whole() => {
            let mut out = vec![skimmed.start(), skimmed.finish(false)];
            out.extend(skimmed.usage(quirks).map(Event::Usage));
            out.push(Event::End);
            Ok(out)
        }
        _ => decode(body, quirks).map(|mut events| {
            events.retain(Event::is_metered);
            events
        }),
    }
}

pub(super) fn encode(reply: &Reply, context: &ReplyContext) -> Encoded {
    let mut losses = Losses::default();
    for choice in 1..reply.choices.len() {
        losses.dropped("", &format!("choices[{choice}]"));
    }
    let choice = reply.choices.first();
    let (status, why) =
        answer::status_of(choice.and_then(|choice| choice.finish).unwrap_or(FinishReason::Stop));
    let output = choice.map(|choice| output_of(choice, context, status, &mut losses));
    let object = Answer {
        id: reply.id.as_deref(),
        model: reply.model.as_deref(),
        created: reply.created,
        status,
        why,
        error: None,
        output: output.unwrap_or_default(),
        usage: Some(&reply.usage),
    };
    Encoded { body: Bytes::from(object.object(context).to_string()), losses }
}

fn output_of(
    choice: &Choice,
    context: &ReplyContext,
    status: &str,
    losses: &mut Losses,
) -> Vec<Value> {
    let mut out = Vec::new();
    // The parts of the message that is open.
    let mut open: Vec<Value> = Vec::new();
    let mut logprobs = answer::logprobs(&choice.logprobs);
    let mut calls = 0;
    for (at, part) in choice.parts.iter().enumerate() {
        match &part.kind {
            PartKind::Text(text) => {
                let end = text.chars().count() as u64;
                let cited = choice.citations.iter().filter(|(of, _)| *of == at);
                let cited: Vec<Value> =
                    cited.map(|(_, citation)| answer::annotation(citation, end)).collect();
                open.push(answer::text_part(text, &cited, &std::mem::take(&mut logprobs)));
                continue;
            }
            PartKind::Refusal(text) => {
                open.push(answer::refusal_part(text));
                continue;
            }
            _ => {}
        }
        close(&mut open, context, "completed", &mut out);
        encode_item(part, (context, &mut calls), losses, &mut out);
    }
    if !logprobs.is_empty() && calls == 0 {
        // They have no place but on a text.
        open.push(answer::text_part("", &[], &logprobs));
    } else if !logprobs.is_empty() {
        losses.dropped("output", "logprobs");
    }
    close(&mut open, context, status, &mut out);
    out
}

fn index_of(out: &[Value]) -> u32 {
    u32::try_from(out.len()).unwrap_or(u32::MAX)
}

fn close(open: &mut Vec<Value>, context: &ReplyContext, status: &str, out: &mut Vec<Value>) {
    let content = std::mem::take(open);
    if !content.is_empty() {
        let id = answer::item_id("msg", context, index_of(out));
        out.push(answer::message(&id, status, content));
    }
}

/// Writes what is an item of its own.
fn encode_item(
    part: &Part,
    (context, calls): (&ReplyContext, &mut u32),
    losses: &mut Losses,
    out: &mut Vec<Value>,
) {
    let thought_id = |out: &[Value]| answer::item_id("rs", context, index_of(out));
    match &part.kind {
        PartKind::Reasoning { text, signature } => {
            let seal = signature.as_ref().map(seal::written);
            let (id, sealed) = seal.unzip();
            let id = id.flatten().map_or_else(|| thought_id(out), str::to_owned);
            out.push(answer::thought(&id, Some(text), sealed.as_deref()));
        }
        PartKind::RedactedReasoning(data) => {
            let (id, sealed) = seal::written(data);
            let id = id.map_or_else(|| thought_id(out), str::to_owned);
            out.push(answer::thought(&id, None, Some(&sealed)));
        }
        PartKind::ToolCall { id, name, arguments, signature } => {
            if let Some(signature) = signature {
                let sealed = sealed::written(signature, ID);
                out.push(answer::thought(&thought_id(out), None, Some(&sealed)));
            }
            let call_id = call_id(id, &context.id, 0, *calls);
            *calls += 1;
            let arguments = if arguments.is_empty() { "{}" } else { arguments };
            let id = answer::item_id("fc", context, index_of(out));
            out.push(answer::call((&id, &call_id), name, arguments, "completed"));
        }
        PartKind::Media(media) => {
            let id = answer::item_id("ig", context, index_of(out));
            match image(&id, media) {
                Some(image) => out.push(image),
                None => losses.dropped("output", "media"),
            }
        }
        PartKind::Native { dialect: ID, json } => out.push(json.clone()),
        PartKind::Native { dialect, .. } => losses.dropped("output", dialect.as_str()),
        PartKind::Text(_) | PartKind::Refusal(_) | PartKind::ToolResult { .. } => {}
    }
}

/// A picture that the model made.
pub(super) fn image(id: &str, media: &Media) -> Option<Value> {
    match (media.kind, &media.source) {
        (MediaKind::Image, MediaSource::Base64 { mime, data }) => {
            let format = mime.strip_prefix("image/").unwrap_or("png");
            Some(serde_json::json!({
                "id": id,
                "type": "image_generation_call",
                "status": "completed",
                "output_format": format,
                "result": data,
            }))
        }
        _ => None,
    }
}
