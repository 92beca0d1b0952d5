//! Odd answers: cut, framed, delayed and ended as no provider should, from an upstream that says
//! byte for byte what a test tells it. What a caller gets is sound all the same.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::site::{KEY, Reply, Site};

/// An upstream that answers by hand. `answer` is given the socket and the number of the call; it
/// returns whether the connection stays open.
struct Scripted {
    address: SocketAddr,
    calls: Arc<AtomicUsize>,
    connections: Arc<AtomicUsize>,
}

fn scripted(answer: impl Fn(&mut TcpStream, usize) -> bool + Send + Sync + 'static) -> Scripted {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let calls = Arc::new(AtomicUsize::new(0));
    let (answer, counted) = (Arc::new(answer), calls.clone());
    let connections = Arc::new(AtomicUsize::new(0));
    let accepted = connections.clone();
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            accepted.fetch_add(1, Ordering::SeqCst);
            let (answer, calls, mut socket) = (answer.clone(), counted.clone(), socket.unwrap());
            std::thread::spawn(move || {
                while read_request(&mut socket) {
                    let number = calls.fetch_add(1, Ordering::SeqCst);
                    if !answer(&mut socket, number) {
                        return;
                    }
                }
            });
        }
    });
    Scripted { address, calls, connections }
}

/// Reads a request with its body; false when the connection is over.
fn read_request(socket: &mut TcpStream) -> bool {
    let mut bytes = Vec::new();
    let mut buffer = [0; 16 << 10];
    loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..at]).to_ascii_lowercase();
            let length = head.split("content-length: ").nth(1);
            let length = length.and_then(|rest| rest.lines().next()?.trim().parse().ok());
            if bytes.len() - at - 4 >= length.unwrap_or(0) {
                return true;
            }
        }
        match socket.read(&mut buffer) {
            Ok(read @ 1..) => bytes.extend_from_slice(&buffer[..read]),
            _ => return false,
        }
    }
}

impl Scripted {
    /// A gateway with this upstream as the providers `chat` (OpenAI's dialect) and `google`.
    fn site(&self) -> Site {
        let address = self.address;
        let patience =
            "timeouts: { connect: 1s, first_token: 600ms, between_tokens: 600ms, total: 5s }";
        let providers = format!(
            "providers:\n  odd: {{ kind: openai-compatible, base_url: \"http://{address}/v1\", api_key: \"${{env:PROVIDER_KEY}}\", {patience} }}\n  google: {{ kind: gemini, base_url: \"http://{address}\", api_key: \"${{env:PROVIDER_KEY}}\", {patience} }}\n"
        );
        Site::adapted("", |text| text.replacen("providers:\n", &providers, 1))
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }
}

fn chat(site: &Site, stream: bool) -> Reply {
    let body = format!(
        r#"{{"model":"odd/m","stream":{stream},"messages":[{{"role":"user","content":"Hello"}}]}}"#
    );
    site.post("/v1/chat/completions", &format!("authorization: Bearer {KEY}\r\n"), &body)
}

fn generate(site: &Site, model: &str, action: &str) -> Reply {
    let path = format!("/v1beta/models/{model}:{action}");
    let body = r#"{"contents":[{"role":"user","parts":[{"text":"Hello"}]}]}"#;
    site.post(&path, &format!("x-goog-api-key: {KEY}\r\n"), body)
}

/// An answer whose body ends with the connection.
fn until_close(content_type: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\nconnection: close\r\n\r\n{body}")
        .into_bytes()
}

