//! Single calls of the ledger, newest first; and how old ones are forgotten.

use std::borrow::Cow;

use sqlx::AssertSqlSafe;
use tollgate_model::RecordId;

use super::book::{COLUMNS, day};
use super::entry::{CLASSES, Entry};
use crate::database::{Engine, Row, Value};
use crate::store::{Store, StoreError};

/// Rows that one step of forgetting takes away, so that nobody waits long for it.
const STEP: i64 = 5_000;

/// Which calls.
#[derive(Clone, Debug, Default)]
pub struct CallsQuery {
    /// Those before this one; `None`: the newest.
    pub before: Option<RecordId>,
    pub request_id: Option<String>,
    pub team: Option<String>,
    pub key: Option<String>,
    pub provider: Option<String>,
    pub model: Option<String>,
    /// How many at most.
    pub most: i64,
}

impl Store {
    /// # Errors
    /// When the database does not answer as it should.
    pub async fn calls(&self, query: &CallsQuery) -> Result<Vec<Entry<'static>>, StoreError> {
        let before = query.before.unwrap_or(RecordId::from_bytes([0xff; 16]));
        let bytes = before.to_bytes();
        let last_day = query.before.map_or(i64::MAX, |id| day(id.started_us()));
        let mut sql = format!("SELECT {COLUMNS} FROM calls WHERE day <= $1 AND id < $2");
        let mut values: Vec<Value<'_>> = vec![last_day.into(), bytes.as_slice().into()];
        for (name, wanted) in [
            ("request_id", &query.request_id),
            ("team", &query.team),
            ("key", &query.key),
            ("provider", &query.provider),
            ("model", &query.model),
        ] {
            if let Some(wanted) = wanted {
                values.push(wanted.into());
                sql += &format!(" AND {name} = ${}", values.len());
            }
        }
        values.push(query.most.into());
        sql += &format!(" ORDER BY day DESC, id DESC LIMIT ${}", values.len());
        let rows = self.database.rows(AssertSqlSafe(sql), &values).await?;
        rows.iter().map(|row| Ok(entry(row)?)).collect()
    }

    /// Forgets single calls that came before a day (`yyyymmdd` of UTC); their sums stay. Gives how
    /// many rows went, where that is known.
    ///
    /// # Errors
    /// When the database does not answer as it should.
    pub async fn forget_calls(&self, before: i64) -> Result<u64, StoreError> {
        if self.database.engine() == Engine::Postgres {
            self.drop_months(before / 100).await?;
        }
        let step = "DELETE FROM calls WHERE (day, id) IN \
                    (SELECT day, id FROM calls WHERE day < $1 LIMIT $2)";
        let mut gone = 0;
        loop {
            let these = self.database.execute(step, &[before.into(), STEP.into()]).await?;
            gone += these;
            if these == 0 {
                return Ok(gone);
            }
        }
    }

    /// Drops the partitions of whole months before that one (`yyyymm`).
    async fn drop_months(&self, before: i64) -> Result<(), StoreError> {
        let sql =
            "SELECT relname FROM pg_class WHERE relispartition AND relname ~ '^calls_[0-9]{6}$'";
        for row in self.database.rows(sql, &[]).await? {
            let name: String = row.get("relname")?;
            let month = name.trim_start_matches("calls_").parse().unwrap_or(i64::MAX);
            if month < before {
                let sql = format!("DROP TABLE IF EXISTS calls_{month}");
                self.database.execute(AssertSqlSafe(sql), &[]).await?;
            }
        }
        Ok(())
    }
}

fn entry(row: &Row) -> Result<Entry<'static>, sqlx::Error> {
    let text = |name: &str| row.get::<Option<String>>(name).map(|text| text.map(Cow::Owned));
    let number =
        |name: &str| row.get::<Option<i64>>(name).map(|n| n.and_then(|n| n.try_into().ok()));
    let count = |name: &str| row.get::<i64>(name).map(|n| u64::try_from(n).unwrap_or_default());
    let id: Vec<u8> = row.get("id")?;
    let id = <[u8; 16]>::try_from(id).map(RecordId::from_bytes).unwrap_or_default();
    let mut usage = [None; CLASSES.len()];
    for (count, name) in usage.iter_mut().zip(CLASSES) {
        *count = number(name)?;
    }
    Ok(Entry {
        id,
        request_id: row.get::<String>("request_id")?.into(),
        at_us: count("at_us")?,
        team: text("team")?,
        key: text("key")?,
        operation: row.get::<String>("operation")?.into(),
        stream: count("stream")? != 0,
        dialect: text("dialect")?,
        model_asked: text("model_asked")?,
        provider: text("provider")?,
        model: text("model")?,
        model_answered: text("model_answered")?,
        upstream_request_id: text("upstream_request_id")?,
        attempts: u32::try_from(count("attempts")?).unwrap_or(u32::MAX),
        status: u16::try_from(count("status")?).unwrap_or_default(),
        finish: text("finish")?,
        error: text("error")?,
        limit: text("limit_name")?,
        left: count("left_early")? != 0,
        estimated: count("estimated")? != 0,
        usage,
        tier: text("tier")?,
        raw_usage: text("raw_usage")?,
        cost_micro_usd: number("cost_micro_usd")?,
        cost_unknown: text("cost_unknown")?,
        first_chunk_us: number("first_chunk_us")?,
        overhead_us: number("overhead_us")?,
        duration_us: count("duration_us")?,
        request_bytes: count("request_bytes")?,
        response_bytes: count("response_bytes")?,
    })
}
