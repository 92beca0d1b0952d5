//! One cell: a call in a dialect to a provider for a feature, and what came of it.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{HeaderMap, Method};
use tollgate_model::{Event, FinishReason};
use tollgate_wire::{Dialect, Framer, Framing, Operation, Provider, Quirks, Recipient, ingress};

use crate::asks::{self, Feature};
use crate::host;
use crate::site::{Answer, Site};

/// What was observed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cell {
    /// All that was asked for came; these fields were lost on the way.
    Well(Vec<String>),
    /// What was asked for did not come, and the losses say so.
    Lost(Vec<String>),
    /// The gateway said that this cannot be had there.
    Refused(String),
    /// There is nothing to observe, and why.
    Nothing(&'static str),
    Failed(String),
}

/// Nothing is known of a model for every dialect: the callers' own words are written with these.
const CALLER: &Quirks = &Quirks::NONE;
/// A name of which every dialect knows that such a model thinks and holds to schemas.
const ABLE: &str = "claude-test";

pub(crate) fn observe(
    site: &Site,
    dialect: &'static Dialect,
    row: &'static Provider,
    feature: Feature,
) -> Cell {
    let model = format!("{}/{}", row.kind, model(row, feature));
    let chat = asks::chat(feature, &model);
    // Where the model stands in the path, the body is written as for one that takes everything: some
    // dialects have words that depend on whose model it is.
    let rules = dialect.rules();
    let named = if rules.model_in_body { &model } else { ABLE };
    let out = match dialect.encode_request(&chat, &Recipient { model: named, quirks: CALLER }) {
        Ok(out) => out,
        Err(_) => return Cell::Nothing("callers of this dialect cannot ask for it"),
    };
    // What the caller's own dialect has no words for is no matter of the gateway.
    let about = !matches!(feature, Feature::Plain | Feature::Stream | Feature::Errors);
    let cannot_ask = about && out.losses.iter().any(|loss| !loss.to_string().starts_with('~'));
    if cannot_ask {
        return Cell::Nothing("callers of this dialect cannot ask for it");
    }
    let headers: HeaderMap = out.headers.iter().cloned().collect();
    let path = if rules.model_in_body {
        out.path.clone()
    } else {
        (rules.path)(&model, feature.streams())
    };
    let found = ["", "/v1"].into_iter().map(|base| format!("{base}{path}")).find(|path| {
        let bare = path.split('?').next().unwrap_or_default();
        ingress::find(&Method::POST, bare, &headers).is_some_and(|found| {
            found.dialect.id() == dialect.id() && found.route.operation == Operation::Chat
        })
    });
    let Some(path) = found else {
        return Cell::Failed(format!("nobody listens at {path}"));
    };
    // A cache is written by one call and read by the next.
    if feature == Feature::Cache {
        let _ = site.call(&path, &out.headers, &out.body);
    }
    let answer = site.call(&path, &out.headers, &out.body);
    judged(dialect, row, feature, &answer)
}

/// A name that the row takes for the feature.
fn model(row: &Provider, feature: Feature) -> String {
    let sample = row.sample_models.first().copied().unwrap_or("test-model");
    let name = match (feature, row.quirks.effort_models.first()) {
        (Feature::Reasoning, Some(begin)) => format!("{begin}-test"),
        _ => sample.to_owned(),
    };
    if feature == Feature::Errors { format!("{name}-fault-429") } else { name }
}

fn judged(dialect: &Dialect, row: &Provider, feature: Feature, answer: &Answer) -> Cell {
    let losses: Vec<String> = answer
        .header("x-tollgate-loss")
        .map(|list| list.split(',').map(|loss| loss.trim().to_owned()).collect())
        .unwrap_or_default();
    if answer.status >= 400 {
        let fault = dialect.decode_fault(answer.status, &answer.headers, &answer.body);
        if feature == Feature::Errors {
            return match answer.status {
                404 if fault.message.contains("Invalid URL (POST ") => {
                    Cell::Nothing("the simulator does not speak that host's dialect yet")
                }
                429 if !fault.message.is_empty() => Cell::Well(losses),
                status => Cell::Failed(format!("429 became {status}: {}", fault.message)),
            };
        }
        let text = String::from_utf8_lossy(&answer.body);
        if text.contains("Invalid URL (POST ") {
            return Cell::Nothing("the simulator does not speak that host's dialect yet");
        }
        return match text.contains("unsupported") || fault.message.contains("takes no") {
            true => Cell::Refused(fault.message),
            false => Cell::Failed(format!("{} {text}", answer.status)),
        };
    }
    if feature == Feature::Errors {
        return Cell::Failed("the error did not arrive".into());
    }
    let events = match events(dialect, feature, answer) {
        Ok(events) => events,
        Err(why) => return Cell::Failed(why),
    };
    let seen = Seen::of(&events);
    match seen.has(feature, row) {
        Ok(()) => Cell::Well(losses),
        Err(why) if losses.is_empty() => match feature {
            Feature::Reasoning => Cell::Nothing("the simulated host shows none"),
            Feature::Cache => Cell::Nothing("the simulated host counts none"),
            _ => Cell::Failed(why),
        },
        Err(_) => Cell::Lost(losses),
    }
}

