//! Names for models, and where they lead.

use schemars::JsonSchema;
use serde::Deserialize;

use super::Timeouts;

/// A model name, and where it leads.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Model {
    /// How a target is chosen. Default `priority`.
    pub(in crate::config) strategy: Option<Strategy>,
    /// Where the name leads.
    #[schemars(extend("minItems" = 1))]
    pub(in crate::config) targets: Vec<Target>,
    /// How long to wait; these go before the provider's own.
    pub(in crate::config) timeouts: Option<Timeouts>,
    /// Refuse a call when its translation would lose a field. Default `false`: the loss is named in
    /// `x-tollgate-loss`.
    pub(in crate::config) strict: Option<bool>,
}

/// How a target is chosen.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::config) enum Strategy {
    /// In the order written, until one answers.
    Priority,
}

/// One place a model name leads to.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Target {
    /// `provider/model`; `provider/*` passes on the name that the caller used.
    #[schemars(extend("pattern" = "^[^/]+/.+$"))]
    pub(in crate::config) to: String,
    /// Ask in this dialect only, whatever the caller speaks. Default: the provider's `dialect`.
    pub(in crate::config) dialect: Option<String>,
}
