//! Whether a content is harmful: `/v1/moderations`.

use super::measure;
use crate::Operation;
use crate::as_is::{AsIs, Unit};

pub const MODERATE: AsIs = AsIs {
    operation: Operation::Moderate,
    path: "/moderations",
    usual_model: Some("omni-moderation-latest"),
    usage: measure::of_text,
    unit: Unit::Nothing,
};
