//! One request is one request, whatever its bytes could be taken for (T27).

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use super::super::site::{DIALECTS, KEY, Site};
use super::bench::Swept;

/// All that comes back for these bytes, until the connection is closed or nothing more comes.
pub(crate) fn said(site: &Site, bytes: &[u8], pieces: usize) -> String {
    conversation(site, bytes, pieces).0
}

/// The same, and whether the connection was closed.
pub(crate) fn conversation(site: &Site, bytes: &[u8], pieces: usize) -> (String, bool) {
    let mut socket = TcpStream::connect(site.address).unwrap();
    socket.set_nodelay(true).unwrap();
    for piece in bytes.chunks(bytes.len().div_ceil(pieces).max(1)) {
        // It may be closed before all is written.
        let _ = socket.write_all(piece);
        if pieces > 1 {
            std::thread::sleep(Duration::from_millis(2));
        }
    }
    let mut all = Vec::new();
    let mut buffer = [0; 4096];
    socket.set_read_timeout(Some(Duration::from_secs(3))).unwrap();
    let closed = loop {
        match socket.read(&mut buffer) {
            Ok(0) => break true,
            Ok(read) => all.extend_from_slice(&buffer[..read]),
            Err(error) => break error.kind() == std::io::ErrorKind::ConnectionReset,
        }
        socket.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    };
    (String::from_utf8_lossy(&all).into_owned(), closed)
}

/// The statuses of the answers in a conversation.
pub(crate) fn statuses(said: &str) -> Vec<u16> {
    said.match_indices("HTTP/1.")
        .filter_map(|(at, _)| said.get(at + 9..at + 12)?.parse().ok())
        .collect()
}

