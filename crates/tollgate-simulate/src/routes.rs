//! Which call a method and a path are. Only the vendors' own paths are known; they stand in their folders.

use crate::dialect::{DIALECTS, Dialect, Named, Operation};
use crate::script::Request;

/// A path that is no call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotACall {
    UnknownPath,
    WrongMethod,
}

/// A call that was found.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) dialect: Dialect,
    pub(crate) operation: &'static Operation,
    pub(crate) named: Named,
}

/// Finds the call.
pub(crate) fn find(request: &Request) -> Result<Found, (Dialect, NotACall)> {
    let mut wrong_method = None;
    for dialect in DIALECTS.iter().copied() {
        for operation in dialect.operations() {
            let Some(named) = operation.paths.iter().find_map(|p| matched(p, &request.path)) else {
                continue;
            };
            if !(operation.when)(request, &named) {
                continue;
            }
            if request.method.eq_ignore_ascii_case(operation.method) {
                return Ok(Found { dialect, operation, named });
            }
            wrong_method = wrong_method.or(Some(dialect));
        }
    }
    Err(match wrong_method {
        Some(dialect) => (dialect, NotACall::WrongMethod),
        None => (guess(request), NotACall::UnknownPath),
    })
}

/// What the pattern names in the path, when the path fits.
pub(crate) fn matched(pattern: &'static str, path: &str) -> Option<Named> {
    let mut named = Vec::new();
    fits(pattern, path, &mut named).then_some(Named(named))
}

fn fits(pattern: &'static str, path: &str, named: &mut Vec<(&'static str, String)>) -> bool {
    let Some((literal, rest)) = pattern.split_once('{') else {
        return pattern == path;
    };
    let (Some(path), Some((name, after))) = (path.strip_prefix(literal), rest.split_once('}'))
    else {
        return false;
    };
    let (name, across) = match name.strip_suffix('+') {
        Some(name) => (name, true),
        None => (name, false),
    };
    let most = if across { path.len() } else { path.find('/').unwrap_or(path.len()) };
    // The longest stretch first: a model's name may hold what stands behind it.
    // Only a stretch across slashes may be empty: some recordings lost the name.
    let least = usize::from(!across);
    for end in (least..=most).rev().filter(|end| path.is_char_boundary(*end)) {
        named.push((name, path[..end].to_owned()));
        if fits(after, &path[end..], named) {
            return true;
        }
        named.pop();
    }
    false
}

/// Whose words an unknown path is answered in.
fn guess(request: &Request) -> Dialect {
    if request.header("anthropic-version").is_some() || request.path.starts_with("/v1/messages") {
        &crate::anthropic::Anthropic
    } else if request.path.starts_with("/model/") {
        &crate::bedrock::Bedrock
    } else if request.path.starts_with("/v1beta") || request.header("x-goog-api-key").is_some() {
        &crate::gemini::Gemini
    } else if request.path.starts_with("/api/") {
        &crate::ollama::Ollama
    } else if request.path.starts_with("/v2/") {
        &crate::cohere::Cohere
    } else {
        &crate::openai::OpenAi
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn at(method: &str, path: &str, header: &str) -> (&'static str, Option<String>) {
        let found = find(&Request {
            method: method.into(),
            path: path.into(),
            query: String::new(),
            headers: vec![(header.into(), "x".into())],
            body: Bytes::new(),
        });
        match found {
            Ok(found) => (found.operation.name, found.named.get("model").map(str::to_owned)),
            Err((_, NotACall::UnknownPath)) => ("unknown path", None),
            Err((_, NotACall::WrongMethod)) => ("wrong method", None),
        }
    }

    #[test]
    fn every_vendor_has_its_own_paths() {
        assert_eq!(at("POST", "/v1/chat/completions", "").0, "openai-chat");
        assert_eq!(at("GET", "/v1/chat/completions", "").0, "wrong method");
        assert_eq!(at("GET", "/v1/models", "anthropic-version").0, "anthropic-models");
        assert_eq!(at("GET", "/v1/models/gpt", ""), ("openai-models", Some("gpt".into())));
        assert_eq!(at("GET", "/models", "").0, "openai-models");
        let stream = ("gemini-stream", Some("g:1".to_owned()));
        assert_eq!(at("POST", "/v1beta/models/g:1:streamGenerateContent", ""), stream);
        let vertex =
            "/v1/projects/P/locations/L/publishers/google/models/g:1:streamGenerateContent";
        assert_eq!(at("POST", vertex, ""), stream);
        assert_eq!(at("POST", "/v1/nothing", "anthropic-version").0, "unknown path");
    }

    #[test]
    fn patterns_name_stretches() {
        let named = |pattern, path| matched(pattern, path).map(|n| n.0);
        assert_eq!(named("/a/{id}", "/a/b"), Some(vec![("id", "b".to_owned())]));
        assert_eq!(named("/a/{id}", "/a/b/c"), None);
        assert_eq!(named("/a/{id}", "/a/"), None);
        assert_eq!(named("/a/{id+}", "/a/b/c"), Some(vec![("id", "b/c".to_owned())]));
        let two = vec![("id", "x:y".to_owned()), ("part", "z".to_owned())];
        assert_eq!(named("/{id}:go/{part}", "/x:y:go/z"), Some(two));
    }
}
