//! One entry of LiteLLM's `model_list`: which provider it needs, and which model there.

use super::super::place::Path;
use super::super::yaml::{Node, Value};
use super::yaml_out::Provider;
use super::{Fate, Note, kinds};

/// What is known while a file is imported.
pub(super) struct Import<'a> {
    pub(super) variable: &'a dyn Fn(&str) -> Option<String>,
    pub(super) report: Vec<Note>,
}

#[derive(Debug)]
pub(super) struct Deployment {
    pub(super) provider: Provider,
    /// `*` passes on the caller's name.
    pub(super) model: String,
    pub(super) order: i64,
    pub(super) timeouts: Vec<(&'static str, u64)>,
}

impl Node {
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        match &self.value {
            Value::Map(entries) => entries.iter().find(|e| e.key == key).map(|entry| &entry.node),
            _ => None,
        }
    }

    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Seconds, as milliseconds; more than a day is a day.
    pub(super) fn millis(&self) -> Option<u64> {
        const DAY: f64 = 86_400_000.0;
        let seconds = match &self.value {
            Value::Float(seconds) => *seconds,
            Value::Integer(seconds) => f64::from(i32::try_from(*seconds).ok()?),
            _ => return None,
        };
        let millis = (seconds * 1000.0).ceil().min(DAY);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "positive, and not more than a day"
        )]
        (millis >= 1.0).then_some(millis as u64)
    }
}

/// The name of the variable in `os.environ/NAME`.
fn variable(text: &str) -> Option<&str> {
    text.strip_prefix("os.environ/").filter(|name| !name.is_empty())
}

