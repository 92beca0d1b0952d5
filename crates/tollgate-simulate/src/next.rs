//! Answers that a test has laid ready for the calls to come. They are given as they are, unjudged.

use crate::script::Script;
use serde_json::Value;
use std::collections::VecDeque;

const MOST: usize = 100;

#[derive(Debug, Default)]
pub(crate) struct Next {
    waiting: VecDeque<Ready>,
}

#[derive(Debug)]
struct Ready {
    /// The model whose call takes it; any call's when `None`.
    model: Option<String>,
    script: Script,
}

impl Next {
    /// Lays an answer ready: `{"status", "headers", "body", "model"}`, of which only `body` must be there.
    pub(crate) fn lay(&mut self, written: &[u8]) -> Result<(), String> {
        if self.waiting.len() >= MOST {
            return Err(format!("{MOST} answers wait already"));
        }
        let written: Value = serde_json::from_slice(written).map_err(|e| e.to_string())?;
        let map = written.as_object().ok_or("an answer is an object")?;
        let known = ["status", "headers", "body", "model"];
        if let Some(unknown) = map.keys().find(|k| !known.contains(&k.as_str())) {
            return Err(format!("unknown field {unknown}; an answer has {}", known.join(", ")));
        }
        let status = match map.get("status") {
            None => 200,
            Some(status) => status
                .as_u64()
                .and_then(|s| u16::try_from(s).ok())
                .filter(|s| (200..600).contains(s))
                .ok_or("status is a number from 200 to 599")?,
        };
        let mut headers = headers(map.get("headers"))?;
        let (body, content_type) = match map.get("body").ok_or("body is missing")? {
            Value::String(text) => (text.clone(), "text/event-stream"),
            json => (json.to_string(), "application/json"),
        };
        if !headers.iter().any(|(name, _)| name == "content-type") {
            headers.push(("content-type".to_owned(), content_type.to_owned()));
        }
        let model = map.get("model").and_then(Value::as_str).map(str::to_owned);
        self.waiting.push_back(Ready { model, script: Script::whole(status, headers, body) });
        Ok(())
    }

    /// The first answer that waits for a call of this model.
    pub(crate) fn take(&mut self, model: Option<&str>) -> Option<Script> {
        let fits = |ready: &Ready| ready.model.is_none() || ready.model.as_deref() == model;
        let at = self.waiting.iter().position(fits)?;
        self.waiting.remove(at).map(|ready| ready.script)
    }

    pub(crate) fn clear(&mut self) {
        self.waiting.clear();
    }
}

fn headers(written: Option<&Value>) -> Result<Vec<(String, String)>, String> {
    let Some(written) = written else { return Ok(Vec::new()) };
    let map = written.as_object().ok_or("headers is an object of strings")?;
    map.iter()
        .map(|(name, value)| match value.as_str() {
            Some(value) => Ok((name.to_ascii_lowercase(), value.to_owned())),
            None => Err(format!("the header {name} is no string")),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_wait_for_their_model_and_are_taken_once() {
        let mut next = Next::default();
        next.lay(br#"{"status":429,"headers":{"Retry-After":"7"},"body":{"a":1},"model":"m"}"#)
            .unwrap();
        next.lay(br#"{"body":"data: x\n\n"}"#).unwrap();
        let any = next.take(Some("other")).unwrap();
        assert_eq!((any.status, any.sent()), (200, b"data: x\n\n".to_vec()));
        assert!(next.take(Some("other")).is_none());
        let own = next.take(Some("m")).unwrap();
        assert_eq!(own.status, 429);
        assert_eq!(own.headers[0], ("retry-after".to_owned(), "7".to_owned()));
        assert!(next.take(Some("m")).is_none());
    }

    #[test]
    fn a_wrong_answer_is_refused_with_the_reason() {
        let mut next = Next::default();
        for (written, why) in [
            ("[]", "an answer is an object"),
            ("{}", "body is missing"),
            (r#"{"body":1,"status":99}"#, "status is a number from 200 to 599"),
            (
                r#"{"body":1,"delay":1}"#,
                "unknown field delay; an answer has status, headers, body, model",
            ),
            (r#"{"body":1,"headers":{"a":1}}"#, "the header a is no string"),
        ] {
            assert_eq!(next.lay(written.as_bytes()).unwrap_err(), why);
        }
        for _ in 0..MOST {
            next.lay(br#"{"body":1}"#).unwrap();
        }
        assert!(next.lay(br#"{"body":1}"#).is_err());
    }
}
