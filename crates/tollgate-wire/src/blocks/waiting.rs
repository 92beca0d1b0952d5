//! Tool calls whose pieces come interleaved. Blocks come one after the other, so a
//! call waits until the one before it is whole.

use std::collections::VecDeque;

use tollgate_model::Signature;

/// What may wait, in bytes.
const MOST: usize = 8 << 20;

/// A call that waits for its block.
#[derive(Debug)]
pub(in crate::blocks) struct Waiting {
    pub(in crate::blocks) index: u32,
    pub(in crate::blocks) id: String,
    pub(in crate::blocks) name: String,
    pub(in crate::blocks) signature: Option<Signature>,
    pub(in crate::blocks) arguments: String,
}

#[derive(Debug, Default)]
pub(in crate::blocks) struct Queue {
    calls: VecDeque<Waiting>,
    bytes: usize,
}

impl Queue {
    pub(in crate::blocks) fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// `false` when too much waits already.
    pub(in crate::blocks) fn push(&mut self, call: Waiting) -> bool {
        self.bytes += size_of::<Waiting>() + call.id.len() + call.name.len();
        self.calls.push_back(call);
        self.bytes <= MOST
    }

    pub(in crate::blocks) fn next(&mut self) -> Option<Waiting> {
        let call = self.calls.pop_front();
        if self.calls.is_empty() {
            self.bytes = 0;
        }
        call
    }

    /// Adds a piece to a waiting call; `None` when no such call waits, `Some(false)` when too much
    /// waits already.
    pub(in crate::blocks) fn grow(&mut self, index: u32, piece: &str) -> Option<bool> {
        let call = self.calls.iter_mut().rev().find(|call| call.index == index)?;
        call.arguments.push_str(piece);
        self.bytes += piece.len();
        Some(self.bytes <= MOST)
    }
}
