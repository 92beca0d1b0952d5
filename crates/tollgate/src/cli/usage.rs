//! `tollgate usage` and `tollgate calls`: what the ledger says of what was used and what it cost. They
//! read the database; what a running gateway has not yet shipped to it follows within a second.

use std::process::ExitCode;

use clap::Args;
use jiff::Timestamp;
use serde_json::{Map, Value};
use tollgate_model::MicroUsd;
use tollgate_store::{By, CLASSES, CallsQuery, Entry, UsageQuery};

use super::at::At;
use super::say;

const S_PER_HOUR: i64 = 3_600;

#[derive(Debug, Args)]
pub(super) struct Usage {
    /// What to tell apart, in this order: hour, day, team, key, provider, model
    #[arg(long, value_delimiter = ',', default_value = "team,model")]
    by: Vec<String>,
    /// How many days back, today (of UTC) included
    #[arg(long, default_value_t = 30)]
    days: u32,
    /// Of this team only
    #[arg(long)]
    team: Option<String>,
    /// Of this key only
    #[arg(long)]
    key: Option<String>,
    /// Answer as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    at: At,
}

#[derive(Debug, Args)]
pub(super) struct Calls {
    /// The one with this request id (`x-request-id`) only
    #[arg(long)]
    request: Option<String>,
    /// Of this team only
    #[arg(long)]
    team: Option<String>,
    /// Of this key only
    #[arg(long)]
    key: Option<String>,
    /// How many at most, newest first
    #[arg(long, default_value_t = 20)]
    most: u32,
    /// Answer as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    at: At,
}

pub(super) fn usage(asked: &Usage) -> anyhow::Result<ExitCode> {
    let by: Vec<By> = asked.by.iter().map(|name| named(name)).collect::<anyhow::Result<_>>()?;
    let hour = Timestamp::now().as_second() / S_PER_HOUR;
    let tomorrow = (hour / 24 + 1) * 24;
    let query = UsageQuery {
        from: tomorrow - i64::from(asked.days.max(1)) * 24,
        to: tomorrow,
        by,
        team: asked.team.clone(),
        key: asked.key.clone(),
        ..UsageQuery::default()
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let lines = runtime.block_on(async {
        let store = asked.at.store(&asked.at.load()?.config).await?;
        let lines = store.usage(&query).await?;
        store.close().await;
        anyhow::Ok(lines)
    })?;
    if asked.json {
        let lines: Vec<Value> = lines
            .iter()
            .map(|line| {
                let of = line.of.iter().map(|(by, name)| (by.as_str(), shown(*by, name).into()));
                let figures = line.figures().map(|(name, sum)| (name, Value::from(sum)));
                of.chain(figures).map(|(name, value)| (name.to_owned(), value)).collect()
            })
            .map(|fields: Map<String, Value>| Value::Object(fields))
            .collect();
        say::line(&Value::Array(lines).to_string())?;
        return Ok(ExitCode::SUCCESS);
    }
    let rows: Vec<[String; 6]> = lines
        .iter()
        .map(|line| {
            let of: Vec<String> = line.of.iter().map(|(by, name)| shown(*by, name)).collect();
            let tokens = |input: bool| {
                let is_of = |name: &str| name.ends_with("input") == input;
                let classes = CLASSES[..10].iter().filter(|name| is_of(name));
                classes.map(|name| line.figure(name)).sum::<i64>().to_string()
            };
            let calls = line.figure("calls");
            let other = line.figure("refused") + line.figure("failed");
            let cost = MicroUsd(u64::try_from(line.figure("cost_micro_usd")).unwrap_or_default());
            let unpriced = line.figure("unpriced");
            let cost = match unpriced {
                0 => cost.to_string(),
                calls => format!("{cost} + {calls} unpriced"),
            };
            [
                of.join(" / "),
                calls.to_string(),
                other.to_string(),
                tokens(true),
                tokens(false),
                cost,
            ]
        })
        .collect();
    let of = asked.by.join(" / ");
    say::table([of.as_str(), "calls", "refused, failed", "input", "output", "usd"], &rows)?;
    Ok(ExitCode::SUCCESS)
}

fn named(name: &str) -> anyhow::Result<By> {
    let found = By::ALL.into_iter().find(|by| by.as_str() == name);
    found.ok_or_else(|| {
        let known = By::ALL.map(By::as_str).join(", ");
        anyhow::anyhow!("usage cannot be told apart by `{name}`, but by {known}")
    })
}

/// Hours and days as dates.
fn shown(by: By, name: &str) -> String {
    let seconds = match by {
        By::Hour => S_PER_HOUR,
        By::Day => 24 * S_PER_HOUR,
        _ => return name.to_owned(),
    };
    let moment =
        name.parse().ok().and_then(|number: i64| Timestamp::from_second(number * seconds).ok());
    let text = moment.map_or_else(|| name.to_owned(), |moment| moment.to_string());
    if by == By::Day { text.chars().take(10).collect() } else { text }
}

pub(super) fn calls(asked: &Calls) -> anyhow::Result<ExitCode> {
    let query = CallsQuery {
        request_id: asked.request.clone(),
        team: asked.team.clone(),
        key: asked.key.clone(),
        most: asked.most.into(),
        ..CallsQuery::default()
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let calls = runtime.block_on(async {
        let store = asked.at.store(&asked.at.load()?.config).await?;
        let calls = store.calls(&query).await?;
        store.close().await;
        anyhow::Ok(calls)
    })?;
    if asked.json {
        say::line(&serde_json::to_string(&calls)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let rows: Vec<[String; 7]> = calls.iter().map(as_row).collect();
    say::table(["when", "request", "team", "key", "model", "status", "usd"], &rows)?;
    Ok(ExitCode::SUCCESS)
}

fn as_row(call: &Entry<'_>) -> [String; 7] {
    let text = |text: &Option<std::borrow::Cow<'_, str>>| text.as_deref().unwrap_or("-").to_owned();
    let at = i64::try_from(call.at_us).ok().and_then(|us| Timestamp::from_microsecond(us).ok());
    let model = match (&call.provider, &call.model) {
        (Some(provider), Some(model)) => format!("{provider}/{model}"),
        _ => text(&call.model_asked),
    };
    let cost = match (call.cost_micro_usd, &call.cost_unknown) {
        (Some(cost), _) => MicroUsd(cost).to_string(),
        (None, Some(why)) => why.clone().into_owned(),
        (None, None) => "-".to_owned(),
    };
    let status = match &call.error {
        Some(error) => format!("{} {error}", call.status),
        None => call.status.to_string(),
    };
    let when = at.map(|at| at.strftime("%F %T").to_string()).unwrap_or_default();
    [
        when,
        call.request_id.clone().into_owned(),
        text(&call.team),
        text(&call.key),
        model,
        status,
        cost,
    ]
}
