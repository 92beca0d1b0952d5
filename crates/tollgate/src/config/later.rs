//! What a later version will know. Such a setting is refused by name and never ignored: a limit
//! that nobody enforces is worse than none. Rows leave this table when their feature arrives.

use super::place::{Path, Step};

/// Keys: where they would stand (`*` any name, `[]` any entry), and what they would do.
const KEYS: &[(&str, &str)] = &[
    ("audit", "an audit trail"),
    ("cache", "a cache of answers"),
    ("keys.*.budgets", "budgets of a key"),
    ("keys.*.expires", "the expiry of a key"),
    ("keys.*.limits[].usd", "limits on cost"),
    ("keys.*.limits[].wait", "calls that wait for room"),
    ("keys.*.models", "an allow-list of a single key"),
    ("keys.*.policies", "policies of a key"),
    ("keys.*.tags", "tags"),
    ("login", "people who sign in"),
    ("models.*.cache", "a cache of answers"),
    ("models.*.hedge", "hedged calls"),
    ("models.*.policies", "policies of a model"),
    ("models.*.residency", "residency"),
    ("models.*.retry", "rules for retries"),
    ("models.*.shadow", "shadow traffic"),
    ("models.*.targets[].price", "prices"),
    ("models.*.targets[].region", "regions of a target"),
    ("models.*.targets[].residency", "residency"),
    ("models.*.targets[].timeouts", "timeouts of a single target"),
    ("models.*.targets[].weight", "weighted targets"),
    ("models.*.targets[].when", "conditions on targets"),
    ("models.*.template", "templates"),
    ("people", "people who sign in"),
    ("policies", "policies on content"),
    ("providers.*.concurrency", "ceilings of a provider"),
    ("providers.*.health", "health checks"),
    ("providers.*.limits", "limits of a provider"),
    ("providers.*.prices", "prices"),
    ("providers.*.residency", "residency"),
    ("providers.*.retry", "rules for retries"),
    ("residency", "residency"),
    ("sessions", "sessions"),
    ("storage.content", "stored content"),
    ("teams.*.budgets", "budgets"),
    ("teams.*.cache", "a cache of answers"),
    ("teams.*.limits[].usd", "limits on cost"),
    ("teams.*.limits[].wait", "calls that wait for room"),
    ("teams.*.members", "people who sign in"),
    ("teams.*.policies", "policies on content"),
    ("teams.*.residency", "residency"),
    ("teams.*.tags", "tags"),
    ("telemetry", "export of telemetry (metrics are served at `/metrics`)"),
    ("templates", "templates"),
];

/// Values of keys that are known already.
const VALUES: &[(&str, &str, &str)] = &[
    ("models.*.strategy", "cheapest", "choosing the cheapest target"),
    ("models.*.strategy", "fastest", "choosing the fastest target"),
    ("models.*.strategy", "least-busy", "choosing the least busy target"),
    ("models.*.strategy", "weighted", "weighted targets"),
    ("providers.*.dialect", "bedrock-converse", "the dialect of Bedrock"),
    ("providers.*.dialect", "openai-responses", "the dialect of OpenAI Responses"),
    ("providers.*.kind", "cohere", "Cohere"),
];

/// What the key at `path` would do in a later version.
pub(super) fn key(path: &Path) -> Option<&'static str> {
    KEYS.iter().find(|(pattern, _)| stands_at(pattern, path)).map(|(_, what)| *what)
}

/// What `value` at `path` would mean in a later version.
pub(super) fn value(path: &Path, value: &str) -> Option<&'static str> {
    VALUES
        .iter()
        .find(|(pattern, later, _)| *later == value && stands_at(pattern, path))
        .map(|(_, _, what)| *what)
}

fn stands_at(pattern: &str, path: &Path) -> bool {
    let mut wanted = pattern.split('.').flat_map(|part| match part.strip_suffix("[]") {
        Some(name) => vec![name, "[]"],
        None => vec![part],
    });
    let mut steps = path.steps().iter();
    loop {
        match (wanted.next(), steps.next()) {
            (None, None) => return true,
            (Some("*"), Some(Step::Key(_))) | (Some("[]"), Some(Step::Index(_))) => {}
            (Some(name), Some(Step::Key(key))) if name == key => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_sorted_and_none_is_known_already() {
        assert!(KEYS.is_sorted());
        assert!(VALUES.is_sorted());
        let schema = super::super::written::schema();
        for (pattern, _) in KEYS {
            let mut here = &schema;
            for part in pattern.split('.') {
                let part = part.trim_end_matches("[]");
                let below = if part == "*" {
                    &here["additionalProperties"]
                } else {
                    &here["properties"][part]
                };
                let below = if below["items"].is_object() { &below["items"] } else { below };
                here = match below["$ref"].as_str() {
                    Some(reference) => &schema["$defs"][reference.trim_start_matches("#/$defs/")],
                    None => below,
                };
            }
            assert!(here.is_null(), "{pattern} is known now: remove its row");
        }
    }

    #[test]
    fn rows_match_their_places_only() {
        let top = Path::top();
        let target = top.key("models").key("a.b").key("targets").index(3);
        assert!(key(&target.key("weight")).is_some());
        assert!(key(&target.key("to")).is_none());
        assert!(key(&top.key("weight")).is_none());
        assert!(key(&top.key("teams").key("x").key("budgets")).is_some());
        assert!(value(&top.key("models").key("a").key("strategy"), "weighted").is_some());
    }
}
