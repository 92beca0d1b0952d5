//! Where the clouds' own SDKs call: paths that are another name for one of a dialect's. What stands
//! in them of projects, places and resources is the caller's idea of the provider's account; it is
//! not listened to.

use std::borrow::Cow;

use super::percent_decoded;
use crate::carriage::{self, Carriage};
use crate::providers::{bedrock, vertex};

/// A path that stands for another.
#[derive(Debug)]
pub struct Alias {
    /// `*` is any one segment, `{model}` the model, `{rest}` all that follows.
    from: &'static str,
    /// The path of the dialect; `{rest}` as it came, and `{model}` where it begins a name.
    to: &'static str,
    /// The path itself asks for a stream.
    pub stream: bool,
    /// How the caller's request and answer are wrapped.
    pub carriage: &'static Carriage,
    /// Parameters of the query that belong to the address.
    pub query: &'static [&'static str],
}

/// The first that fits is meant.
const ALIASES: &[Alias] = &[
    azure("/openai/v1/{rest}"),
    azure("/openai/deployments/{model}/{rest}"),
    azure("/openai/{rest}"),
    google("/v1/projects/*/locations/*/publishers/google/{rest}"),
    google("/v1beta1/projects/*/locations/*/publishers/google/{rest}"),
    google("/v1/publishers/google/{rest}"),
    google("/v1beta1/publishers/google/{rest}"),
    claude("/v1/projects/*/locations/*/publishers/anthropic/models/count-tokens:rawPredict", COUNT),
    claude("/v1/projects/*/locations/*/publishers/anthropic/models/{model}:rawPredict", CHAT),
    Alias {
        stream: true,
        ..claude(
            "/v1/projects/*/locations/*/publishers/anthropic/models/{model}:streamRawPredict",
            CHAT,
        )
    },
    Alias { to: "/v1/{rest}", ..google("/v1/projects/*/locations/*/endpoints/openapi/{rest}") },
    Alias {
        to: "/v1/{rest}",
        ..google("/v1beta1/projects/*/locations/*/endpoints/openapi/{rest}")
    },
    Alias { carriage: &bedrock::INVOKE, ..claude("/model/{model}/invoke", CHAT) },
    Alias {
        carriage: &bedrock::INVOKE,
        stream: true,
        ..claude("/model/{model}/invoke-with-response-stream", CHAT)
    },
    provider("/v1/projects/*/locations/*/publishers/{model}/models/{rest}"),
    provider("/v1beta1/projects/*/locations/*/publishers/{model}/models/{rest}"),
    provider("/v1/publishers/{model}/models/{rest}"),
    provider("/v1beta1/publishers/{model}/models/{rest}"),
];

const CHAT: &str = "/v1/messages";
const COUNT: &str = "/v1/messages/count_tokens";

const fn azure(from: &'static str) -> Alias {
    let query = &["api-version"];
    Alias { from, to: "/v1/{rest}", stream: false, carriage: &carriage::PLAIN, query }
}

const fn google(from: &'static str) -> Alias {
    Alias { from, to: "/v1beta/{rest}", stream: false, carriage: &carriage::PLAIN, query: &[] }
}

/// Google's SDK reads `provider/model` as the publisher of a model.
const fn provider(from: &'static str) -> Alias {
    Alias { to: "/v1beta/models/{model}%2F{rest}", ..google(from) }
}

const fn claude(from: &'static str, to: &'static str) -> Alias {
    Alias { from, to, stream: false, carriage: &vertex::ANTHROPIC, query: &["beta"] }
}

/// What a path stands for.
pub(super) struct Meant {
    pub(super) alias: &'static Alias,
    pub(super) path: String,
    /// The model that the path names beside what it stands for.
    pub(super) model: Option<String>,
}

