//! Stage 5: where to? Turns the name that was asked for into ordered targets that pass the grant
//! and can do what is asked.

mod offered;

use std::sync::Arc;

use tollgate_model::{Abilities, DialectId, Fault, FaultKind, Needs, Source};
use tollgate_wire::Operation;
use tollgate_wire::resting::Kind;

use super::authorize::Grant;
use super::read::Ask;
use super::rest::Held;
use crate::config::Timeouts;
use crate::config::nearest::nearest;
use crate::errand::Errand;
use crate::gateway::{Gateway, Spoken, Upstream};

pub use offered::catalogue;

/// Provider, model and credential, ready to call.
#[derive(Clone, Debug)]
pub struct Target {
    pub upstream: Arc<Upstream>,
    /// The model's name there.
    pub model: String,
    /// Asked in this dialect only.
    pub dialect: Option<DialectId>,
    pub timeouts: Timeouts,
}

/// Where a call may go, in order.
#[derive(Debug)]
pub struct Plan {
    /// Never empty.
    pub targets: Vec<Target>,
    /// A translation that loses a field is refused.
    pub strict: bool,
}

/// # Errors
/// `NotFound` with the nearest names, `Forbidden`, or `Unsupported` when no target can do it.
pub fn plan(gateway: &Gateway, grant: &Grant, ask: &Ask, held: &Held) -> Result<Plan, Fault> {
    if let Some(errand) = &ask.errand {
        let holder = ask.held.as_ref().map(|object| object.provider.as_str());
        return self::errand(gateway, grant, ask, errand, holder);
    }
    if let Some(about) = ask.about() {
        return about_resting(gateway, grant, (ask, about.kind), held);
    }
    let asked = ask.model.as_str();
    let mut plan = resolved(gateway, asked).ok_or_else(|| unknown(gateway, grant, asked))?;
    if !grant.allows_name(asked) {
        plan.targets.retain(|target| grant.allows_target(&target.upstream.name, &target.model));
    }
    let Some(first) = plan.targets.first() else { return Err(grant.refusal(asked)) };
    let first = first.upstream.name.clone();
    plan.targets.retain(|target| target.spoken(ask).is_some());
    if plan.targets.is_empty() {
        let operation = ask.operation().as_str();
        let message = format!("The provider `{first}` does not offer the operation `{operation}`.");
        return Err(Fault::new(FaultKind::Unsupported, Source::Downstream, message)
            .with_code("unsupported_operation"));
    }
    held.narrow(&mut plan.targets, ask)?;
    pass_over_unable(gateway, ask, &mut plan.targets);
    Ok(plan)
}

/// To the provider that holds it; what is to be made, to the first that keeps such things and that
/// the caller may use.
fn about_resting(
    gateway: &Gateway,
    grant: &Grant,
    (ask, kind): (&Ask, Kind),
    held: &Held,
) -> Result<Plan, Fault> {
    let dialect = Some(ask.dialect.id());
    let able = |upstream: &&Arc<Upstream>| {
        upstream.speaks(ask.operation(), "", ask.dialect.id(), dialect).is_some()
    };
    let (upstream, model) = match &held.at {
        Some(at) => (gateway.upstreams.get(&at.provider).filter(able), at.model.clone()),
        None => {
            let mut may = gateway.upstreams.values().filter(|one| grant.allows_some(&one.name));
            (may.find(|one| one.keeps() && able(one)), None)
        }
    };
    let Some(upstream) = upstream.cloned() else {
        let message = match &held.at {
            Some(at) => format!("The provider `{}` that holds it is not configured.", at.provider),
            None => format!("No provider keeps a {}.", kind.noun().to_lowercase()),
        };
        return Err(Fault::new(FaultKind::Unsupported, Source::Downstream, message)
            .with_code("unsupported_operation"));
    };
    let (model, timeouts) = (model.unwrap_or_default(), upstream.timeouts);
    Ok(Plan { targets: vec![Target { upstream, model, dialect, timeouts }], strict: false })
}

