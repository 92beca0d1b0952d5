//! A conversation made shorter: `/v1/responses/compact`. What comes back is sealed by the provider and
//! goes back to it in later requests.

use crate::Operation;
use crate::as_is::{AsIs, Unit};
use crate::dialects::openai_chat::measure;

pub const COMPACT: AsIs = AsIs {
    operation: Operation::Compact,
    path: "/responses/compact",
    usual_model: None,
    usage: measure::of_text,
    unit: Unit::Nothing,
};
