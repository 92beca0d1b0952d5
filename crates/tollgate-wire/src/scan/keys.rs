//! Finds a key that stands twice in one object, after unescaping.
//!
//! The few keys of an ordinary object are compared with one another. An object with many keys, or
//! with an escaped one, gets a hash set of its own; a seed keeps its hashes out of a caller's
//! reach, and a hit is a comparison of bytes, so a collision is never taken for a duplicate.

use std::borrow::Cow;
use std::collections::HashSet;
use std::hash::{BuildHasher, DefaultHasher, Hasher};

use super::inline::Inline;
use super::text::unescape;

/// Up to so many keys of one object are compared one by one.
const FEW: usize = 16;

/// The keys of all objects that are open.
#[derive(Debug)]
pub(super) struct Keys<'a> {
    body: &'a [u8],
    few: Inline<Key, 32>,
    many: Vec<HashSet<Cow<'a, [u8]>, Seeded>>,
    seed: Seeded,
}

/// What [`Keys`] keeps of one open object.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Object {
    /// Its first key in `few`.
    from: u32,
    /// Its keys stand in the last set of `many`.
    many: bool,
}

#[derive(Clone, Copy, Debug, Default)]
struct Key {
    /// The first eight bytes, or as many as there are.
    head: u64,
    start: u32,
    length: u32,
}

impl<'a> Keys<'a> {
    pub(super) fn new(body: &'a [u8], seed: u64) -> Self {
        Self { body, few: Inline::default(), many: Vec::new(), seed: Seeded(seed) }
    }

    #[inline]
    pub(super) fn open(&self) -> Object {
        Object { from: self.few.len() as u32, many: false }
    }

    #[inline]
    pub(super) fn close(&mut self, object: Object) {
        self.few.truncate(object.from as usize);
        if object.many {
            self.many.pop();
        }
    }

    /// Adds the key at `start..end` (within its quotes) to the innermost object; false when it has
    /// that key already.
    #[inline]
    pub(super) fn add(
        &mut self,
        object: &mut Object,
        (start, end): (u32, u32),
        escaped: bool,
    ) -> bool {
        let from = object.from as usize;
        if object.many || escaped || self.few.len() - from == FEW {
            return self.add_to_many(object, start as usize, end as usize);
        }
        let key = Key { head: head(self.body, start, end), start, length: end - start };
        if self.few.any_since(from, |other| self.same(key, *other)) {
            return false;
        }
        self.few.push(key);
        true
    }

    #[inline]
    fn same(&self, one: Key, other: Key) -> bool {
        one.head == other.head
            && one.length == other.length
            && (one.length <= 8 || self.text(one) == self.text(other))
    }

    fn text(&self, key: Key) -> &'a [u8] {
        let start = key.start as usize;
        self.body.get(start..start + key.length as usize).unwrap_or_default()
    }

    #[cold]
    fn add_to_many(&mut self, object: &mut Object, start: usize, end: usize) -> bool {
        if !object.many {
            object.many = true;
            let mut set = HashSet::with_capacity_and_hasher(2 * FEW, self.seed);
            let from = object.from as usize;
            set.extend(self.few.since(from).map(|key| Cow::Borrowed(self.text(*key))));
            self.few.truncate(from);
            self.many.push(set);
        }
        let key = unescape(self.body.get(start..end).unwrap_or_default());
        self.many.last_mut().is_some_and(|set| set.insert(key))
    }
}

#[inline]
fn head(body: &[u8], start: u32, end: u32) -> u64 {
    let (start, length) = (start as usize, (end - start) as usize);
    let Some(eight) = body.get(start..).and_then(|rest| rest.first_chunk()) else {
        let tail = body.get(start..start + length).unwrap_or_default();
        return tail.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
    };
    let word = u64::from_le_bytes(*eight);
    if length >= 8 { word } else { word & ((1 << (8 * length)) - 1) }
}

/// Std's keyed hash with a seed of ours: below the program nothing draws random numbers.
#[derive(Clone, Copy, Debug)]
struct Seeded(u64);

impl BuildHasher for Seeded {
    type Hasher = DefaultHasher;

    fn build_hasher(&self) -> DefaultHasher {
        let mut hasher = DefaultHasher::new();
        hasher.write_u64(self.0);
        hasher
    }
}