impl Import<'_> {
    pub(super) fn note(&mut self, node: &Node, path: &Path, fate: Fate, why: impl Into<String>) {
        self.report.push(Note::new(node.at, path, fate, why));
    }

    /// A secret as a reference. One in plain text is not copied.
    pub(super) fn secret(&mut self, node: &Node, path: &Path, name: &str) -> String {
        match node.text().map(|text| (text, variable(text))) {
            Some((_, Some(variable))) => format!("${{env:{variable}}}"),
            _ => {
                let why = format!(
                    "a secret in plain text is not copied: put it into the environment as {name}"
                );
                self.note(node, path, Fate::Changed, why);
                format!("${{env:{name}}}")
            }
        }
    }

    /// What is no secret stands in the file; a reference to the environment is followed.
    fn plain(&mut self, node: &Node, path: &Path, missing: &str) -> Option<String> {
        let text = match &node.value {
            Value::Text(text) => text.clone(),
            Value::Integer(number) => number.to_string(),
            _ => {
                self.note(node, path, Fate::Left, "it should be a text");
                return None;
            }
        };
        let Some(name) = variable(&text) else { return Some(text) };
        if let Some(value) = (self.variable)(name).filter(|value| !value.is_empty()) {
            let why = format!("taken from {name}, since only secrets are references here");
            self.note(node, path, Fate::Changed, why);
            return Some(value);
        }
        let why = format!("{name} is not set now, so that `{missing}` stands there: replace it");
        self.note(node, path, Fate::Changed, why);
        Some(missing.to_owned())
    }

    /// Reads the parameters of a deployment. `None`: it cannot be carried, which was noted.
    pub(super) fn deployment(&mut self, params: &Node, path: &Path) -> Option<Deployment> {
        let model = params.get("model")?;
        let written = model.text()?;
        let address = params.get("api_base").or_else(|| params.get("base_url"));
        let custom = params.get("custom_llm_provider").and_then(Node::text);
        let (row, name) = match kinds::of(written, custom, address.is_some()) {
            Ok(found) => found,
            Err(why) => {
                self.note(model, &path.key("model"), Fate::Left, why);
                return None;
            }
        };
        let mut provider = Provider { kind: row.kind, ..Provider::default() };
        if let Some(address) = address {
            let missing = "https://replace-me.invalid/v1";
            let at = path.key("api_base");
            let address = self.plain(address, &at, missing)?;
            provider.fields.push(("base_url", address.trim_end_matches('/').to_owned()));
        } else if row.base_url.is_empty() {
            let why = format!("a provider of kind `{}` needs its `api_base`", row.kind);
            self.note(model, &path.key("model"), Fate::Left, why);
            return None;
        }
        for (field, key, missing) in [
            ("api_version", "api_version", "2024-10-21"),
            ("aws_region_name", "region", "us-east-1"),
            ("vertex_project", "project", "replace-me"),
            ("vertex_location", "location", "us-central1"),
        ] {
            let takes = row.settings.iter().any(|setting| setting.name == key);
            if let Some(node) = params.get(field)
                && takes
                && let Some(value) = self.plain(node, &path.key(field), missing)
            {
                provider.fields.push((key, value));
            }
        }
        self.places(row, model, path, &mut provider);
        self.credentials(params, path, row, &mut provider);
        let timeouts = [("timeout", "total"), ("stream_timeout", "first_token")];
        let timeouts = timeouts
            .iter()
            .filter_map(|(theirs, ours)| Some((*ours, params.get(theirs)?.millis()?)));
        let order = match params.get("order").map(|node| &node.value) {
            Some(Value::Integer(order)) => *order,
            _ => i64::MAX,
        };
        Some(Deployment { provider, model: name.to_owned(), order, timeouts: timeouts.collect() })
    }

    /// A cloud must be told where; LiteLLM finds that in the environment.
    fn places(
        &mut self,
        row: &tollgate_wire::Provider,
        model: &Node,
        path: &Path,
        provider: &mut Provider,
    ) {
        let has_address = provider.fields.iter().any(|(key, _)| *key == "base_url");
        for setting in row.settings {
            let there = provider.fields.iter().any(|(key, _)| *key == setting.name);
            let waived = setting.need != tollgate_wire::provider::Need::Always
                || (has_address && !row.needs_beyond_address(setting));
            if there || waived {
                continue;
            }
            let found = setting.env.iter().find_map(|name| (self.variable)(name));
            let value = found.unwrap_or_else(|| "replace-me".to_owned());
            let why = format!("`{}` is not said: `{value}` stands there", setting.name);
            self.note(model, &path.key("model"), Fate::Changed, why);
            provider.fields.push((setting.name, value));
        }
    }

    fn credentials(
        &mut self,
        params: &Node,
        path: &Path,
        row: &tollgate_wire::Provider,
        provider: &mut Provider,
    ) {
        if let Some(key) = params.get("api_key") {
            // A key of `none` is what clients write for servers that want no key.
            let none = row.key_optional && key.text().is_some_and(|text| variable(text).is_none());
            if none {
                let why = "a key in plain text is not copied; this kind can do without one";
                self.note(key, &path.key("api_key"), Fate::Left, why);
            } else {
                let name = row.key_env.first().copied().unwrap_or("PROVIDER_API_KEY");
                let secret = self.secret(key, &path.key("api_key"), name);
                provider.fields.push(("api_key", secret));
            }
        } else if !row.key_optional && row.identity == tollgate_wire::auth::Identity::None {
            let name = row.key_env.first().copied().unwrap_or("PROVIDER_API_KEY");
            provider.fields.push(("api_key", format!("${{env:{name}}}")));
        }
        for (theirs, ours, name) in [
            ("aws_access_key_id", "access_key_id", "AWS_ACCESS_KEY_ID"),
            ("aws_secret_access_key", "secret_access_key", "AWS_SECRET_ACCESS_KEY"),
            ("aws_session_token", "session_token", "AWS_SESSION_TOKEN"),
            ("client_secret", "client_secret", "AZURE_CLIENT_SECRET"),
        ] {
            if let Some(node) = params.get(theirs) {
                let secret = self.secret(node, &path.key(theirs), name);
                provider.credentials.push((ours, secret));
            }
        }
        for (theirs, ours) in [
            ("aws_profile_name", "profile"),
            ("vertex_credentials", "file"),
            ("tenant_id", "tenant"),
            ("client_id", "client_id"),
        ] {
            if let Some(node) = params.get(theirs)
                && let Some(value) = self.plain(node, &path.key(theirs), "replace-me")
            {
                provider.credentials.push((ours, value));
            }
        }
    }
}
