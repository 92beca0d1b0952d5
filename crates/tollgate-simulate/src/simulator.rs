//! The simulated provider itself: finds the call, has it judged and answered, lays misbehaviour and
//! pace over the answer, and remembers. What is said, and in which words, is the dialects' work.

use crate::dialect::{Call, Dialect, Headers, Named, State};
use crate::faults::{self, Manners};
use crate::form;
use crate::memory::Memory;
use crate::next::Next;
use crate::refusal::Refusal;
use crate::routes;
use crate::script::{Request, Script};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A simulated provider that speaks every dialect. Clones share one memory.
#[derive(Debug, Clone, Default)]
pub struct Simulator {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug, Default)]
struct Inner {
    memory: Memory,
    state: State,
    next: Next,
    /// How often each model name that misbehaves at first has been called.
    tries: HashMap<String, u64>,
}

const MOST_COUNTED_MODELS: usize = 1_000;

impl Simulator {
    pub fn new() -> Self {
        Self::default()
    }

    /// What the provider answers to this call.
    pub fn answer(&self, request: &Request) -> Script {
        if let Some(rest) = request.path.strip_prefix("/_simulate/") {
            return self.asked_about(request, rest);
        }
        let received = self.lock().memory.keep(request.clone());
        let mut script = self.play(request, received);
        script.received = Some(received);
        if let Some(call) = self.lock().memory.call(received) {
            call.status = script.status;
        }
        script
    }

    /// The caller left before the script had ended.
    pub fn caller_left(&self, received: u64, after_ms: u64) {
        if let Some(call) = self.lock().memory.call(received) {
            call.left(after_ms);
        }
    }

    /// The script was played to its end; `whole` says whether that end was a clean one.
    pub fn played(&self, received: u64, whole: bool) {
        if let Some(call) = self.lock().memory.call(received) {
            if whole { call.complete() } else { call.broken() }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn play(&self, request: &Request, received: u64) -> Script {
        let found = match routes::find(request) {
            Ok(found) => found,
            Err((dialect, wrong)) => return dialect.no_such_call(request, wrong),
        };
        let (dialect, operation) = (found.dialect, found.operation);
        let model = model_of(&found.named, request);
        let manners = Manners::of(model.as_deref().unwrap_or_default());
        let ready = self.lock().next.take(model.as_deref());
        self.note(received, operation.name, model, &manners);
        if let Some(script) = ready {
            return script;
        }
        let call = Call { request, named: found.named };
        let reply = || (operation.answer)(&call, &mut self.lock().state);
        let judged = match manners.fault.as_ref().and_then(|f| f.refusal(dialect)) {
            // What a provider says before it reads the body comes before any judgement of it.
            Some(early) if manners.before_reading() && self.still_failing(&manners) => Err(early),
            early => reply().and_then(|reply| match early {
                Some(refusal) if self.still_failing(&manners) => Err(refusal),
                _ => Ok(reply),
            }),
        };
        match judged {
            Err(refusal) => refused(dialect, &refusal),
            Ok(reply) => {
                if let Some(call) = self.lock().memory.call(received) {
                    call.input_tokens = reply.input_tokens;
                    call.output_tokens = reply.output_tokens;
                }
                let misbehave = manners.fault.as_ref().is_none_or(|f| f.refusal(dialect).is_none())
                    && self.still_failing(&manners);
                faults::play(reply, &manners, dialect, misbehave)
            }
        }
    }

    fn note(
        &self,
        received: u64,
        operation: &'static str,
        model: Option<String>,
        manners: &Manners,
    ) {
        let mut inner = self.lock();
        if manners.first.is_some() && inner.tries.len() < MOST_COUNTED_MODELS {
            *inner.tries.entry(manners.model.clone()).or_default() += 1;
        }
        if let Some(call) = inner.memory.call(received) {
            call.operation = Some(operation);
            call.model = model;
            call.fault = manners.fault.as_ref().map(|f| f.name().to_owned());
        }
    }

    /// Whether a model that misbehaves only at first (`-first-N`) still does.
    fn still_failing(&self, manners: &Manners) -> bool {
        match manners.first {
            None => true,
            Some(first) => self.lock().tries.get(&manners.model).is_none_or(|n| *n <= first),
        }
    }

    fn asked_about(&self, request: &Request, rest: &str) -> Script {
        let json_head = vec![("content-type".to_owned(), "application/json".to_owned())];
        match (request.method.as_str(), rest) {
            ("GET", "requests") => {
                let model = request.query_value("model").map(percent_decoded);
                let most =
                    request.query_value("last").and_then(|n| n.parse().ok()).unwrap_or(usize::MAX);
                let told = self.lock().memory.tell(model.as_deref(), most);
                Script::whole(200, json_head, told.to_string())
            }
            ("DELETE", "requests") => {
                let mut inner = self.lock();
                inner.memory.clear();
                inner.next.clear();
                inner.tries.clear();
                inner.state.responses.clear();
                Script::whole(204, Vec::new(), "")
            }
            ("POST", "next") => match self.lock().next.lay(&request.body) {
                Ok(()) => Script::whole(204, Vec::new(), ""),
                Err(why) => Script::whole(400, json_head, json!({"error": why}).to_string()),
            },
            ("POST", "stored") => match self.lock().state.responses.lay(&request.body) {
                Ok(()) => Script::whole(204, Vec::new(), ""),
                Err(why) => Script::whole(400, json_head, json!({"error": why}).to_string()),
            },
            _ => {
                let known = "GET and DELETE /_simulate/requests, POST /_simulate/next, POST /_simulate/stored";
                let text = json!({"error": format!("not known here; there is {known}")});
                Script::whole(404, json_head, text.to_string())
            }
        }
    }
}

/// The model that the path names, else the body.
fn model_of(named: &Named, request: &Request) -> Option<String> {
    if let Some(model) = named.get("model") {
        return Some(percent_decoded(model));
    }
    if let Some(model) = form::field(request, "model") {
        return Some(model);
    }
    let body: Value = serde_json::from_slice(&request.body).ok()?;
    body.get("model")?.as_str().map(str::to_owned)
}

/// The refusal as a whole answer.
pub(crate) fn refused(dialect: Dialect, refusal: &Refusal) -> Script {
    let (headers, body) = written(dialect, refusal);
    Script::whole(refusal.status, headers, body)
}

/// The refusal in its dialect's shape: headers and body.
pub(crate) fn written(dialect: Dialect, refusal: &Refusal) -> (Headers, String) {
    let (mut headers, body) = dialect.refused(refusal);
    headers.extend(refusal.headers.iter().cloned());
    (headers, body)
}

pub(crate) fn percent_decoded(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(b) = bytes.next() {
        if b != b'%' {
            out.push(b);
            continue;
        }
        let pair: String = bytes.clone().take(2).map(char::from).collect();
        match u8::from_str_radix(&pair, 16) {
            Ok(decoded) if pair.len() == 2 => {
                out.push(decoded);
                bytes.nth(1);
            }
            _ => out.push(b),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}
