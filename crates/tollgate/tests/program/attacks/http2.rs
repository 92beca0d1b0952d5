//! HTTP/2 by hand: a caller as it should be, and frames as nobody should send them.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};

use super::super::site::{DIALECTS, KEY, Site};
use super::bench::Swept;

/// One call as it should be: its status and body.
pub(crate) fn call(
    address: SocketAddr,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Option<(u16, String)> {
    let mut request = http::Request::post(format!("http://{address}{path}"))
        .header("content-type", "application/json");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Full::new(Bytes::from(body.to_owned()))).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let stream = tokio::net::TcpStream::connect(address).await.ok()?;
        let builder = hyper::client::conn::http2::Builder::new(TokioExecutor::new());
        let (mut sender, connection) = builder.handshake(TokioIo::new(stream)).await.ok()?;
        tokio::spawn(connection);
        let response = sender.send_request(request).await.ok()?;
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.ok()?.to_bytes();
        Some((status, String::from_utf8_lossy(&body).into_owned()))
    })
}

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RESET: u8 = 3;
const SETTINGS: u8 = 4;
const GO_AWAY: u8 = 7;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// Header fields as literals that no table remembers.
fn fields(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0);
        for text in [name, value] {
            assert!(text.len() < 127);
            block.push(u8::try_from(text.len()).unwrap());
            block.extend(text.as_bytes());
        }
    }
    block
}

const CALL: [(&str, &str); 5] = [
    (":method", "POST"),
    (":scheme", "http"),
    (":authority", "gateway"),
    (":path", "/v1/chat/completions"),
    ("content-type", "application/json"),
];

fn opened(site: &Site) -> TcpStream {
    let mut socket = TcpStream::connect(site.address).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    socket.set_write_timeout(Some(Duration::from_secs(5))).unwrap();
    socket.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").unwrap();
    socket.write_all(&frame(SETTINGS, 0, 0, &[])).unwrap();
    socket
}

/// The next frame: its kind, stream and payload.
fn next(socket: &mut TcpStream) -> Option<(u8, u32, Vec<u8>)> {
    let mut head = [0; 9];
    socket.read_exact(&mut head).ok()?;
    let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
    let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
    let mut payload = vec![0; length];
    socket.read_exact(&mut payload).ok()?;
    Some((head[3], stream, payload))
}

/// What became of stream 1.
fn outcome(socket: &mut TcpStream) -> &'static str {
    loop {
        match next(socket) {
            Some((HEADERS, 1, payload)) if payload.first() == Some(&0x88) => return "200",
            Some((HEADERS, 1, _)) => return "another status",
            Some((RESET, 1, _)) => return "reset",
            Some((GO_AWAY, _, _)) => return "closed",
            Some(_) => {}
            None => return "closed",
        }
    }
}

#[test]
fn t28_a_stream_that_breaks_the_rules_is_answered_by_an_error() {
    let site = Swept::new(Site::start());
    let bearer = format!("Bearer {KEY}");
    let (_, body) = DIALECTS[0].call("chat/hello", false);
    let send = |extra: &[(&str, &str)], body: &str| {
        let mut all = CALL.to_vec();
        all.push(("authorization", &bearer));
        all.extend(extra);
        let mut socket = opened(&site);
        socket.write_all(&frame(HEADERS, END_HEADERS, 1, &fields(&all))).unwrap();
        let _ = socket.write_all(&frame(DATA, END_STREAM, 1, body.as_bytes()));
        outcome(&mut socket)
    };
    let right = body.len().to_string();
    assert_eq!(send(&[], &body), "200");
    assert_eq!(send(&[("content-length", &right)], &body), "200");
    let before = site.received().len();
    for extra in [
        ("content-length", "5"),
        ("content-length", "99999"),
        ("content-length", "-1"),
        ("content-length", "+5"),
        ("Upper-Case", "x"),
        ("connection", "close"),
        ("transfer-encoding", "chunked"),
        ("upgrade", "websocket"),
        ("keep-alive", "timeout=5"),
        ("x-line", "a\r\nx-api-key: b"),
        ("x-nul", "a\0b"),
        ("x name", "a"),
        ("", "a"),
        (":path", "/v1/messages"),
        (":unknown", "x"),
    ] {
        assert_ne!(send(&[extra], &body), "200", "{extra:?}");
    }
    assert_eq!(site.received().len(), before, "no provider was called");
    site.serves();
}

