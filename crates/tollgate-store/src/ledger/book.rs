//! Books entries in the database: each once by its id, with its place in the sums by hour and day.

use std::collections::{BTreeMap, HashSet};

use sqlx::AssertSqlSafe;
use tollgate_model::RecordId;

use super::entry::{CLASSES, Entry};
use crate::database::{Engine, Transaction, Value};
use crate::store::{Store, StoreError};

const US_PER_HOUR: u64 = 3_600_000_000;

/// Rows of one statement: few sizes, so that the engine knows each of them already.
const SIZES: [usize; 3] = [128, 16, 1];

/// Columns of `calls`, in the order of [`values`].
pub(super) const COLUMNS: &str = "day, id, at_us, request_id, team, key, operation, stream, dialect, model_asked, \
    provider, model, model_answered, upstream_request_id, attempts, status, finish, error, limit_name, \
    left_early, estimated, input, cache_read_input, cache_write_input, cache_write_1h_input, audio_input, \
    image_input, output, reasoning_output, audio_output, image_output, search_units, input_audio_ms, \
    input_characters, output_images, tier, raw_usage, cost_micro_usd, cost_unknown, first_chunk_us, \
    overhead_us, duration_us, request_bytes, response_bytes";

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
        let new = insert_calls(&mut inside, entries).await?;
        let booked = entries.iter().filter(|entry| new.contains(&entry.id));
        let mut once = HashSet::new();
        let booked: Vec<&Entry<'_>> = booked.filter(|entry| once.insert(entry.id)).collect();
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

async fn insert_calls(
    inside: &mut Transaction,
    entries: &[Entry<'_>],
) -> Result<HashSet<RecordId>, StoreError> {
    let ids: Vec<[u8; 16]> = entries.iter().map(|entry| entry.id.to_bytes()).collect();
    let rows: Vec<Vec<Value<'_>>> =
        entries.iter().zip(&ids).map(|(entry, id)| values(entry, id)).collect();
    let head = format!("INSERT INTO calls ({COLUMNS}) VALUES ");
    let mut new = HashSet::new();
    for (sql, values) in statements(&head, " ON CONFLICT DO NOTHING RETURNING id", &rows) {
        for row in inside.rows(AssertSqlSafe(sql), &values).await? {
            let id: Vec<u8> = row.get("id")?;
            new.extend(<[u8; 16]>::try_from(id).ok().map(RecordId::from_bytes));
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
    for (sql, values) in statements(&head, &tail, &rows) {
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
    head: &str,
    tail: &str,
    rows: &[Vec<Value<'v>>],
) -> Vec<(String, Vec<Value<'v>>)> {
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
                let comma = if column == 0 { "" } else { ", " };
                sql.push_str(&format!("{comma}${number}"));
            }
            sql.push(')');
        }
        sql.push_str(tail);
        statements.push((sql, these.iter().flatten().copied().collect()));
    }
    statements
}

fn values<'e>(entry: &'e Entry<'_>, id: &'e [u8; 16]) -> Vec<Value<'e>> {
    let some = |text: &'e Option<std::borrow::Cow<'_, str>>| Value::Text(text.as_deref());
    let number = |count: Option<u64>| Value::Integer(count.map(whole));
    let flag = |flag: bool| Value::Integer(Some(i64::from(flag)));
    let mut values = vec![
        day(entry.at_us).into(),
        id.as_slice().into(),
        number(Some(entry.at_us)),
        text(&entry.request_id),
        some(&entry.team),
        some(&entry.key),
        text(&entry.operation),
        flag(entry.stream),
        some(&entry.dialect),
        some(&entry.model_asked),
        some(&entry.provider),
        some(&entry.model),
        some(&entry.model_answered),
        some(&entry.upstream_request_id),
        number(Some(entry.attempts.into())),
        number(Some(entry.status.into())),
        some(&entry.finish),
        some(&entry.error),
        some(&entry.limit),
        flag(entry.left),
        flag(entry.estimated),
    ];
    values.extend(entry.usage.iter().map(|count| number(*count)));
    values.extend([
        some(&entry.tier),
        some(&entry.raw_usage),
        number(entry.cost_micro_usd),
        some(&entry.cost_unknown),
        number(entry.first_chunk_us),
        number(entry.overhead_us),
        number(Some(entry.duration_us)),
        number(Some(entry.request_bytes)),
        number(Some(entry.response_bytes)),
    ]);
    values
}

fn whose<'e>(entry: &'e Entry<'_>, at: i64) -> Whose<'e> {
    let name = |text: &'e Option<std::borrow::Cow<'_, str>>| text.as_deref().unwrap_or_default();
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
