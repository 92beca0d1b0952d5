//! The first bytes of a connection: they tell which HTTP is spoken, so that only that one is made
//! ready. What was read is given back to whoever reads on.

use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::strict::{HttpKind, Strict};

/// What is read at once: on the stack, as long as nothing is there.
const SIP: usize = 8 << 10;

/// A connection whose first bytes were read.
#[derive(Debug)]
pub(super) struct Opened<T> {
    io: T,
    begun: BytesMut,
}

/// Waits until it is clear which HTTP is spoken; `None` when the caller leaves before.
///
/// # Errors
/// When the connection breaks.
pub(super) async fn opened<T: AsyncRead + Unpin>(
    mut io: Strict<T>,
) -> io::Result<Option<(HttpKind, Opened<Strict<T>>)>> {
    let mut begun = BytesMut::new();
    loop {
        let read = std::future::poll_fn(|cx| poll_sip(&mut io, cx, &mut begun)).await?;
        if let Some(kind) = io.kind() {
            return Ok(Some((kind, Opened { io, begun })));
        }
        if read == 0 {
            return Ok(None);
        }
    }
}

fn poll_sip<T: AsyncRead + Unpin>(
    io: &mut T,
    cx: &mut Context<'_>,
    into: &mut BytesMut,
) -> Poll<io::Result<usize>> {
    let mut space = [const { MaybeUninit::uninit() }; SIP];
    let mut sip = ReadBuf::uninit(&mut space);
    ready!(Pin::new(io).poll_read(cx, &mut sip))?;
    into.extend_from_slice(sip.filled());
    Poll::Ready(Ok(sip.filled().len()))
}

impl<T: AsyncRead + Unpin> AsyncRead for Opened<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.begun.is_empty() {
            return Pin::new(&mut self.io).poll_read(cx, buffer);
        }
        let length = self.begun.len().min(buffer.remaining());
        buffer.put_slice(&self.begun[..length]);
        self.begun.advance(length);
        if self.begun.is_empty() {
            self.begun = BytesMut::new();
        }
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Opened<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, slices)
    }
}