/// Sends until the other side closes or all is sent; whether it closed.
fn flood(site: &Site, frames: impl Iterator<Item = Vec<u8>>) -> bool {
    let mut socket = opened(site);
    let mut reader = socket.try_clone().unwrap();
    let reading = std::thread::spawn(move || {
        while let Some((kind, _, _)) = next(&mut reader) {
            if kind == GO_AWAY {
                return true;
            }
        }
        true
    });
    for frame in frames {
        if socket.write_all(&frame).is_err() {
            break;
        }
    }
    reading.join().unwrap()
}

#[test]
fn t28_floods_end_their_own_connection_and_nobody_elses() {
    let site = Swept::new(Site::start());
    site.serves();
    let before = site.resident_kib();
    let bearer = format!("Bearer {KEY}");
    let mut head = CALL.to_vec();
    head.push(("authorization", &bearer));
    let block = fields(&head);
    std::thread::scope(|scope| {
        let others = scope.spawn(|| {
            for _ in 0..20 {
                site.serves();
            }
        });
        let begun = Instant::now();
        let resets = (0..10_000).map(|number| {
            let stream = 2 * number + 1;
            [frame(HEADERS, END_HEADERS, stream, &block), frame(RESET, 0, stream, &[0, 0, 0, 8])]
                .concat()
        });
        assert!(flood(&site, resets), "rapid reset");
        let begins = [frame(HEADERS, 0, 1, &block)].into_iter();
        let endless = (0..100_000).map(|_| frame(CONTINUATION, 0, 1, &fields(&[("x", "y")])));
        assert!(flood(&site, begins.chain(endless)), "endless continuation");
        let begins = [frame(HEADERS, 0, 1, &block)].into_iter();
        let empty = (0..100_000).map(|_| frame(CONTINUATION, 0, 1, &[]));
        assert!(flood(&site, begins.chain(empty)), "empty continuation");
        let large = "x".repeat(120);
        let heads = (0..2_000).map(|_| fields(&[("x-large", &large)])).collect::<Vec<_>>();
        let begins = [frame(HEADERS, 0, 1, &block)].into_iter();
        let many = heads.into_iter().map(|fields| frame(CONTINUATION, 0, 1, &fields));
        assert!(flood(&site, begins.chain(many)), "large head");
        let settings = (0..200_000).map(|_| frame(SETTINGS, 0, 0, &[]));
        // Nobody reads the acknowledgements: the connection stalls or ends, nothing grows.
        flood(&site, settings.take(20_000));
        assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
        others.join().unwrap();
    });
    let grown = site.resident_kib().saturating_sub(before);
    assert!(grown < 32 << 10, "{grown} KiB");
    site.serves();
}

#[test]
fn t28_a_caller_who_opens_no_window_holds_up_nobody() {
    let site = Swept::new(Site::start());
    site.serves();
    let before = site.resident_kib();
    let bearer = format!("Bearer {KEY}");
    let (_, body) = DIALECTS[0].call("chat/hello-words-300", true);
    let length = body.len().to_string();
    let mut head = CALL.to_vec();
    head.extend([("authorization", bearer.as_str()), ("content-length", &length)]);
    let mut sockets = Vec::new();
    for _ in 0..3 {
        let mut socket = TcpStream::connect(site.address).unwrap();
        socket.set_write_timeout(Some(Duration::from_secs(5))).unwrap();
        socket.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").unwrap();
        // INITIAL_WINDOW_SIZE of nothing.
        socket.write_all(&frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 0])).unwrap();
        for number in 0..20 {
            let stream = 2 * number + 1;
            socket.write_all(&frame(HEADERS, END_HEADERS, stream, &fields(&head))).unwrap();
            socket.write_all(&frame(DATA, END_STREAM, stream, body.as_bytes())).unwrap();
        }
        sockets.push(socket);
    }
    for _ in 0..20 {
        site.serves();
    }
    let grown = site.resident_kib().saturating_sub(before);
    assert!(grown < 32 << 10, "{grown} KiB for 60 streams");
    drop(sockets);
    site.serves();
}
