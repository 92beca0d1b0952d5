//! `models`: names that callers use, and the targets they lead to. Whether a provider really offers
//! a model only the provider knows.

use std::collections::BTreeMap;

use super::check::Check;
use super::nearest::suggestion;
use super::place::Path;
use super::providers::{dialect as dialect_of, timeouts};
use super::{ModelConfig, Pattern, ProviderConfig, TargetConfig, written};

/// Longest name of a model.
const MAX_NAME: usize = 256;

pub(super) fn check(
    check: &mut Check<'_>,
    written: BTreeMap<String, written::Model>,
    providers: &BTreeMap<String, ProviderConfig>,
) -> Vec<ModelConfig> {
    let path = Path::top().key("models");
    let mut models: Vec<ModelConfig> = written
        .into_iter()
        .filter_map(|(name, written)| one(check, &path.key(&name), &name, &written, providers))
        .collect();
    // The first match must be the right one: exact names, then the patterns that say most.
    models.sort_by_key(|model| {
        let text = model.name.as_str();
        (!model.name.is_exact(), std::cmp::Reverse(text.len()), text.to_owned())
    });
    models
}

fn one(
    check: &mut Check<'_>,
    path: &Path,
    name: &str,
    written: &written::Model,
    providers: &BTreeMap<String, ProviderConfig>,
) -> Option<ModelConfig> {
    let pattern = name_pattern(check, path, name);
    // One strategy so far, and the shape was checked: it says nothing new.
    let _ = written.strategy;
    let mut targets: Vec<TargetConfig> = Vec::new();
    for (index, target) in written.targets.iter().enumerate() {
        let place = path.key("targets").index(index);
        let at = place.key("to");
        let Some((provider, model)) = target_parts(check, &at, &target.to, providers) else {
            continue;
        };
        if targets.iter().any(|earlier| earlier.provider == provider.name && earlier.model == model)
        {
            check.refuse(
                &at,
                format!("`{}` stands here twice", target.to),
                "name each target once; the next one is tried when it fails",
            );
            continue;
        }
        let timeouts = timeouts(check, path, written.timeouts.as_ref(), provider.timeouts);
        let dialect = target.dialect.as_deref();
        targets.push(TargetConfig {
            provider: provider.name.clone(),
            model: model.to_owned(),
            dialect: dialect.and_then(|text| dialect_of(check, &place, provider.provider, text)),
            timeouts,
        });
    }
    Some(ModelConfig { name: pattern?, targets, strict: written.strict.unwrap_or(false) })
}

fn name_pattern(check: &mut Check<'_>, path: &Path, name: &str) -> Option<Pattern> {
    let pattern = Pattern::parse(name);
    match pattern {
        Ok(pattern) if name.len() <= MAX_NAME => Some(pattern),
        Ok(_) => {
            check.refuse(
                path,
                format!("a name is longer than {MAX_NAME} characters"),
                "shorten it",
            );
            None
        }
        Err(error) => {
            check.refuse(
                path,
                format!("{name:?} cannot name a model: {error}"),
                "a name such as `assistant`, or a pattern such as `gpt-*`",
            );
            None
        }
    }
}

/// The provider and the model that `provider/model` names.
fn target_parts<'a, 'b>(
    check: &mut Check<'_>,
    path: &Path,
    text: &'a str,
    providers: &'b BTreeMap<String, ProviderConfig>,
) -> Option<(&'b ProviderConfig, &'a str)> {
    let form = "a target is `provider/model`, with a provider of this file";
    let Some((name, model)) =
        text.split_once('/').filter(|(name, model)| !name.is_empty() && !model.is_empty())
    else {
        check.refuse(path, format!("`{text}` is not a target"), form);
        return None;
    };
    if model != "*" && model.contains('*') {
        check.refuse(
            path,
            format!("`{text}` holds a `*` inside the model's name"),
            "`provider/*` passes on the caller's name; anything else is written out",
        );
        return None;
    }
    if name.contains('*') {
        check.refuse(path, "a `*` cannot stand for a provider", form);
        return None;
    }
    if model.len() > MAX_NAME || model.chars().any(|c| c.is_whitespace() || c.is_control()) {
        check.refuse(
            path,
            format!("{model:?} cannot be the name of a model"),
            "no spaces, and not longer than 256 characters",
        );
        return None;
    }
    let provider = providers.get(name);
    // A provider that was refused itself is not refused a second time here.
    if provider.is_none() && !check.stands(&Path::top().key("providers").key(name)) {
        let hint = suggestion(name, providers.keys().map(String::as_str), "providers of this file");
        check.refuse(path, format!("there is no provider `{name}`"), hint);
    }
    provider.map(|provider| (provider, model))
}
