//! `providers.*.data`: what becomes of what a provider is sent. What the file says goes before what
//! the vendor says in public.

use tollgate_model::DataTerms;
use tollgate_wire::Provider;

use super::check::Check;
use super::place::Path;
use super::written;

/// Longest name of a region.
const MAX_REGION: usize = 32;

pub(super) fn check(
    check: &mut Check<'_>,
    path: &Path,
    row: &Provider,
    written: Option<&written::Data>,
) -> DataTerms {
    let Some(written) = written else { return row.terms.data.clone() };
    let path = path.key("data");
    let region = written.region.clone().filter(|region| {
        let plain = (1..=MAX_REGION).contains(&region.len())
            && region.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if !plain {
            let hint = "small letters, digits and `-`, such as `eu`, `us` or `on-premises`";
            check.refuse(&path.key("region"), format!("{region:?} is not a region"), hint);
        }
        plain
    });
    let days = |text: &String| text.strip_suffix('d').and_then(|days| days.parse().ok());
    let own = DataTerms {
        region: region.map(Into::into),
        // The shape was checked: days and nothing else.
        retention_days: written.retention.as_ref().and_then(days),
        trains: written.trains,
        baa: written.baa,
    };
    own.or(&row.terms.data)
}
