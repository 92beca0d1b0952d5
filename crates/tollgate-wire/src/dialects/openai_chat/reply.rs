//! Reading and writing a buffered answer.

use serde_json::{Map, Value, json};
use tollgate_model::{
    Choice, Citation, Event, Fault, FinishReason, Losses, Media, MediaKind, MediaSource, Part,
    PartKind, Reply, TokenLogprob,
};

use super::{
    fault, parts,
    pieces::{ChoiceReader, read_logprobs},
    reasoning::{self, Formats},
    skimmed::{Skimmed, SkimmedChoice},
    usage,
};
use crate::written::Members;
use crate::{Encoded, Quirks, ReplyContext, answer_body};

pub(in crate::dialects) fn decode(body: &[u8], quirks: &Quirks) -> Result<Vec<Event>, Fault> {
    let body = answer_body::object(body, fault::inside)?;
    let Some(choices) = body.get("choices").and_then(Value::as_array) else {
        return Err(Fault::bad_upstream("The provider's answer has no choices."));
    };
    let mut out = vec![start(&body)];
    for (at, choice) in choices.iter().enumerate() {
        let number = choice.get("index").and_then(Value::as_u64);
        let number = number.and_then(|index| u32::try_from(index).ok());
        let number = number.or(u32::try_from(at).ok()).unwrap_or_default();
        let mut reader = ChoiceReader::default();
        if let Some(message) = choice.get("message").and_then(Value::as_object) {
            reader.read(number, message, &mut out);
        } else if let Some(text) = choice.get("text").and_then(Value::as_str)
            && !text.is_empty()
        {
            out.push(Event::Text { choice: number, text: text.to_owned() });
        }
        if number == 0 {
            reader.cite(0, &body, &mut out);
        }
        if let Some(logprobs) = choice.get("logprobs") {
            read_logprobs(number, logprobs, &mut out);
        }
        reader.finish(number, finish_word(choice), &mut out);
    }
    if let Some(usage) = read_usage(&body, quirks) {
        out.push(Event::Usage(usage));
    }
    out.push(Event::End);
    Ok(out)
}

/// The host's word for why a choice ended. Early vision models had `finish_details` instead.
fn finish_word(choice: &Value) -> Option<&str> {
    let details = || choice.get("finish_details")?.get("type")?.as_str();
    choice.get("finish_reason").and_then(Value::as_str).or_else(details)
}