/// Where a request goes that is not about a model: to the provider that holds its object, that its
/// path or its header names, or else to the first that offers it.
fn errand(
    gateway: &Gateway,
    grant: &Grant,
    ask: &Ask,
    errand: &Errand,
    holder: Option<&str>,
) -> Result<Plan, Fault> {
    let through = ask.operation() == Operation::Passthrough;
    let named = errand.provider.as_deref().or(holder).or_else(|| named_in_header(ask));
    let offers = |upstream: &Upstream| match through {
        true => upstream.passthrough,
        false => {
            let speaks = |spoken: &Spoken| spoken.dialect.id() == ask.dialect.id();
            upstream.row.operations.contains(&ask.operation()) && upstream.spoken.iter().any(speaks)
        }
    };
    let led = if named.is_none() { led_to(gateway, ask, offers) } else { None };
    let (named, model) = match &led {
        Some(target) => (Some(target.upstream.name.as_str()), target.model.as_str()),
        None => (named, ask.model.as_str()),
    };
    let may = |name: &str| match through {
        true => grant.allows_all_of(name),
        false => grant.reaches(&gateway.config, name),
    };
    let upstream = match named {
        Some(name) => {
            let known = gateway.upstreams.get(name);
            let upstream = known.filter(|upstream| upstream.name == name);
            if !may(name) {
                return Err(grant.refusal(&format!("{}/*", shortened(name))));
            }
            upstream.ok_or_else(|| no_provider(name))?
        }
        None => {
            let mut able = gateway.upstreams.values().filter(|upstream| offers(upstream));
            let first = able.find(|upstream| may(&upstream.name));
            first.ok_or_else(|| not_offered("any provider of your team", ask.operation()))?
        }
    };
    if !offers(upstream) {
        return Err(not_offered(&format!("the provider `{}`", upstream.name), ask.operation()));
    }
    let model = if model.is_empty() { "*" } else { model }.to_owned();
    let timeouts = upstream.timeouts;
    let target = Target { upstream: upstream.clone(), model, dialect: None, timeouts };
    Ok(Plan { targets: vec![target], strict: false })
}

/// Where the model of a batch's first line leads: to the first that takes batches.
fn led_to(gateway: &Gateway, ask: &Ask, offers: impl Fn(&Upstream) -> bool) -> Option<Target> {
    if ask.model.is_empty() || ask.operation() != Operation::Batches {
        return None;
    }
    let targets = resolved(gateway, &ask.model)?.targets;
    let able = targets.iter().find(|target| offers(&target.upstream));
    able.or(targets.first()).cloned()
}

/// The name at `provider` of a model that is asked for where the provider is chosen already.
///
/// # Errors
/// `Forbidden`, or `InvalidRequest` when the name leads elsewhere.
pub fn model_at(
    gateway: &Gateway,
    grant: &Grant,
    provider: &str,
    asked: &str,
) -> Result<String, Fault> {
    let resolved = resolved(gateway, asked).map(|plan| plan.targets).unwrap_or_default();
    let there = resolved.iter().find(|target| target.upstream.name == provider);
    // A name that leads nowhere here is the provider's own.
    let model = match there {
        Some(target) => target.model.as_str(),
        None if resolved.is_empty() => asked,
        None => {
            let message = format!(
                "the model `{}` is not at the provider `{provider}`, which takes the file.",
                shortened(asked)
            );
            return Err(Fault::invalid_field("model", message));
        }
    };
    let by_name = there.is_some() && grant.allows_name(asked);
    if by_name || grant.allows_target(provider, model) {
        return Ok(model.to_owned());
    }
    Err(grant.refusal(asked))
}

fn named_in_header(ask: &Ask) -> Option<&str> {
    ask.headers.get("x-tollgate-provider").and_then(|name| name.to_str().ok())
}

fn no_provider(name: &str) -> Fault {
    let message = format!("There is no provider `{}` here.", shortened(name));
    Fault::new(FaultKind::NotFound, Source::Downstream, message).with_code("unknown_provider")
}

fn not_offered(who: &str, operation: Operation) -> Fault {
    let message = format!("The operation `{}` is not offered by {who}.", operation.as_str());
    Fault::new(FaultKind::Unsupported, Source::Downstream, message)
        .with_code("unsupported_operation")
}

impl Target {
    /// In which dialect this target is asked.
    #[must_use]
    pub fn spoken(&self, ask: &Ask) -> Option<&Spoken> {
        if ask.errand.is_some() {
            return self.upstream.speaks_most_like(ask.dialect.id());
        }
        self.upstream.speaks(ask.operation(), &self.model, ask.dialect.id(), self.dialect)
    }

    /// `provider/model`, as it stands in logs and headers.
    #[must_use]
    pub fn label(&self) -> String {
        [self.upstream.name.as_str(), "/", &self.model].concat()
    }
}

