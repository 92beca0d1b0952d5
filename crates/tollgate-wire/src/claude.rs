//! What is known about Claude models by their names, wherever they are served, so that a request
//! written for another vendor becomes one that the model takes. A request of a dialect's own
//! callers is never changed by it.
//!
//! A name that is not a Claude's is another host's model behind Anthropic's wire format: such
//! hosts follow the older, simpler form of everything.

pub(crate) mod thinking;
pub(crate) mod thoughts;

use tollgate_model::{Losses, Sampling};

/// Facts about one model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Known {
    /// Decides for itself how long to think (`adaptive`); a budget is outdated or refused.
    pub(crate) adaptive: bool,
    /// Takes `output_config.effort`.
    pub(crate) effort: bool,
    /// Takes `xhigh`.
    pub(crate) extra_effort: bool,
    /// Refuses `temperature`, `top_p` and `top_k`.
    pub(crate) no_sampling: bool,
    /// Refuses `temperature` and `top_p` together.
    pub(crate) one_sampling: bool,
    /// Holds an answer or a call to a schema.
    pub(crate) structured_output: bool,
    /// The cap on output when the caller gave none; Anthropic demands one.
    pub(crate) max_tokens: u64,
}

/// What is known about the model of that name. Prefixes of hosts (`anthropic/`, `us.anthropic.`)
/// and dates behind the name do not matter.
pub(crate) fn of(model: &str) -> Known {
    let Some((family, version)) = parse(model) else {
        return Known {
            adaptive: false,
            effort: false,
            extra_effort: false,
            no_sampling: false,
            one_sampling: false,
            structured_output: true,
            max_tokens: 8192,
        };
    };
    let opus = family == "opus";
    let newest = version >= (5, 0) || (opus && version >= (4, 7));
    Known {
        adaptive: newest || version >= (4, 6),
        effort: newest || version >= (4, 6) || (opus && version >= (4, 5)),
        extra_effort: newest,
        no_sampling: newest,
        one_sampling: version >= (4, 5) || (opus && version >= (4, 1)),
        structured_output: version >= (4, 5) || (opus && version >= (4, 1)),
        max_tokens: match version {
            (..=2, _) | (3, ..=4) => 4096,
            (3, _) => 8192,
            _ => 32_000,
        },
    }
}

/// `claude-opus-4-1-20250805` → `("opus", (4, 1))`; `claude-3-5-haiku-latest` → `("haiku", (3, 5))`.
fn parse(model: &str) -> Option<(&str, (u32, u32))> {
    let name = &model[model.rfind("claude")?..];
    let mut family = "";
    let mut version = Vec::new();
    for word in name.split(['-', '.', '@', ':', '/']).skip(1) {
        match word.parse::<u32>() {
            // A date is no version.
            Ok(number) if number < 100 && version.len() < 2 => version.push(number),
            Ok(_) => {}
            Err(_) if family.is_empty() && !word.starts_with('v') => family = word,
            Err(_) => {}
        }
    }
    // A name without a number (`claude-mythos`, `claude-next`) is newer than this table.
    let major = version.first().copied().unwrap_or(5);
    Some((family, (major, version.get(1).copied().unwrap_or(0))))
}

/// Sampling within what the model takes. `thinks`: thinking is on.
pub(crate) fn sampling(
    wanted: &Sampling,
    known: Known,
    thinks: bool,
    losses: &mut Losses,
) -> Sampling {
    let mut out = Sampling::default();
    let fixed = known.no_sampling || thinks;
    if let Some(temperature) = wanted.temperature {
        if fixed && temperature != 1.0 {
            losses.dropped("", "temperature");
        } else if !fixed {
            if !(0.0..=1.0).contains(&temperature) {
                losses.approximated("", "temperature");
            }
            out.temperature = Some(temperature.clamp(0.0, 1.0));
        }
    }
    if let Some(top_p) = wanted.top_p.filter(|top_p| *top_p != 1.0) {
        let clash = known.one_sampling && out.temperature.is_some();
        if known.no_sampling || clash || (thinks && top_p < 0.95) {
            losses.dropped("", "top_p");
        } else {
            out.top_p = Some(top_p);
        }
    }
    if wanted.top_k.is_some() && fixed {
        losses.dropped("", "top_k");
    } else {
        out.top_k = wanted.top_k;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_with_and_without_hosts_and_dates() {
        for (model, family, version) in [
            ("claude-opus-4-1-20250805", "opus", (4, 1)),
            ("claude-3-5-haiku-latest", "haiku", (3, 5)),
            ("claude-3-opus-20240229", "opus", (3, 0)),
            ("anthropic/claude-sonnet-4.5", "sonnet", (4, 5)),
            ("us.anthropic.claude-sonnet-4-20250514-v1:0", "sonnet", (4, 0)),
            ("claude-sonnet-4-0", "sonnet", (4, 0)),
            ("claude-fable-5", "fable", (5, 0)),
        ] {
            assert_eq!(parse(model), Some((family, version)), "{model}");
        }
        assert_eq!(parse("deepseek-chat"), None);
    }

    #[test]
    fn generations_differ() {
        assert!(!of("claude-sonnet-4-5").adaptive);
        assert!(of("claude-sonnet-4-6").adaptive && !of("claude-sonnet-4-6").no_sampling);
        assert!(of("claude-opus-4-7").no_sampling && of("claude-opus-4-7").extra_effort);
        assert!(!of("claude-opus-4-6").extra_effort);
        assert!(of("claude-opus-4-5").effort && !of("claude-haiku-4-5").effort);
        assert_eq!(of("claude-3-opus-20240229").max_tokens, 4096);
    }
}