/// Attacks: heads after the usual one, and what stands after the empty line. `{SMUGGLED}` is a
/// whole request that must never be served, `{CALL}` a sound body, `{LENGTH}` its length.
const ATTACKS: [(&str, &str, &str); 38] = [
    ("CL.TE", "content-length: {LENGTH}\r\ntransfer-encoding: chunked\r\n", "0\r\n\r\n{SMUGGLED}"),
    (
        "TE.CL",
        "transfer-encoding: chunked\r\ncontent-length: 4\r\n",
        "5c\r\n{SMUGGLED}\r\n0\r\n\r\n",
    ),
    ("TE.TE", "transfer-encoding: chunked\r\ntransfer-encoding: x\r\n", "0\r\n\r\n{SMUGGLED}"),
    (
        "TE.TE, twice the same",
        "transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n",
        "0\r\n\r\n{SMUGGLED}",
    ),
    ("a coding nobody knows", "transfer-encoding: xchunked\r\n", "0\r\n\r\n{SMUGGLED}"),
    ("a list of codings", "transfer-encoding: gzip, chunked\r\n", "0\r\n\r\n{SMUGGLED}"),
    ("identity", "transfer-encoding: identity\r\n", "{SMUGGLED}"),
    ("an empty coding", "transfer-encoding:\r\n", "{SMUGGLED}"),
    ("a tab before chunked", "transfer-encoding:\x0bchunked\r\n", "0\r\n\r\n{SMUGGLED}"),
    ("a quoted coding", "transfer-encoding: \"chunked\"\r\n", "0\r\n\r\n{SMUGGLED}"),
    ("a space before the colon", "transfer-encoding : chunked\r\n", "0\r\n\r\n{SMUGGLED}"),
    ("a name after a line feed", "x: y\ntransfer-encoding: chunked\r\n", "0\r\n\r\n{SMUGGLED}"),
    (
        "a name after a carriage return",
        "x: y\rtransfer-encoding: chunked\r\n",
        "0\r\n\r\n{SMUGGLED}",
    ),
    ("a folded coding", "transfer-encoding:\r\n chunked\r\n", "0\r\n\r\n{SMUGGLED}"),
    ("a folded header", "x: y\r\n z\r\ncontent-length: 0\r\n", "{SMUGGLED}"),
    ("two lengths", "content-length: {LENGTH}\r\ncontent-length: 0\r\n", "{CALL}{SMUGGLED}"),
    ("two equal lengths", "content-length: 0\r\ncontent-length: 0\r\n", "{SMUGGLED}"),
    ("a list of lengths", "content-length: 0, 0\r\n", "{SMUGGLED}"),
    ("an empty length", "content-length:\r\n", "{SMUGGLED}"),
    ("a signed length", "content-length: +0\r\n", "{SMUGGLED}"),
    ("a negative length", "content-length: -1\r\n", "{SMUGGLED}"),
    ("a length in hexadecimal", "content-length: 0x0\r\n", "{SMUGGLED}"),
    ("a length with a point", "content-length: 0.0\r\n", "{SMUGGLED}"),
    ("a length beyond counting", "content-length: 18446744073709551616\r\n", "{SMUGGLED}"),
    (
        "a length far beyond counting",
        "content-length: 100000000000000000000000000\r\n",
        "{SMUGGLED}",
    ),
    ("two hosts", "host: other\r\ncontent-length: 0\r\n", "{SMUGGLED}"),
    ("a NUL in a value", "x: a\0b\r\ncontent-length: 0\r\n", "{SMUGGLED}"),
    ("a NUL in a name", "x\0y: a\r\ncontent-length: 0\r\n", "{SMUGGLED}"),
    ("a line feed alone at the end", "content-length: 0\n\n{SMUGGLED}x:", "{SMUGGLED}"),
    ("a chunk extension", "transfer-encoding: chunked\r\n", "0;a=b\r\n\r\n{SMUGGLED}"),
    (
        "a chunk extension with a line feed",
        "transfer-encoding: chunked\r\n",
        "1;\nx\r\n0\r\n\r\n{SMUGGLED}",
    ),
    ("a chunk size ended by a line feed", "transfer-encoding: chunked\r\n", "0\n\n{SMUGGLED}"),
    ("a chunk size with a sign", "transfer-encoding: chunked\r\n", "+0\r\n\r\n{SMUGGLED}"),
    ("a chunk size with a prefix", "transfer-encoding: chunked\r\n", "0x0\r\n\r\n{SMUGGLED}"),
    (
        "a chunk size beyond counting",
        "transfer-encoding: chunked\r\n",
        "10000000000000000\r\n\r\n{SMUGGLED}",
    ),
    (
        "a chunk that does not end",
        "transfer-encoding: chunked\r\n",
        "1\r\n{}\r\n0\r\n\r\n{SMUGGLED}",
    ),
    ("a chunk size with a blank", "transfer-encoding: chunked\r\n", "0 \r\n\r\n{SMUGGLED}"),
    (
        "a length in the trailers",
        "transfer-encoding: chunked\r\n",
        "0\r\ncontent-length: 3\r\n\r\n{SMUGGLED}",
    ),
];

fn written(line: &str, head: &str, rest: &str) -> Vec<u8> {
    let usual = format!("host: gateway\r\nx-api-key: {KEY}\r\ncontent-type: application/json\r\n");
    let (path, smuggled) = DIALECTS[0].call("chat/smuggled", false);
    let smuggled = format!(
        "POST {path} HTTP/1.1\r\n{usual}content-length: {}\r\n\r\n{smuggled}",
        smuggled.len()
    );
    let (_, call) = DIALECTS[0].call("chat/first", false);
    format!("{line}\r\n{usual}{head}\r\n{rest}")
        .replace("{SMUGGLED}", &smuggled)
        .replace("{LENGTH}", &call.len().to_string())
        .replace("{CALL}", &call)
        .into_bytes()
}

