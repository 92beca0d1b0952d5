//! Single calls of the ledger, newest first; and how old ones are forgotten.

use sqlx::AssertSqlSafe;
use tollgate_model::RecordId;

use super::book::day;
use super::entry::Entry;
use crate::database::{Engine, Value};
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
        let mut sql = "SELECT entry FROM calls WHERE day <= $1 AND id < $2".to_owned();
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
        rows.iter().map(|row| Entry::from_json(&row.get::<String>("entry")?)).collect()
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