pub(super) fn start(body: &Map<String, Value>) -> Event {
    let text = |field: &str| {
        body.get(field).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let created = body.get("created").and_then(Value::as_u64).filter(|created| *created > 0);
    Event::Start { id: text("id"), model: text("model"), created }
}

/// Usage with the tier that stands beside it.
pub(super) fn read_usage(
    body: &Map<String, Value>,
    quirks: &Quirks,
) -> Option<tollgate_model::Usage> {
    let groq = || body.get("x_groq")?.get("usage");
    let raw = body.get("usage").filter(|usage| usage.is_object()).or_else(groq)?;
    let mut usage = usage::decode(raw, quirks)?;
    let tier = body.get("service_tier").and_then(Value::as_str).filter(|tier| !tier.is_empty());
    usage.service_tier = tier.map(str::to_owned).or(usage.service_tier);
    Some(usage)
}

/// Reads no more of a whole answer than metering needs.
pub(in crate::dialects) fn skim(body: &[u8], quirks: &Quirks) -> Result<Vec<Event>, Fault> {
    let mut skimmed = Skimmed::of(body);
    let choices = skimmed.as_mut().and_then(|skimmed| skimmed.choices.take());
    let choices = choices.filter(|choices| !choices.iter().any(SkimmedChoice::is_old));
    let (Some(mut skimmed), Some(choices)) = (skimmed, choices) else {
        return decode(body, quirks).map(|mut events| {
            events.retain(Event::is_metered);
            events
        });
    };
    let mut out = Vec::with_capacity(choices.len() + 3);
    out.push(skimmed.start());
    for (at, mut choice) in choices.into_iter().enumerate() {
        let number = choice.index.or(u32::try_from(at).ok()).unwrap_or_default();
        out.push(ChoiceReader::skimmed(number, choice.word(), choice.calls()));
    }
    out.extend(skimmed.usage(quirks).map(Event::Usage));
    out.push(Event::End);
    Ok(out)
}

pub(super) fn encode(reply: &Reply, context: &ReplyContext) -> Encoded {
    let mut losses = Losses::default();
    // Room for a short answer.
    let mut body = Vec::with_capacity(1024);
    let mut out = Members::begin(&mut body);
    out.text("id", &id_of(reply.id.as_deref(), context));
    out.text("object", "chat.completion");
    out.count("created", reply.created.unwrap_or(context.created));
    out.text("model", reply.model.as_deref().unwrap_or(&context.model));
    let list = out.name("choices");
    list.push(b'[');
    for (index, choice) in reply.choices.iter().enumerate() {
        if index > 0 {
            list.push(b',');
        }
        write_choice((index, choice), &context.id, &mut losses, list);
    }
    list.push(b']');
    if let Some(usage) = usage::encode(&reply.usage) {
        out.value("usage", &usage);
    }
    if let Some(tier) = &reply.usage.service_tier {
        out.text("service_tier", tier);
    }
    out.end();
    Encoded { body: body.into(), losses }
}

/// The provider's id, or one in this dialect's manner.
pub(super) fn id_of(id: Option<&str>, context: &ReplyContext) -> String {
    id.map_or_else(|| format!("chatcmpl-{}", context.id), str::to_owned)
}

/// A call's id, made up where the provider gave none.
pub(in crate::dialects) fn call_id(id: &str, context_id: &str, choice: u32, index: u32) -> String {
    if !id.is_empty() {
        return id.to_owned();
    }
    let tail: String = context_id.chars().filter(char::is_ascii_alphanumeric).collect();
    match choice {
        0 => format!("call_{tail}{index}"),
        choice => format!("call_{tail}{choice}_{index}"),
    }
}

fn write_choice(
    (index, choice): (usize, &Choice),
    id: &str,
    losses: &mut Losses,
    out: &mut Vec<u8>,
) {
    let mut out = Members::begin(out);
    out.count("index", index as u64);
    let number = u32::try_from(index).unwrap_or(u32::MAX);
    write_message((number, choice), id, losses, out.object("message"));
    let logprobs = match choice.logprobs.as_slice() {
        [] => Value::Null,
        tokens => encode_logprobs(tokens),
    };
    out.value("logprobs", &logprobs);
    out.text("finish_reason", word_of(choice.finish.unwrap_or(FinishReason::Stop)));
    out.end();
}

fn write_message(
    (number, choice): (u32, &Choice),
    id: &str,
    losses: &mut Losses,
    mut message: Members<'_>,
) {
    let path = format!("choices[{number}].message");
    message.text("role", "assistant");
    if choice.parts.iter().any(|part| matches!(part.kind, PartKind::Text(_))) {
        message.text("content", &choice.text());
    } else {
        message.value("content", &Value::Null);
    }
    let refusal = Some(choice.refusal()).filter(|refusal| !refusal.is_empty());
    message.value("refusal", &refusal.map_or(Value::Null, Value::from));
    let thinking = choice.reasoning();
    if !thinking.is_empty() {
        message.text(reasoning::TEXT_FIELDS[0], &thinking);
    }
    if choice.parts.iter().any(is_sealed) {
        let details = reasoning::encode_details(&choice.parts, Formats::Dialects);
        message.value(reasoning::DETAILS, &details);
    }
    let (mut calls, mut images, mut audio) = (Vec::new(), Vec::new(), None);
    for part in &choice.parts {
        match &part.kind {
            PartKind::ToolCall { .. } => {
                let at = u32::try_from(calls.len()).unwrap_or(u32::MAX);
                calls.extend(encode_call(part, id, number, at));
            }
            PartKind::Media(media) => match encode_media(media) {
                // There is room for one.
                Some(("audio", made)) => audio = Some(made),
                Some((_, image)) => images.push(image),
                None => losses.dropped(&path, "media"),
            },
            PartKind::Native { dialect, .. } if *dialect != super::ID => {
                losses.dropped(&path, dialect.as_str());
            }
            _ => {}
        }
    }
    if let Some(audio) = &audio {
        message.value("audio", audio);
    }
    let lists =
        [("tool_calls", calls), ("images", images), ("annotations", encode_citations(choice))];
    for (name, list) in lists {
        if !list.is_empty() {
            message.value(name, &list.into());
        }
    }
    message.end();
}

/// Thinking that must come back as it was.
fn is_sealed(part: &Part) -> bool {
    matches!(
        part.kind,
        PartKind::RedactedReasoning(_) | PartKind::Reasoning { signature: Some(_), .. }
    )
}

fn encode_call(part: &Part, id: &str, choice: u32, index: u32) -> Option<Value> {
    let PartKind::ToolCall { id: given, name, arguments, signature } = &part.kind else {
        return None;
    };
    let arguments = if arguments.is_empty() { "{}" } else { arguments };
    let mut call = json!({
        "id": call_id(given, id, choice, index),
        "type": "function",
        "function": {"name": name, "arguments": arguments},
    });
    if let (Some(signature), Value::Object(call)) = (signature, &mut call) {
        call.insert("extra_content".into(), reasoning::encode_call_signature(signature));
    }
    Some(call)
}

/// The field that carries a medium the model made, and its value.
pub(super) fn encode_media(media: &Media) -> Option<(&'static str, Value)> {
    match (media.kind, &media.source) {
        (MediaKind::Image, _) => {
            let url = parts::written_url(media)?;
            Some(("images", json!({"type": "image_url", "image_url": {"url": url}})))
        }
        (MediaKind::Audio, MediaSource::Base64 { data, .. }) => {
            let id = media.name.as_deref().unwrap_or("audio");
            Some(("audio", json!({"id": id, "data": data, "transcript": "", "expires_at": 0})))
        }
        _ => None,
    }
}

fn encode_citations(choice: &Choice) -> Vec<Value> {
    if choice.citations.is_empty() {
        return Vec::new();
    }
    let text = choice.text().chars().count();
    let all = choice.citations.iter().map(|(_, citation)| citation);
    all.map(|citation| encode_citation(citation, text)).collect()
}

pub(super) fn encode_citation(citation: &Citation, text: usize) -> Value {
    if let Some((super::ID, native)) = &citation.native
        && native.is_object()
    {
        return native.clone();
    }
    let mut inner = json!({
        "url": citation.url.as_deref().unwrap_or_default(),
        "title": citation.title.as_deref().unwrap_or_default(),
        "start_index": citation.start.unwrap_or_default(),
        "end_index": citation.end.unwrap_or(text as u64),
    });
    if let (Some(cited), Value::Object(inner)) = (&citation.cited_text, &mut inner) {
        inner.insert("content".into(), cited.as_str().into());
    }
    json!({"type": "url_citation", "url_citation": inner})
}

pub(super) fn encode_logprobs(tokens: &[TokenLogprob]) -> Value {
    let one = |token: &TokenLogprob| json!({"token": token.token, "logprob": token.logprob, "bytes": token.bytes});
    let all = tokens.iter().map(|token| {
        let mut out = one(token);
        out["top_logprobs"] = token.top.iter().map(one).collect::<Vec<_>>().into();
        out
    });
    json!({"content": all.collect::<Vec<_>>(), "refusal": null})
}

/// This dialect's word for a reason.
pub(in crate::dialects) fn word_of(reason: FinishReason) -> &'static str {
    match reason {
        FinishReason::Length => "length",
        FinishReason::ToolCalls => "tool_calls",
        // A refusal that the model wrote itself is a `refusal` that stops; one that cut the
        // answer off is the filter's.
        FinishReason::ContentFilter | FinishReason::Refusal => "content_filter",
        FinishReason::Stop | FinishReason::Pause | FinishReason::Other => "stop",
    }
}
