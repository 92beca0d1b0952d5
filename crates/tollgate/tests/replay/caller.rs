//! Callers of every dialect, as their SDKs call: path, key header and body.

use std::io::{BufReader, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};
use tollgate_testkit::readers::Shape;

use super::gate::Gate;
use super::http1::{self, Message};

#[derive(Debug)]
pub(crate) struct Caller<'a>(&'a Gate);

#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    message: Message,
    pub(crate) body: Vec<u8>,
}

impl Answered {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.message.header(name)
    }
}

impl<'a> Caller<'a> {
    pub(crate) fn of(gate: &'a Gate) -> Self {
        Self(gate)
    }

    pub(crate) fn call(&self, shape: Shape, model: &str, stream: bool) -> Answered {
        let Gate { address, key, .. } = self.0;
        let (path, header, body) = asked(shape, key, model, stream);
        let body = body.to_string();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: {address}\r\n{header}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            body.len()
        );
        let mut socket = TcpStream::connect(address).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        socket.write_all((head + &body).as_bytes()).unwrap();
        let message = http1::read(&mut BufReader::new(socket));
        let mut message = message.unwrap_or_else(|e| panic!("{model}: {e}")).unwrap_or_default();
        let status = message.line.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.unwrap_or_else(|| panic!("{model}: no answer but {message:?}"));
        Answered { status, body: std::mem::take(&mut message.body), message }
    }
}

/// Path, key header and body of a call.
fn asked(shape: Shape, key: &str, model: &str, stream: bool) -> (String, String, Value) {
    let messages = json!([{"role": "user", "content": "Hello"}]);
    let bearer = format!("authorization: Bearer {key}");
    let mut usual = json!({"model": model, "messages": messages, "stream": stream});
    match shape.as_str() {
        "anthropic-messages" => {
            usual["max_tokens"] = json!(1000);
            let header = format!("x-api-key: {key}\r\nanthropic-version: 2023-06-01");
            ("/v1/messages".into(), header, usual)
        }
        "bedrock-converse" => {
            let verb = if stream { "converse-stream" } else { "converse" };
            let body = json!({"messages": [{"role": "user", "content": [{"text": "Hello"}]}]});
            (format!("/model/{}/{verb}", model.replace('/', "%2F")), bearer, body)
        }
        "cohere-v2" => ("/v2/chat".into(), bearer, usual),
        "gemini-generate" => {
            let verb = if stream { "streamGenerateContent?alt=sse" } else { "generateContent" };
            let body = json!({"contents": [{"role": "user", "parts": [{"text": "Hello"}]}]});
            let header = format!("x-goog-api-key: {key}");
            (format!("/v1beta/models/{model}:{verb}"), header, body)
        }
        "ollama-chat" => ("/api/chat".into(), bearer, usual),
        "openai-completions" => {
            let mut body = json!({"model": model, "prompt": "Hello", "stream": stream});
            if stream {
                body["stream_options"] = json!({"include_usage": true});
            }
            ("/v1/completions".into(), bearer, body)
        }
        "openai-responses" => {
            let body = json!({"model": model, "input": "Hello", "stream": stream});
            ("/v1/responses".into(), bearer, body)
        }
        _ => {
            if stream {
                usual["stream_options"] = json!({"include_usage": true});
            }
            ("/v1/chat/completions".into(), bearer, usual)
        }
    }
}
