//! The server as a socket sees it: resets, cuts, silence, pace. What is said is tested in `tollgate-simulate`.

use super::*;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream as Blocking};

/// A simulated provider on a port of its own, until the end of the process.
fn provider() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let at = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = TcpListener::from_std(listener).unwrap();
            serve(listener, Simulator::new(), std::future::pending()).await.unwrap();
        });
    });
    at
}

fn send(at: SocketAddr, model: &str, stream: bool) -> Blocking {
    let mut socket = Blocking::connect(at).unwrap();
    let body = format!(
        r#"{{"model":"{model}","stream":{stream},"messages":[{{"role":"user","content":"say 12 words"}}]}}"#
    );
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer k\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    socket.write_all(head.as_bytes()).unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(700))).unwrap();
    socket
}

/// Everything that arrives, and how the reading ended.
fn read(mut socket: Blocking) -> (String, std::io::Result<()>) {
    let mut all = Vec::new();
    let mut chunk = [0; 65536];
    let end = loop {
        match socket.read(&mut chunk) {
            Ok(0) => break Ok(()),
            Ok(n) => all.extend_from_slice(&chunk[..n]),
            Err(e) => break Err(e),
        }
    };
    (String::from_utf8_lossy(&all).into_owned(), end)
}

fn remembered(at: SocketAddr) -> serde_json::Value {
    let mut socket = Blocking::connect(at).unwrap();
    socket
        .write_all(b"GET /_simulate/requests HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        .unwrap();
    let (text, _) = read(socket);
    serde_json::from_str(text.split_once("\r\n\r\n").unwrap().1).unwrap()
}

#[test]
fn a_stream_ends_with_its_terminator_and_a_whole_body() {
    let at = provider();
    let (text, end) = read(send(at, "m", true));
    assert!(end.is_ok());
    assert!(text.contains("data: [DONE]"), "{text}");
    assert!(text.ends_with("0\r\n\r\n"), "{text}");
    let (text, _) = read(send(at, "m", false));
    assert!(text.contains("content-length: "), "{text}");
    let told = remembered(at);
    assert_eq!(told["requests"][0]["ended"], "complete");
    assert_eq!(told["requests"][1]["status"], 200);
}

#[test]
fn a_reset_is_a_real_one() {
    let at = provider();
    for stream in [true, false] {
        let (text, end) = read(send(at, "fault-reset", stream));
        assert!(text.starts_with("HTTP/1.1 200"), "{text}");
        assert_eq!(end.unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
        let (text, end) = read(send(at, "fault-reset-early", stream));
        assert_eq!(text, "");
        assert_eq!(end.unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
    }
    assert_eq!(remembered(at)["requests"][0]["ended"], "broken");
}

#[test]
fn a_cut_body_has_no_end_and_a_clean_one_has() {
    let at = provider();
    for stream in [true, false] {
        let (text, end) = read(send(at, "fault-cut", stream));
        assert!(end.is_ok() && !text.ends_with("0\r\n\r\n"), "{text}");
        assert!(text.starts_with("HTTP/1.1 200"), "{text}");
    }
    let (text, _) = read(send(at, "fault-clean-end", true));
    assert!(text.ends_with("0\r\n\r\n") && !text.contains("[DONE]"), "{text}");
    let (text, _) = read(send(at, "fault-no-terminator", true));
    assert!(
        text.ends_with("0\r\n\r\n")
            && text.contains("\"finish_reason\":\"stop\"")
            && !text.contains("[DONE]")
    );
}

#[test]
fn silence_and_stalls_last_until_the_caller_leaves_and_are_remembered() {
    let at = provider();
    let (text, end) = read(send(at, "fault-silence", true));
    assert!(text.is_empty() && end.is_err());
    let (text, _) = read(send(at, "fault-silence-stream", true));
    assert!(text.starts_with("HTTP/1.1 200") && !text.contains("word1"), "{text}");
    let (text, _) = read(send(at, "fault-stall", true));
    assert!(text.contains("word1") && !text.contains("word12"), "{text}");
    let told = (0..100)
        .map(|_| {
            std::thread::park_timeout(Duration::from_millis(10));
            remembered(at)
        })
        .find(|told| told["requests"][2]["ended"] == "left")
        .unwrap();
    for at in 0..3 {
        assert_eq!(told["requests"][at]["ended"], "left", "{told}");
        assert!(told["requests"][at]["left_after_ms"].as_u64().unwrap() >= 650);
    }
}

#[test]
fn a_paced_stream_arrives_frame_by_frame() {
    let at = provider();
    let mut socket = send(at, "m-pace-30ms", true);
    let started = Instant::now();
    let mut times = Vec::new();
    let mut chunk = [0; 65536];
    while let Ok(n) = socket.read(&mut chunk) {
        if n == 0 {
            break;
        }
        times.push(started.elapsed().as_millis());
    }
    assert!(times.len() > 12, "{times:?}");
    assert!(started.elapsed() > Duration::from_millis(30 * 12));
}

#[test]
fn a_drip_comes_byte_by_byte() {
    let at = provider();
    let (text, end) = read(send(at, "fault-drip", true));
    assert!(end.is_ok());
    assert!(text.contains("\r\n1\r\nd\r\n1\r\na\r\n"), "{text}");
}
