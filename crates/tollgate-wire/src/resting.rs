//! What rests at a provider between two calls: which requests refer to it, what an answer leaves
//! there, and which paths are about it. Whose it is nobody knows on this floor.

use http::Method;
use tollgate_model::{DialectId, Fault};

use crate::dialects::openai_responses::{self, rests};
use crate::scan::Scan;

/// What kind of thing rests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Response,
    Conversation,
    /// One item of a response.
    Item,
}

impl Kind {
    /// The word by which the dialect's errors call it.
    #[must_use]
    pub fn noun(self) -> &'static str {
        match self {
            Self::Response => "Response",
            Self::Conversation => "Conversation",
            Self::Item => "Item",
        }
    }
}

/// Something that a request refers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    pub kind: Kind,
    pub id: String,
    /// The field that names it.
    pub param: &'static str,
}

/// What a request for an answer has to do with what rests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rests {
    pub refers: Vec<Reference>,
    /// The field that only a provider of the caller's own dialect can honour.
    pub binds: Option<&'static str>,
    /// A provider of the dialect keeps the answer.
    pub kept: bool,
}

/// Looks for it in a request of that dialect.
///
/// # Errors
/// `InvalidRequest` naming the field of another type than it must be.
pub fn rests(dialect: DialectId, body: &[u8], scan: &Scan) -> Result<Rests, Fault> {
    if dialect == openai_responses::ID { rests::of(body, scan) } else { Ok(Rests::default()) }
}

/// The ids of the items of a whole answer.
#[must_use]
pub fn items(dialect: DialectId, body: &[u8]) -> Vec<String> {
    if dialect == openai_responses::ID { rests::items(body) } else { Vec::new() }
}

/// The ids of the items of a streamed answer, of which these are the last frames.
#[must_use]
pub fn items_at_end(dialect: DialectId, frames: &[u8]) -> Vec<String> {
    if dialect == openai_responses::ID { rests::items_at_end(frames) } else { Vec::new() }
}

/// The id of something new, in the answer that made it.
#[must_use]
pub fn made(body: &[u8]) -> Option<String> {
    rests::made(body)
}

/// A path about something that rests.
#[derive(Debug, PartialEq, Eq)]
pub struct About<'p> {
    pub kind: Kind,
    /// `None`: another is to be made.
    pub id: Option<&'p str>,
    /// Below the base URL.
    pub path: &'p str,
    /// The call ends it.
    pub ends: bool,
}

/// Where what rests is asked for, and what may be asked of it: methods by what follows the id.
const PLACES: &[(&str, Kind)] =
    &[("/v1/responses", Kind::Response), ("/v1/conversations", Kind::Conversation)];
const ASKED: &[(Kind, &str, &[Method])] = &[
    (Kind::Response, "", &[Method::GET, Method::DELETE]),
    (Kind::Response, "/cancel", &[Method::POST]),
    (Kind::Response, "/input_items", &[Method::GET]),
    (Kind::Conversation, "", &[Method::GET, Method::POST, Method::DELETE]),
    (Kind::Conversation, "/items", &[Method::GET, Method::POST]),
    (Kind::Conversation, "/items/*", &[Method::GET, Method::DELETE]),
];
/// Longer than any id.
const LONGEST_ID: usize = 256;

/// What a path of this dialect is about; `None` when it is about nothing that rests.
#[must_use]
pub fn about<'p>(method: &Method, path: &'p str) -> Option<About<'p>> {
    let below = path.strip_prefix("/v1").map(|_| &path[3..]);
    for (place, kind) in PLACES {
        let Some(rest) = path.strip_prefix(place) else { continue };
        let (kind, path) = (*kind, below?);
        if rest.is_empty() {
            let makes = kind == Kind::Conversation && *method == Method::POST;
            return makes.then_some(About { kind, id: None, path, ends: false });
        }
        let rest = rest.strip_prefix('/')?;
        let (id, after) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let (is_item, tail) = match after.strip_prefix("/items/") {
            Some(item) => (is_id(item), "/items/*"),
            None => (true, after),
        };
        let asked = ASKED.iter().find(|(of, suffix, _)| *of == kind && *suffix == tail);
        let allowed = asked.is_some_and(|(_, _, methods)| methods.contains(method));
        if !(allowed && is_item && is_id(id)) {
            return None;
        }
        let ends = *method == Method::DELETE && tail.is_empty();
        return Some(About { kind, id: Some(id), path, ends });
    }
    None
}

/// Letters that stand in a URL as they are.
fn is_id(id: &str) -> bool {
    (1..=LONGEST_ID).contains(&id.len())
        && id.bytes().all(|letter| letter.is_ascii_alphanumeric() || b"-_.~:".contains(&letter))
        && !id.bytes().all(|letter| letter == b'.')
        && !matches!(id, "input_tokens" | "compact")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_about_what_rests_are_known_and_no_others() {
        for (method, path, id) in [
            (Method::GET, "/v1/responses/resp_1", Some("resp_1")),
            (Method::DELETE, "/v1/responses/resp_1", Some("resp_1")),
            (Method::POST, "/v1/responses/resp_1/cancel", Some("resp_1")),
            (Method::GET, "/v1/responses/resp_1/input_items", Some("resp_1")),
            (Method::POST, "/v1/conversations", None),
            (Method::POST, "/v1/conversations/conv_1", Some("conv_1")),
            (Method::DELETE, "/v1/conversations/conv_1/items/msg_1", Some("conv_1")),
        ] {
            let about = about(&method, path).unwrap_or_else(|| panic!("{method} {path}"));
            assert_eq!((about.id, about.path), (id, &path[3..]), "{path}");
            let ends = method == Method::DELETE && !path.contains("items");
            assert_eq!(about.ends, ends, "{path}");
        }
        for (method, path) in [
            (Method::POST, "/v1/responses"),
            (Method::GET, "/v1/responses"),
            (Method::POST, "/v1/responses/resp_1"),
            (Method::POST, "/v1/responses/input_tokens"),
            (Method::GET, "/v1/responses/../files"),
            (Method::GET, "/v1/responses/..%2ffiles"),
            (Method::GET, "/v1/responses/a/b"),
            (Method::GET, "/v1/conversations/c/items/.."),
            (Method::GET, "/v1/responsesx/a"),
            (Method::GET, "/v1/files/a"),
        ] {
            assert_eq!(about(&method, path), None, "{method} {path}");
        }
    }
}
