//! `region`, `project` and their like: what a cloud must be told besides a credential. A row of the
//! registry says which; what they mean only the cloud knows.

use tollgate_wire::Provider;
use tollgate_wire::provider::{Need, Settings};

use super::check::Check;
use super::nearest::quoted;
use super::place::Path;
use super::written;

/// Every name that a row may have.
const NAMES: [&str; 5] = ["api_version", "location", "project", "region", "resource"];
/// Longest value.
const MAX_LENGTH: usize = 128;

pub(super) fn check(
    check: &mut Check<'_>,
    path: &Path,
    provider: &Provider,
    written: &written::Provider,
) -> Settings {
    let mut settings = Settings::new();
    for setting in provider.settings {
        let Some(value) = written.setting(setting.name) else {
            let waived = match setting.need {
                Need::Never => true,
                Need::WithoutKey => written.api_key.is_some(),
                Need::Always => false,
            } || (written.base_url.is_some()
                && !provider.needs_beyond_address(setting));
            if !waived {
                let (kind, name) = (provider.kind, setting.name);
                let hint = format!("write it beside `kind`: `{name}: {}`", example(name));
                check.refuse(path, format!("a provider of kind `{kind}` needs `{name}`"), hint);
            }
            continue;
        };
        if fits(value) {
            settings.insert(setting.name, value.to_owned());
        } else {
            let hint =
                format!("one plain word, as the cloud writes it: `{}`", example(setting.name));
            check.refuse(&path.key(setting.name), format!("{value:?} cannot be"), hint);
        }
    }
    for name in NAMES {
        let known = provider.settings.iter().any(|setting| setting.name == name);
        if !known && written.setting(name).is_some() {
            let message = format!("a provider of kind `{}` has no `{name}`", provider.kind);
            let names: Vec<&str> = provider.settings.iter().map(|setting| setting.name).collect();
            let hint = match names.is_empty() {
                true => "remove it; `base_url` says where the provider is".to_owned(),
                false => format!("remove it; it has {}", quoted(&names, ", ")),
            };
            check.refuse(&path.key(name), message, hint);
        }
    }
    settings
}

/// A word that can stand in a host's name or as one segment of a path, whatever is around it.
pub(super) fn fits(value: &str) -> bool {
    value.starts_with(|c: char| c.is_ascii_alphanumeric())
        && value.len() <= MAX_LENGTH
        && value.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.:".contains(&b))
}

fn example(name: &str) -> &'static str {
    match name {
        "api_version" => "2024-10-21",
        "location" => "europe-west4",
        "project" => "my-project",
        "region" => "eu-central-1",
        _ => "my-resource",
    }
}
