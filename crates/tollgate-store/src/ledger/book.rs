//! Books entries in the database: each once by its id, with its place in the sums by hour and day.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};

use sqlx::AssertSqlSafe;

use super::entry::{CLASSES, Entry};
use crate::database::{Engine, Transaction, Value};
use crate::store::{Store, StoreError};

const US_PER_HOUR: u64 = 3_600_000_000;

/// An id that is booked already is passed over.
const PASSED_OVER: &str = " ON CONFLICT DO NOTHING";

/// Rows of one statement: few sizes, so that the engine knows each of them already.
const SIZES: [usize; 3] = [128, 16, 1];

/// Columns of `calls`, in the order of [`values`]: what calls are looked for by, and the whole as
/// JSON. A column for each figure would cost every call three times as much, and only single calls
/// are ever read.
const COLUMNS: &str = "day, id, request_id, team, key, provider, model, entry";

/// What became of calls, as it is counted.
const FATES: [&str; 6] = ["calls", "refused", "failed", "left_early", "estimated", "unpriced"];

/// What is added up, in the order of the columns: fates, what was used, what it cost.
pub(super) const COUNTED: [&str; FATES.len() + CLASSES.len() + 1] = {
    let mut counted = ["cost_micro_usd"; FATES.len() + CLASSES.len() + 1];
    let (fates, rest) = counted.split_at_mut(FATES.len());
    fates.copy_from_slice(&FATES);
    let (classes, _) = rest.split_at_mut(CLASSES.len());
    classes.copy_from_slice(&CLASSES);
    counted
};

/// Sums of many calls, in the order of [`COUNTED`].
pub(super) type Sums = [i64; COUNTED.len()];

/// Whose sums: hour or day, team, key, provider, model.
type Whose<'e> = (i64, &'e str, &'e str, &'e str, &'e str);

impl Store {
    /// Books entries, all or none; those that are booked already are passed over. They are on disk
    /// when this returns. Gives how many were new.
    ///
    /// # Errors
    /// When the database does not answer as it should.
    pub async fn book(&self, entries: &[Entry<'_>]) -> Result<usize, StoreError> {
        if self.database.engine() == Engine::Postgres {
            self.make_room(entries).await?;
        }
        let mut inside = self.database.begin().await?;
        let booked = insert_calls(&mut inside, entries).await?;
        for (unit, hours) in [("hour", 1), ("day", 24)] {
            let mut sums: BTreeMap<Whose<'_>, Sums> = BTreeMap::new();
            for entry in &booked {
                let at = whole(entry.at_us / US_PER_HOUR) / hours;
                add(sums.entry(whose(entry, at)).or_insert([0; COUNTED.len()]), entry);
            }
            insert_sums(&mut inside, unit, &sums).await?;
        }
        inside.commit().await?;
        Ok(booked.len())
    }

    /// PostgreSQL takes a row only where it has a partition for its month.
    async fn make_room(&self, entries: &[Entry<'_>]) -> Result<(), StoreError> {
        let months: HashSet<i64> = entries.iter().map(|entry| day(entry.at_us) / 100).collect();
        for month in months {
            let next = if month % 100 == 12 { month + 89 } else { month + 1 };
            let sql = format!(
                "CREATE TABLE IF NOT EXISTS calls_{month} PARTITION OF calls \
                 FOR VALUES FROM ({month}00) TO ({next}00)"
            );
            let known = "SELECT 1 AS one FROM pg_class WHERE relname = $1";
            let name = format!("calls_{month}");
            if self.database.row(known, &[(&name).into()]).await?.is_some() {
                continue;
            }
            let made = self.database.execute(AssertSqlSafe(sql), &[]).await;
            // Another gateway may have made it at the same moment.
            if made.is_err() && self.database.row(known, &[(&name).into()]).await?.is_none() {
                made?;
            }
        }
        Ok(())
    }
}

/// Those that are new.
async fn insert_calls<'e>(
    inside: &mut Transaction,
    entries: &'e [Entry<'e>],
) -> Result<Vec<&'e Entry<'e>>, StoreError> {
    let texts = entries.iter().map(|entry| (entry.id.to_bytes(), entry.to_json()));
    let texts: Vec<([u8; 16], String)> = texts.collect();
    let rows: Vec<Vec<Value<'_>>> =
        entries.iter().zip(&texts).map(|(entry, (id, json))| values(entry, id, json)).collect();
    let head = format!("INSERT INTO calls ({COLUMNS}) VALUES ");
    let mut new = Vec::with_capacity(entries.len());
    let mut from = 0;
    let ends = (head.as_str(), PASSED_OVER);
    for (sql, values, size) in statements(inside.engine(), ends, &rows) {
        let these = from..from + size;
        from = these.end;
        let mark = inside.mark().await?;
        if inside.execute(AssertSqlSafe(sql), &values).await? == size as u64 {
            inside.keep(mark).await?;
            new.extend(&entries[these]);
            continue;
        }
        // Some are booked already, as after a restart: which, is told by one at a time only.
        inside.go_back(mark).await?;
        for (entry, row) in entries[these.clone()].iter().zip(&rows[these]) {
            for (sql, values, _) in statements(inside.engine(), ends, std::slice::from_ref(row)) {
                if inside.execute(AssertSqlSafe(sql), &values).await? == 1 {
                    new.push(entry);
                }
            }
        }
    }
    Ok(new)
}

