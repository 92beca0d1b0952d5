//! `tollgate serve`: brings together what the gateway runs on, and stays to pass on what the
//! operating system and the configuration file have to say.

use std::process::ExitCode;

use secrecy::SecretString;
use tokio::sync::{mpsc, watch};
use tollgate_store::{Store, StoreError, StoredKey};

use super::at::At;
use super::follow::{Fixed, follow};
use super::signals::{self, End};
use super::welcome::{Facts, Welcome};
use super::{log, say};
use crate::config::{Config, DEFAULT_TEAM, Watch};
use crate::run::{self, Start, Stop};

/// The folder of the ledger's journal in the data directory.
const JOURNAL: &str = "journal";
/// What the key that is made at the first start is called.
const FIRST_KEY: &str = "first";

pub(super) fn run(at: &At) -> anyhow::Result<ExitCode> {
    // Calls are answered on the workers' own runtimes; this one keeps the rest.
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(serve(at))?;
    Ok(ExitCode::SUCCESS)
}

async fn serve(at: &At) -> anyhow::Result<()> {
    let (end, hangups) = (End::listen()?, signals::reload()?);
    let loaded = at.load()?;
    log::start(loaded.config.log);
    let watch = at.config.as_deref().map(|file| Watch::new(file, &loaded));
    let config = loaded.config;
    let store = at.store(&config).await?;
    let data_dir = at.data_dir(&config);
    let keys = store.clone();
    let stored = store.keys().await?;
    let fresh = first_key(&config, &store, &stored).await?;
    let unseen = fresh.as_ref().map(|(key, _)| key.id.clone());
    let fresh = fresh.map(|(_, secret)| secret);
    let facts = Facts::new(&config, data_dir.clone(), &stored, fresh);

    let (stop, stopped) = watch::channel(Stop::No);
    let (offer, reloads) = mpsc::channel(1);
    let following = follow(watch, Fixed::of(&config), hangups, offer);
    let start = Start { journal: data_dir.join(JOURNAL), config, store, stop: stopped, reloads };
    let mut said = None;
    let running = run::run(start, |listening| {
        let welcome = Welcome { facts: &facts, data: listening.data, admin: listening.admin };
        said = Some(say::line(&welcome.text()));
    });
    let done = tokio::select! {
        done = running => done.map_err(anyhow::Error::from),
        cut = ended(end, stop) => cut,
        never = following => match never {},
    };
    if said.is_none()
        && let Some(id) = unseen
    {
        keys.forget_key(&id).await?;
    }
    done?;
    Ok(said.unwrap_or(Ok(()))?)
}

/// Made at the very first start only: a key that was revoked was revoked by somebody.
async fn first_key(
    config: &Config,
    store: &Store,
    stored: &[StoredKey],
) -> Result<Option<(StoredKey, SecretString)>, StoreError> {
    if !stored.is_empty() || !config.keys.is_empty() {
        return Ok(None);
    }
    store.create_key(FIRST_KEY, DEFAULT_TEAM).await.map(Some)
}

/// Asks the gateway to end at the first request, to cut what is open at the second, and returns
/// at the third.
async fn ended(mut end: End, stop: watch::Sender<Stop>) -> anyhow::Result<()> {
    end.asked().await;
    tracing::info!(
        "ending: open calls may go on for the grace; a second request ends them at once"
    );
    stop.send_replace(Stop::Gracefully);
    end.asked().await;
    stop.send_replace(Stop::AtOnce);
    end.asked().await;
    anyhow::bail!("ended at the third request, without a last word to open calls")
}
