//! The body of a call that leaves: bytes at hand, or an upload that is still arriving.

use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;

use crate::upload::{Flow, Patch, Upload};

/// What a call carries.
#[derive(Clone, Debug)]
pub enum Payload {
    /// Can be sent again.
    Whole(Bytes),
    /// Can be sent again only while nothing was taken of what is not kept.
    Upload(Arc<Upload>, Vec<Patch>),
}

impl From<Bytes> for Payload {
    fn from(bytes: Bytes) -> Self {
        Self::Whole(bytes)
    }
}

impl Payload {
    /// Of the whole, where it is known.
    pub(super) fn length(&self) -> Option<u64> {
        match self {
            Self::Whole(bytes) => Some(bytes.len() as u64),
            Self::Upload(upload, patches) => upload.flow(patches).length(),
        }
    }

    /// Both parts of it: what is at hand, and what is still arriving.
    pub(super) fn parts(&self) -> (Bytes, Option<Box<Arriving>>) {
        match self {
            Self::Whole(bytes) => (bytes.clone(), None),
            Self::Upload(upload, patches) => {
                let flow = upload.flow(patches);
                let chunks = flow.length().is_none().then_some(false);
                (Bytes::new(), Some(Box::new(Arriving { flow, chunks })))
            }
        }
    }
}

/// An upload on its way, framed as its call says.
#[derive(Debug)]
pub(super) struct Arriving {
    flow: Flow,
    /// It travels in chunks; whether there was one yet.
    chunks: Option<bool>,
}

/// The upload broke off on the caller's side; it knows itself why.
#[derive(Debug, thiserror::Error)]
#[error("the upload broke off")]
pub struct UploadBroken;

impl Arriving {
    /// The next bytes to send: a frame, and what is in it. `None` after the last.
    pub(super) fn poll_piece(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<[Bytes; 2], UploadBroken>>> {
        loop {
            let piece = match ready!(self.flow.poll_chunk(cx)) {
                Some(Ok(piece)) => piece,
                Some(Err(_)) => return Poll::Ready(Some(Err(UploadBroken))),
                None => return Poll::Ready(self.end()),
            };
            if piece.is_empty() {
                continue;
            }
            let Some(later) = &mut self.chunks else {
                return Poll::Ready(Some(Ok([Bytes::new(), piece])));
            };
            let before = if std::mem::replace(later, true) { "\r\n" } else { "" };
            let frame = format!("{before}{:x}\r\n", piece.len());
            return Poll::Ready(Some(Ok([frame.into(), piece])));
        }
    }

    fn end(&mut self) -> Option<Result<[Bytes; 2], UploadBroken>> {
        let before = if self.chunks.take()? { "\r\n" } else { "" };
        Some(Ok([format!("{before}0\r\n\r\n").into(), Bytes::new()]))
    }
}
