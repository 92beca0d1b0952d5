//! Reading no more of an answer, or of an event of a stream, than metering and endings need,
//! without a tree.

use serde::Deserialize;
use serde::de::IgnoredAny;
use tollgate_model::{Event, Usage};

use super::reading;
use crate::Quirks;
use crate::dialects::openai_chat::usage::Figures;
use crate::lenient::{Figure, Object, Word};

/// A response object.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Skimmed {
    id: Word,
    model: Word,
    created_at: Figure,
    status: Word,
    incomplete_details: Object<Details>,
    output: Option<Vec<SkimmedItem>>,
    usage: Object<Figures>,
    service_tier: Word,
    error: Option<IgnoredAny>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Details {
    reason: Word,
}

/// An item, as far as it is announced.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct SkimmedItem {
    #[serde(rename = "type")]
    pub(super) kind: Word,
    pub(super) id: Word,
}

impl SkimmedItem {
    /// A tool of the caller's is called.
    pub(super) fn is_call(&self) -> bool {
        matches!(self.kind.0.as_deref(), Some("function_call" | "custom_tool_call"))
    }
}

/// An event that is more than a piece of content.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct SkimmedEvent {
    #[serde(rename = "type")]
    pub(super) kind: Word,
    pub(super) sequence_number: Figure,
    pub(super) output_index: Figure,
    pub(super) content_index: Figure,
    pub(super) item: Object<SkimmedItem>,
    pub(super) part: Object<SkimmedItem>,
    pub(super) response: Object<Skimmed>,
}

impl Skimmed {
    /// `None` for an error, or for a shape that only the whole reader knows.
    pub(super) fn of(body: &[u8]) -> Option<Self> {
        let Object(skimmed) = serde_json::from_slice::<Object<Self>>(body).ok()?;
        skimmed.filter(|skimmed| skimmed.error.is_none() && skimmed.output.is_some())
    }

    /// It did not fail, as far as can be seen here.
    pub(super) fn is_whole(&self) -> bool {
        self.error.is_none() && self.status.0.as_deref() != Some("failed")
    }

    pub(super) fn start(&self) -> Event {
        let text = |word: &Word| word.0.clone().filter(|text| !text.is_empty());
        let created = self.created_at.0.filter(|created| *created > 0);
        Event::Start { id: text(&self.id), model: text(&self.model), created }
    }

    /// `called`: a call went by before.
    pub(super) fn finish(&self, called: bool) -> Event {
        let called = called || self.output.iter().flatten().any(SkimmedItem::is_call);
        let why = self.incomplete_details.0.as_ref().and_then(|why| why.reason.0.as_deref());
        reading::finish(self.status.0.as_deref(), why, called)
    }

    pub(super) fn usage(self, quirks: &Quirks) -> Option<Usage> {
        let mut usage = self.usage.0?.read(quirks)?;
        let tier = self.service_tier.0.filter(|tier| !tier.is_empty());
        usage.service_tier = tier.or(usage.service_tier);
        Some(usage)
    }
}
