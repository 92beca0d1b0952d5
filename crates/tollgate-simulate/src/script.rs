//! What arrived and what is to be played back: values only. Playing them is the program's work.

use bytes::Bytes;
use std::time::Duration;

/// A call as it arrived, whole.
#[derive(Debug, Clone)]
pub struct Request {
    pub method: String,
    /// Without the query, still percent-encoded.
    pub path: String,
    /// Without the question mark; empty when there was none.
    pub query: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
}

impl Request {
    /// The first header of that (lower-case) name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }

    /// The first query parameter of that name, as written.
    pub fn query_value(&self, name: &str) -> Option<&str> {
        self.query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .find(|(n, _)| *n == name)
            .map(|(_, v)| v)
    }
}

/// One thing to do while answering.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Send these bytes and flush them.
    Send(Bytes),
    /// Wait this long.
    Pause(Duration),
    /// Tear the connection down with a TCP reset.
    Reset,
    /// Close the connection without ending the body.
    Cut,
    /// End the body cleanly.
    Close,
    /// Never do anything again, until the caller leaves.
    Hang,
}

/// A whole answer.
#[derive(Debug, Clone)]
pub struct Script {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    /// What happens before the head is sent: pauses, or an end that comes before any byte.
    pub before: Vec<Step>,
    pub steps: Vec<Step>,
    /// The place of the call in the simulator's memory; `None` for the memory endpoint itself.
    pub received: Option<u64>,
}

impl Script {
    /// A buffered answer.
    pub(crate) fn whole(
        status: u16,
        headers: Vec<(String, String)>,
        body: impl Into<Bytes>,
    ) -> Self {
        Self {
            status,
            headers,
            before: Vec::new(),
            steps: vec![Step::Send(body.into()), Step::Close],
            received: None,
        }
    }

    /// The bytes that would be sent, joined.
    pub fn sent(&self) -> Vec<u8> {
        let mut all = Vec::new();
        for step in &self.steps {
            if let Step::Send(bytes) = step {
                all.extend_from_slice(bytes);
            }
        }
        all
    }
}

/// A piece of an answer, with what it is for: misbehaviour is placed by it.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    pub(crate) part: Part,
    pub(crate) bytes: Bytes,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// Before the first token.
    Opening,
    Content,
    /// The finish and the usage.
    Ending,
    /// What says that nothing follows.
    Terminator,
}

impl Frame {
    pub(crate) fn new(part: Part, bytes: impl Into<Bytes>) -> Self {
        Self { part, bytes: bytes.into() }
    }
}

/// A well-behaved answer, before any misbehaviour and pace are put on it.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) frames: Vec<Frame>,
    pub(crate) streamed: bool,
    pub(crate) input_tokens: u64,
    pub(crate) output_tokens: u64,
}
