//! Follows the configuration while the gateway runs: each good version is offered, each bad one is
//! logged and left. The gateway takes over what is offered, whole or not at all.

use std::convert::Infallible;
use std::future::pending;

use tokio::signal::unix::Signal;
use tokio::sync::mpsc;

use crate::config::{Address, Config, Loaded, Refusals, Storage, Watch};

/// What only a restart can change.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fixed {
    data: Address,
    admin: Address,
    tls: bool,
    storage: Storage,
    log: crate::config::Log,
}

impl Fixed {
    pub(super) fn of(config: &Config) -> Self {
        Self {
            data: config.listen.data,
            admin: config.listen.admin,
            tls: config.listen.tls.is_some(),
            storage: config.storage.clone(),
            log: config.log,
        }
    }

    /// The keys that differ.
    fn changed(&self, other: &Self) -> Vec<&'static str> {
        let differences = [
            ("listen.data", self.data != other.data),
            ("listen.admin", self.admin != other.admin),
            ("listen.tls", self.tls != other.tls),
            ("storage", self.storage != other.storage),
            ("log", self.log != other.log),
        ];
        differences.into_iter().filter(|(_, differs)| *differs).map(|(key, _)| key).collect()
    }
}

/// Never ends by itself. `watch` is `None` when the gateway was given no file.
pub(super) async fn follow(
    mut watch: Option<Watch>,
    running: Fixed,
    mut hangups: Signal,
    offer: mpsc::Sender<Option<Config>>,
) -> Infallible {
    loop {
        let outcome = next(watch.as_mut(), &mut hangups).await;
        match outcome {
            Some(Ok(Loaded { config, .. })) => {
                let fixed = running.changed(&Fixed::of(&config));
                if !fixed.is_empty() {
                    tracing::warn!(
                        keys = fixed.join(", "),
                        "a change that takes effect with the next start only"
                    );
                }
                if offer.send(Some(config)).await.is_err() {
                    // Nobody takes configurations any more: the gateway is ending.
                    pending::<()>().await;
                }
            }
            Some(Err(refusals)) => {
                log(&refusals);
                // For the count of refused versions; a gateway that is ending needs none.
                let _ = offer.send(None).await;
            }
            None => tracing::info!(
                "there is no configuration file to read again: the gateway was started without one"
            ),
        }
    }
}

/// The next version of the file, noticed or asked for; `None` when asked without a file.
async fn next(watch: Option<&mut Watch>, hangups: &mut Signal) -> Option<Result<Loaded, Refusals>> {
    let Some(watch) = watch else {
        hangups.recv().await;
        return None;
    };
    tokio::select! {
        changed = watch.changed() => return Some(changed),
        _ = hangups.recv() => {}
    }
    Some(watch.reload().await)
}

/// One line for each fault, with everything that is needed to mend it.
fn log(refusals: &Refusals) {
    for refusal in &refusals.refusals {
        tracing::error!(
            file = %refusals.file.display(),
            line = refusal.line,
            column = refusal.column,
            path = refusal.path,
            hint = refusal.hint,
            "the new configuration is refused, the old one serves on: {}",
            refusal.message
        );
    }
}
