//! The configuration, as written: one struct for each mapping of the file, in one file for each
//! concern. The comments here are what editors show, and the JSON Schema made from these types is what
//! the shape of a file is checked against. Nothing here is resolved.

mod limits;
mod listen;
mod models;
mod prices;
mod providers;
mod teams;

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Deserialize;
use tollgate_wire::PROVIDERS;

pub(super) use limits::{Away, Limits, Log, LogFormat, Shutdown, Storage};
pub(super) use listen::{Listen, ListenTimeouts, ListenTls};
pub(super) use models::Model;
pub(super) use prices::{Price, Tier};
pub(super) use providers::{Credentials, Data, Provider, Timeouts};
pub(super) use teams::{Key, Per, Rate, Team};

/// A Tollgate configuration.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "tollgate.yaml")]
pub(super) struct File {
    /// Where the gateway listens.
    pub(super) listen: Option<Listen>,
    /// Where state rests.
    pub(super) storage: Option<Storage>,
    /// Who answers calls, by a name of your choice.
    pub(super) providers: BTreeMap<String, Provider>,
    /// Names that callers use for models, and where they lead. A name may hold one `*`. Without an
    /// entry here a model is still reached as `provider/model`.
    pub(super) models: Option<BTreeMap<String, Model>>,
    /// Who pays, and what its keys may use.
    pub(super) teams: Option<BTreeMap<String, Team>>,
    /// Keys that callers show. Others are made with `tollgate keys create`.
    pub(super) keys: Option<BTreeMap<String, Key>>,
    /// The file of what is known of models, as `tollgate catalogue` makes it. Default: the one that
    /// the program carries.
    pub(super) catalogue: Option<String>,
    /// What models cost you, where that is not what their vendors publish.
    pub(super) prices: Option<Vec<Price>>,
    /// Bounds on what may be sent and received.
    pub(super) limits: Option<Limits>,
    /// How the process ends.
    pub(super) shutdown: Option<Shutdown>,
    /// What the process writes: its log to standard error, one line for each call to standard
    /// output.
    pub(super) log: Option<Log>,
}

/// The JSON Schema of the file, for editors and for the check of its shape.
#[must_use]
pub fn schema() -> serde_json::Value {
    let mut schema = schemars::schema_for!(File).to_value();
    without_null(&mut schema);
    let kinds: Vec<&str> = PROVIDERS.iter().map(|row| row.kind).collect();
    schema["$defs"]["Provider"]["properties"]["kind"]["enum"] = kinds.into();
    let dialects: BTreeSet<&str> =
        PROVIDERS.iter().flat_map(|row| row.speaks).map(|speaks| speaks.dialect.as_str()).collect();
    let dialects: serde_json::Value = dialects.into_iter().collect();
    for with_dialect in ["Provider", "Target"] {
        schema["$defs"][with_dialect]["properties"]["dialect"]["enum"] = dialects.clone();
    }
    schema
}

/// What may be left out is left out, never written as `null`: a key without a value is a slip.
fn without_null(schema: &mut serde_json::Value) {
    match schema {
        serde_json::Value::Array(items) => items.iter_mut().for_each(without_null),
        serde_json::Value::Object(fields) => {
            if let Some(serde_json::Value::Array(types)) = fields.get_mut("type") {
                types.retain(|name| name != "null");
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    fields.insert("type".to_owned(), only);
                }
            }
            if let Some(serde_json::Value::Array(ways)) = fields.get_mut("anyOf") {
                ways.retain(|way| way["type"] != "null");
                if let [serde_json::Value::Object(only)] = ways.as_slice() {
                    let only = only.clone();
                    fields.shift_remove("anyOf");
                    fields.extend(only);
                }
            }
            fields.values_mut().for_each(without_null);
        }
        _ => {}
    }
}
