//! Writing the configuration. Every text stands in double quotes, which YAML reads as JSON does.

use std::fmt::Write as _;

/// A provider as it is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Provider {
    pub(super) kind: &'static str,
    /// Keys and values besides the kind, in order; a key may hold dots for a mapping inside.
    pub(super) fields: Vec<(&'static str, String)>,
    /// Keys of `credentials`.
    pub(super) credentials: Vec<(&'static str, String)>,
}

/// A model as it is written.
#[derive(Clone, Debug, Default)]
pub(super) struct Model {
    pub(super) name: String,
    /// `provider/model`.
    pub(super) targets: Vec<String>,
    /// Keys of `timeouts`, in milliseconds.
    pub(super) timeouts: Vec<(&'static str, u64)>,
}

pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

pub(super) fn write(
    from: &str,
    providers: &[(String, Provider)],
    models: &[Model],
    key: Option<&str>,
) -> String {
    let mut out =
        format!("# Made from {from}. What was not carried stands in the report of that.\n");
    out.push_str("providers:\n");
    for (name, provider) in providers {
        let mut fields = vec![format!("kind: {}", provider.kind)];
        fields
            .extend(provider.fields.iter().map(|(key, value)| format!("{key}: {}", quoted(value))));
        if !provider.credentials.is_empty() {
            let inner: Vec<String> = provider
                .credentials
                .iter()
                .map(|(key, value)| format!("{key}: {}", quoted(value)))
                .collect();
            fields.push(format!("credentials: {{ {} }}", inner.join(", ")));
        }
        // Writing to a string does not fail.
        let _ = writeln!(out, "  {name}: {{ {} }}", fields.join(", "));
    }
    if !models.is_empty() {
        out.push_str("models:\n");
    }
    for model in models {
        let _ = writeln!(out, "  {}:\n    targets:", quoted(&model.name));
        for target in &model.targets {
            let _ = writeln!(out, "      - {{ to: {} }}", quoted(target));
        }
        let timeouts: Vec<String> =
            model.timeouts.iter().map(|(key, millis)| format!("{key}: \"{millis}ms\"")).collect();
        if !timeouts.is_empty() {
            let _ = writeln!(out, "    timeouts: {{ {} }}", timeouts.join(", "));
        }
    }
    if let Some(secret) = key {
        let _ = writeln!(out, "keys:\n  master: {{ secret: {} }}", quoted(secret));
    }
    out
}
