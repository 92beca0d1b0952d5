//! HTTP/1 as it is written, and nothing that only resembles it: reads along what callers send and
//! stops a connection at the first byte that two readers could understand differently. The parser
//! behind it takes some such bytes for granted (a line that ends in LF alone, a length beside a
//! transfer coding); what stands between a request and its smuggled follower is this file.
//!
//! It knows where messages begin and end and which characters they may hold, not what they mean.
//! HTTP/2 passes through: its framing leaves nothing to guess.

mod message;

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use message::Message;

/// How every HTTP/2 connection begins.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// What the parser is given instead of what was refused: no message holds such a byte, wherever it
/// stands, and the empty line makes the parser look.
const NO_HTTP: &[u8] = b"\0\r\n\r\n";

/// Which HTTP a caller speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HttpKind {
    Http1,
    Http2,
}

/// A caller's connection, read along.
#[derive(Debug)]
pub(super) struct Strict<S> {
    stream: S,
    state: State,
}

#[derive(Debug)]
enum State {
    /// The first bytes, as far as they are those of HTTP/2.
    Opening(usize),
    Http1(Message),
    Http2,
    /// Something was refused: nothing more is read. This much of [`NO_HTTP`] was given.
    Refused(usize),
}

impl<S> Strict<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream, state: State::Opening(0) }
    }

    /// `None` while the bytes so far could be the beginning of either.
    pub(super) fn kind(&self) -> Option<HttpKind> {
        match self.state {
            State::Opening(_) => None,
            State::Http2 => Some(HttpKind::Http2),
            State::Http1(_) | State::Refused(_) => Some(HttpKind::Http1),
        }
    }
}

impl State {
    /// How many of these bytes may be read; fewer than all when something is refused.
    fn pass(&mut self, bytes: &[u8]) -> usize {
        if let Self::Opening(seen) = *self {
            let rest = PREFACE.get(seen..).unwrap_or_default();
            let same = rest.iter().zip(bytes).take_while(|(one, two)| one == two).count();
            if same == rest.len() {
                *self = Self::Http2;
            } else if same == bytes.len() {
                *self = Self::Opening(seen + same);
                return bytes.len();
            } else {
                let mut message = Message::default();
                // `P` may begin `POST` as well.
                let sound = message.read(PREFACE.get(..seen).unwrap_or_default()).is_ok();
                *self = if sound { Self::Http1(message) } else { Self::Refused(0) };
            }
        }
        match self {
            Self::Opening(_) | Self::Http2 => bytes.len(),
            Self::Refused(_) => 0,
            Self::Http1(message) => match message.read(bytes) {
                Ok(()) => bytes.len(),
                Err(sound) => {
                    *self = Self::Refused(0);
                    sound
                }
            },
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Strict<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !matches!(self.state, State::Refused(_)) {
            let before = buf.filled().len();
            ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
            let new = buf.filled().get(before..).unwrap_or_default();
            let length = new.len();
            let sound = self.state.pass(new);
            if sound == length {
                return Poll::Ready(Ok(()));
            }
            tracing::debug!("a request was refused: it is not HTTP as it is written");
            buf.set_filled(before + sound);
        }
        // The parser refuses this in its turn: it answers and closes.
        if let State::Refused(given) = &mut self.state {
            let rest = NO_HTTP.get(*given..).unwrap_or_default();
            let now = rest.get(..buf.remaining()).unwrap_or(rest);
            buf.put_slice(now);
            *given += now.len();
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Strict<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests;
