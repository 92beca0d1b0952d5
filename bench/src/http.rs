//! As much HTTP/1.1 as a benchmark needs: whole heads, `content-length` and chunked bodies.

use anyhow::{Context, bail};
use memchr::memmem;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

/// A connection with what was read from it and not yet used.
pub(crate) struct Reader {
    held: Vec<u8>,
    used: usize,
}

/// How the body of a message ends.
pub(crate) enum Length {
    Exactly(usize),
    Chunked,
}

impl Reader {
    pub(crate) fn new() -> Self {
        Self { held: Vec::with_capacity(16 << 10), used: 0 }
    }

    /// The next head with its blank line; `None` when the other side has closed.
    pub(crate) async fn head(&mut self, stream: &mut TcpStream) -> anyhow::Result<Option<Vec<u8>>> {
        loop {
            if let Some(at) = memmem::find(&self.held[self.used..], b"\r\n\r\n") {
                let head = self.held[self.used..self.used + at + 4].to_vec();
                self.used += at + 4;
                return Ok(Some(head));
            }
            if !self.more(stream).await? {
                return Ok(None);
            }
        }
    }

    /// The next `length` bytes.
    pub(crate) async fn exactly(
        &mut self,
        stream: &mut TcpStream,
        length: usize,
    ) -> anyhow::Result<&[u8]> {
        while self.held.len() - self.used < length {
            if !self.more(stream).await? {
                bail!("a body broke off");
            }
        }
        let from = self.used;
        self.used += length;
        Ok(&self.held[from..self.used])
    }

    /// The next chunk of a chunked body; empty at its end.
    pub(crate) async fn chunk(&mut self, stream: &mut TcpStream) -> anyhow::Result<&[u8]> {
        let size = loop {
            if let Some(at) = memmem::find(&self.held[self.used..], b"\r\n") {
                let line = std::str::from_utf8(&self.held[self.used..self.used + at])?;
                let size = usize::from_str_radix(line.trim(), 16).context("a chunk's size")?;
                self.used += at + 2;
                break size;
            }
            if !self.more(stream).await? {
                bail!("a chunked body broke off");
            }
        };
        let chunk = self.exactly(stream, size + 2).await?;
        Ok(&chunk[..size])
    }

    async fn more(&mut self, stream: &mut TcpStream) -> anyhow::Result<bool> {
        if self.used == self.held.len() {
            self.held.clear();
            self.used = 0;
        } else if self.used > 64 << 10 {
            self.held.drain(..self.used);
            self.used = 0;
        }
        Ok(stream.read_buf(&mut self.held).await? > 0)
    }
}

/// How the body after `head` ends.
pub(crate) fn length(head: &[u8]) -> anyhow::Result<Length> {
    let head = std::str::from_utf8(head)?.to_ascii_lowercase();
    let value = |name: &str| {
        head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':').map(str::trim))
    };
    if value("transfer-encoding") == Some("chunked") {
        return Ok(Length::Chunked);
    }
    Ok(Length::Exactly(value("content-length").unwrap_or("0").parse()?))
}

/// The status of a response head.
pub(crate) fn status(head: &[u8]) -> Option<u16> {
    std::str::from_utf8(head.get(9..12)?).ok()?.parse().ok()
}
