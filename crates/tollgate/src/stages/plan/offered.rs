//! The list of models: what is configured, and what the catalogue knows that the configured
//! providers offer. Only what the caller's team may use.

use jiff::civil;
use jiff::tz::TimeZone;
use tollgate_catalogue::{Entry, Use};
use tollgate_model::{Day, Fault};
use tollgate_wire::{ModelEntry, Operation};

use super::{resolved, unknown};
use crate::gateway::{Gateway, Upstream};
use crate::stages::authorize::Grant;
use crate::stages::read::Ask;

/// So long is a list at most; configured names come first.
const MOST: usize = 2000;

/// The models that a caller may ask for, when the request is about the list itself.
///
/// # Errors
/// `NotFound` when one model is asked about and is not among them.
pub fn catalogue(
    gateway: &Gateway,
    grant: &Grant,
    ask: &Ask,
) -> Result<Option<Vec<ModelEntry>>, Fault> {
    match ask.operation() {
        Operation::ListModels => Ok(Some(list(gateway, grant))),
        Operation::GetModel => {
            let asked = ask.model.as_str();
            let entry = one(gateway, grant, asked);
            entry.map(|entry| Some(vec![entry])).ok_or_else(|| unknown(gateway, grant, asked))
        }
        _ => Ok(None),
    }
}

/// Names to tell somebody who asked for one that is not known: a handful, not the catalogue.
pub(super) fn plain_names(gateway: &Gateway, grant: &Grant) -> Vec<String> {
    let configured = configured(gateway, grant).map(str::to_owned);
    let samples = gateway.upstreams.values().flat_map(|upstream| {
        let samples = upstream.row.sample_models.iter();
        let may = samples.filter(|model| grant.allows_target(&upstream.name, model));
        may.map(|model| format!("{}/{model}", upstream.name))
    });
    configured.chain(samples).collect()
}

fn configured<'g>(gateway: &'g Gateway, grant: &'g Grant) -> impl Iterator<Item = &'g str> {
    let exact = gateway.config.models.iter().filter(|model| model.name.is_exact());
    exact.map(|model| model.name.as_str()).filter(|name| grant.allows_name(name))
}

fn list(gateway: &Gateway, grant: &Grant) -> Vec<ModelEntry> {
    let mut entries: Vec<ModelEntry> =
        configured(gateway, grant).filter_map(|name| one(gateway, grant, name)).collect();
    let today = today(gateway.since);
    for upstream in gateway.upstreams.values() {
        let known = gateway.config.catalogue.of(upstream.row.kind);
        let known: Vec<Entry<'_>> = known
            .filter(|entry| asked_for(upstream, entry))
            .filter(|entry| entry.retires.is_none_or(|day| day > today))
            .filter(|entry| grant.allows_target(&upstream.name, entry.name))
            .collect();
        let samples = upstream.row.sample_models.iter().filter(|model| {
            !known.iter().any(|entry| entry.name == **model)
                && grant.allows_target(&upstream.name, model)
        });
        let samples = samples.map(|model| (*model, None));
        for (model, entry) in samples.chain(known.iter().map(|entry| (entry.name, Some(entry)))) {
            if entries.len() == MOST {
                return entries;
            }
            let name = format!("{}/{model}", upstream.name);
            entries.push(written(gateway, name, &upstream.name, entry));
        }
    }
    entries
}

/// What that name leads to, if the caller may use it.
fn one(gateway: &Gateway, grant: &Grant, asked: &str) -> Option<ModelEntry> {
    let plan = resolved(gateway, asked)?;
    let target = plan.targets.first()?;
    let (upstream, model) = (&target.upstream, target.model.as_str());
    if !grant.allows_name(asked) && !grant.allows_target(&upstream.name, model) {
        return None;
    }
    let entry = gateway.config.catalogue.find(upstream.row.kind, model);
    let configured = gateway.config.model(asked).is_some();
    let owner = if configured { "tollgate" } else { upstream.name.as_str() };
    Some(written(gateway, asked.to_owned(), owner, entry.as_ref()))
}

/// The provider offers the operation that the model is there for.
fn asked_for(upstream: &Upstream, entry: &Entry<'_>) -> bool {
    let operation = match entry.used_for {
        Use::Chat => Operation::Chat,
        Use::Embedding => Operation::Embed,
        _ => return false,
    };
    upstream.row.operations.contains(&operation)
}

fn written(gateway: &Gateway, name: String, owner: &str, entry: Option<&Entry<'_>>) -> ModelEntry {
    let released = entry.and_then(|entry| seconds(entry.released?));
    ModelEntry {
        name,
        owner: owner.to_owned(),
        created: released.unwrap_or(gateway.since),
        max_input: entry.and_then(|entry| entry.max_input.or(entry.context)),
        max_output: entry.and_then(|entry| entry.max_output),
    }
}

/// The day on which a moment lies, in UTC.
fn today(seconds: u64) -> Day {
    let moment = i64::try_from(seconds).ok().and_then(|s| jiff::Timestamp::from_second(s).ok());
    let day = moment.map(|moment| moment.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d").to_string());
    day.and_then(|day| Day::parse(&day)).unwrap_or_default()
}

/// The beginning of a day, in Unix seconds.
fn seconds(day: Day) -> Option<u64> {
    let (year, month, date) = (day.0 / 10_000, day.0 / 100 % 100, day.0 % 100);
    let date = civil::Date::new(
        i16::try_from(year).ok()?,
        i8::try_from(month).ok()?,
        i8::try_from(date).ok()?,
    );
    let moment = date.ok()?.to_zoned(TimeZone::UTC).ok()?;
    u64::try_from(moment.timestamp().as_second()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_moments_are_each_others() {
        assert_eq!(seconds(Day(20_240_513)), Some(1_715_558_400));
        assert_eq!(today(1_715_558_400), Day(20_240_513));
        assert_eq!(today(1_715_558_399), Day(20_240_512));
        assert_eq!(seconds(Day(20_240_230)), None, "there is no such day");
    }
}
