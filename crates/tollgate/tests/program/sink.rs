//! A provider that takes whatever comes and keeps nothing of it but its length and its end, or
//! answers before it has read; and forms to send to it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

/// What arrived on one connection.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) head: String,
    pub(crate) bytes: u64,
    /// FNV-1a of the body.
    pub(crate) hash: u64,
    pub(crate) whole: bool,
    pub(crate) took: Duration,
}

/// Which answer, and when.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Manner {
    /// Reads all and answers well.
    Takes,
    /// Answers 413 to the head, and reads no further.
    RefusesEarly,
}

/// Listens until the end of the process; tells what each connection brought.
#[expect(clippy::disallowed_methods, reason = "a test's own threads")]
pub(crate) fn sink(manner: Manner) -> (SocketAddr, Receiver<Taken>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (tell, told) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let tell = tell.clone();
            std::thread::spawn(move || take(stream, manner, &tell));
        }
    });
    (address, told)
}

fn take(stream: TcpStream, manner: Manner, tell: &Sender<Taken>) {
    let begun = Instant::now();
    let mut reader = BufReader::with_capacity(1 << 20, stream.try_clone().unwrap());
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).unwrap_or(0) == 0 {
            return;
        }
    }
    let answer = |text: &str| (&stream).write_all(text.as_bytes());
    let mut taken = Taken { head, bytes: 0, hash: FNV, whole: false, took: Duration::ZERO };
    if matches!(manner, Manner::RefusesEarly) {
        let body = r#"{"error":{"message":"Maximum content size limit exceeded.","type":"invalid_request_error","param":null,"code":null}}"#;
        let length = body.len();
        answer(&format!("HTTP/1.1 413 Payload Too Large\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}")).unwrap();
        // Held open and unread until the other side lets go.
        while std::io::copy(&mut reader.by_ref().take(1), &mut std::io::sink()).unwrap_or(0) > 0 {
            std::thread::sleep(Duration::from_millis(50));
        }
    } else {
        taken.whole = body(&mut reader, &mut taken).is_some();
        let body = r#"{"text":"heard","usage":{"type":"duration","seconds":4}}"#;
        let length = body.len();
        let _ = answer(&format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        ));
    }
    taken.took = begun.elapsed();
    let _ = tell.send(taken);
}

const FNV: u64 = 0xcbf2_9ce4_8422_2325;

fn mix(hash: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(hash, |h, b| (h ^ u64::from(*b)).wrapping_mul(0x0000_0100_0000_01b3))
}

pub(crate) fn hash(bytes: &[u8]) -> u64 {
    mix(FNV, bytes)
}

/// Reads a body to its end; `None` when it breaks off.
fn body(reader: &mut BufReader<TcpStream>, taken: &mut Taken) -> Option<()> {
    let lower = taken.head.to_ascii_lowercase();
    let length = lower.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
    if let Some(length) = length {
        return stretch(reader, length.trim().parse().ok()?, taken);
    }
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let size = u64::from_str_radix(line.trim(), 16).ok()?;
        stretch(reader, size, taken)?;
        reader.read_line(&mut line).ok()?;
        if size == 0 {
            return Some(());
        }
    }
}

fn stretch(reader: &mut BufReader<TcpStream>, mut left: u64, taken: &mut Taken) -> Option<()> {
    let mut piece = vec![0; 256 << 10];
    while left > 0 {
        let most = usize::try_from(left.min(piece.len() as u64)).ok()?;
        let read = reader.read(&mut piece[..most]).ok().filter(|read| *read > 0)?;
        taken.hash = mix(taken.hash, &piece[..read]);
        taken.bytes += read as u64;
        left -= read as u64;
    }
    Some(())
}

/// A form in the making.
#[derive(Clone, Debug, Default)]
pub(crate) struct Form(Vec<u8>);

pub(crate) const BOUNDARY: &str = "----tollgate-test-boundary";

impl Form {
    pub(crate) fn field(mut self, name: &str, value: &str) -> Self {
        self.0.extend_from_slice(
            format!(
                "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
            )
            .as_bytes(),
        );
        self
    }

    pub(crate) fn file(mut self, name: &str, filename: &str, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(
            format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{filename}\"\r\nContent-Type: application/octet-stream\r\n\r\n")
                .as_bytes(),
        );
        self.0.extend_from_slice(bytes);
        self.0.extend_from_slice(b"\r\n");
        self
    }

    pub(crate) fn done(mut self) -> Vec<u8> {
        self.0.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
        self.0
    }
}
