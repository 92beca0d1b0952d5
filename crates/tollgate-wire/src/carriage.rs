//! How a dialect travels at a host that is not its own vendor's: other paths, a body without its
//! model, a field that names the version. A [`Carriage`] is data in a provider's row; what it does
//! to a request is an edit of places, so a body that is otherwise not looked into stays as it came.
//!
//! Both ways: [`Carriage::put_on`] for a request that leaves, [`Carriage::take_off`] for a caller
//! whose SDK wraps it so. Deliberately absent: what the dialect says, and where the host lives.

mod envelope;
mod take_off;

use std::borrow::Cow;
use std::fmt::Write as _;

use http::{HeaderMap, HeaderName};

use crate::Operation;
use crate::splice::Splice;

pub use envelope::Sealer;
pub use take_off::Bare;

#[derive(Debug)]
pub struct Carriage {
    /// What is left out of the beginning of the dialect's own paths.
    pub less: &'static str,
    /// What stands at the end of every path, after its `?`. `{api_version}` stands for the setting
    /// of that name.
    pub query: &'static str,
    /// Operations that have a path of their own here, in place of the dialect's.
    pub ways: &'static [Way],
    /// Members that the host wants in the body, as JSON. One that is there stays.
    pub members: &'static [(&'static str, &'static str)],
    /// Headers that travel as members of the body, each a list of strings.
    pub lifted: &'static [(&'static str, &'static str)],
    /// Headers that do not travel, and what is meant by a caller who wraps its requests so and
    /// therefore does not send them.
    pub dropped: &'static [(&'static str, &'static str)],
    /// What its streams are packed into.
    pub envelope: Envelope,
    /// The response header that names the host's own id of the call; empty: the dialect's.
    pub request_id: &'static str,
}

/// How one operation is called.
#[derive(Debug)]
pub struct Way {
    pub operation: Operation,
    /// `{model}` stands for the model.
    pub path: &'static str,
    pub stream_path: &'static str,
    /// Members that do not travel in the body.
    pub without: &'static [&'static str],
}

/// What the events of a stream are packed into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Envelope {
    /// Nothing: the dialect's own framing.
    None,
    /// Frames of AWS's binary event stream, each with one event in base64.
    AwsChunks,
}

/// As the dialect's own vendor has it.
pub const PLAIN: Carriage = Carriage {
    less: "",
    query: "",
    ways: &[],
    members: &[],
    lifted: &[],
    dropped: &[],
    envelope: Envelope::None,
    request_id: "",
};

impl Carriage {
    /// How an operation is called, where that is not the dialect's own way.
    #[must_use]
    pub fn way(&self, operation: Operation) -> Option<&'static Way> {
        self.ways.iter().find(|way| way.operation == operation)
    }

    /// Where a call goes, below the base; `own` is the dialect's path for it.
    #[must_use]
    pub fn path<'o>(
        &self,
        operation: Operation,
        stream: bool,
        model: &str,
        own: &'o str,
    ) -> Cow<'o, str> {
        match self.way(operation) {
            Some(way) if stream => with_model(way.stream_path, model),
            Some(way) => with_model(way.path, model),
            None => own.strip_prefix(self.less).unwrap_or(own).into(),
        }
    }

    /// The caller's own query has no place there: the path is another.
    #[must_use]
    pub fn takes_query(&self, operation: Operation) -> bool {
        self.way(operation).is_none()
    }

    /// A member does not travel in the body.
    #[must_use]
    pub fn omits(&self, operation: Operation, member: &str) -> bool {
        self.way(operation).is_some_and(|way| way.without.contains(&member))
    }

    /// A body of this operation does not travel as the dialect writes it.
    #[must_use]
    pub fn reshapes(&self, operation: Operation) -> bool {
        !self.members.is_empty()
            || !self.lifted.is_empty()
            || self.way(operation).is_some_and(|way| !way.without.is_empty())
    }

    /// Edits a body of the dialect into what the host wants, and takes from the headers what
    /// travels in the body.
    #[must_use]
    pub fn put_on<'a>(
        &self,
        operation: Operation,
        mut splice: Splice<'a>,
        headers: &mut HeaderMap,
    ) -> Splice<'a> {
        for member in self.way(operation).map_or(&[][..], |way| way.without) {
            splice = splice.remove(member);
        }
        for (member, written) in self.members {
            if !splice.has(member) {
                splice = splice.set(member, written.as_bytes());
            }
        }
        for (header, member) in self.lifted {
            let Some(list) = listed(headers, header) else { continue };
            splice = splice.set(member, list);
        }
        for (header, _) in self.dropped {
            headers.remove(*header);
        }
        splice
    }
}