/// In the order of their names, so that two gateways never wait for each other.
async fn insert_sums(
    inside: &mut Transaction,
    unit: &str,
    sums: &BTreeMap<Whose<'_>, Sums>,
) -> Result<(), StoreError> {
    let rows: Vec<Vec<Value<'_>>> = sums.iter().map(sums_row).collect();
    let columns = COUNTED.join(", ");
    let table = format!("usage_{unit}s");
    let head =
        format!("INSERT INTO {table} ({unit}, team, key, provider, model, {columns}) VALUES ");
    let added = COUNTED.map(|name| format!("{name} = {table}.{name} + excluded.{name}")).join(", ");
    let tail = format!(" ON CONFLICT ({unit}, team, key, provider, model) DO UPDATE SET {added}");
    for (sql, values, _) in statements(inside.engine(), (&head, &tail), &rows) {
        inside.execute(AssertSqlSafe(sql), &values).await?;
    }
    Ok(())
}

fn sums_row<'e>((whose, sums): (&Whose<'e>, &Sums)) -> Vec<Value<'e>> {
    let (at, team, key, provider, model) = *whose;
    let names = [team, key, provider, model].map(text);
    let counts = sums.iter().map(|sum| Value::from(*sum));
    std::iter::once(at.into()).chain(names).chain(counts).collect()
}

fn text(text: &str) -> Value<'_> {
    text.into()
}

/// The rows in as few statements as the sizes allow.
fn statements<'v>(
    engine: Engine,
    (head, tail): (&str, &str),
    rows: &[Vec<Value<'v>>],
) -> Vec<(String, Vec<Value<'v>>, usize)> {
    let mut statements = Vec::new();
    let mut rest = rows;
    while let Some(size) = SIZES.into_iter().find(|size| *size <= rest.len()) {
        let (these, after) = rest.split_at(size);
        rest = after;
        let mut sql = head.to_owned();
        let mut number = 0;
        for (at, row) in these.iter().enumerate() {
            sql.push_str(if at == 0 { "(" } else { ", (" });
            for column in 0..row.len() {
                number += 1;
                sql.push_str(if column == 0 { "" } else { ", " });
                match engine {
                    // The driver asks SQLite for the name of each parameter, and SQLite looks for it
                    // among all: with names the time grows with the square of their number.
                    Engine::Sqlite => sql.push('?'),
                    Engine::Postgres => sql.push_str(&format!("${number}")),
                }
            }
            sql.push(')');
        }
        sql.push_str(tail);
        statements.push((sql, these.iter().flatten().copied().collect(), size));
    }
    statements
}

fn values<'e>(entry: &'e Entry<'_>, id: &'e [u8; 16], json: &'e str) -> Vec<Value<'e>> {
    let some = |text: &'e Option<Cow<'_, str>>| Value::Text(text.as_deref());
    vec![
        day(entry.at_us).into(),
        id.as_slice().into(),
        text(&entry.request_id),
        some(&entry.team),
        some(&entry.key),
        some(&entry.provider),
        some(&entry.model),
        text(json),
    ]
}

fn whose<'e>(entry: &'e Entry<'_>, at: i64) -> Whose<'e> {
    let name = |text: &'e Option<Cow<'_, str>>| text.as_deref().unwrap_or_default();
    (at, name(&entry.team), name(&entry.key), name(&entry.provider), name(&entry.model))
}

fn add(sums: &mut Sums, entry: &Entry<'_>) {
    let refused = entry.attempts == 0;
    let failed = !refused && entry.error.is_some();
    let flags = [
        !refused && !failed,
        refused,
        failed,
        entry.left,
        entry.estimated,
        entry.cost_unknown.is_some(),
    ];
    let flags = flags.map(i64::from).into_iter();
    let usage = entry.usage.iter().copied().chain([entry.cost_micro_usd]);
    let usage = usage.map(|count| whole(count.unwrap_or_default()));
    for (sum, more) in sums.iter_mut().zip(flags.chain(usage)) {
        *sum = sum.saturating_add(more);
    }
}

/// A number as the database holds it.
pub(super) fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The day of UTC as the number `yyyymmdd`.
pub(super) fn day(at_us: u64) -> i64 {
    let moment = jiff::Timestamp::from_microsecond(whole(at_us)).unwrap_or_default();
    let date = jiff::tz::TimeZone::UTC.to_datetime(moment).date();
    i64::from(date.year()) * 10_000 + i64::from(date.month()) * 100 + i64::from(date.day())
}
