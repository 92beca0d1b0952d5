//! Which dialect and operation a request line asks for.

mod alias;

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

use http::{HeaderMap, Method};
use tollgate_model::DialectId;

use crate::{DIALECTS, Dialect, Operation};

pub use alias::Alias;

/// One request line that callers of a dialect send. A model in the path stands between `prefix`
/// and `suffix`.
#[derive(Debug)]
pub struct Route {
    pub method: Method,
    pub prefix: &'static str,
    /// `None`: the path is `prefix` and nothing more. `Some("")`: the model is the rest.
    pub suffix: Option<&'static str>,
    pub claim: Claim,
    pub operation: Operation,
    /// The path itself asks for a stream.
    pub stream: bool,
}

impl Route {
    /// Of a path that is the dialect's own, or taken by it unless another claims it.
    #[must_use]
    pub const fn open(
        method: Method,
        prefix: &'static str,
        suffix: Option<&'static str>,
        operation: Operation,
    ) -> Self {
        Self { method, prefix, suffix, claim: Claim::Open, operation, stream: false }
    }

    /// Of a path that other dialects have too: the header makes it this one's.
    #[must_use]
    pub const fn claimed(
        header: &'static str,
        method: Method,
        prefix: &'static str,
        suffix: Option<&'static str>,
        operation: Operation,
    ) -> Self {
        let claim = Claim::Header(header);
        Self { method, prefix, suffix, claim, operation, stream: false }
    }
}

/// What decides between dialects that share a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// Taken unless another dialect claims it by a header.
    Open,
    /// Taken when this header is there.
    Header(&'static str),
}

/// A request line that is spoken here.
#[derive(Debug)]
pub struct Match<'p> {
    pub dialect: &'static Dialect,
    pub route: &'static Route,
    /// From the path, percent-decoded.
    pub model: Option<Cow<'p, str>>,
    /// The path is a cloud's own for it.
    pub alias: Option<&'static Alias>,
}

impl Match<'_> {
    /// The path itself asks for a stream.
    #[must_use]
    pub fn stream(&self) -> bool {
        self.route.stream || self.alias.is_some_and(|alias| alias.stream)
    }
}

/// Finds the dialect and operation of a request line; `None` when no dialect has such a path.
#[must_use]
pub fn find<'p>(method: &Method, path: &'p str, headers: &HeaderMap) -> Option<Match<'p>> {
    own(method, path, headers).or_else(|| {
        alias::meant(path).find_map(|meant| {
            let found = own(method, &meant.path, headers)?;
            let model = meant.model.or_else(|| found.model.map(Cow::into_owned));
            let (dialect, route, alias) = (found.dialect, found.route, Some(meant.alias));
            Some(Match { dialect, route, model: model.map(Cow::Owned), alias })
        })
    })
}

/// On a path as its dialect has it.
fn own<'p>(method: &Method, path: &'p str, headers: &HeaderMap) -> Option<Match<'p>> {
    let mut open = None;
    for (dialect, route) in ROUTES.of(path) {
        let Some(model) = route.fits(path).filter(|_| route.method == *method) else { continue };
        let found = Match { dialect, route, model, alias: None };
        match route.claim {
            Claim::Header(name) if headers.contains_key(name) => return Some(found),
            Claim::Header(_) => {}
            Claim::Open => open = open.or(Some(found)),
        }
    }
    open
}

/// Every route of every dialect, in their order, so that a request looks at few of them.
static ROUTES: LazyLock<Routes> = LazyLock::new(|| {
    let all = DIALECTS.iter().copied();
    let all = all.flat_map(|d| d.rules().routes.iter().map(move |route| (d, route)));
    let all: Vec<Owned> = all.collect();
    let fitting = |path| all.iter().copied().filter(|(_, r)| r.fits(path).is_some()).collect();
    let plain = all.iter().filter(|(_, route)| route.suffix.is_none());
    let plain = plain.map(|(_, route)| (route.prefix, fitting(route.prefix))).collect();
    let open = all.iter().copied().filter(|(_, route)| route.suffix.is_some()).collect();
    Routes { plain, open }
});

type Owned = (&'static Dialect, &'static Route);

struct Routes {
    /// By a path without a model in it, what fits it.
    plain: HashMap<&'static str, Vec<Owned>>,
    /// With a model in the path.
    open: Vec<Owned>,
}

impl Routes {
    /// All that may fit a path.
    fn of(&self, path: &str) -> &[Owned] {
        self.plain.get(path).unwrap_or(&self.open)
    }
}

