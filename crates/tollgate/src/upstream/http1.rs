//! One HTTP/1.1 connection to a provider: a request out, the head of its answer in. It is driven by
//! the call that uses it, on that call's own task, and holds no buffer while nothing is under way.
//!
//! It speaks to providers that the operator chose and takes from them what RFC 9112 says; what
//! callers send is the listener's to read, and far more strictly.

mod body;
mod framing;
mod head;
#[cfg(test)]
mod tests;

use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker, ready};

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};

pub use body::{Body, BodyError};
pub(super) use head::{Head, written};

use super::payload::Arriving;
use super::stream::Stream;
use super::{Call, UploadBroken};

/// Response heads above this are refused.
const MOST_HEAD_BYTES: usize = 64 << 10;
/// Interim answers (`100 Continue` and the like) before the one that counts.
const MOST_INTERIM: usize = 16;
/// What is read at once where no more is expected: on the stack, so that a connection that waits
/// holds nothing.
const SIP: usize = 8 << 10;
/// What is read at once of a long body.
const GULP: usize = 128 << 10;

/// Why no answer came.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// Closed or reset before a byte of an answer: on a connection that lay idle it may have been
    /// closed long ago.
    #[error("the connection was closed before an answer")]
    Unanswered,
    #[error("the connection was closed inside the head of the answer")]
    CutOff,
    #[error("{0}")]
    Io(io::Error),
    #[error("the answer is not HTTP/1: {0}")]
    NotHttp(&'static str),
    #[error("the head of the answer is larger than {MOST_HEAD_BYTES} bytes")]
    TooLong,
    #[error(transparent)]
    Upload(#[from] UploadBroken),
}

#[derive(Debug)]
pub(super) struct Connection {
    stream: Stream,
    /// Read, and not taken yet.
    buffer: BytesMut,
    /// Of the request, head and body, what the provider has not taken yet.
    unsent: [Bytes; 2],
    /// What of its body has not arrived here yet.
    arriving: Option<Box<Arriving>>,
}

impl Connection {
    pub(super) fn new(stream: Stream) -> Self {
        let (buffer, unsent) = (BytesMut::new(), [Bytes::new(), Bytes::new()]);
        Self { stream, buffer, unsent, arriving: None }
    }

    /// Whether the other side has neither closed it nor said what nobody asked for.
    pub(super) fn is_quiet(&mut self) -> bool {
        let mut byte = [0];
        let look = std::future::poll_fn(|cx| {
            let stream = Pin::new(&mut self.stream);
            Poll::Ready(stream.poll_read(cx, &mut ReadBuf::new(&mut byte)).is_pending())
        });
        // A task that has done much already would be told to wait, and take that for silence.
        let look = pin!(tokio::task::unconstrained(look));
        let pending = look.poll(&mut Context::from_waker(Waker::noop()));
        pending == Poll::Ready(true) && self.buffer.is_empty()
    }

    /// Sends a request and waits for the head of its answer. The answer may begin before the
    /// request was taken whole; what is left of it is sent while the body is read.
    pub(super) async fn exchange(&mut self, head: Bytes, call: &Call) -> Result<Head, Broken> {
        let (body, arriving) = call.body.parts();
        self.unsent = [head, body];
        self.arriving = arriving;
        let (mut looked, mut interim) = (0, 0);
        let mut unwritten = None;
        std::future::poll_fn(|cx| {
            if let Poll::Ready(Err(error)) = self.poll_send(cx) {
                if error.get_ref().is_some_and(|inner| inner.is::<UploadBroken>()) {
                    return Poll::Ready(Err(Broken::Upload(UploadBroken)));
                }
                // Its reason may stand in an answer that came before the connection fell.
                unwritten = Some(error);
                self.stop_sending();
            }
            loop {
                if let Some(head) = self.head(&mut looked)? {
                    if !head.is_interim() {
                        return Poll::Ready(Ok(head.of(&call.method)));
                    }
                    interim += 1;
                    if interim > MOST_INTERIM {
                        return Poll::Ready(Err(Broken::NotHttp("it only ever begins")));
                    }
                    continue;
                }
                let nothing = self.buffer.is_empty() && interim == 0;
                match ready!(self.poll_sip(cx)) {
                    Ok(1..) => {}
                    Ok(0) if nothing => return Poll::Ready(Err(Broken::Unanswered)),
                    Ok(0) => return Poll::Ready(Err(Broken::CutOff)),
                    Err(error) => {
                        let error = unwritten.take().unwrap_or(error);
                        let gone = nothing && is_gone(&error);
                        let broken = if gone { Broken::Unanswered } else { Broken::Io(error) };
                        return Poll::Ready(Err(broken));
                    }
                }
            }
        })
        .await
    }

    /// The head of an answer, when all of it is there. `looked` bytes hold no end of one.
    fn head(&mut self, looked: &mut usize) -> Result<Option<Head>, Broken> {
        match head::end(&self.buffer, *looked) {
            Some(end) if end <= MOST_HEAD_BYTES => {
                *looked = 0;
                let head = Head::read(&self.buffer[..end])?;
                self.buffer.advance(end);
                self.tidy();
                Ok(Some(head))
            }
            None if self.buffer.len() <= MOST_HEAD_BYTES => {
                *looked = self.buffer.len();
                Ok(None)
            }
            _ => Err(Broken::TooLong),
        }
    }

    /// The request was taken whole.
    fn is_sent(&self) -> bool {
        self.arriving.is_none() && self.unsent.iter().all(Bytes::is_empty)
    }

    /// What is left of the request is not wanted.
    fn stop_sending(&mut self) {
        self.unsent = [Bytes::new(), Bytes::new()];
        self.arriving = None;
    }

    /// Sends on with what is left of the request.
    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.is_sent() {
            return Poll::Ready(Ok(()));
        }
        loop {
            if self.unsent.iter().all(Bytes::is_empty)
                && let Some(arriving) = &mut self.arriving
            {
                match ready!(arriving.poll_piece(cx)) {
                    Some(piece) => self.unsent = piece.map_err(io::Error::other)?,
                    None => {
                        self.arriving = None;
                        return Pin::new(&mut self.stream).poll_flush(cx);
                    }
                }
            }
            let [head, body] = &mut self.unsent;
            let stream = Pin::new(&mut self.stream);
            let taken = if head.is_empty() {
                ready!(stream.poll_write(cx, body))?
            } else {
                let slices = [IoSlice::new(head), IoSlice::new(body)];
                ready!(stream.poll_write_vectored(cx, &slices))?
            };
            if taken == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            let of_head = taken.min(head.len());
            head.advance(of_head);
            body.advance(taken - of_head);
            if self.is_sent() {
                self.unsent = [Bytes::new(), Bytes::new()];
                return Pin::new(&mut self.stream).poll_flush(cx);
            }
        }
    }

    /// Reads a little by way of the stack. Gives how much, 0 at the end.
    fn poll_sip(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut space = [const { MaybeUninit::uninit() }; SIP];
        let mut sip = ReadBuf::uninit(&mut space);
        ready!(Pin::new(&mut self.stream).poll_read(cx, &mut sip))?;
        self.buffer.extend_from_slice(sip.filled());
        Poll::Ready(Ok(sip.filled().len()))
    }

    /// Reads up to `most` bytes of a long body, without a copy.
    fn poll_gulp(&mut self, cx: &mut Context<'_>, most: usize) -> Poll<io::Result<usize>> {
        self.buffer.reserve(most.min(GULP));
        let Self { stream, buffer, .. } = self;
        pin!(stream.read_buf(buffer)).poll(cx)
    }

    /// Lets go of a buffer in which nothing is left.
    fn tidy(&mut self) {
        if self.buffer.is_empty() {
            self.buffer = BytesMut::new();
        }
    }
}

/// The other side had closed the connection.
fn is_gone(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected};
    matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | NotConnected)
}
