//! The hosts: the simulated provider, heard with the quirks of each row. A host refuses what its
//! row says that it does not understand, hides what it adds to its dialect from the strict
//! simulator behind it, and answers with its oddities.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use serde_json::{Map, Value, json};
use tollgate_wire::provider::{MaxTokens, ReasoningBack, ReasoningSwitch, ToolDemand};
use tollgate_wire::{Provider, Quirks, provider};

use crate::site::Answer;

/// Where a row's host is found. Those whose paths are signed have no name in it.
pub(crate) fn base_url(hosts: SocketAddr, row: &Provider) -> String {
    let below = row.base_url.split_once("://").map_or("", |(_, rest)| rest);
    let path = below.find('/').map_or("", |at| &below[at..]);
    let chats = row.speaks.iter().any(|speaks| speaks.dialect.as_str() == "openai-chat");
    match (chats, path) {
        (true, "") if row.base_url.is_empty() => format!("http://{hosts}/host-{}/v1", row.kind),
        (true, path) => format!("http://{hosts}/host-{}{path}", row.kind),
        (false, path) => format!("http://{hosts}{path}"),
    }
}

/// Says nothing of why it ends; what the gateway then tells its caller is its own word.
pub(crate) fn ends_without_a_word(kind: &str) -> bool {
    kind == "snowflake"
}

/// Serves until the process ends.
pub(crate) fn listen(simulator: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let _ = stream.set_read_timeout(Some(Duration::from_secs(30)));
                serve(stream, simulator);
            });
        }
    });
    address
}

/// One call for a connection.
fn serve(mut stream: TcpStream, simulator: SocketAddr) {
    let Some((head, body)) = request(&mut stream) else { return };
    let mut lines = head.lines();
    let first = lines.next().unwrap_or_default();
    let mut words = first.split(' ');
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let (kind, path) = called(path);
    let quirks = kind.as_deref().and_then(provider::find).map(|row| &row.quirks);
    let chats = path.contains("/chat/completions");
    let mut body = body;
    if chats && let Some(quirks) = quirks {
        match heard(quirks, &body) {
            Ok(plain) => body = plain,
            Err(why) => {
                let text = json!({"error": {"message": why, "type": "invalid_request_error", "param": null, "code": null}});
                let text = text.to_string();
                let _ = write!(
                    stream,
                    "HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{text}",
                    text.len()
                );
                return;
            }
        }
    }
    let mut out = format!("{method} {path} HTTP/1.1\r\n");
    for line in lines {
        let name = line.split(':').next().unwrap_or_default().to_ascii_lowercase();
        if name != "content-length" && name != "connection" && name != "transfer-encoding" {
            out += &format!("{line}\r\n");
        }
    }
    out += &format!("connection: close\r\ncontent-length: {}\r\n\r\n", body.len());
    let Ok(mut upstream) = TcpStream::connect(simulator) else { return };
    let _ = upstream.write_all(&[out.as_bytes(), &body].concat());
    let mut bytes = Vec::new();
    let _ = upstream.read_to_end(&mut bytes);
    let answer = Answer::read(&bytes);
    let said = match kind.as_deref().filter(|_| chats && answer.status == 200) {
        Some(kind) => spoken(kind, &answer.body),
        None => answer.body.to_vec(),
    };
    let mut head = format!(
        "HTTP/1.1 {} x\r\nconnection: close\r\ncontent-length: {}\r\n",
        answer.status,
        said.len()
    );
    for (name, value) in &answer.headers {
        if !matches!(name.as_str(), "content-length" | "connection" | "transfer-encoding") {
            head += &format!("{name}: {}\r\n", value.to_str().unwrap_or_default());
        }
    }
    let _ = stream.write_all(&[head.as_bytes(), b"\r\n", &said].concat());
}

/// Head and body of a request, which the gateway always sends with its length.
fn request(stream: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 16 << 10];
    let at = loop {
        let read = stream.read(&mut buffer).ok().filter(|read| *read > 0)?;
        bytes.extend_from_slice(&buffer[..read]);
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at;
        }
    };
    let head = String::from_utf8_lossy(&bytes[..at]).into_owned();
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    let mut body = bytes[at + 4..].to_vec();
    while body.len() < length.unwrap_or(0) {
        let read = stream.read(&mut buffer).ok().filter(|read| *read > 0)?;
        body.extend_from_slice(&buffer[..read]);
    }
    Some((head, body))
}

/// Whose host was called, and the path as the simulator knows it.
fn called(path: &str) -> (Option<String>, String) {
    let (kind, rest) = match path.strip_prefix("/host-").and_then(|rest| rest.split_once('/')) {
        Some((kind, rest)) => (Some(kind.to_owned()), format!("/{rest}")),
        None => (None, path.to_owned()),
    };
    for (tail, at) in [
        ("/chat/completions", "/v1/chat/completions"),
        ("/completions", "/v1/completions"),
        ("/v1/messages", "/v1/messages"),
        ("/responses", "/v1/responses"),
        ("/v1beta/", "/v1beta/"),
    ] {
        let cloud = rest.starts_with("/v1/projects/") || rest.starts_with("/v1/publishers/");
        if !cloud && let Some(found) = rest.find(tail) {
            return (kind, format!("{at}{}", &rest[found + tail.len()..]));
        }
    }
    // Writer has chats at a path of its own.
    if kind.as_deref() == Some("writer") && rest.ends_with("/chat") {
        return (kind, "/v1/chat/completions".to_owned());
    }
    (kind, rest)
}

