//! A list whose first few items need no allocation.

use std::fmt;

/// The first `N` items stand in place, the rest in a `Vec`.
#[derive(Clone)]
pub(super) struct Inline<T, const N: usize> {
    length: usize,
    first: [T; N],
    more: Vec<T>,
}

impl<T: Copy + Default, const N: usize> Default for Inline<T, N> {
    fn default() -> Self {
        Self { length: 0, first: [T::default(); N], more: Vec::new() }
    }
}

impl<T: Copy + Default, const N: usize> Inline<T, N> {
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.length
    }

    #[inline]
    pub(super) fn push(&mut self, item: T) {
        match self.first.get_mut(self.length) {
            Some(place) => *place = item,
            None => self.more.push(item),
        }
        self.length += 1;
    }

    #[inline]
    pub(super) fn truncate(&mut self, length: usize) {
        if length < self.length {
            self.length = length;
            self.more.truncate(length.saturating_sub(N));
        }
    }

    #[inline]
    pub(super) fn pop(&mut self) -> Option<T> {
        self.length = self.length.checked_sub(1)?;
        self.first.get(self.length).copied().or_else(|| self.more.pop())
    }

    #[inline]
    pub(super) fn last_mut(&mut self) -> Option<&mut T> {
        if self.length > N { self.more.last_mut() } else { self.first[..self.length].last_mut() }
    }

    /// Whether `found` says so of an item from `start` on.
    #[inline]
    pub(super) fn any_since(&self, start: usize, found: impl Fn(&T) -> bool) -> bool {
        let first = self.first.get(start..self.length.min(N)).unwrap_or_default();
        first.iter().any(&found)
            || (self.length > N && self.more[start.saturating_sub(N)..].iter().any(&found))
    }

    /// The items from `start` on.
    pub(super) fn since(&self, start: usize) -> impl Iterator<Item = &T> {
        let first = self.first.get(start..self.length.min(N)).unwrap_or_default();
        let more = self.more.get(start.saturating_sub(N)..).unwrap_or_default();
        first.iter().chain(more)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.since(0)
    }
}

impl<T: Copy + Default + fmt::Debug, const N: usize> fmt::Debug for Inline<T, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
