//! Where the configuration and the state are: the arguments that several commands share.

use std::path::{Path, PathBuf};

use clap::Args;
use tollgate_store::{Address, Place, Store, StoreError};

use crate::config::{Config, Loaded, Refusals};

/// Where state rests when nothing else is said.
const DATA_DIR: &str = "tollgate-data";

#[derive(Debug, Clone, Args)]
pub(super) struct At {
    /// The configuration; without one, every provider whose key is in the environment is served
    #[arg(long, value_name = "FILE", env = "TOLLGATE_CONFIG", hide_env_values = true)]
    pub(super) config: Option<PathBuf>,
    /// Where state rests [default: beside the database that the configuration names, else
    /// tollgate-data]
    #[arg(long, value_name = "DIR", env = "TOLLGATE_DATA_DIR", hide_env_values = true)]
    data_dir: Option<PathBuf>,
}

impl At {
    /// The configuration of the file, or, without one, of the environment.
    pub(super) fn load(&self) -> Result<Loaded, Refusals> {
        match &self.config {
            Some(file) => Config::load(file),
            None => {
                let config = Config::from_environment(&|name| std::env::var(name).ok())?;
                Ok(Loaded { config, files: Vec::new() })
            }
        }
    }

    pub(super) async fn store(&self, config: &Config) -> Result<Store, StoreError> {
        Store::open(Place {
            directory: self.data_dir(config),
            database: config.storage.database.clone(),
            pepper: config.storage.pepper.clone(),
        })
        .await
    }

    /// Where state rests: where it was said, else beside the database's file, else in the working
    /// directory.
    pub(super) fn data_dir(&self, config: &Config) -> PathBuf {
        let beside = match &config.storage.database {
            Some(Address::Sqlite(file)) => file.parent(),
            Some(Address::Postgres(_)) | None => None,
        };
        let beside = beside.filter(|parent| !parent.as_os_str().is_empty());
        self.data_dir.as_deref().or(beside).unwrap_or(Path::new(DATA_DIR)).to_owned()
    }
}
