//! A vendor's manner of speaking, and the calls it takes: one trait, one row per call.
//! What is said stands in each vendor's own folder; a further one costs its folder and a line in `DIALECTS`.

use crate::cache::Cache;
use crate::refusal::Refusal;
use crate::routes::NotACall;
use crate::script::{Reply, Request, Script};
use crate::{anthropic, azure, bedrock, cohere, gemini, ollama, openai, responses};
use bytes::Bytes;
use std::fmt;

/// Header names and values.
pub(crate) type Headers = Vec<(String, String)>;

/// A vendor, as the rest of the simulator holds it.
pub(crate) type Dialect = &'static dyn Vendor;

/// The dialects, sorted by name. Where two know a path, the first whose call wants it takes it.
pub(crate) const DIALECTS: &[Dialect] = &[
    &anthropic::Anthropic,
    &azure::Azure,
    &bedrock::Bedrock,
    &bedrock::invoke::Invoke,
    &cohere::Cohere,
    &gemini::Gemini,
    &ollama::Ollama,
    &openai::OpenAi,
    &responses::Responses,
];

/// What a vendor says beside its answers.
pub(crate) trait Vendor: fmt::Debug + Send + Sync {
    /// Its calls.
    fn operations(&self) -> &'static [Operation];

    /// A refusal in the vendor's shape.
    fn refused(&self, refusal: &Refusal) -> (Headers, String);

    /// Trouble that is not the request's fault, in the vendor's own words.
    fn trouble(&self, status: u16, quota: bool) -> Refusal;

    /// The answer to a path or a method that is no call.
    fn no_such_call(&self, request: &Request, wrong: NotACall) -> Script;

    /// One event of a stream.
    fn framed(&self, event: &str, data: &str) -> Bytes;

    /// One event of a stream that cannot be read.
    fn broken(&self) -> Bytes {
        self.framed("content_block_delta", "{\"broken\": [1, 2,")
    }

    /// The body of an error that comes inside a good answer.
    fn error_inside(&self) -> String {
        self.refused(&self.trouble(503, false)).1
    }

    /// The same as an event of a stream.
    fn error_event(&self) -> Bytes {
        self.framed("error", &self.error_inside())
    }

    /// A delta that holds this text.
    fn delta(&self, text: &str) -> String;
}

/// A call that a vendor takes.
pub(crate) struct Operation {
    /// The word for it in the memory.
    pub(crate) name: &'static str,
    pub(crate) method: &'static str,
    /// `{name}` stands for a stretch without a slash, `{name+}` for any.
    pub(crate) paths: &'static [&'static str],
    /// Whether the request means this vendor, where several have the path.
    pub(crate) when: fn(&Request, &Named) -> bool,
    pub(crate) answer: fn(&Call<'_>, &mut State) -> Result<Reply, Refusal>,
}

impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// For paths that only one vendor has.
pub(crate) const fn always(_: &Request, _: &Named) -> bool {
    true
}

/// A call as it came, with what its path names.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    pub(crate) request: &'a Request,
    pub(crate) named: Named,
}

/// The parts of a path that its pattern names, still percent-encoded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Named(pub(crate) Vec<(&'static str, String)>);

impl Named {
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, _)| *n == name).map(|(_, value)| value.as_str())
    }
}

/// What a provider remembers from call to call.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) cache: Cache,
    pub(crate) responses: responses::Stored,
    pub(crate) files: openai::Files,
    pub(crate) batches: openai::Batches,
    pub(crate) message_batches: anthropic::Batches,
}

/// Headers from pairs.
pub(crate) fn headers<const N: usize>(pairs: [(&str, &str); N]) -> Headers {
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
}