fn whole(body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

const PIECE: &str = r#"{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":null}]}"#;
const LAST: &str = r#"{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#;
const COMPLETION: &str = r#"{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"Hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}"#;
const PART: &str = r#"{"candidates":[{"content":{"parts":[{"text":"Hi"}],"role":"model"},"index":0}],"modelVersion":"g"}"#;
const LAST_PART: &str = r#"{"candidates":[{"content":{"parts":[{"text":"."}],"role":"model"},"finishReason":"STOP","index":0}],"modelVersion":"g"}"#;

/// The data of each event of a stream.
fn data(stream: &str) -> Vec<&str> {
    let events = stream.split("\n\n").map(str::trim).filter(|event| !event.is_empty());
    events.map(|event| event.strip_prefix("data: ").unwrap_or(event)).collect()
}

#[test]
fn an_error_is_an_event_of_its_own_when_the_provider_ends_inside_a_line() {
    for end in ["", "\n", "\r\n"] {
        let body = format!("data: {PIECE}{end}");
        let odd = scripted(move |socket, _| {
            socket.write_all(&until_close("text/event-stream", &body)).unwrap();
            false
        });
        let reply = chat(&odd.site(), true);
        let events = data(&reply.body);
        assert_eq!(events.len(), 2, "{:?}: {}", end, reply.body);
        assert_eq!(events[0], PIECE);
        let error: Value = serde_json::from_str(events[1]).unwrap();
        assert!(error["error"]["message"].is_string(), "{error}");
    }
}

#[test]
fn a_last_event_without_its_blank_line_gets_one() {
    for end in [LAST, "[DONE]"] {
        let body = format!("data: {PIECE}\n\ndata: {LAST}\n\ndata: {end}");
        let odd = scripted(move |socket, _| {
            socket.write_all(&until_close("text/event-stream", &body)).unwrap();
            false
        });
        let reply = chat(&odd.site(), true);
        assert!(reply.body.ends_with(&format!("data: {end}\n\n")), "{}", reply.body);
    }
}

#[test]
fn a_gemini_array_stays_one_whatever_becomes_of_it() {
    let bodies = [
        format!("[{PART},{LAST_PART}]"),
        format!("[{PART},\r\n{LAST_PART}\r\n]\r\n"),
        // The bracket is missing, but the answer is whole.
        format!("[{PART},{LAST_PART}"),
        // No finish: an error follows, inside the array.
        format!("[{PART},{PART}]"),
        format!("[{PART},{PART}]\n"),
        format!("[{PART},{PART}"),
        format!("[{PART},{}", &PART[..20]),
        format!(r#"[{PART},{{"error":{{"code":503,"message":"m","status":"UNAVAILABLE"}}}}]"#),
    ];
    for (number, body) in bodies.into_iter().enumerate() {
        let sent = body.clone();
        let odd = scripted(move |socket, _| {
            socket.write_all(&until_close("application/json; charset=UTF-8", &sent)).unwrap();
            false
        });
        let reply = generate(&odd.site(), "google%2Fg", "streamGenerateContent");
        assert_eq!(reply.status, 200);
        let array: Value = serde_json::from_str(&reply.body)
            .unwrap_or_else(|error| panic!("{body}\nbecame ({error})\n{}", reply.body));
        let last = array.as_array().unwrap().last().unwrap();
        let faulty = number > 2;
        assert_eq!(last["error"].is_object(), faulty, "{body}\nbecame\n{}", reply.body);
    }
}

#[test]
fn a_caller_gets_the_framing_that_was_asked_for() {
    let sse = format!("data: {PART}\r\n\r\ndata: {LAST_PART}\r\n\r\n");
    let array = format!("[{PART},{LAST_PART}]");
    for (kind, body) in [("text/event-stream", sse), ("application/json", array)] {
        let odd = scripted(move |socket, _| {
            socket.write_all(&until_close(kind, &body)).unwrap();
            false
        });
        let site = odd.site();
        let events = generate(&site, "google%2Fg", "streamGenerateContent?alt=sse");
        assert_eq!(events.header("content-type"), Some("text/event-stream"), "{kind}");
        assert!(events.body.starts_with("data: {"), "{kind}: {}", events.body);
        assert!(events.body.contains("STOP"), "{kind}: {}", events.body);
        let array = generate(&site, "google%2Fg", "streamGenerateContent");
        assert_eq!(array.header("content-type"), Some("application/json"), "{kind}");
        let array = array.json();
        let last = array.as_array().unwrap().last().unwrap();
        assert_eq!(last["candidates"][0]["finishReason"], "STOP", "{kind}: {array}");
    }
}

#[test]
fn a_whole_answer_to_a_stream_is_streamed_in_every_dialect() {
    let odd = scripted(|socket, _| socket.write_all(&whole(COMPLETION)).is_ok());
    let site = odd.site();
    let reply = chat(&site, true);
    assert!(reply.body.contains("\"Hi\"") && reply.body.contains("[DONE]"), "{}", reply.body);
    let reply = generate(&site, "odd%2Fm", "streamGenerateContent?alt=sse");
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert!(reply.body.contains("\"Hi\"") && reply.body.contains("STOP"), "{}", reply.body);
}

#[test]
fn comments_are_no_token() {
    let odd = scripted(|socket, _| {
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";
        socket.write_all(head.as_bytes()).unwrap();
        while socket.write_all(b": still thinking\n\n").is_ok() {
            std::thread::sleep(Duration::from_millis(50));
        }
        false
    });
    let site = odd.site();
    let begun = Instant::now();
    let reply = chat(&site, true);
    assert_eq!(reply.status, 504, "{}", reply.body);
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
}

#[test]
fn a_flood_before_the_first_token_has_a_bound() {
    let sent = Arc::new(AtomicUsize::new(0));
    let counted = sent.clone();
    let odd = scripted(move |socket, _| {
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";
        socket.write_all(head.as_bytes()).unwrap();
        let comment = format!(": {}\n\n", "x".repeat(60_000));
        // Ends when the gateway has closed the connection.
        while socket.write_all(comment.as_bytes()).is_ok() {
            counted.fetch_add(comment.len(), Ordering::Relaxed);
        }
        false
    });
    let site = Site::adapted("limits: { event: 1MiB, line: 1MiB }\n", |text| {
        let address = odd.address;
        let odd = format!(
            "providers:\n  odd: {{ kind: openai-compatible, base_url: \"http://{address}/v1\", timeouts: {{ first_token: 20s }} }}\n"
        );
        text.replacen("providers:\n", &odd, 1)
    });
    let reply = chat(&site, true);
    assert_eq!(reply.status, 502, "{}", reply.body);
    // What the sockets hold comes on top.
    let sent = sent.load(Ordering::Relaxed);
    assert!(sent < 32 << 20, "{sent} bytes");
}

#[test]
fn a_server_that_hangs_up_on_a_call_is_sent_it_twice_at_most() {
    let odd = scripted(|socket, number| {
        std::thread::sleep(Duration::from_millis(300));
        number < 8 && socket.write_all(&whole(COMPLETION)).is_ok()
    });
    let site = odd.site();
    // Several connections lie in the pools.
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert_eq!(chat(&site, false).status, 200));
        }
    });
    let reply = chat(&site, false);
    assert_eq!(reply.status, 502, "{}", reply.body);
    assert!(odd.calls() <= 10, "the call was sent {} times", odd.calls() - 8);
}