#[test]
fn t27_a_request_whose_end_is_in_doubt_is_refused_and_nothing_after_it_is_served() {
    let site = Swept::new(Site::start());
    let line = "POST /v1/chat/completions HTTP/1.1";
    let check = |what: &str, bytes: &[u8]| {
        for pieces in [1, 7] {
            let said = said(&site, bytes, pieces);
            assert_eq!(statuses(&said), [400], "{what} in {pieces}: {said}");
        }
    };
    std::thread::scope(|scope| {
        for (what, head, rest) in ATTACKS {
            let check = &check;
            scope.spawn(move || check(what, &written(line, head, rest)));
        }
    });
    for (what, line) in [
        ("HTTP/1.0 with chunks", "POST /v1/chat/completions HTTP/1.0"),
        ("a version nobody knows", "POST /v1/chat/completions HTTP/1.2"),
        ("two blanks", "POST  /v1/chat/completions HTTP/1.1"),
        ("a blank at the end", "POST /v1/chat/completions HTTP/1.1 "),
        ("no version", "POST /v1/chat/completions"),
        ("a method of another protocol", "ANNOUNCE /v1/chat/completions HTTP/1.1"),
        ("a method in small letters", "post /v1/chat/completions HTTP/1.1"),
        ("a tunnel", "CONNECT gateway:80 HTTP/1.1"),
        ("a NUL in the target", "POST /v1/chat\0/completions HTTP/1.1"),
    ] {
        check(what, &written(line, "transfer-encoding: chunked\r\n", "0\r\n\r\n{SMUGGLED}"));
    }
    let models: Vec<_> = site.received().iter().map(|call| call["model"].to_string()).collect();
    assert!(!models.iter().any(|model| model.contains("smuggled")), "{models:?}");
    site.serves();
}

#[test]
fn t27_nothing_is_served_after_an_offer_to_change_the_protocol() {
    let site = Swept::new(Site::start());
    let line = "POST /v1/chat/completions HTTP/1.1";
    for upgrade in ["websocket", "h2c", "TLS/1.3"] {
        let head =
            format!("connection: upgrade\r\nupgrade: {upgrade}\r\ncontent-length: {{LENGTH}}\r\n");
        let said = said(&site, &written(line, &head, "{CALL}{SMUGGLED}"), 1);
        // The offer is not taken up; the request itself is sound.
        assert_eq!(statuses(&said)[0], 200, "{said}");
        assert!(said.contains("connection: close"), "{said}");
        assert!(!said.contains("HTTP/1.1 101"), "{said}");
    }
    let received = site.received();
    assert_eq!(received.len(), 3);
    assert!(received.iter().all(|call| call["model"] == "first"), "{received:?}");
}

#[test]
fn t27_what_a_refused_request_leaves_unread_is_never_a_request() {
    let site = Swept::new(Site::start());
    let (path, body) = DIALECTS[0].call("chat/smuggled", false);
    let inner = format!(
        "POST {path} HTTP/1.1\r\nhost: a\r\nx-api-key: {KEY}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    for (line, key) in [
        ("POST /v1/chat/completions", "x-api-key: wrong"),
        ("POST /nowhere", "x-api-key: wrong"),
        ("GET /v1/models", "x-api-key: wrong"),
        ("GET /", "x: y"),
        ("POST /v1/chat/completions", &format!("x-api-key: {KEY}\r\ncontent-type: text/plain")),
        ("GET /v1/models", &format!("x-api-key: {KEY}")),
    ] {
        for size in [0, 64 << 10] {
            let inner = inner.clone() + &" ".repeat(size);
            let request = format!(
                "{line} HTTP/1.1\r\nhost: gateway\r\n{key}\r\ncontent-length: {}\r\n\r\n{inner}",
                inner.len()
            );
            let said = said(&site, request.as_bytes(), 1);
            assert!(statuses(&said).len() <= 1, "{line} {key}: {said}");
        }
    }
    assert_eq!(site.received().len(), 0);
}

#[test]
fn t27_two_sound_requests_on_one_connection_are_two() {
    let site = Swept::new(Site::start());
    let (path, body) = DIALECTS[0].call("chat/hello", false);
    let head = |framing: &str| {
        format!("POST {path} HTTP/1.1\r\nhost: a\r\nx-api-key: {KEY}\r\n{framing}\r\n\r\n")
    };
    let plain = head(&format!("content-length: {}", body.len())) + &body;
    let (one, two) = body.split_at(10);
    let chunked = head("transfer-encoding: chunked")
        + &format!("A\r\n{one}\r\n{:x}\r\n{two}\r\n0\r\nx-trailer: y\r\n\r\n", two.len());
    for pieces in [1, 40] {
        let all = plain.clone() + &chunked + &plain + &chunked;
        let said = said(&site, all.as_bytes(), pieces);
        assert_eq!(statuses(&said), [200, 200, 200, 200], "{said}");
    }
}
