//! The manual and the examples are true: every configuration in them is checked, every refusal in
//! them is what the program says, and every key of the schema is explained.

#![expect(clippy::unwrap_used, reason = "a test that breaks should say so at once")]

use std::path::{Path, PathBuf};

use serde_json::Value;
use tollgate::config::{Config, Loaded, Refusals, schema};
use tollgate_wire::PROVIDERS;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A folder with every file that examples name; gone when dropped.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let name = format!("tollgate-manual-{}-{name}", std::process::id());
        let path = std::env::temp_dir().join(name);
        for folder in ["certificates", "secrets"] {
            std::fs::create_dir_all(path.join(folder)).unwrap();
        }
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        for (file, text) in [
            ("certificates/gateway.pem", made.cert.pem()),
            ("certificates/gateway.key", made.signing_key.serialize_pem()),
            ("certificates/company-ca.pem", made.cert.pem()),
            ("secrets/vllm.key", "not-a-real-key-vllm\n".to_owned()),
            ("secrets/openai.key", "not-a-real-key-openai\n".to_owned()),
            ("secrets/partner.key", "not-a-real-key-partner\n".to_owned()),
        ] {
            std::fs::write(path.join(file), text).unwrap();
        }
        Self(path)
    }

    fn check(&self, text: &str) -> Result<Loaded, Refusals> {
        let variable = |name: &str| Some(format!("not-a-real-value-of-{name}"));
        Config::from_text(&self.0.join("tollgate.yaml"), text, &variable)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The fenced blocks of a page: what stands after the fence, and the text.
fn blocks(page: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if let Some(kind) = line.strip_prefix("```") {
            let text: Vec<&str> =
                lines.by_ref().take_while(|line| !line.starts_with("```")).collect();
            found.push((kind.to_owned(), text.join("\n") + "\n"));
        }
    }
    found
}

fn page(name: &str) -> String {
    std::fs::read_to_string(root().join("docs").join(name)).unwrap()
}

#[test]
fn every_example_is_good() {
    let folder = Folder::new("examples");
    let mut count = 0;
    for entry in std::fs::read_dir(root().join("examples")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "yaml") {
            let text = std::fs::read_to_string(&path).unwrap();
            if let Err(refused) = folder.check(&text) {
                panic!("{}:\n{refused}", path.display());
            }
            count += 1;
        }
    }
    assert!(count >= 6, "{count} examples");
}

#[test]
fn every_configuration_in_the_manual_is_good_or_refused_as_it_says() {
    let folder = Folder::new("manual");
    let (mut good, mut bad) = (0, 0);
    let blocks = blocks(&page("configuration.md"));
    for (at, (kind, text)) in blocks.iter().enumerate() {
        match kind.as_str() {
            "yaml" => {
                if let Err(refused) = folder.check(text) {
                    panic!("{text}\n{refused}");
                }
                good += 1;
            }
            "yaml refused" => {
                let refused = folder.check(text).unwrap_err();
                let said = refused.to_string().replace(&format!("{}/", folder.0.display()), "");
                assert_eq!(said.trim(), blocks[at + 1].1.trim());
                bad += 1;
            }
            _ => {}
        }
    }
    assert!(good >= 3 && bad >= 1, "{good} good, {bad} refused");
}

#[test]
fn every_key_is_explained() {
    let manual = page("configuration.md");
    let schema = schema();
    let mut keys = Vec::new();
    collect(&schema, &schema, &mut keys);
    assert!(keys.len() > 40, "{keys:?}");
    let missing: Vec<&String> = keys
        .iter()
        .filter(|key| {
            // A section has a heading, a key a row; a key of a mapping inside is written with it.
            let forms = [format!("`{key}`"), format!(".{key}`"), format!("].{key}`")];
            !forms.iter().any(|form| manual.contains(form.as_str()))
        })
        .collect();
    assert!(missing.is_empty(), "not in docs/configuration.md: {missing:?}");
}

fn collect(here: &Value, root: &Value, keys: &mut Vec<String>) {
    for (name, below) in here["properties"].as_object().into_iter().flatten() {
        keys.push(name.clone());
        collect(definition(below, root), root, keys);
        collect(definition(&below["items"], root), root, keys);
        collect(definition(&below["additionalProperties"], root), root, keys);
    }
}

fn definition<'a>(schema: &'a Value, root: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        Some(reference) => &root["$defs"][reference.trim_start_matches("#/$defs/")],
        None => schema,
    }
}

#[test]
fn every_kind_and_every_variable_is_named() {
    let manual = page("configuration.md");
    for row in PROVIDERS {
        assert!(manual.contains(&format!("`{}`", row.kind)), "{}", row.kind);
        for variable in row.key_env {
            assert!(manual.contains(&format!("`{variable}`")), "{variable}");
        }
    }
}

#[test]
fn defaults_in_the_manual_are_those_of_the_program() {
    let manual = page("configuration.md");
    let folder = Folder::new("defaults");
    let config = folder.check("providers: { play: { kind: simulated } }").unwrap().config;
    let row = |key: &str, default: &str| {
        let begins = format!("| `{key}` |");
        let holds = format!("| `{default}` |");
        let found = manual.lines().any(|line| line.starts_with(&begins) && line.contains(&holds));
        assert!(found, "{key} is {default}");
    };
    let limits = config.limits;
    row("body", &format!("{}MiB", limits.body_bytes >> 20));
    row("upload", &format!("{}MiB", limits.upload_bytes >> 20));
    row("head", &format!("{}KiB", limits.head_bytes >> 10));
    row("headers", &limits.headers.to_string());
    row("reply", &format!("{}MiB", limits.reply_bytes >> 20));
    row("line", &format!("{}MiB", limits.line_bytes >> 20));
    row("event", &format!("{}MiB", limits.event_bytes >> 20));
    row("json_depth", &limits.json_depth.to_string());
    row("connections", &limits.connections.to_string());
    row("grace", &format!("{}s", config.shutdown_grace.as_secs()));
    let timeouts = config.providers["play"].timeouts;
    row("timeouts.connect", &format!("{}s", timeouts.connect.as_secs()));
    row("timeouts.first_token", &format!("{}s", timeouts.first_token.as_secs()));
    row("timeouts.between_tokens", &format!("{}s", timeouts.between_tokens.as_secs()));
    row("timeouts.total", &format!("{}m", timeouts.total.as_secs() / 60));
    let listen = config.listen.timeouts;
    row("timeouts.head", &format!("{}s", listen.head.as_secs()));
    row("timeouts.body", &format!("{}s", listen.body.as_secs()));
    row("timeouts.write", &format!("{}s", listen.write.as_secs()));
    row("timeouts.idle", &format!("{}s", listen.idle.as_secs()));
}
