//! `tollgate keys`: makes, lists and revokes keys in the store. Every running gateway of that database
//! notices within a second, if the database answers. Keys that the file declares belong to the file
//! and are not touched here.

use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use secrecy::ExposeSecret as _;
use serde_json::json;
use tollgate_store::{AccessKey, Digest, Store, StoredKey};

use super::at::At;
use super::say;
use crate::config::{DEFAULT_TEAM, is_name};

#[derive(Debug, Args)]
pub(super) struct Keys {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a key, and show it this once
    Create {
        /// What to call it
        #[arg(long)]
        name: String,
        /// The team it belongs to
        #[arg(long, default_value = DEFAULT_TEAM)]
        team: String,
        /// Answer as JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        at: At,
    },
    /// Show a key as the SDKs of AWS want it: an access-key id and a secret access key
    Aws {
        /// Its name; also of a key that the configuration declares
        name: String,
        /// Answer as JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        at: At,
    },
    /// List the keys, without the keys themselves
    List {
        /// Answer as JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        at: At,
    },
    /// End a key
    Revoke {
        /// Its name
        name: String,
        #[command(flatten)]
        at: At,
    },
}

pub(super) fn run(keys: &Keys) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        match &keys.action {
            Action::Create { name, team, json, at } => create(at, name, team, *json).await,
            Action::Aws { name, json, at } => aws(at, name, *json).await,
            Action::List { json, at } => list(at, *json).await,
            Action::Revoke { name, at } => revoke(at, name).await,
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

async fn create(at: &At, name: &str, team: &str, json: bool) -> anyhow::Result<()> {
    for (what, text) in [("key", name), ("team", team)] {
        anyhow::ensure!(
            is_name(text),
            "{text:?} cannot be the name of a {what}: letters, digits, `-`, `_` and `.`, at most 64"
        );
    }
    let config = at.load()?.config;
    if at.config.is_some() {
        let teams = config.teams.keys().map(String::as_str);
        let hint = crate::config::nearest::suggestion(team, teams, "teams of the configuration");
        anyhow::ensure!(config.teams.contains_key(team), "there is no team `{team}`: {hint}");
        let declared = config.keys.iter().any(|key| key.name == name);
        anyhow::ensure!(
            !declared,
            "the configuration declares a key named `{name}`: choose another name"
        );
    }
    let store = at.store(&config).await?;
    let created = store.create_key(name, team).await;
    let digester = store.digester();
    store.close().await;
    let (key, secret) = created?;
    let access = digester.access_key(&key.digest);
    let secret = secret.expose_secret();
    if json {
        let said = json!({
            "name": key.name, "team": key.team, "key": secret, "access_key_id": access.id,
            "secret_access_key": access.secret.expose_secret(),
        });
        return Ok(say::line(&said.to_string())?);
    }
    say::line(secret)?;
    say::line(&format!(
        "This is key `{name}` of team `{team}`. It is shown this once: keep it now."
    ))?;
    say::line(&format!(
        "For the SDKs of AWS: `tollgate keys aws {name}` shows an access key for it."
    ))?;
    Ok(())
}

async fn aws(at: &At, name: &str, json: bool) -> anyhow::Result<()> {
    let config = at.load()?.config;
    let store = at.store(&config).await?;
    let digester = store.digester();
    let stored = store.keys().await;
    store.close().await;
    let declared = config.keys.iter().find(|key| key.name == name);
    let declared = declared.map(|key| digester.digest(key.secret.expose_secret()));
    let stored = stored?.into_iter().find(|key| key.name == name && key.revoked.is_none());
    let digest: Option<Digest> = declared.or(stored.map(|key| key.digest));
    let digest = digest.with_context(|| format!("no key named `{name}` is in use"))?;
    let AccessKey { id, secret } = digester.access_key(&digest);
    let secret = secret.expose_secret();
    if json {
        let said = json!({ "name": name, "access_key_id": id, "secret_access_key": secret });
        return Ok(say::line(&said.to_string())?);
    }
    say::line(&format!("AWS_ACCESS_KEY_ID={id}"))?;
    Ok(say::line(&format!("AWS_SECRET_ACCESS_KEY={secret}"))?)
}

async fn list(at: &At, json: bool) -> anyhow::Result<()> {
    let keys = existing_store(at).await?;
    if json {
        let keys: Vec<serde_json::Value> = keys.iter().map(as_json).collect();
        return Ok(say::line(&serde_json::to_string(&keys)?)?);
    }
    if keys.is_empty() {
        return Ok(say::line("There are no keys. `tollgate keys create --name NAME` makes one.")?);
    }
    let rows: Vec<[String; 5]> = keys
        .iter()
        .map(|key| {
            let state = if key.revoked.is_some() { "revoked" } else { "in use" };
            [
                key.name.clone(),
                key.team.clone(),
                state.to_owned(),
                day(key.created),
                key.fingerprint.clone(),
            ]
        })
        .collect();
    Ok(say::table(["NAME", "TEAM", "STATE", "CREATED", "FINGERPRINT"], &rows)?)
}

async fn revoke(at: &At, name: &str) -> anyhow::Result<()> {
    let config = at.load()?.config;
    let store = at.store(&config).await?;
    let revoked = store.revoke_key(name).await;
    store.close().await;
    revoked.context("`tollgate keys list` shows the keys")?;
    Ok(say::line(&format!("Key `{name}` is revoked."))?)
}

async fn existing_store(at: &At) -> anyhow::Result<Vec<StoredKey>> {
    let config = at.load()?.config;
    let store: Store = at.store(&config).await?;
    let keys = store.keys().await;
    store.close().await;
    Ok(keys?)
}

fn as_json(key: &StoredKey) -> serde_json::Value {
    json!({
        "id": key.id,
        "name": key.name,
        "team": key.team,
        "fingerprint": key.fingerprint,
        "created": day(key.created),
        "revoked": key.revoked.map(day),
    })
}

/// Unix seconds as people write them.
fn day(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds)
        .map_or_else(|_| seconds.to_string(), |time| time.to_string())
}
