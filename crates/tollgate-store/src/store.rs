//! The store: a database, and the pepper that its digests are keyed with. The database is a file in
//! the data directory, or a server that several gateways share; the pepper is a file there, or given.
//! A call waits for it only where an object that rests at a provider is made or asked for.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sqlx::migrate::MigrateError;
use sqlx::postgres::PgPoolOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use crate::address::{Address, Server};
use crate::database::{Database, Engine};
use crate::digest::{Digest, Digester};
use crate::migrations;
use crate::objects::ObjectKind;
use crate::pepper::{self, Pepper};

/// The database's name when none is chosen.
const DATABASE: &str = "tollgate.db";

/// A connection to a database is waited for this long.
const CONNECT: Duration = Duration::from_secs(10);

/// What outlives the process.
#[derive(Debug, Clone)]
pub struct Store {
    pub(crate) database: Database,
    digester: Arc<Digester>,
}

/// Where a store is.
#[derive(Debug, Clone)]
pub struct Place {
    /// The data directory.
    pub directory: PathBuf,
    /// `None`: a file in the data directory.
    pub database: Option<Address>,
    /// `None`: a file in the data directory.
    pub pepper: Option<Pepper>,
}

impl Place {
    /// Everything in one data directory.
    #[must_use]
    pub fn of(directory: &Path) -> Self {
        Self { directory: directory.to_owned(), database: None, pepper: None }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("{path} cannot be used: {error}")]
    File { path: PathBuf, error: io::Error },
    #[error("the database {at} cannot be opened: {error}")]
    Open { at: Address, error: sqlx::Error },
    #[error("the database {at} was written by a newer version of this program")]
    Newer { at: Address },
    #[error("the database {at} cannot be brought up to date: {error}")]
    Migrate { at: Address, error: MigrateError },
    #[error(
        "the pepper that the keys in {at} were made with is not in {directory}: restore it, or give it as `storage.pepper`"
    )]
    NoPepper { at: Address, directory: PathBuf },
    #[error(
        "the pepper is not the one that the keys in {at} were made with: every gateway of one database needs the same, as the file `pepper` in its data directory or as `storage.pepper`"
    )]
    OtherPepper { at: Address },
    #[error("a key named `{0}` exists already")]
    NameTaken(String),
    #[error("there is no key named `{0}` that is not revoked")]
    NoSuchKey(String),
    #[error("a {0} cannot be kept: its id, or a name that belongs to it, is empty or too long")]
    ObjectOutOfBounds(ObjectKind),
    #[error("a call in the ledger is not as it was booked")]
    NoEntry,
    #[error("this machine gives no random numbers")]
    NoRandom(#[from] aws_lc_rs::error::Unspecified),
    #[error("the database does not answer as it should: {0}")]
    Database(#[from] sqlx::Error),
}

impl StoreError {
    /// The database answers, and will never take these very values.
    #[must_use]
    pub fn is_about_values(&self) -> bool {
        // Of SQL's classes of errors: data that cannot be, and constraints that are hurt.
        let of_postgres = |code: &str| code.starts_with("22") || code.starts_with("23");
        // SQLITE_CONSTRAINT, SQLITE_MISMATCH, SQLITE_TOOBIG.
        let of_sqlite =
            |code: &str| code.parse::<u32>().is_ok_and(|code| matches!(code & 0xff, 18..=20));
        let Self::Database(sqlx::Error::Database(error)) = self else { return false };
        let code = error.code().unwrap_or_default();
        if code.len() == 5 { of_postgres(&code) } else { of_sqlite(&code) }
    }
}

impl Store {
    /// Opens the store at that place, and makes it when it is not there.
    ///
    /// # Errors
    /// When the files cannot be made or read, the server does not answer, or what is there belongs
    /// to a newer version or does not belong together.
    pub async fn open(place: Place) -> Result<Self, StoreError> {
        let Place { directory, database, pepper } = place;
        make_directory(&directory)?;
        let at = database.unwrap_or_else(|| Address::Sqlite(directory.join(DATABASE)));
        // Two first starts at once would both take the first step of the migrations.
        let _alone = alone_in(&directory).await?;
        let database = match &at {
            Address::Sqlite(path) => open_sqlite(path, &directory, &at).await?,
            Address::Postgres(server) => open_postgres(server, &at).await?,
        };
        let digester = match pepper {
            Some(pepper) => pepper.digester(),
            None => from_directory(&directory, &database, &at).await?,
        };
        if known_mark(&database, Some(&digester)).await? != Some(digester.mark()) {
            return Err(StoreError::OtherPepper { at });
        }
        Ok(Self { database, digester: Arc::new(digester) })
    }

    /// Makes the digests that this store's keys are known by.
    #[must_use]
    pub fn digester(&self) -> Arc<Digester> {
        self.digester.clone()
    }

    #[must_use]
    pub fn engine(&self) -> Engine {
        self.database.engine()
    }

    /// Waits until everything is written and closed.
    pub async fn close(&self) {
        self.database.close().await;
    }
}

/// Digests by the pepper of the directory; by a new one, where no digest was ever made.
async fn from_directory(
    directory: &Path,
    database: &Database,
    at: &Address,
) -> Result<Digester, StoreError> {
    let found = pepper::read(directory).map_err(|error| file_error(directory, error))?;
    if let Some(pepper) = found {
        return Ok(pepper.digester());
    }
    let keys = database.row("SELECT id FROM keys LIMIT 1", &[]).await?;
    if keys.is_some() || known_mark(database, None).await?.is_some() {
        return Err(StoreError::NoPepper { at: at.clone(), directory: directory.to_owned() });
    }
    let made = pepper::make(directory).map_err(|error| file_error(directory, error))?;
    Ok(made.digester())
}

/// The mark of the pepper that this database knows; `ours`, if it knew none.
async fn known_mark(
    database: &Database,
    ours: Option<&Digester>,
) -> Result<Option<Digest>, StoreError> {
    let mut inside = database.begin().await?;
    if let Some(ours) = ours {
        let sql =
            "INSERT INTO installation (one, pepper_mark) VALUES (1, $1) ON CONFLICT DO NOTHING";
        inside.execute(sql, &[ours.mark().as_bytes().as_slice().into()]).await?;
    }
    let row = inside.row("SELECT pepper_mark FROM installation", &[]).await?;
    inside.commit().await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Digest::from_bytes(&row.get::<Vec<u8>>("pepper_mark")?))
}

