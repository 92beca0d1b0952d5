//! The provider's end of an upload: what was kept, with its patches, then the rest as it arrives.
//! It is pulled by the provider's connection, and so is the caller.

use std::collections::VecDeque;
use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::task::{JoinHandle, spawn_blocking};
use tollgate_model::Fault;

use super::inlet::Inlet;
use super::kept::{self, Kept};
use super::{Patch, lock};

#[derive(Debug)]
pub struct Flow {
    kept: Kept,
    segments: VecDeque<Segment>,
    /// A piece on its way from the file.
    coming: Option<JoinHandle<io::Result<Bytes>>>,
    inlet: Arc<Mutex<Inlet>>,
    length: Option<u64>,
}

#[derive(Debug)]
enum Segment {
    New(Bytes),
    Kept(Range<u64>),
}

impl Flow {
    /// `patches` are in order and do not overlap.
    pub(super) fn new(
        kept: Kept,
        patches: &[Patch],
        inlet: Arc<Mutex<Inlet>>,
        length: Option<u64>,
    ) -> Self {
        let mut segments = VecDeque::new();
        let (mut at, mut changed) = (0, length);
        for Patch { at: place, with } in patches {
            segments.push_back(Segment::Kept(at..place.start));
            segments.push_back(Segment::New(with.clone()));
            at = place.end;
            changed = changed.map(|all| all + with.len() as u64 - (place.end - place.start));
        }
        segments.push_back(Segment::Kept(at..kept.length()));
        Self { kept, segments, coming: None, inlet, length: changed }
    }

    /// Of the whole, where it is known.
    #[must_use]
    pub fn length(&self) -> Option<u64> {
        self.length
    }

    /// The next piece; `None` after the last.
    pub fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Fault>>> {
        loop {
            if let Some(coming) = &mut self.coming {
                let came = ready!(Pin::new(coming).poll(cx));
                self.coming = None;
                let piece = came.map_err(io::Error::other).flatten();
                return Poll::Ready(Some(piece.map_err(|error| unread(&error))));
            }
            match (self.segments.pop_front(), &self.kept) {
                (Some(Segment::New(bytes)), _) => return Poll::Ready(Some(Ok(bytes))),
                (Some(Segment::Kept(place)), _) if place.is_empty() => {}
                (Some(Segment::Kept(place)), Kept::Memory(bytes)) => {
                    let at = |end: u64| usize::try_from(end).unwrap_or(usize::MAX);
                    return Poll::Ready(Some(Ok(bytes.slice(at(place.start)..at(place.end)))));
                }
                (Some(Segment::Kept(place)), Kept::File(file, _)) => {
                    let (file, from, to) = (file.clone(), place.start, place.end);
                    let next = to.min(from + kept::PIECE);
                    self.segments.push_front(Segment::Kept(next..to));
                    self.coming = Some(spawn_blocking(move || kept::piece(&file, from, to)));
                }
                (None, _) => {
                    let mut inlet = lock(&self.inlet);
                    let next = ready!(inlet.poll_chunk(cx));
                    inlet.spent |= matches!(next, Some(Ok(_)));
                    return Poll::Ready(next);
                }
            }
        }
    }
}

fn unread(error: &io::Error) -> Fault {
    Fault::internal("a kept upload cannot be read").with_note(error.to_string())
}
