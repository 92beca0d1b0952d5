//! Operations that travel as they are, to a provider of the same dialect and no other: only the
//! model's name is written anew, and the answer is read along for its figures. Nothing of them
//! becomes a value, so that whatever a vendor adds passes.

use serde_json::Value;
use tollgate_model::Usage;

use crate::members::Members;
use crate::{Operation, Quirks};

/// One such operation.
#[derive(Debug)]
pub struct AsIs {
    pub operation: Operation,
    /// Below the base URL.
    pub path: &'static str,
    /// What the vendor takes when no model is named; `None` where it insists on one.
    pub usual_model: Option<&'static str>,
    /// Reads the object `usage` of an answer, or of an event.
    pub usage: fn(&Value, &Quirks) -> Usage,
    pub unit: Unit,
}

/// In what an operation is counted where its answer states no tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Nothing,
    /// Entries of `data`.
    Images,
    /// `duration`, in seconds.
    Speech,
    /// Letters of the request's `input`.
    Characters,
}

/// Members of an answer, or of an event, that say what was used.
pub const TELLING: &[&str] = &["data", "duration", "error", "model", "type", "usage"];

impl AsIs {
    /// What a whole answer or one event says of what was used; `members` are those of
    /// [`TELLING`].
    #[must_use]
    pub fn measured(&self, members: &Members, quirks: &Quirks) -> Usage {
        let mut usage = members.get("usage").filter(Value::is_object);
        let mut said = usage.as_ref().map(|usage| (self.usage)(usage, quirks)).unwrap_or_default();
        said.raw = usage.take().map(Box::new);
        match self.unit {
            Unit::Images => said.output_images = members.count("data"),
            Unit::Speech if said.is_unknown() => {
                let seconds = members.get("duration").as_ref().and_then(seconds);
                said.input_audio_ms = seconds.and_then(milliseconds);
            }
            _ => {}
        }
        said
    }
}

/// Some hosts write the number as a text.
fn seconds(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.parse().ok())
}

/// Rounded to the nearest; `None` for what is no duration.
#[must_use]
pub fn milliseconds(seconds: f64) -> Option<u64> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in 0..=1e12")]
    (0.0..=1e9).contains(&seconds).then(|| (seconds * 1e3).round() as u64)
}
