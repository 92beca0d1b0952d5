//! What metering needs of an answer or of a chunk of one, read in one pass without building the
//! JSON. Not what the answer says.

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use tollgate_model::{Event, Usage};

use super::usage::Figures;
use crate::{Quirks, lenient::Object};

mod seen;

#[derive(Debug, Default, Deserialize)]
pub(super) struct Skimmed<'a> {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    model: Option<String>,
    #[serde(default)]
    created: Option<u64>,
    #[serde(borrow, default)]
    pub(super) choices: Option<Vec<SkimmedChoice<'a>>>,
    #[serde(default)]
    usage: Object<Figures>,
    #[serde(default)]
    x_groq: Object<Groq>,
    #[serde(default)]
    service_tier: Option<String>,
    #[serde(default)]
    error: Option<IgnoredAny>,
}

#[derive(Debug, Deserialize)]
struct Groq {
    #[serde(default)]
    usage: Object<Box<Figures>>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct SkimmedChoice<'a> {
    #[serde(default)]
    pub(super) index: Option<u32>,
    #[serde(default)]
    pub(super) finish_reason: Option<String>,
    #[serde(default)]
    finish_details: Option<SkimmedDetails>,
    #[serde(borrow, default)]
    message: Option<SkimmedMessage<'a>>,
    #[serde(borrow, default)]
    delta: Option<SkimmedMessage<'a>>,
}

#[derive(Debug, Deserialize)]
struct SkimmedDetails {
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Debug, Default, Deserialize)]
struct SkimmedMessage<'a> {
    /// As they are written.
    #[serde(borrow, default, deserialize_with = "written")]
    tool_calls: Option<&'a str>,
    #[serde(default)]
    function_call: Option<IgnoredAny>,
}

fn written<'de, D: Deserializer<'de>>(from: D) -> Result<Option<&'de str>, D::Error> {
    Ok(Option::<&RawValue>::deserialize(from)?.map(RawValue::get))
}

impl<'a> Skimmed<'a> {
    /// `None` for an error, or for a shape that only the whole reader knows. Nearly every answer
    /// is [seen](Self::seen) at once; the rest is read with more patience.
    pub(super) fn of(body: &'a [u8]) -> Option<Self> {
        Self::seen(body).or_else(|| Self::read(body)).filter(|skimmed| skimmed.error.is_none())
    }

    fn read(body: &'a [u8]) -> Option<Self> {
        let Object(skimmed) = serde_json::from_slice::<Object<Self>>(body).ok()?;
        skimmed
    }

    pub(super) fn is_named(&self) -> bool {
        self.id.as_deref().is_some_and(|id| !id.is_empty())
    }

    pub(super) fn start(&mut self) -> Event {
        let text = |text: &mut Option<String>| text.take().filter(|text| !text.is_empty());
        let created = self.created.filter(|created| *created > 0);
        Event::Start { id: text(&mut self.id), model: text(&mut self.model), created }
    }

    /// Usage with the tier that stands beside it.
    pub(super) fn usage(self, quirks: &Quirks) -> Option<Usage> {
        let Object(groq) = self.x_groq;
        let mut usage = match (&self.usage.0, groq.and_then(|groq| groq.usage.0)) {
            (Some(figures), _) => figures.read(quirks)?,
            (None, groq) => groq?.read(quirks)?,
        };
        let tier = self.service_tier.filter(|tier| !tier.is_empty());
        usage.service_tier = tier.or(usage.service_tier);
        Some(usage)
    }
}

impl SkimmedChoice<'_> {
    /// The host's word for why the choice of a whole answer ended.
    pub(super) fn word(&mut self) -> Option<String> {
        self.finish_reason.take().or_else(|| Some(self.finish_details.take()?.kind))
    }

    /// The choice calls tools.
    pub(super) fn calls(&self) -> bool {
        let calls = self.message.as_ref().and_then(|message| message.tool_calls);
        let list = calls.and_then(|calls| calls.strip_prefix('['));
        list.is_some_and(|list| list.trim_ascii_start().starts_with('{'))
    }

    /// A call from before there were tools: whether it is one shows only when it is read.
    pub(super) fn is_old(&self) -> bool {
        self.message.as_ref().is_some_and(|message| message.function_call.is_some())
    }

    /// A piece with calls in it, which must be read to be counted.
    pub(super) fn has_calls(&self) -> bool {
        let pieces = [&self.delta, &self.message].into_iter().flatten();
        let mut pieces = pieces.map(|piece| (piece.tool_calls, piece.function_call));
        pieces.any(|(calls, old)| old.is_some() || calls.is_some_and(|calls| calls != "[]"))
    }
}
