//! What arrived, kept for tests to read: a bounded list, the oldest forgotten first.
//! It keeps headers and bodies as they came, credentials included; it is for tests alone.

use crate::script::Request;
use serde_json::{Value, json};
use std::collections::VecDeque;

const MOST_CALLS: usize = 10_000;
const MOST_BYTES: usize = 256 << 20;

#[derive(Debug, Default)]
pub(crate) struct Memory {
    calls: VecDeque<Received>,
    bytes: usize,
    next: u64,
    forgotten: u64,
}

/// One call, with what became of it.
#[derive(Debug)]
pub(crate) struct Received {
    sequence: u64,
    request: Request,
    pub(crate) operation: Option<&'static str>,
    pub(crate) model: Option<String>,
    pub(crate) fault: Option<String>,
    pub(crate) status: u16,
    pub(crate) input_tokens: u64,
    pub(crate) output_tokens: u64,
    ended: Ended,
}

#[derive(Debug, Clone, Copy)]
enum Ended {
    Playing,
    Complete,
    /// The caller left before the end, this many milliseconds after the call arrived.
    Left {
        after_ms: u64,
    },
    /// The script broke the connection off.
    Broken,
}

impl Memory {
    /// Keeps the call and says under which number.
    pub(crate) fn keep(&mut self, request: Request) -> u64 {
        let sequence = self.next;
        self.next += 1;
        self.bytes += request.body.len();
        self.calls.push_back(Received {
            sequence,
            request,
            operation: None,
            model: None,
            fault: None,
            status: 0,
            input_tokens: 0,
            output_tokens: 0,
            ended: Ended::Playing,
        });
        while self.calls.len() > MOST_CALLS || (self.bytes > MOST_BYTES && self.calls.len() > 1) {
            if let Some(old) = self.calls.pop_front() {
                self.bytes -= old.request.body.len();
                self.forgotten += 1;
            }
        }
        sequence
    }

    /// The call of that number, unless it was forgotten.
    pub(crate) fn call(&mut self, sequence: u64) -> Option<&mut Received> {
        let first = self.calls.front()?.sequence;
        let at = usize::try_from(sequence.checked_sub(first)?).ok()?;
        self.calls.get_mut(at)
    }

    pub(crate) fn clear(&mut self) {
        self.calls.clear();
        self.bytes = 0;
        self.forgotten = 0;
    }

    /// Everything kept, oldest first; of one model only, when one is given; the last `most`.
    pub(crate) fn tell(&self, model: Option<&str>, most: usize) -> Value {
        let wanted: Vec<&Received> = self
            .calls
            .iter()
            .filter(|c| model.is_none_or(|m| c.model.as_deref() == Some(m)))
            .collect();
        let from = wanted.len().saturating_sub(most);
        let requests: Vec<Value> = wanted[from..].iter().map(|c| c.tell()).collect();
        json!({"requests": requests, "forgotten": self.forgotten})
    }
}

impl Received {
    pub(crate) fn complete(&mut self) {
        self.ended = Ended::Complete;
    }

    pub(crate) fn broken(&mut self) {
        self.ended = Ended::Broken;
    }

    pub(crate) fn left(&mut self, after_ms: u64) {
        self.ended = Ended::Left { after_ms };
    }

    fn tell(&self) -> Value {
        let (ended, left_after_ms) = match self.ended {
            Ended::Playing => ("playing", None),
            Ended::Complete => ("complete", None),
            Ended::Broken => ("broken", None),
            Ended::Left { after_ms } => ("left", Some(after_ms)),
        };
        let body: Value = serde_json::from_slice(&self.request.body).unwrap_or_else(|_| {
            Value::String(String::from_utf8_lossy(&self.request.body).into_owned())
        });
        json!({
            "sequence": self.sequence,
            "method": self.request.method,
            "path": self.request.path,
            "query": self.request.query,
            "headers": self.request.headers,
            "body": body,
            "body_bytes": self.request.body.len(),
            "operation": self.operation,
            "model": self.model,
            "fault": self.fault,
            "status": self.status,
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "ended": ended,
            "left_after_ms": left_after_ms,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn request() -> Request {
        Request {
            method: "POST".into(),
            path: "/x".into(),
            query: String::new(),
            headers: Vec::new(),
            body: Bytes::from_static(b"{\"a\":1}"),
        }
    }

    #[test]
    fn the_oldest_are_forgotten_and_the_rest_found() {
        let mut memory = Memory::default();
        for _ in 0..MOST_CALLS + 5 {
            memory.keep(request());
        }
        assert!(memory.call(4).is_none());
        memory.call(5).unwrap().left(7);
        let told = memory.tell(None, usize::MAX);
        assert_eq!(told["forgotten"], 5);
        assert_eq!(told["requests"].as_array().unwrap().len(), MOST_CALLS);
        assert_eq!(told["requests"][0]["left_after_ms"], 7);
        assert_eq!(told["requests"][0]["body"]["a"], 1);
        memory.clear();
        assert!(memory.call(5).is_none());
        let again = memory.keep(request());
        assert!(memory.call(again).is_some());
    }
}