fn events(dialect: &Dialect, feature: Feature, answer: &Answer) -> Result<Vec<Event>, String> {
    if !feature.streams() {
        return dialect.decode_reply(&answer.body, CALLER).map_err(|fault| fault.message);
    }
    let kind = answer.header("content-type").unwrap_or_default();
    let framing = Framing::of_content_type(kind).unwrap_or(dialect.rules().framing);
    let mut framer = Framer::new(framing, 16 << 20);
    framer.push(Bytes::copy_from_slice(&answer.body));
    let mut decoder = dialect.decode_stream(CALLER);
    let mut events = Vec::new();
    while let Some(frame) = framer.next_frame().map_err(|error| format!("{error:?}"))? {
        decoder.read(&frame, &mut events);
    }
    if let Some(frame) = framer.end().map_err(|error| format!("{error:?}"))? {
        decoder.read(&frame, &mut events);
    }
    decoder.end(&mut events);
    Ok(events)
}

/// An answer, gathered.
#[derive(Debug, Default)]
struct Seen {
    text: String,
    reasoning: bool,
    calls: BTreeMap<u32, (String, String)>,
    cached: bool,
    finish: Option<FinishReason>,
    fault: Option<String>,
}

impl Seen {
    fn of(events: &[Event]) -> Self {
        let mut seen = Self::default();
        for event in events {
            match event {
                Event::Text { text, .. } => seen.text.push_str(text),
                Event::Reasoning { .. } => seen.reasoning = true,
                Event::ToolCallStart { index, name, .. } => {
                    seen.calls.entry(*index).or_default().0.clone_from(name);
                }
                Event::ToolCallDelta { index, arguments, .. } => {
                    seen.calls.entry(*index).or_default().1.push_str(arguments);
                }
                Event::Usage(usage) => {
                    seen.reasoning |= usage.reasoning_output_tokens.is_some_and(|n| n > 0);
                    seen.cached |= usage.cache_read_input_tokens.is_some_and(|n| n > 0)
                        || usage.total_cache_write().is_some_and(|n| n > 0);
                }
                Event::Finish { reason, .. } => seen.finish = Some(*reason),
                Event::Fault(fault) => seen.fault = Some(fault.message.clone()),
                _ => {}
            }
        }
        seen
    }

    /// Whether what the feature must bring is there.
    fn has(&self, feature: Feature, row: &Provider) -> Result<(), String> {
        if let Some(fault) = &self.fault {
            return Err(format!("a fault inside the answer: {fault}"));
        }
        let want = |there: bool| there.then_some(()).ok_or_else(|| format!("{self:?}"));
        let names: Vec<&str> = self.calls.values().map(|(name, _)| name.as_str()).collect();
        let calls = self.finish == Some(FinishReason::ToolCalls);
        match feature {
            Feature::Plain | Feature::Stream => {
                let whole = self.text == "You said: Say a few words.";
                let odd = host::ends_without_a_word(row.kind).then_some(FinishReason::Other);
                let ended = self.finish == Some(FinishReason::Stop) || self.finish == odd;
                want(whole && ended && self.finish.is_some())
            }
            Feature::Tools => want(calls && names == ["get_weather"]),
            Feature::ParallelTools => want(calls && names == ["get_weather", "get_time"]),
            Feature::StreamedArguments => {
                let city = |(_, text): &(String, String)| {
                    let read: serde_json::Value = serde_json::from_str(text).ok()?;
                    Some(read["city"] == "Paris")
                };
                want(calls && self.calls.values().next().and_then(city) == Some(true))
            }
            // Some hosts are not told the type.
            Feature::Images => want(self.text.contains("1 file: image")),
            Feature::Documents => want(self.text.contains("application/pdf")),
            Feature::StructuredOutput => {
                let read: Option<serde_json::Value> = serde_json::from_str(&self.text).ok();
                want(read.is_some_and(|read| read["name"].is_string()))
            }
            Feature::Reasoning => want(self.reasoning),
            Feature::Cache => want(self.cached),
            Feature::Errors => Err("no error".into()),
        }
    }
}