/// Takes a header with its comma-separated values; as a JSON list.
fn listed(headers: &mut HeaderMap, name: &'static str) -> Option<Vec<u8>> {
    let name = HeaderName::from_static(name);
    let values = headers.get_all(&name).iter().filter_map(|value| value.to_str().ok());
    let words = values.flat_map(|value| value.split(',')).map(str::trim);
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    let list = (!words.is_empty()).then(|| serde_json::Value::from(words).to_string().into_bytes());
    headers.remove(&name);
    list
}

/// Fills in the model, percent-encoded: it is one segment of the path, whatever it holds.
#[must_use]
pub fn with_model<'p>(path: &'p str, model: &str) -> Cow<'p, str> {
    let place = if path.contains('{') { path.split_once("{model}") } else { None };
    let Some((before, after)) = place else { return path.into() };
    let mut filled = String::with_capacity(path.len() + model.len() + 8);
    filled.push_str(before);
    for byte in model.bytes() {
        // `@` stands before versions of models at Google, and may stand in a path.
        if byte.is_ascii_alphanumeric() || b"-._~@".contains(&byte) {
            filled.push(char::from(byte));
        } else {
            let _ = write!(filled, "%{byte:02X}");
        }
    }
    filled.push_str(after);
    filled.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::{bedrock, vertex};
    use crate::scan::{Limits, scan};

    fn put_on(carriage: &Carriage, body: &str, headers: &mut HeaderMap) -> String {
        let scan = scan(body.as_bytes(), &Limits::seeded(1)).unwrap();
        let splice = Splice::new(body.as_bytes(), &scan);
        let spliced = carriage.put_on(Operation::Chat, splice, headers).finish().unwrap();
        String::from_utf8(spliced.to_vec()).unwrap()
    }

    #[test]
    fn a_body_is_wrapped_in_place() {
        let body = r#"{ "model":"claude", "max_tokens" : 5,"stream":true }"#;
        let mut headers = HeaderMap::new();
        headers.insert("anthropic-version", "2023-06-01".parse().unwrap());
        headers.insert("anthropic-beta", "a-1, b-2".parse().unwrap());
        headers.append("anthropic-beta", "c-3".parse().unwrap());
        let vertex = put_on(&vertex::ANTHROPIC, body, &mut headers.clone());
        assert_eq!(
            vertex,
            r#"{"anthropic_version":"vertex-2023-10-16", "max_tokens" : 5,"stream":true }"#
        );
        let bedrock = put_on(&bedrock::INVOKE, body, &mut headers);
        assert_eq!(
            bedrock,
            r#"{"anthropic_version":"bedrock-2023-05-31","anthropic_beta":["a-1","b-2","c-3"], "max_tokens" : 5 }"#
        );
        assert!(headers.is_empty(), "{headers:?}");
    }

    #[test]
    fn a_path_holds_the_model_as_one_segment() {
        let path = |model| bedrock::INVOKE.path(Operation::Chat, true, model, "/v1/messages");
        assert_eq!(
            path("us.anthropic.claude-v1:0"),
            "/model/us.anthropic.claude-v1%3A0/invoke-with-response-stream"
        );
        assert_eq!(path("a/../b"), "/model/a%2F..%2Fb/invoke-with-response-stream");
        let google =
            vertex::GEMINI.path(Operation::Chat, false, "m", "/v1beta/models/m:generateContent");
        assert_eq!(google, "/models/m:generateContent");
    }
}