async fn open_sqlite(path: &Path, locked: &Path, at: &Address) -> Result<Database, StoreError> {
    let beside = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let beside = beside.unwrap_or(Path::new("."));
    make_directory(beside)?;
    let is_locked = fs::canonicalize(beside).ok() == fs::canonicalize(locked).ok();
    let _alone = if is_locked { None } else { Some(alone_in(beside).await?) };
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(5));
    let pool = SqlitePoolOptions::new().max_connections(4).acquire_timeout(CONNECT);
    let pool = pool.connect_with(options).await;
    let pool = pool.map_err(|error| StoreError::Open { at: at.clone(), error })?;
    migrations::sqlite().run(&pool).await.map_err(|error| unmigrated(at, error))?;
    Ok(Database::Sqlite(pool))
}

async fn open_postgres(server: &Server, at: &Address) -> Result<Database, StoreError> {
    let refused = |error| StoreError::Open { at: at.clone(), error };
    let options = server.options().map_err(refused)?;
    let pool = PgPoolOptions::new().max_connections(8).acquire_timeout(CONNECT);
    let pool = pool.connect_with(options).await.map_err(refused)?;
    // The migrator takes a lock of the server's, so that gateways that start together wait.
    migrations::postgres().run(&pool).await.map_err(|error| unmigrated(at, error))?;
    Ok(Database::Postgres(pool))
}

fn unmigrated(at: &Address, error: MigrateError) -> StoreError {
    match error {
        MigrateError::VersionMissing(_) => StoreError::Newer { at: at.clone() },
        error => StoreError::Migrate { at: at.clone(), error },
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