/// A configured name, `provider/model`, or a bare name that a configured provider is known for.
fn resolved(gateway: &Gateway, asked: &str) -> Option<Plan> {
    if let Some(model) = gateway.config.model(asked) {
        let targets = model.targets.iter().filter_map(|to| {
            let upstream = gateway.upstreams.get(&to.provider)?.clone();
            // `*` passes the caller's name on.
            let name = if to.model == "*" { asked } else { &to.model };
            let (model, dialect) = (name.to_owned(), to.dialect);
            Some(Target { upstream, model, dialect, timeouts: to.timeouts })
        });
        return Some(Plan { targets: targets.collect(), strict: model.strict });
    }
    let (upstream, model) = match asked.split_once('/') {
        Some((provider, model)) if gateway.upstreams.contains_key(provider) => {
            (gateway.upstreams.get(provider)?, model)
        }
        _ => (known_for(gateway, asked)?, asked),
    };
    if model.is_empty() {
        return None;
    }
    let (upstream, timeouts) = (upstream.clone(), upstream.timeouts);
    let targets = vec![Target { upstream, model: model.to_owned(), dialect: None, timeouts }];
    Some(Plan { targets, strict: false })
}

/// The first configured provider whose own models are named like this; else the first that the
/// catalogue knows to offer the model.
fn known_for<'g>(gateway: &'g Gateway, asked: &str) -> Option<&'g Arc<Upstream>> {
    let makes = |upstream: &&Arc<Upstream>| {
        upstream.row.serves.iter().any(|known| match known.strip_suffix('*') {
            Some(prefix) => asked.starts_with(prefix),
            None => asked == *known,
        })
    };
    let catalogue = &gateway.config.catalogue;
    let offers = |upstream: &&Arc<Upstream>| catalogue.exactly(upstream.row.kind, asked).is_some();
    let upstreams = || gateway.upstreams.values();
    upstreams().find(makes).or_else(|| upstreams().find(offers))
}

/// Leaves out targets whose model certainly cannot do what is asked, as long as another can. What
/// is known of models may be old: when none is left, each provider says itself what it cannot.
fn pass_over_unable(gateway: &Gateway, ask: &Ask, targets: &mut Vec<Target>) {
    if targets.len() < 2 || ask.operation() != Operation::Chat {
        return;
    }
    let abilities: Vec<Abilities> = targets
        .iter()
        .map(|target| {
            let known = gateway.config.catalogue.find(target.upstream.row.kind, &target.model);
            known.map(|entry| entry.abilities).unwrap_or_default()
        })
        .collect();
    // Where they are alike there is nothing to choose, and the chat is not looked into.
    if abilities.windows(2).all(|pair| pair[0].known_absent() == pair[1].known_absent()) {
        return;
    }
    // A chat that cannot be read is refused where it is fitted to its target.
    let Ok(chat) = ask.chat() else { return };
    let needs = Needs::of(chat);
    let able: Vec<bool> =
        abilities.into_iter().map(|known| needs.lacking(known).is_empty()).collect();
    if able.contains(&true) {
        let mut able = able.into_iter();
        targets.retain(|_| able.next().unwrap_or(true));
    }
}

fn unknown(gateway: &Gateway, grant: &Grant, asked: &str) -> Fault {
    let names = offered::plain_names(gateway, grant);
    if !grant.is_open() {
        return grant.refusal(asked);
    }
    let near = nearest(asked, names.iter().map(String::as_str));
    let hint = match (near.is_empty(), names.is_empty()) {
        (false, _) => format!(" Did you mean {}?", listed(&near)),
        (true, false) => format!(" Known here: {}.", listed(&names)),
        (true, true) => String::new(),
    };
    let message = format!("The model `{}` is not known here.{hint}", shortened(asked));
    let fault = Fault::new(FaultKind::NotFound, Source::Downstream, message);
    Fault { param: Some("model".into()), ..fault.with_code("model_not_found") }
}

fn listed<S: AsRef<str>>(names: &[S]) -> String {
    let names = names.iter().map(AsRef::as_ref);
    let more = names.len() > 8;
    let mut text = names.take(8).map(|n: &str| format!("`{n}`")).collect::<Vec<_>>().join(", ");
    if more {
        text.push_str(", …");
    }
    text
}

fn shortened(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(80).collect()
}
