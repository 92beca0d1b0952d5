//! Who pays, the keys that callers show, and how much they may use.

use schemars::JsonSchema;
use serde::Deserialize;

/// A team.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Team {
    /// Model names its keys may use; each may hold one `*`. Default: all.
    #[schemars(extend("minItems" = 1))]
    pub(in crate::config) models: Option<Vec<String>>,
    /// How much its keys may use together. Default: no limit.
    #[schemars(extend("minItems" = 1))]
    pub(in crate::config) limits: Option<Vec<Rate>>,
}

/// A key that callers show.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Key {
    /// The team it belongs to. Default `default`.
    pub(in crate::config) team: Option<String>,
    /// The key itself, as a reference: `${env:NAME}` or `${file:PATH}`.
    pub(in crate::config) secret: String,
    /// How much this key may use; its team's limits hold besides. Default: no limit.
    #[schemars(extend("minItems" = 1))]
    pub(in crate::config) limits: Option<Vec<Rate>>,
}

/// How much of what in how long: one of `requests`, `tokens`, `input_tokens` and `output_tokens`
/// with `per`, or `concurrent`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Rate {
    /// Calls.
    pub(in crate::config) requests: Option<u64>,
    /// Tokens of input and output together, cached and hidden ones included.
    pub(in crate::config) tokens: Option<u64>,
    /// Tokens of input, cached ones included.
    pub(in crate::config) input_tokens: Option<u64>,
    /// Tokens of output, hidden ones included.
    pub(in crate::config) output_tokens: Option<u64>,
    /// Calls that are being answered at the same moment.
    pub(in crate::config) concurrent: Option<u64>,
    /// In how long.
    pub(in crate::config) per: Option<Per>,
    /// Count by the calendar of this time zone, such as `Europe/Berlin` or `UTC`. Default: in the
    /// last minute, hour … before each call.
    pub(in crate::config) zone: Option<String>,
}

/// In how long.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::config) enum Per {
    /// Of the clock, or sixty seconds.
    Minute,
    /// Of the clock, or sixty minutes.
    Hour,
    /// Of the calendar, or twenty-four hours.
    Day,
    /// From Monday on, or seven days.
    Week,
    /// Of the calendar, or thirty days.
    Month,
}
