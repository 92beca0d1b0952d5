//! As much HTTP/1.1 as a test needs, on both ends of a socket: heads, bodies by length or in
//! chunks. Deliberately absent: any line of the gateway's own HTTP.

use std::io::{self, BufRead as _, BufReader, Read as _};
use std::net::TcpStream;

pub(crate) type Wire = BufReader<TcpStream>;

#[derive(Debug, Default)]
pub(crate) struct Message {
    /// Request line or status line.
    pub(crate) line: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Message {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(have, _)| have == name).map(|(_, value)| value.as_str())
    }
}

/// The next message; `None` when the other side has left.
pub(crate) fn read(wire: &mut Wire) -> io::Result<Option<Message>> {
    let mut message = Message { line: line(wire)?, ..Message::default() };
    if message.line.is_empty() {
        return Ok(None);
    }
    loop {
        let line = line(wire)?;
        let Some((name, value)) = line.split_once(':') else { break };
        message.headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    if message.header("transfer-encoding").is_some_and(|kind| kind.contains("chunked")) {
        while let Some(piece) = chunk(wire)? {
            message.body.extend(piece);
        }
    } else if let Some(length) = message.header("content-length").and_then(|n| n.parse().ok()) {
        message.body = vec![0; length];
        wire.read_exact(&mut message.body)?;
    }
    Ok(Some(message))
}

fn chunk(wire: &mut Wire) -> io::Result<Option<Vec<u8>>> {
    let size = line(wire)?;
    let size = usize::from_str_radix(size.split(';').next().unwrap_or_default(), 16)
        .map_err(|_| io::Error::other(format!("not the size of a chunk: {size:?}")))?;
    let mut piece = vec![0; size];
    wire.read_exact(&mut piece)?;
    line(wire)?;
    Ok((size > 0).then_some(piece))
}

fn line(wire: &mut Wire) -> io::Result<String> {
    let mut line = String::new();
    wire.read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