/// Everything a path may stand for: where a model is followed by the rest, its name may hold a
/// slash that was not escaped.
pub(super) fn meant(path: &str) -> impl Iterator<Item = Meant> {
    ALIASES.iter().flat_map(move |alias| {
        let open = alias.from.contains("{model}/{rest}");
        let slashes = 0..if open { MOST_SLASHES } else { 1 };
        slashes.filter_map(move |slashes| {
            let Taken { model, rest } = taken(alias.from, path, slashes)?;
            let rest = rest.unwrap_or_default();
            if alias.to.contains("{model}") {
                let path = alias.to.replace("{model}", model?).replace("{rest}", rest);
                return Some(Meant { alias, path, model: None });
            }
            let model = match model.map(percent_decoded) {
                Some(None) => return None,
                Some(Some(model)) => Some(Cow::into_owned(model)),
                None => None,
            };
            Some(Meant { alias, path: alias.to.replace("{rest}", rest), model })
        })
    })
}

/// A name such as `provider/publisher/model`, and one more.
const MOST_SLASHES: usize = 4;

#[derive(Default)]
struct Taken<'p> {
    model: Option<&'p str>,
    rest: Option<&'p str>,
}

/// What stands in the places of `from`; `None` when `path` does not fit. The model holds this many
/// slashes.
fn taken<'p>(mut from: &str, mut path: &'p str, slashes: usize) -> Option<Taken<'p>> {
    let mut taken = Taken::default();
    loop {
        let place = from.find(['*', '{']).unwrap_or(from.len());
        path = path.strip_prefix(&from[..place])?;
        from = &from[place..];
        let segment = path.find('/').unwrap_or(path.len());
        if let Some(after) = from.strip_prefix('*') {
            (path, from) = (filled(path, segment)?, after);
        } else if let Some(after) = from.strip_prefix("{model}") {
            // A verb may follow the model in its own segment.
            let end = match after.starts_with(':') {
                true => path.len().checked_sub(after.len())?,
                false => path.match_indices('/').nth(slashes).map_or(path.len(), |(at, _)| at),
            };
            taken.model = path.get(..end);
            (path, from) = (filled(path, end)?, after);
        } else if from == "{rest}" {
            taken.rest = Some(path).filter(|rest| !rest.is_empty());
            return taken.rest.is_some().then_some(taken);
        } else {
            return path.is_empty().then_some(taken);
        }
    }
}

/// What follows a place that holds something.
fn filled(path: &str, end: usize) -> Option<&str> {
    (end > 0).then(|| path.get(end..)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_clouds_stand_for_those_of_dialects() {
        let vertex = "/v1/projects/p/locations/us-east5/publishers";
        let cases = [
            ("/openai/v1/chat/completions".into(), "/v1/chat/completions", None, false),
            (
                "/openai/deployments/gpt%2D4o/embeddings".into(),
                "/v1/embeddings",
                Some("gpt-4o"),
                false,
            ),
            ("/openai/responses".into(), "/v1/responses", None, false),
            (
                format!("{vertex}/google/models/g:generateContent"),
                "/v1beta/models/g:generateContent",
                None,
                false,
            ),
            (
                format!("{vertex}/anthropic/models/claude@1:rawPredict"),
                "/v1/messages",
                Some("claude@1"),
                false,
            ),
            (
                format!("{vertex}/anthropic/models/claude:streamRawPredict"),
                "/v1/messages",
                Some("claude"),
                true,
            ),
            (
                format!("{vertex}/anthropic/models/count-tokens:rawPredict"),
                "/v1/messages/count_tokens",
                None,
                false,
            ),
            (
                "/v1beta1/publishers/vertex/models/g:generateContent".into(),
                "/v1beta/models/vertex%2Fg:generateContent",
                None,
                false,
            ),
            ("/model/a.b-v1%3A0/invoke".into(), "/v1/messages", Some("a.b-v1:0"), false),
            ("/model/a:0/invoke-with-response-stream".into(), "/v1/messages", Some("a:0"), true),
        ];
        for (path, to, model, stream) in cases {
            let path: String = path;
            let meant = meant(&path).next().unwrap_or_else(|| panic!("{path}"));
            assert_eq!((meant.path.as_str(), meant.model.as_deref()), (to, model), "{path}");
            assert_eq!(meant.alias.stream, stream, "{path}");
        }
        for path in [
            "/openai/",
            "/model//invoke",
            "/model/m/invoke/x",
            "/v1/projects//locations/l/publishers/google/x",
            "/model/%/invoke",
        ] {
            assert!(meant(path).next().is_none(), "{path}");
        }
    }
}
