//! Whole configurations: one good one, and everything that can be done to it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::ExposeSecret;

use super::mutations::{Mutation, mutations};
use super::*;

/// The good one. Its files stand in a folder that each test makes for itself.
pub(super) const GOOD: &str = r#"listen:
  data: 127.0.0.1:8080
  admin: 127.0.0.1:8081
  tls: { certificate: cert.pem, key: key.pem, client_ca: ca.pem }
  timeouts: { head: 10s, body: 20s }

storage:
  database: sqlite:data/tollgate.db

providers:
  openai:
    kind: openai
    api_key: "${env:OPENAI_API_KEY}"
  claude:
    kind: anthropic
    api_key: "${file:claude.key}"
    timeouts: { connect: 2s, first_token: 30s }
  llama:
    kind: openai-compatible
    base_url: "https://10.1.2.3:8443/v1"
    ca: ca.pem
    certificate: cert.pem
    key: key.pem
    dialect: openai-chat
  play:
    kind: simulated

models:
  assistant:
    strategy: priority
    strict: true
    targets:
      - { to: claude/claude-sonnet-4-5 }
      - { to: openai/gpt-5 }
    timeouts: { first_token: 20s, between_tokens: 30s, total: 10m }
  "gpt-*":
    targets:
      - to: openai/*

teams:
  search:
    models: ["assistant", "openai/*", "gpt-4o"]
    limits: [ { requests: 600, per: minute }, { tokens: 2000000, per: day, zone: Europe/Berlin }, { concurrent: 50 } ]

keys:
  search-ci:
    team: search
    secret: "${env:SEARCH_CI_KEY}"
  spare:
    secret: "${file:spare.key}"

limits: { body: 32MiB, head: 64KiB, headers: 100, json_depth: 64, line: 1MiB, event: 2MiB }

shutdown:
  grace: 30s

log: { format: json, access: true }
"#;

pub(super) fn variable(name: &str) -> Option<String> {
    match name {
        "OPENAI_API_KEY" => Some("sk-not-a-real-key-openai".to_owned()),
        "SEARCH_CI_KEY" => Some("not-a-real-key-search-ci".to_owned()),
        "SHORT" => Some("short".to_owned()),
        "EMPTY" => Some(String::new()),
        "SPACED" => Some("two words and more of them".to_owned()),
        _ => None,
    }
}

/// A folder with the files that [`GOOD`] names; gone when dropped.
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn new(name: &str) -> Self {
        let path =
            std::env::temp_dir().join(format!("tollgate-config-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let other = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        for (file, text) in [
            ("cert.pem", made.cert.pem()),
            ("ca.pem", made.cert.pem()),
            ("key.pem", made.signing_key.serialize_pem()),
            ("other.pem", other.signing_key.serialize_pem()),
            ("broken.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n".to_owned()),
            ("claude.key", "sk-not-a-real-key-claude\n".to_owned()),
            ("spare.key", "not-a-real-key-spare-one".to_owned()),
            ("empty.key", "\n".to_owned()),
            ("lines.key", "not-a-real-key\nof-two-lines\n".to_owned()),
        ] {
            std::fs::write(path.join(file), text).unwrap();
        }
        Self(path)
    }

    pub(super) fn file(&self) -> PathBuf {
        self.0.join("tollgate.yaml")
    }

    fn check(&self, text: &str) -> Result<Loaded, Refusals> {
        Config::from_text(&self.file(), text, &variable)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn the_good_one_is_understood() {
    let folder = Folder::new("good");
    let Loaded { config, files } = folder.check(GOOD).unwrap();
    assert!(config.listen.data.chosen);
    assert!(config.listen.tls.as_ref().unwrap().client_roots.is_some());
    assert_eq!(config.listen.timeouts.head, Duration::from_secs(10));
    let file = folder.0.join("data/tollgate.db");
    assert_eq!(config.storage.database, Some(tollgate_store::Address::Sqlite(file)));
    assert_eq!(
        config.providers["openai"].base.as_ref().unwrap().to_string(),
        "https://api.openai.com/v1"
    );
    assert_eq!(config.providers["claude"].timeouts.connect, Duration::from_secs(2));
    let key = config.providers["claude"].api_key.as_ref().unwrap();
    assert_eq!(key.expose_secret(), "sk-not-a-real-key-claude");
    assert_eq!(config.providers["llama"].tls.extra_roots.len(), 1);
    assert!(config.providers["llama"].tls.client.is_some());
    assert!(config.providers["play"].base.is_none());

    let assistant = config.model("assistant").unwrap();
    assert!(assistant.strict);
    assert_eq!(assistant.targets[0].provider, "claude");
    // The model's own before the provider's before the default.
    let timeouts = assistant.targets[0].timeouts;
    assert_eq!(timeouts.first_token, Duration::from_secs(20));
    assert_eq!(timeouts.connect, Duration::from_secs(2));
    assert_eq!(assistant.targets[1].timeouts.connect, Duration::from_secs(5));
    assert_eq!(config.model("gpt-4o").unwrap().targets[0].model, "*");
    assert!(config.model("o3").is_none());

    assert!(config.teams["search"].may_use("openai/gpt-5"));
    assert!(!config.teams["search"].may_use("claude/claude-sonnet-4-5"));
    assert!(config.teams[DEFAULT_TEAM].may_use("claude/claude-sonnet-4-5"));
    assert_eq!(config.keys[1].team, DEFAULT_TEAM);
    assert_eq!(config.limits.json_depth, 64);
    assert_eq!(config.log.format, LogFormat::Json);
    assert!(
        files.contains(&folder.0.join("claude.key")) && files.contains(&folder.0.join("ca.pem"))
    );
}

#[test]
fn the_smallest_one_has_every_default() {
    let config =
        Folder::new("small").check("providers: { play: { kind: simulated } }").unwrap().config;
    assert_eq!(
        config.listen.data,
        Address { socket: "127.0.0.1:8080".parse().unwrap(), chosen: false }
    );
    assert_eq!(config.limits, Limits::default());
    assert_eq!(config.shutdown_grace, Duration::from_secs(30));
    assert_eq!(config.log, Log { format: LogFormat::Text, access: true });
}

#[test]
fn exact_names_go_before_patterns_and_long_patterns_before_short_ones() {
    let text = "providers: { play: { kind: simulated } }\nmodels:\n  \"*\": { targets: [{ to: play/* }] }\n  \
                \"gpt-*\": { targets: [{ to: play/a }] }\n  gpt-4o: { targets: [{ to: play/b }] }\n  \
                \"gpt-4*\": { targets: [{ to: play/c }] }\n";
    let config = Folder::new("order").check(text).unwrap().config;
    let leads = |asked: &str| config.model(asked).unwrap().targets[0].model.clone();
    assert_eq!((leads("gpt-4o"), leads("gpt-4.1")), ("b".to_owned(), "c".to_owned()));
    assert_eq!((leads("gpt-5"), leads("o3")), ("a".to_owned(), "*".to_owned()));
}

#[test]
fn every_mutation_is_refused_with_its_place_and_a_hint() {
    let folder = Folder::new("mutations");
    let table = mutations();
    assert!(table.len() >= 100, "{} mutations", table.len());
    let mut wrong = Vec::new();
    for mutation in &table {
        if let Err(why) = is_refused_well(&folder, mutation) {
            wrong.push(format!("{:?} -> {:?}: {why}", mutation.from, mutation.to));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), table.len(), wrong.join("\n"));
}

fn is_refused_well(folder: &Folder, mutation: &Mutation) -> Result<(), String> {
    let Mutation { from, to, path, says } = mutation;
    if GOOD.matches(from).count() == 0 {
        return Err("it changes nothing".to_owned());
    }
    let text = GOOD.replacen(from, to, 1);
    let begins = GOOD.find(from).unwrap();
    let first_line = 1 + GOOD[..begins].matches('\n').count() as u64;
    let last_line = first_line + to.matches('\n').count() as u64;
    let refused = match folder.check(&text) {
        Ok(_) => return Err("it is accepted".to_owned()),
        Err(refused) => refused,
    };
    let shown = refused.to_string();
    for secret in ["sk-not", "not-a-real", "hunter2"] {
        if shown.contains(secret) {
            return Err(format!("it quotes a secret: {shown}"));
        }
    }
    let found = refused
        .refusals
        .iter()
        .find(|refusal| refusal.path == *path && refusal.message.contains(says));
    let Some(found) = found else { return Err(format!("it is refused as\n{shown}")) };
    if found.hint.is_empty() || found.column == 0 {
        return Err(format!("no hint or no column: {found:?}"));
    }
    // What is missing is shown where its mapping begins; a quote that is not closed, where the next
    // one stands.
    let (before, after) = match (to.is_empty(), *path) {
        (true, _) => (2, 0),
        (_, "the file") => (0, 3),
        _ => (1, 0),
    };
    if !(first_line - before..=last_line + after).contains(&found.line) {
        return Err(format!("it stands in line {first_line}, not {}", found.line));
    }
    Ok(())
}

#[test]
fn several_faults_are_reported_at_once_in_the_order_of_the_file() {
    let folder = Folder::new("several");
    let text = "listen: { data: nowhere }\nproviders:\n  a: { kind: openai }\n  b: { kind: vllm, base_url: \"x\" }\n\
                models:\n  m: { targets: [{ to: c/x }, { to: nothing }] }\nkeys:\n  k: { team: t, secret: \"${env:NONE}\" }\n";
    let refused = folder.check(text).unwrap_err();
    let lines: Vec<u64> = refused.refusals.iter().map(|refusal| refusal.line).collect();
    assert_eq!(lines, [1, 3, 4, 6, 6, 8, 8], "{refused}");
    let text = "listn: {}\nproviders:\n  a: { kin: openai }\nlimits: { body: 3 }\n";
    let refused = folder.check(text).unwrap_err();
    let lines: Vec<u64> = refused.refusals.iter().map(|refusal| refusal.line).collect();
    assert_eq!(lines, [1, 3, 3, 4], "{refused}");
}

#[test]
fn a_file_that_is_not_there_says_so() {
    let refused = Config::load(Path::new("no/such/tollgate.yaml")).unwrap_err();
    assert!(refused.to_string().starts_with("no/such/tollgate.yaml: "), "{refused}");
    assert!(Config::load(Path::new("/")).is_err());
}

#[test]
fn no_setting_skips_verification() {
    let schema = schema().to_string().to_lowercase();
    for word in [
        "insecure",
        "skip",
        "verify",
        "danger",
        "no_tls",
        "allow_invalid",
        "accept_invalid",
        "trust_all",
    ] {
        assert!(
            !schema.contains(&format!("\"{word}")) && !schema.contains(&format!("_{word}")),
            "{word}"
        );
    }
}

#[test]
fn secrets_are_not_shown() {
    let folder = Folder::new("secrets");
    let loaded = folder.check(GOOD).unwrap();
    let shown = format!("{loaded:?}");
    assert!(!shown.contains("not-a-real") && !shown.contains("BEGIN"), "{shown}");
}

/// Edits at random places, from a fixed seed: whatever stands in a file, it is answered.
#[test]
fn no_text_whatsoever_breaks_the_reader() {
    let folder = Folder::new("random");
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below as u64).unwrap()
    };
    const BITS: [&str; 20] = [
        "", " ", "\n", "  ", ":", "- ", "[", "]", "{", "}", "\"", "'", "*", "&a ", "!t ", "|\n",
        "? ", "#", "<<: ", "\u{0}é",
    ];
    let mut accepted = 0;
    for _ in 0..1_500 {
        let mut text: Vec<char> = GOOD.chars().collect();
        for _ in 0..=random(3) {
            let at = random(text.len());
            let until = (at + random(6)).min(text.len());
            text.splice(at..until, BITS[random(BITS.len())].chars());
        }
        let text: String = text.into_iter().collect();
        match folder.check(&text) {
            Ok(_) => accepted += 1,
            Err(refused) => {
                assert!(!refused.refusals.is_empty());
                for refusal in &refused.refusals {
                    assert!(refusal.line > 0 && refusal.column > 0, "{refusal:?}\n{text}");
                    assert!(!refusal.hint.is_empty(), "{refusal:?}");
                }
            }
        }
    }
    assert!((1..1_500).contains(&accepted), "{accepted} accepted");
}
