//! What was used: sums by hour or day and by whom. Reads only what was added up when calls were
//! booked, never the calls themselves, so that an answer costs the same however many there were.

use sqlx::AssertSqlSafe;

use super::book::{COUNTED, Sums};
use crate::database::Value;
use crate::store::{Store, StoreError};

/// Lines of one answer; the dearest are told.
const MOST_LINES: i64 = 10_000;

/// What sums are told apart by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum By {
    /// Unix hours.
    Hour,
    /// Unix days, of UTC.
    Day,
    Team,
    Key,
    Provider,
    Model,
}

impl By {
    pub const ALL: [Self; 6] =
        [Self::Hour, Self::Day, Self::Team, Self::Key, Self::Provider, Self::Model];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Team => "team",
            Self::Key => "key",
            Self::Provider => "provider",
            Self::Model => "model",
        }
    }
}

/// Which sums.
#[derive(Clone, Debug, Default)]
pub struct UsageQuery {
    /// Unix hours: from the first on, up to but without the second.
    pub from: i64,
    pub to: i64,
    /// In this order; empty: one sum of everything.
    pub by: Vec<By>,
    pub team: Option<String>,
    pub key: Option<String>,
    pub provider: Option<String>,
    pub model: Option<String>,
}

/// One sum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageLine {
    /// In the order that was asked for; hours and days as their number.
    pub of: Vec<(By, String)>,
    sums: Sums,
}

impl UsageLine {
    /// Every figure with its name: calls of each fate, then what was used, then microdollars.
    pub fn figures(&self) -> impl Iterator<Item = (&'static str, i64)> {
        COUNTED.into_iter().zip(self.sums)
    }

    /// The figure of that name; 0 where there is none.
    #[must_use]
    pub fn figure(&self, name: &str) -> i64 {
        self.figures().find(|(figure, _)| *figure == name).map_or(0, |(_, sum)| sum)
    }
}

impl Store {
    /// The dearest first; where hours or days are told apart, in their order.
    ///
    /// # Errors
    /// When the database does not answer as it should.
    pub async fn usage(&self, query: &UsageQuery) -> Result<Vec<UsageLine>, StoreError> {
        let whole_days = query.from % 24 == 0 && query.to % 24 == 0;
        let by_day = whole_days && !query.by.contains(&By::Hour);
        let (table, unit, hours) =
            if by_day { ("usage_days", "day", 24) } else { ("usage_hours", "hour", 1) };
        let column = |by: &By| match by {
            By::Day if !by_day => "hour / 24",
            by => by.as_str(),
        };
        let columns: Vec<&str> = query.by.iter().map(column).collect();
        let mut sql = "SELECT ".to_owned();
        for (at, column) in columns.iter().enumerate() {
            sql += &format!("{column} AS by{at}, ");
        }
        let sum = |name| format!("CAST(COALESCE(SUM({name}), 0) AS BIGINT) AS {name}");
        sql += &COUNTED.map(sum).join(", ");
        sql += &format!(" FROM {table} WHERE {unit} >= $1 AND {unit} < $2");
        let mut values: Vec<Value<'_>> =
            vec![(query.from / hours).into(), (query.to / hours).into()];
        for (name, wanted) in [
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
        if !columns.is_empty() {
            sql += &format!(" GROUP BY {}", columns.join(", "));
        }
        let when = query.by.iter().position(|by| matches!(by, By::Hour | By::Day));
        let first = when.map_or(String::new(), |at| format!("by{at}, "));
        sql += &format!(" ORDER BY {first}cost_micro_usd DESC, calls DESC LIMIT {MOST_LINES}");
        let rows = self.database.rows(AssertSqlSafe(sql), &values).await?;
        let line = |row: &crate::database::Row| {
            let mut of = Vec::new();
            for (at, by) in query.by.iter().enumerate() {
                let name = format!("by{at}");
                let label = match by {
                    By::Hour | By::Day => row.get::<i64>(&name)?.to_string(),
                    _ => row.get::<String>(&name)?,
                };
                of.push((*by, label));
            }
            let mut sums = [0; COUNTED.len()];
            for (sum, name) in sums.iter_mut().zip(COUNTED) {
                *sum = row.get(name)?;
            }
            Ok(UsageLine { of, sums })
        };
        rows.iter().map(line).collect()
    }
}
