//! The body of an answer, read from the connection that it holds. Dropped before its end it closes
//! the connection, and so the call; read to its end, it can give the connection back.

use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;

use super::framing::Framing;
use super::{Connection, Head, SIP};
use crate::upstream::Pool;

/// Why a body ended early.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    #[error("the connection was closed inside the answer")]
    CutOff,
    #[error("the answer's chunks are malformed")]
    Malformed,
    #[error("{0}")]
    Io(#[from] io::Error),
}

#[derive(Debug)]
pub struct Body {
    connection: Connection,
    framing: Framing,
    keeps: bool,
    /// Where the connection came from.
    pool: Arc<Pool>,
    origin: u64,
}

impl Body {
    pub(in crate::upstream) fn new(
        connection: Connection,
        head: &Head,
        pool: Arc<Pool>,
        origin: u64,
    ) -> Self {
        Self { connection, framing: head.framing, keeps: head.keeps, pool, origin }
    }

    /// The next bytes; `None` after the last.
    pub fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BodyError>>> {
        Poll::Ready(ready!(self.poll_next(cx)).transpose())
    }

    /// What is to come, where that is known.
    #[must_use]
    pub fn length(&self) -> Option<u64> {
        match self.framing {
            Framing::Length(left) => Some(left),
            Framing::Over => Some(0),
            Framing::Chunked(_) | Framing::UntilClosed => None,
        }
    }

    /// The next bytes; `None` after the last.
    pub async fn data(&mut self) -> Option<Result<Bytes, BodyError>> {
        std::future::poll_fn(|cx| self.poll_data(cx)).await
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, BodyError>> {
        let connection = &mut self.connection;
        loop {
            let taken = self.framing.take(&mut connection.buffer);
            if let Some(data) = taken.map_err(|_| BodyError::Malformed)? {
                connection.tidy();
                return Poll::Ready(Ok(Some(data)));
            }
            if self.framing == Framing::Over {
                return Poll::Ready(Ok(None));
            }
            if let Poll::Ready(Err(_)) = connection.poll_send(cx) {
                // The rest of the request is not wanted; the answer may be whole all the same.
                connection.stop_sending();
                self.keeps = false;
            }
            let read = match self.framing {
                Framing::Length(left) if left > SIP as u64 => {
                    connection.poll_gulp(cx, usize::try_from(left).unwrap_or(usize::MAX))
                }
                _ => connection.poll_sip(cx),
            };
            match (ready!(read)?, self.framing) {
                (1.., _) => {}
                (0, Framing::UntilClosed) => self.framing = Framing::Over,
                (0, _) => return Poll::Ready(Err(BodyError::CutOff)),
            }
        }
    }

    /// The body was read to its end: its connection may serve again.
    pub fn give_back(self) {
        let Self { connection, framing, keeps, pool, origin } = self;
        let silent = connection.buffer.is_empty() && connection.is_sent();
        if framing == Framing::Over && keeps && silent {
            pool.put(origin, connection);
        }
    }
}