/// A request in the dialect's own words, or why the host refuses it.
fn heard(quirks: &Quirks, body: &[u8]) -> Result<Vec<u8>, String> {
    let Ok(Value::Object(mut ask)) = serde_json::from_slice(body) else { return Ok(body.to_vec()) };
    let refuses = |ask: &Map<String, Value>, there: bool, field: &str| match ask.contains_key(field)
        && !there
    {
        true => Err(format!("Unknown field: {field}")),
        false => Ok(()),
    };
    refuses(&ask, quirks.penalties, "frequency_penalty")?;
    refuses(&ask, quirks.penalties, "presence_penalty")?;
    refuses(&ask, quirks.logprobs, "logprobs")?;
    refuses(&ask, quirks.choices, "n")?;
    refuses(&ask, quirks.parallel_tool_calls, "parallel_tool_calls")?;
    refuses(&ask, quirks.stream_options, "stream_options")?;
    refuses(&ask, quirks.top_k, "top_k")?;
    refuses(&ask, quirks.seed_field == Some("seed"), "seed")?;
    refuses(&ask, quirks.end_user_field == Some("user"), "user")?;
    let only = quirks.max_tokens_field == MaxTokens::OnlyMaxTokens;
    refuses(&ask, !only, "max_completion_tokens")?;
    if !quirks.json_schema && ask.get("response_format").is_some_and(|f| f["type"] == "json_schema")
    {
        return Err("response_format json_schema is not supported".into());
    }
    if quirks.tool_choice == ToolDemand::Never
        && ask.get("tool_choice").is_some_and(|c| c != "auto")
    {
        return Err("tool_choice only takes auto".into());
    }
    for name in ["top_k", "thinking", "enable_thinking", "chat_template_kwargs", "reasoning"] {
        let known = match name {
            "top_k" => quirks.top_k,
            "thinking" => quirks.reasoning_switch == ReasoningSwitch::Thinking,
            "enable_thinking" => quirks.reasoning_switch == ReasoningSwitch::Enable,
            "reasoning" => quirks.reasoning_switch == ReasoningSwitch::Object,
            _ => quirks.reasoning_switch == ReasoningSwitch::Template,
        };
        if ask.remove(name).is_some() && !known {
            return Err(format!("Unknown field: {name}"));
        }
    }
    for (theirs, ours) in [(quirks.seed_field, "seed"), (quirks.end_user_field, "user")] {
        if let Some(theirs) = theirs.filter(|name| *name != ours)
            && let Some(value) = ask.remove(theirs)
        {
            ask.insert(ours.into(), value);
        }
    }
    if let ToolDemand::All(word) = quirks.tool_choice
        && ask.get("tool_choice").is_some_and(|choice| choice == word)
    {
        ask.insert("tool_choice".into(), "required".into());
    }
    for message in ask.get_mut("messages").and_then(Value::as_array_mut).into_iter().flatten() {
        plain_message(quirks, message)?;
    }
    for tool in ask.get_mut("tools").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(tool) = tool.as_object_mut() {
            tool.remove("cache_control");
        }
    }
    Ok(serde_json::to_vec(&ask).unwrap())
}

fn plain_message(quirks: &Quirks, message: &mut Value) -> Result<(), String> {
    let Some(message) = message.as_object_mut() else { return Ok(()) };
    if message.get("role").is_some_and(|role| role == "developer") && !quirks.developer_role {
        return Err("role developer is not supported".into());
    }
    if message.contains_key("name") && !quirks.message_name {
        return Err("Unknown field: name".into());
    }
    for (field, back) in [
        ("reasoning_content", ReasoningBack::Content),
        ("reasoning", ReasoningBack::Reasoning),
        ("reasoning_details", ReasoningBack::Details),
    ] {
        if message.remove(field).is_some() && quirks.reasoning_back != back {
            return Err(format!("Unknown field: {field}"));
        }
    }
    for part in message.get_mut("content").and_then(Value::as_array_mut).into_iter().flatten() {
        let Some(part) = part.as_object_mut() else { continue };
        if part.remove("cache_control").is_some() && !quirks.cache_control {
            return Err("Unknown field: cache_control".into());
        }
        if part.get("type").is_some_and(|kind| kind == "document_url") {
            if !quirks.document_url {
                return Err("Unknown part: document_url".into());
            }
            let data = part.remove("document_url").unwrap_or_default();
            part.remove("document_name");
            part.insert("type".into(), "file".into());
            part.insert("file".into(), json!({"filename": "page.pdf", "file_data": data}));
        }
    }
    Ok(())
}

/// An answer with the host's oddities.
fn spoken(kind: &str, body: &[u8]) -> Vec<u8> {
    let Ok(text) = std::str::from_utf8(body) else { return body.to_vec() };
    let swapped = |from: &str, to: &str| text.replace(from, to).into_bytes();
    match kind {
        "together" => swapped(r#""finish_reason":"stop""#, r#""finish_reason":"eos""#),
        "snowflake" => swapped(r#""finish_reason":"stop""#, r#""finish_reason":"""#),
        "groq" => swapped(r#""arguments":"{}""#, r#""arguments":"null""#),
        "cloudflare" => match serde_json::from_str::<Value>(text) {
            Ok(mut answer) => {
                let content = &mut answer["choices"][0]["message"]["content"];
                let object = content.as_str().and_then(|text| serde_json::from_str(text).ok());
                if let Some(object @ Value::Object(_)) = object {
                    *content = object;
                }
                answer.to_string().into_bytes()
            }
            Err(_) => body.to_vec(),
        },
        _ => body.to_vec(),
    }
}