/// The dialect whose callers would understand an error on a path that nobody has.
#[must_use]
pub fn dialect_of(path: &str, headers: &HeaderMap) -> &'static Dialect {
    let by = |id: &str| DIALECTS.iter().copied().find(|dialect| dialect.id().as_str() == id);
    let google = path.starts_with("/v1beta/")
        || path.contains("/publishers/google/")
        || headers.contains_key("x-goog-api-key");
    let anthropic = path.starts_with("/v1/messages")
        || path.contains("/publishers/anthropic/")
        || headers.contains_key("anthropic-version");
    let signed = headers.get(http::header::AUTHORIZATION);
    let signed = signed.is_some_and(|value| value.as_bytes().starts_with(b"AWS4-HMAC-SHA256"));
    let id = match (google, anthropic) {
        (true, _) => "gemini-generate",
        (_, true) => "anthropic-messages",
        _ if path.starts_with("/api/") => "ollama-chat",
        _ if path.starts_with("/v2/") => "cohere-v2",
        _ if signed || path.starts_with("/model/") => "bedrock-converse",
        _ => "openai-chat",
    };
    by(id).unwrap_or(DIALECTS[0])
}

/// The request line of a path that belongs to a provider and to no dialect, whatever its method.
pub static PASSTHROUGH: Route = Route {
    method: Method::POST,
    prefix: "/providers/",
    suffix: Some(""),
    claim: Claim::Open,
    operation: Operation::Passthrough,
    stream: false,
};

/// Other methods that the path is known for, in any dialect.
pub fn methods(path: &str) -> impl Iterator<Item = (&'static Method, DialectId)> {
    DIALECTS.iter().flat_map(move |dialect| {
        let routes = dialect.rules().routes.iter();
        routes.filter(move |r| r.fits(path).is_some()).map(move |r| (&r.method, dialect.id()))
    })
}

impl Route {
    /// `Some` when the path fits; inside, the model it names.
    fn fits<'p>(&self, path: &'p str) -> Option<Option<Cow<'p, str>>> {
        let Some(suffix) = self.suffix else {
            return (path == self.prefix).then_some(None);
        };
        let model = path.strip_prefix(self.prefix)?.strip_suffix(suffix)?;
        if model.is_empty() || (suffix.is_empty() && model.contains(':')) {
            return None;
        }
        percent_decoded(model).map(Some)
    }
}

/// Undoes `%41`; `None` for a broken escape, bad UTF-8 or a control character.
fn percent_decoded(text: &str) -> Option<Cow<'_, str>> {
    let decoded = if text.contains('%') {
        let mut out = Vec::with_capacity(text.len());
        let mut bytes = text.bytes();
        while let Some(byte) = bytes.next() {
            if byte == b'%' {
                let high = char::from(bytes.next()?).to_digit(16)?;
                let low = char::from(bytes.next()?).to_digit(16)?;
                out.push(u8::try_from(high * 16 + low).ok()?);
            } else {
                out.push(byte);
            }
        }
        Cow::Owned(String::from_utf8(out).ok()?)
    } else {
        Cow::Borrowed(text)
    };
    (!decoded.chars().any(char::is_control)).then_some(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_escapes_are_undone_once_and_broken_ones_refused() {
        assert_eq!(percent_decoded("a%2Fb").as_deref(), Some("a/b"));
        assert_eq!(percent_decoded("a%252Fb").as_deref(), Some("a%2Fb"));
        for broken in ["%", "%4", "%zz", "%ff", "%00", "a%0Ab"] {
            assert_eq!(percent_decoded(broken), None, "{broken}");
        }
    }

    #[test]
    fn a_deployment_may_be_named_with_a_slash() {
        let path = "/openai/deployments/azure/gpt-4o/chat/completions";
        let found = find(&Method::POST, path, &HeaderMap::new()).unwrap();
        assert_eq!(found.model.as_deref(), Some("azure/gpt-4o"));
        assert_eq!(found.dialect.id().as_str(), "openai-chat");
    }

    #[test]
    fn shared_paths_are_told_apart_by_headers() {
        let mut headers = HeaderMap::new();
        let owner = |headers: &HeaderMap| {
            find(&Method::GET, "/v1/models", headers).map(|m| m.dialect.id().as_str())
        };
        assert_eq!(owner(&headers), Some("openai-chat"));
        headers.insert("anthropic-version", http::HeaderValue::from_static("2023-06-01"));
        assert_eq!(owner(&headers), Some("anthropic-messages"));
        headers.clear();
        headers.insert("x-goog-api-key", http::HeaderValue::from_static("x"));
        assert_eq!(owner(&headers), Some("gemini-generate"));
    }
}
