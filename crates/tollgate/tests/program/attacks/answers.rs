//! Answers of a provider that is broken, bought or broken into: what it says beyond its turn, or
//! beyond all measure, is told to nobody. Streams have a file of their own.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::super::site::{DIALECTS, Dialect, Site};
use super::bench::{Listener, Swept, with_provider};

fn said(word: &str) -> String {
    format!(
        r#"{{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{{"index":0,"message":{{"role":"assistant","content":"{word}"}},"finish_reason":"stop"}}],"usage":{{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}}}"#
    )
}

fn streamed(word: &str) -> String {
    format!(
        "data: {{\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[{{\"index\":0,\"delta\":{{\"role\":\"assistant\",\"content\":\"{word}\"}},\"finish_reason\":null}}]}}\n\ndata: {{\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[{{\"index\":0,\"delta\":{{}},\"finish_reason\":\"stop\"}}]}}\n\ndata: [DONE]\n\n"
    )
}

/// A whole answer on a connection that stays open.
fn kept(kind: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n{body}")
}

/// A provider that keeps its connections, and says something more after each answer: at once, or
/// when the connection has become idle.
fn talkative(late: bool) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || {
                let mut buffer = [0; 16 << 10];
                while let Ok(read @ 1..) = stream.read(&mut buffer) {
                    let request = String::from_utf8_lossy(&buffer[..read]).into_owned();
                    let streams = request.contains("\"stream\":true");
                    let (honest, evil) = if streams {
                        let kind = "text/event-stream";
                        (kept(kind, &streamed("honest")), kept(kind, &streamed("evil")))
                    } else {
                        let kind = "application/json";
                        (kept(kind, &said("honest")), kept(kind, &said("evil")))
                    };
                    if late {
                        let _ = stream.write_all(honest.as_bytes());
                        std::thread::sleep(Duration::from_millis(3));
                        let _ = stream.write_all(evil.as_bytes());
                    } else {
                        let _ = stream.write_all((honest + &evil).as_bytes());
                    }
                }
            });
        }
    });
    address
}

#[test]
fn t27_an_answer_that_nobody_asked_for_reaches_nobody() {
    let (now, later) = (talkative(false), talkative(true));
    let site = Swept::new(Site::adapted("", |text| {
        let text = with_provider(&text, "now", "openai-chat", now);
        with_provider(&text, "later", "openai-chat", later)
    }));
    let call = |provider: &str, caller: Dialect, number: usize| {
        let reply = site.call(caller, &format!("{provider}/m"), number.is_multiple_of(3));
        assert!(!reply.body.contains("evil"), "{provider} {number}: {}", reply.body);
        // A connection that was spoilt meanwhile may cost a call, never a mix-up.
        let whole = reply.status == 200 && reply.body.contains("honest");
        assert!(whole || reply.status == 502, "{provider} {number}: {}", reply.body);
    };
    std::thread::scope(|scope| {
        for caller in DIALECTS {
            let call = &call;
            scope.spawn(move || (0..100).for_each(|number| call("now", caller, number)));
        }
        scope.spawn(|| {
            for number in 0..60 {
                call("later", DIALECTS[number % 3], number);
                // What comes before the next call is nobody's; what comes after it was sent could
                // be its answer.
                std::thread::sleep(Duration::from_millis(20));
            }
        });
    });
    let log = site.log();
    let served = log.matches("\"http.response.status_code\":200").count();
    assert!(served > 350, "{served} of 360");
}

#[test]
fn t31_an_answer_beyond_all_measure_is_an_error_and_takes_little_room() {
    let gzip = |bytes: &[u8]| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let bomb = gzip(&vec![b' '; 1 << 20]).repeat(1024);
    let honest = gzip(said("honest").as_bytes());
    let provider = Listener::answering(move |request| {
        let head = |headers: &str| {
            format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n{headers}\r\n")
                .into_bytes()
        };
        let mebibyte = vec![b' '; 1 << 20];
        let named = |name: &str| request.contains(&format!("\"{name}\""));
        if named("packed") {
            vec![head("content-encoding: gzip\r\n"), honest.clone()]
        } else if named("bomb") {
            vec![head("content-encoding: gzip\r\n"), bomb.clone()]
        } else if named("unknown") {
            vec![head("content-encoding: zstd\r\n"), said("honest").into_bytes()]
        } else if named("endless-body") {
            let mut pieces = vec![head("")];
            pieces.resize(200, mebibyte);
            pieces
        } else if named("endless-head") {
            let mut pieces = vec![b"HTTP/1.1 200 OK\r\nx-head: ".to_vec()];
            pieces.resize(100, vec![b'x'; 1 << 20]);
            pieces
        } else if named("many-headers") {
            vec![head(&"x-header: x\r\n".repeat(10_000)), said("honest").into_bytes()]
        } else if named("endless-continue") {
            let mut pieces = Vec::new();
            pieces.resize(20_000, b"HTTP/1.1 100 Continue\r\n\r\n".to_vec());
            pieces
        } else if named("short") {
            vec![head("content-length: 100000\r\n"), said("honest").into_bytes()]
        } else if named("switches") {
            vec![
                b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\nx"
                    .to_vec(),
            ]
        } else if named("error-without-end") {
            let mut pieces =
                vec![b"HTTP/1.1 500 No\r\ncontent-type: application/json\r\n\r\n".to_vec()];
            pieces.resize(100, mebibyte);
            pieces
        } else {
            // Many tool calls, choices and levels.
            let deep = format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000));
            vec![
                head(""),
                said("honest").replacen("\"id\":\"c\"", &format!("\"x\":{deep}"), 1).into_bytes(),
            ]
        }
    });
    let site = Swept::new(Site::adapted("", |text| {
        with_provider(&text, "far", "openai-chat", provider.address)
    }));
    site.serves();
    let before = site.resident_kib();
    for (number, caller) in DIALECTS.into_iter().enumerate() {
        let stream = number % 2 == 0;
        let packed = site.call(caller, "far/packed", stream);
        assert_eq!(packed.status, 200, "{}", packed.body);
        assert!(packed.body.contains("honest"));
        for (name, status) in [
            ("bomb", 502),
            ("unknown", 502),
            ("endless-body", 502),
            ("endless-head", 502),
            ("many-headers", 502),
            ("endless-continue", 502),
            ("short", 502),
            ("switches", 502),
            ("error-without-end", 500),
        ] {
            let reply = site.call(caller, &format!("far/{name}"), stream);
            assert_eq!(reply.status, status, "{caller:?} {name}: {}", reply.body);
            assert!(caller.is_error(&reply.json()), "{name}: {}", reply.body);
        }
    }
    for caller in DIALECTS {
        // Travels as it came, or is too deep to be understood.
        let deep = site.call(caller, "far/deep", false);
        let expected = if caller.provider == "chat" { 200 } else { 502 };
        assert_eq!(deep.status, expected, "{caller:?}: {:.200}", deep.body);
    }
    // An answer may hold 64 MiB, and is read by one of two workers.
    let grown = site.resident_kib().saturating_sub(before);
    assert!(grown < 4 * (64 << 10), "{grown} KiB");
    site.serves();
}
