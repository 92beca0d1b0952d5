//! The store: one data directory with a SQLite database and a pepper. A call waits for it
//! only where an object that rests at a provider is made or asked for.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sqlx::migrate::MigrateError;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};

use crate::digest::Digester;
use crate::objects::ObjectKind;
use crate::{migrations, pepper};

/// The database's name when none is chosen.
const DATABASE: &str = "tollgate.db";

/// What outlives the process.
#[derive(Debug, Clone)]
pub struct Store {
    pub(crate) pool: SqlitePool,
    digester: Arc<Digester>,
}

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("{path} cannot be used: {error}")]
    File { path: PathBuf, error: io::Error },
    #[error("the database {path} cannot be opened: {error}")]
    Open { path: PathBuf, error: sqlx::Error },
    #[error("the database {path} was written by a newer version of this program")]
    Newer { path: PathBuf },
    #[error("the database {path} cannot be brought up to date: {error}")]
    Migrate { path: PathBuf, error: MigrateError },
    #[error(
        "{path} holds keys, but the pepper they were made with is not in {directory}: restore it, or remove both"
    )]
    NoPepper { path: PathBuf, directory: PathBuf },
    #[error("a key named `{0}` exists already")]
    NameTaken(String),
    #[error("there is no key named `{0}` that is not revoked")]
    NoSuchKey(String),
    #[error("a {0} cannot be kept: its id, or a name that belongs to it, is empty or too long")]
    ObjectOutOfBounds(ObjectKind),
    #[error("this machine gives no random numbers")]
    NoRandom(#[from] aws_lc_rs::error::Unspecified),
    #[error("the database does not answer as it should: {0}")]
    Database(#[from] sqlx::Error),
}

impl Store {
    /// Opens the store of `directory`, and makes it when it is not there. `database` may rest
    /// elsewhere.
    ///
    /// # Errors
    /// When the files cannot be made or read, belong to a newer version, or do not belong together.
    pub async fn open(directory: &Path, database: Option<&Path>) -> Result<Self, StoreError> {
        make_directory(directory)?;
        let path = database.map_or_else(|| directory.join(DATABASE), Path::to_owned);
        if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            make_directory(parent)?;
        }
        // Two first starts at once would both take the first step of the migrations.
        let alone = alone_in(directory).await?;
        let pool = open_database(&path).await?;
        let found = pepper::read(directory).map_err(|error| file_error(directory, error))?;
        let pepper = match found {
            Some(pepper) => pepper,
            None => {
                let keys: i64 =
                    sqlx::query_scalar("SELECT count(*) FROM keys").fetch_one(&pool).await?;
                if keys > 0 {
                    return Err(StoreError::NoPepper { path, directory: directory.to_owned() });
                }
                pepper::make(directory).map_err(|error| file_error(directory, error))?
            }
        };
        drop(alone);
        Ok(Self { pool, digester: Arc::new(Digester::new(&pepper)) })
    }

    /// Makes the digests that this store's keys are known by.
    #[must_use]
    pub fn digester(&self) -> Arc<Digester> {
        self.digester.clone()
    }

    /// Waits until everything is written and closed.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

async fn open_database(path: &Path) -> Result<SqlitePool, StoreError> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(5));
    let pool = SqlitePoolOptions::new()
        .max_connections(4)
        .acquire_timeout(Duration::from_secs(10))
        .connect_with(options)
        .await
        .map_err(|error| StoreError::Open { path: path.to_owned(), error })?;
    match migrations::sqlite().run(&pool).await {
        Ok(()) => Ok(pool),
        Err(MigrateError::VersionMissing(_)) => Err(StoreError::Newer { path: path.to_owned() }),
        Err(error) => Err(StoreError::Migrate { path: path.to_owned(), error }),
    }
}

/// A lock on the directory, held while the value lives. Others wait, within a bound.
async fn alone_in(directory: &Path) -> Result<File, StoreError> {
    let path = directory.join("lock");
    let file = File::create(&path).map_err(|error| file_error(&path, error))?;
    for _ in 0..500 {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => tokio::time::sleep(Duration::from_millis(20)).await,
            Err(TryLockError::Error(error)) => return Err(file_error(&path, error)),
        }
    }
    Err(file_error(&path, io::Error::other("another process keeps it locked")))
}

fn make_directory(directory: &Path) -> Result<(), StoreError> {
    if directory.is_dir() {
        return Ok(());
    }
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory).map_err(|error| file_error(directory, error))
}

fn file_error(path: &Path, error: io::Error) -> StoreError {
    StoreError::File { path: path.to_owned(), error }
}
