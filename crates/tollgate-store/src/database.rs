//! The two engines behind one face: a pool of SQLite or of PostgreSQL, the values that a statement
//! takes, the rows that it gives. A statement is written once, in what both understand: parameters
//! are `$1`, `$2` …, which appear first in the order of their numbers (SQLite counts so); numbers are
//! 64 bits wide (a sum is cast back to `BIGINT`), texts hold no NUL.
//!
//! What only one engine understands asks [`Database::engine`]. Every wait here has an end.

use std::future::Future;
use std::io;
use std::time::Duration;

use sqlx::postgres::{PgArguments, PgPool, PgRow};
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqlitePool, SqliteRow};
use sqlx::{Decode, Error, Postgres, Row as _, SqlSafeStr, SqlStr, Sqlite, Type};

/// A statement that took longer is given up.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

/// A pool of connections.
#[derive(Clone, Debug)]
pub(crate) enum Database {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

/// A connection inside a transaction, which is rolled back when it is dropped. SQLite's takes the
/// right to write at once.
#[derive(Debug)]
pub(crate) enum Transaction {
    Sqlite(sqlx::Transaction<'static, Sqlite>),
    Postgres(sqlx::Transaction<'static, Postgres>),
}

/// A place inside a transaction.
#[derive(Debug)]
pub(crate) struct Mark;

/// What a parameter stands for. `From` makes one of whatever a column can hold.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Value<'v> {
    Text(Option<&'v str>),
    Integer(Option<i64>),
    Bytes(Option<&'v [u8]>),
}

/// One row of an answer.
#[derive(Debug)]
pub(crate) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

/// What a column is read as, from either engine.
pub(crate) trait Column:
    for<'r> Decode<'r, Sqlite> + Type<Sqlite> + for<'r> Decode<'r, Postgres> + Type<Postgres>
{
}

impl<T> Column for T where
    T: for<'r> Decode<'r, Sqlite> + Type<Sqlite> + for<'r> Decode<'r, Postgres> + Type<Postgres>
{
}

impl Row {
    /// # Errors
    /// When there is no such column, or it holds something else.
    pub(crate) fn get<T: Column>(&self, column: &str) -> Result<T, Error> {
        match self {
            Self::Sqlite(row) => row.try_get(column),
            Self::Postgres(row) => row.try_get(column),
        }
    }
}

impl Database {
    pub(crate) fn engine(&self) -> Engine {
        match self {
            Self::Sqlite(_) => Engine::Sqlite,
            Self::Postgres(_) => Engine::Postgres,
        }
    }

    /// How many rows were touched.
    ///
    /// # Errors
    /// When the database refuses the statement, or does not answer in time.
    pub(crate) async fn execute(
        &self,
        sql: impl SqlSafeStr,
        values: &[Value<'_>],
    ) -> Result<u64, Error> {
        let sql = sql.into_sql_str();
        within(async {
            match self {
                Self::Sqlite(pool) => Ok(sqlite(sql, values).execute(pool).await?.rows_affected()),
                Self::Postgres(pool) => {
                    Ok(postgres(sql, values).execute(pool).await?.rows_affected())
                }
            }
        })
        .await
    }

    /// # Errors
    /// When the database refuses the statement, or does not answer in time.
    pub(crate) async fn rows(
        &self,
        sql: impl SqlSafeStr,
        values: &[Value<'_>],
    ) -> Result<Vec<Row>, Error> {
        let sql = sql.into_sql_str();
        within(async {
            match self {
                Self::Sqlite(pool) => {
                    let rows = sqlite(sql, values).fetch_all(pool).await?;
                    Ok(rows.into_iter().map(Row::Sqlite).collect())
                }
                Self::Postgres(pool) => {
                    let rows = postgres(sql, values).fetch_all(pool).await?;
                    Ok(rows.into_iter().map(Row::Postgres).collect())
                }
            }
        })
        .await
    }

    /// The first row, if there is one.
    ///
    /// # Errors
    /// When the database refuses the statement, or does not answer in time.
    pub(crate) async fn row(
        &self,
        sql: impl SqlSafeStr,
        values: &[Value<'_>],
    ) -> Result<Option<Row>, Error> {
        let sql = sql.into_sql_str();
        within(async {
            match self {
                Self::Sqlite(pool) => {
                    Ok(sqlite(sql, values).fetch_optional(pool).await?.map(Row::Sqlite))
                }
                Self::Postgres(pool) => {
                    Ok(postgres(sql, values).fetch_optional(pool).await?.map(Row::Postgres))
                }
            }
        })
        .await
    }

    /// # Errors
    /// When the database does not answer in time.
    pub(crate) async fn begin(&self) -> Result<Transaction, Error> {
        within(async {
            match self {
                // Begun as a reader, a writer could be refused in its midst.
                Self::Sqlite(pool) => {
                    Box::pin(pool.begin_with("BEGIN IMMEDIATE")).await.map(Transaction::Sqlite)
                }
                Self::Postgres(pool) => Box::pin(pool.begin()).await.map(Transaction::Postgres),
            }
        })
        .await
    }

    /// Waits until everything is written and closed.
    pub(crate) async fn close(&self) {
        let closed = async {
            match self {
                Self::Sqlite(pool) => pool.close().await,
                Self::Postgres(pool) => pool.close().await,
            }
        };
        // A server that went silent is left alone.
        let _ = tokio::time::timeout(PATIENCE, closed).await;
    }
}

impl Transaction {
    pub(crate) fn engine(&self) -> Engine {
        match self {
            Self::Sqlite(_) => Engine::Sqlite,
            Self::Postgres(_) => Engine::Postgres,
        }
    }

    /// How many rows were touched.
    ///
    /// # Errors
    /// When the database refuses the statement, or does not answer in time.
    pub(crate) async fn execute(
        &mut self,
        sql: impl SqlSafeStr,
        values: &[Value<'_>],
    ) -> Result<u64, Error> {
        let sql = sql.into_sql_str();
        within(async {
            match self {
                Self::Sqlite(inside) => {
                    Ok(sqlite(sql, values).execute(&mut **inside).await?.rows_affected())
                }
                Self::Postgres(inside) => {
                    Ok(postgres(sql, values).execute(&mut **inside).await?.rows_affected())
                }
            }
        })
        .await
    }

    /// The first row, if there is one.
    ///
    /// # Errors
    /// When the database refuses the statement, or does not answer in time.
    pub(crate) async fn row(
        &mut self,
        sql: impl SqlSafeStr,
        values: &[Value<'_>],
    ) -> Result<Option<Row>, Error> {
        let sql = sql.into_sql_str();
        within(async {
            match self {
                Self::Sqlite(inside) => {
                    Ok(sqlite(sql, values).fetch_optional(&mut **inside).await?.map(Row::Sqlite))
                }
                Self::Postgres(inside) => {
                    let row = postgres(sql, values).fetch_optional(&mut **inside).await?;
                    Ok(row.map(Row::Postgres))
                }
            }
        })
        .await
    }

    /// A place inside the transaction that [`go_back`](Self::go_back) leads back to.
    ///
    /// # Errors
    /// When the database does not answer in time.
    pub(crate) async fn mark(&mut self) -> Result<Mark, Error> {
        self.execute("SAVEPOINT mark", &[]).await?;
        Ok(Mark)
    }

    /// What was done since stays.
    ///
    /// # Errors
    /// When the database does not answer in time.
    pub(crate) async fn keep(&mut self, _: Mark) -> Result<(), Error> {
        self.execute("RELEASE SAVEPOINT mark", &[]).await.map(drop)
    }

    /// What was done since is undone.
    ///
    /// # Errors
    /// When the database does not answer in time.
    pub(crate) async fn go_back(&mut self, _: Mark) -> Result<(), Error> {
        self.execute("ROLLBACK TO SAVEPOINT mark", &[]).await?;
        self.execute("RELEASE SAVEPOINT mark", &[]).await.map(drop)
    }

    /// It is on disk when this returns.
    ///
    /// # Errors
    /// When the database does not answer in time.
    pub(crate) async fn commit(self) -> Result<(), Error> {
        within(async {
            match self {
                Self::Sqlite(inside) => inside.commit().await,
                Self::Postgres(inside) => inside.commit().await,
            }
        })
        .await
    }
}

impl<'v> From<&'v str> for Value<'v> {
    fn from(text: &'v str) -> Self {
        Self::Text(Some(text))
    }
}

impl<'v> From<&'v String> for Value<'v> {
    fn from(text: &'v String) -> Self {
        Self::Text(Some(text))
    }
}

impl<'v> From<&'v Option<String>> for Value<'v> {
    fn from(text: &'v Option<String>) -> Self {
        Self::Text(text.as_deref())
    }
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Self::Integer(Some(number))
    }
}

impl From<Option<i64>> for Value<'_> {
    fn from(number: Option<i64>) -> Self {
        Self::Integer(number)
    }
}

impl<'v> From<&'v [u8]> for Value<'v> {
    fn from(bytes: &'v [u8]) -> Self {
        Self::Bytes(Some(bytes))
    }
}

async fn within<T>(answer: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    match tokio::time::timeout(PATIENCE, answer).await {
        Ok(answer) => answer,
        Err(_) => Err(Error::Io(io::Error::new(io::ErrorKind::TimedOut, "it took too long"))),
    }
}

fn sqlite<'v>(sql: SqlStr, values: &[Value<'v>]) -> Query<'v, Sqlite, SqliteArguments> {
    values.iter().fold(sqlx::query(sql), |query, value| match value {
        Value::Text(text) => query.bind(*text),
        Value::Integer(number) => query.bind(*number),
        Value::Bytes(bytes) => query.bind(*bytes),
    })
}

fn postgres<'v>(sql: SqlStr, values: &[Value<'v>]) -> Query<'v, Postgres, PgArguments> {
    values.iter().fold(sqlx::query(sql), |query, value| match value {
        Value::Text(text) => query.bind(*text),
        Value::Integer(number) => query.bind(*number),
        Value::Bytes(bytes) => query.bind(*bytes),
    })
}
