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
    pub(super) fn last_mut(&mut self) -> Option<&mut T> {
        match self.more.last_mut() {
            Some(item) => Some(item),
            None => self.first[..self.length.min(N)].last_mut(),
        }
    }

    /// The items from `start` on.
    #[inline]
    pub(super) fn since(&self, start: usize) -> impl Iterator<Item = &T> {
        let first = self.first.get(start..self.length.min(N)).unwrap_or_default();
        let more = self.more.get(start.saturating_sub(N)..).unwrap_or_default();
        first.iter().chain(more)
    }

    #[inline]
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.since(0)
    }
}

impl<T: Copy + Default + fmt::Debug, const N: usize> fmt::Debug for Inline<T, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
