//! One entry of the ledger: what is known of a call, without content and without secrets.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use tollgate_model::{Cost, Record, RecordId, Usage};

use crate::store::StoreError;

/// Longest text of a entry; a caller chooses some of them.
const MOST_TEXT: usize = 256;
/// A larger usage object of a provider is not kept.
const MOST_RAW: usize = 4096;

/// What is counted of a call, in the order in which entries hold it: the names of the database's
/// columns. Tokens where nothing else is said.
pub const CLASSES: [&str; 14] = [
    "input",
    "cache_read_input",
    "cache_write_input",
    "cache_write_1h_input",
    "audio_input",
    "image_input",
    "output",
    "reasoning_output",
    "audio_output",
    "image_output",
    "search_units",
    "input_audio_ms",
    "input_characters",
    "output_images",
];

/// One call. Names are those of the access log; `None` is "not known", never zero.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Entry<'a> {
    #[serde(with = "id")]
    pub id: RecordId,
    pub request_id: Cow<'a, str>,
    /// Unix time of the first byte, in microseconds.
    pub at_us: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<Cow<'a, str>>,
    pub operation: Cow<'a, str>,
    #[serde(skip_serializing_if = "is_false")]
    pub stream: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dialect: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_asked: Option<Cow<'a, str>>,
    /// The provider's name in the configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<Cow<'a, str>>,
    /// The model's name there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_answered: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upstream_request_id: Option<Cow<'a, str>>,
    pub attempts: u32,
    /// HTTP status that the caller got; 0: the gateway ended before it could say.
    pub status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finish: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<Cow<'a, str>>,
    /// The caller left before the answer was whole.
    #[serde(skip_serializing_if = "is_false")]
    pub left: bool,
    /// Some of the usage is a guess.
    #[serde(skip_serializing_if = "is_false")]
    pub estimated: bool,
    /// In the order of [`CLASSES`]; written by name, where it is known.
    #[serde(with = "usage")]
    pub usage: [Option<u64>; CLASSES.len()],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tier: Option<Cow<'a, str>>,
    /// The provider's own object, as it said it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub raw_usage: Option<Cow<'a, str>>,
    /// Microdollars.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_micro_usd: Option<u64>,
    /// Why nobody can say what it cost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_unknown: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_chunk_us: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overhead_us: Option<u64>,
    #[serde(skip_serializing_if = "is_zero")]
    pub duration_us: u64,
    #[serde(skip_serializing_if = "is_zero")]
    pub request_bytes: u64,
    #[serde(skip_serializing_if = "is_zero")]
    pub response_bytes: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands references")]
fn is_false(flag: &bool) -> bool {
    !flag
}

fn is_zero<N: Copy + Into<u64>>(number: &N) -> bool {
    (*number).into() == 0
}

impl<'a> Entry<'a> {
    /// Of a record as it stands.
    #[must_use]
    pub fn of(record: &'a Record) -> Self {
        let text = |text: &'a Option<String>| text.as_deref().map(short);
        let word = |word: &'static str| Cow::Borrowed(word);
        let target = record.target.as_deref().and_then(|target| target.split_once('/'));
        let raw = record.usage.raw.as_ref().map(ToString::to_string);
        Self {
            id: record.id,
            request_id: short(&record.request_id),
            at_us: record.started_us,
            team: text(&record.team),
            key: text(&record.key),
            operation: word(record.operation),
            stream: record.stream,
            dialect: record.dialect.map(|dialect| word(dialect.as_str())),
            model_asked: text(&record.model_asked),
            provider: target.map(|(provider, _)| short(provider)),
            model: target.map(|(_, model)| short(model)),
            model_answered: text(&record.model_answered),
            upstream_request_id: text(&record.upstream_request_id),
            attempts: record.attempts,
            status: record.status,
            finish: record.finish.map(|finish| word(finish.as_str())),
            error: record.fault.as_ref().map(|fault| word(fault.code())),
            limit: text(&record.limit),
            left: record.left,
            estimated: record.estimated,
            usage: counts(&record.usage),
            tier: text(&record.usage.service_tier),
            raw_usage: raw.filter(|raw| raw.len() <= MOST_RAW).map(Cow::Owned),
            cost_micro_usd: record.cost.and_then(Cost::stated).map(|cost| cost.0),
            cost_unknown: match record.cost {
                Some(Cost::Unknown(why)) => Some(word(why)),
                _ => None,
            },
            first_chunk_us: record.first_chunk_us,
            overhead_us: record.overhead_us,
            duration_us: record.duration_us,
            request_bytes: record.request_bytes,
            response_bytes: record.response_bytes,
        }
    }
}

impl Entry<'_> {
    /// As the journal and the database hold it.
    pub(crate) fn to_json(&self) -> String {
        // Texts and numbers: it cannot fail.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// # Errors
    /// When it is no entry.
    pub(crate) fn from_json(json: &str) -> Result<Entry<'static>, StoreError> {
        serde_json::from_str(json).map_err(|_| StoreError::NoEntry)
    }

    /// What the call is thought to use and to cost.
    pub fn foresee(&mut self, usage: &Usage, cost: Cost) {
        self.usage = counts(usage);
        self.estimated = true;
        match cost {
            Cost::Stated(cost) => self.cost_micro_usd = Some(cost.0),
            Cost::Unknown(why) => self.cost_unknown = Some(Cow::Borrowed(why)),
        }
    }
}

fn counts(usage: &Usage) -> [Option<u64>; CLASSES.len()] {
    [
        usage.input_tokens,
        usage.cache_read_input_tokens,
        usage.cache_write_input_tokens,
        usage.cache_write_1h_input_tokens,
        usage.audio_input_tokens,
        usage.image_input_tokens,
        usage.output_tokens,
        usage.reasoning_output_tokens,
        usage.audio_output_tokens,
        usage.image_output_tokens,
        usage.search_units,
        usage.input_audio_ms,
        usage.input_characters,
        usage.output_images,
    ]
}

/// A text within its bound, cut between two characters.
fn short(text: &str) -> Cow<'_, str> {
    let mut text = text;
    if text.len() > MOST_TEXT {
        let end = (0..=MOST_TEXT).rev().find(|at| text.is_char_boundary(*at));
        text = &text[..end.unwrap_or_default()];
    }
    // PostgreSQL holds no NUL.
    if text.contains('\0') {
        Cow::Owned(text.replace('\0', "\u{FFFD}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// As 32 hexadecimal digits.
mod id {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};
    use std::borrow::Cow;
    use tollgate_model::RecordId;

    pub(super) fn serialize<S: Serializer>(
        id: &RecordId,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(id)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<RecordId, D::Error> {
        let text = Cow::<'_, str>::deserialize(from)?;
        RecordId::parse(&text).ok_or_else(|| D::Error::custom("no record id"))
    }
}

/// By name, what is not known left out.
mod usage {
    use std::borrow::Cow;
    use std::collections::HashMap;

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use super::CLASSES;

    type Usage = [Option<u64>; CLASSES.len()];

    pub(super) fn serialize<S: Serializer>(
        usage: &Usage,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let known = CLASSES.iter().zip(usage).filter_map(|(name, count)| Some((name, (*count)?)));
        serializer.collect_map(known)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Usage, D::Error> {
        let known = HashMap::<Cow<'_, str>, u64>::deserialize(from)?;
        let mut usage = Usage::default();
        for (name, count) in known {
            let at = CLASSES.iter().position(|class| *class == name);
            let at = at.ok_or_else(|| D::Error::custom("no class of usage"))?;
            usage[at] = Some(count);
        }
        Ok(usage)
    }
}