#[test]
fn a_server_that_hangs_up_after_a_while_is_not_asked_again() {
    let odd = scripted(|socket, number| {
        if number == 0 {
            return socket.write_all(&whole(COMPLETION)).is_ok();
        }
        std::thread::sleep(Duration::from_millis(1500));
        false
    });
    let site = odd.site();
    assert_eq!(chat(&site, false).status, 200);
    // Whichever worker takes the call: with one that has no connection there is nothing to repeat.
    let reply = chat(&site, false);
    assert_eq!(reply.status, 502, "{}", reply.body);
    assert_eq!(odd.calls(), 2);
}

#[test]
fn left_over_bytes_of_one_answer_are_not_the_next() {
    let odd = scripted(|socket, _| {
        let twice = [whole(COMPLETION), whole(r#"{"object":"another caller's"}"#)].concat();
        socket.write_all(&twice).is_ok()
    });
    let site = odd.site();
    for _ in 0..6 {
        assert_eq!(chat(&site, false).body, COMPLETION);
    }
}

#[test]
fn a_refused_caller_who_is_still_sending_sees_the_refusal() {
    let site = Site::with("limits: { body: 4MiB }\n");
    let body = format!(r#"{{"model":"chat/hello","x":"{}"}}"#, "x".repeat(12 << 20));
    for (key, status) in [("wrong", 401), (KEY, 413)] {
        let mut socket = TcpStream::connect(site.address).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let head = format!(
            "POST /v1/chat/completions HTTP/1.1\r\nhost: gateway\r\nauthorization: Bearer {key}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        socket.write_all(head.as_bytes()).unwrap();
        // A client that looks for an answer only when all is sent.
        socket.write_all(body.as_bytes()).unwrap();
        let mut answer = [0; 64];
        let read = socket.read(&mut answer).unwrap();
        let answer = String::from_utf8_lossy(&answer[..read]).into_owned();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
    }
}

#[test]
fn a_connection_on_which_nothing_is_asked_is_closed() {
    let site = Site::adapted("", |text| {
        text.replacen("listen: {", "listen: { timeouts: { head: 1s, idle: 1s },", 1)
    });
    for opening in ["", "P", "PRI * HTTP/2.0\r\n\r\nSM"] {
        let mut socket = TcpStream::connect(site.address).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        socket.write_all(opening.as_bytes()).unwrap();
        let mut rest = Vec::new();
        assert!(socket.read_to_end(&mut rest).is_ok(), "still open after {opening:?}");
    }
}

#[test]
fn an_endless_name_of_a_model_is_refused_and_not_repeated() {
    let site = Site::start();
    let name = format!("chat/{}", "m".repeat(60_000));
    let body = format!(r#"{{"model":"{name}","messages":[{{"role":"user","content":"x"}}]}}"#);
    let reply =
        site.post("/v1/chat/completions", &format!("authorization: Bearer {KEY}\r\n"), &body);
    assert_eq!(reply.status, 400);
    assert!(reply.head.len() + reply.body.len() < 2000, "{} {}", reply.head, reply.body);
    assert!(site.log().len() < 4000, "{}", site.log().len());
}

#[test]
fn a_stream_gives_its_connection_back() {
    let odd = scripted(|socket, _| {
        let body = format!("data: {PIECE}\n\ndata: {LAST}\n\ndata: [DONE]\n\n");
        let head =
            "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n";
        socket.write_all(format!("{head}\r\n{:x}\r\n{body}\r\n", body.len()).as_bytes()).unwrap();
        // The end of the body comes a little later, as it does from many servers.
        std::thread::sleep(Duration::from_millis(20));
        socket.write_all(b"0\r\n\r\n").is_ok()
    });
    let site = odd.site();
    let workers = std::thread::available_parallelism().unwrap().get();
    for _ in 0..4 * workers {
        let reply = chat(&site, true);
        assert!(reply.body.contains("[DONE]"), "{}", reply.body);
        std::thread::sleep(Duration::from_millis(60));
    }
    let connections = odd.connections.load(Ordering::SeqCst);
    assert!(connections <= workers, "{connections} connections for {} calls", odd.calls());
}

#[test]
fn a_host_that_is_none_is_refused() {
    let site = Site::start();
    for host in ["gw/?x=", "gw#@evil.example", "gw, evil.example", "u@gw", "gw:99999"] {
        let request = format!(
            "GET /v1/models HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {KEY}\r\nconnection: close\r\n\r\n"
        );
        let reply = super::site::exchange(site.address, request.as_bytes()).unwrap();
        assert_eq!(reply.status, 400, "{host}: {}", reply.body);
    }
}
