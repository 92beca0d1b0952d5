//! What metering needs of an answer or of a chunk of one, read in one pass without building the
//! JSON. Not what the answer says.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use tollgate_model::{Event, Usage};

use super::usage::Figures;
use crate::{Quirks, lenient::Object};

#[derive(Deserialize)]

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

#[derive(Deserialize)]
struct Groq {
    #[serde(default)]
    usage: Object<Figures>,
}

#[derive(Deserialize)]
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

#[derive(Deserialize)]
struct SkimmedDetails {
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
struct SkimmedMessage<'a> {
    #[serde(borrow, default)]
    tool_calls: Option<&'a RawValue>,
    #[serde(default)]
    function_call: Option<IgnoredAny>,
}

impl<'a> Skimmed<'a> {
    /// `None` for an error, or for a shape that only the whole reader knows.
    pub(super) fn of(body: &'a [u8]) -> Option<Self> {
        let Object(skimmed) = serde_json::from_slice::<Object<Self>>(body).ok()?;
        skimmed.filter(|skimmed| skimmed.error.is_none())
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
        let figures = self.usage.0.or_else(|| groq?.usage.0)?;
        let mut usage = figures.read(quirks)?;
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
        let list = calls.and_then(|calls| calls.get().strip_prefix('['));
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
        pieces.any(|(calls, old)| old.is_some() || calls.is_some_and(|calls| calls.get() != "[]"))
    }
}
