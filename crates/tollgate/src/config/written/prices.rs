//! Prices that the organisation pays, where they are not the published ones.

use schemars::JsonSchema;
use serde::Deserialize;

/// What models cost, in US dollars: tokens and characters by the million, everything else by the
/// piece. What has no rate of its own is charged at the rate of what it is part of: cached input,
/// sound and images at `input`, thinking at `output`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Price {
    /// `provider/model`, which may hold one `*`. The first entry that fits a model decides, together with
    /// others of the very same pattern.
    pub(in crate::config) models: String,
    /// Nobody charges for it.
    pub(in crate::config) free: Option<bool>,
    /// The first day that it holds, such as `2026-01-01`. Default: always.
    pub(in crate::config) from: Option<String>,
    /// The tier of service that it is for. Default `standard`.
    pub(in crate::config) tier: Option<Tier>,
    /// It is for calls with more input tokens than this. Default: for all.
    pub(in crate::config) above: Option<u64>,
    /// Input that is neither read from nor written to a cache.
    pub(in crate::config) input: Option<f64>,
    /// Input that is read from a cache.
    pub(in crate::config) cache_read_input: Option<f64>,
    /// Input that is written to a cache, for five minutes.
    pub(in crate::config) cache_write_input: Option<f64>,
    /// Input that is written to a cache, for an hour.
    pub(in crate::config) cache_write_1h_input: Option<f64>,
    /// Sound that is sent, in tokens.
    pub(in crate::config) audio_input: Option<f64>,
    /// Images that are sent, in tokens.
    pub(in crate::config) image_input: Option<f64>,
    /// Output.
    pub(in crate::config) output: Option<f64>,
    /// Thinking.
    pub(in crate::config) reasoning_output: Option<f64>,
    /// Sound that is made, in tokens.
    pub(in crate::config) audio_output: Option<f64>,
    /// Images that are made, in tokens.
    pub(in crate::config) image_output: Option<f64>,
    /// A million characters that are read aloud.
    pub(in crate::config) character: Option<f64>,
    /// One call.
    pub(in crate::config) call: Option<f64>,
    /// One image that is made.
    pub(in crate::config) image_made: Option<f64>,
    /// One second of sound that is sent.
    pub(in crate::config) second_sent: Option<f64>,
}

/// The tier of service that a price is for.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::config) enum Tier {
    /// What is asked for when nothing is said.
    Standard,
    /// Batches.
    Batch,
    /// Slower and cheaper.
    Flex,
    /// Faster and dearer.
    Priority,
}
