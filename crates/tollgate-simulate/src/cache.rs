//! Remembers which beginnings of an input it has read, so that usage can report cached tokens.
//! Only hashes are kept. Nothing ever expires here: the life times are reported, not lived.

use crate::asked::{Mark, Prefix};
use std::collections::{HashSet, VecDeque};

const MOST: usize = 20_000;

#[derive(Debug, Default)]
pub(crate) struct Cache {
    seen: HashSet<u64>,
    order: VecDeque<u64>,
}

/// How the input splits. The three never overlap.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Cached {
    pub(crate) read: u64,
    pub(crate) written_5m: u64,
    pub(crate) written_1h: u64,
}

impl Cache {
    /// Caching as OpenAI and Gemini do it unasked: beginnings of at least 1,024 tokens, in steps of 128.
    pub(crate) fn unasked(&mut self, prefixes: &[Prefix]) -> Cached {
        let longest =
            prefixes.iter().rfind(|p| self.seen.contains(&p.hash)).map_or(0, |p| p.tokens);
        for prefix in prefixes {
            self.remember(prefix.hash);
        }
        let read = if longest < 1024 { 0 } else { longest / 128 * 128 };
        Cached { read, ..Cached::default() }
    }

    /// Caching as Anthropic does it: up to the marks that the caller set.
    pub(crate) fn marked(&mut self, prefixes: &[Prefix]) -> Cached {
        let mut split = Cached::default();
        let marked: Vec<&Prefix> = prefixes.iter().filter(|p| p.mark.is_some()).collect();
        let Some(last) = marked.last() else {
            return split;
        };
        split.read = marked.iter().rfind(|p| self.seen.contains(&p.hash)).map_or(0, |p| p.tokens);
        let written = last.tokens.saturating_sub(split.read);
        match last.mark {
            Some(Mark::OneHour) => split.written_1h = written,
            _ => split.written_5m = written,
        }
        for prefix in marked {
            self.remember(prefix.hash);
        }
        split
    }

    fn remember(&mut self, hash: u64) {
        if self.seen.insert(hash) {
            self.order.push_back(hash);
        }
        if self.order.len() > MOST
            && let Some(oldest) = self.order.pop_front()
        {
            self.seen.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix(hash: u64, tokens: u64, mark: Option<Mark>) -> Prefix {
        Prefix { hash, tokens, mark }
    }

    #[test]
    fn a_repeated_long_beginning_is_read_from_the_cache() {
        let mut cache = Cache::default();
        let first = [prefix(1, 2000, None)];
        assert_eq!(cache.unasked(&first).read, 0);
        let second = [prefix(1, 2000, None), prefix(2, 2100, None)];
        assert_eq!(cache.unasked(&second).read, 1920);
        assert_eq!(cache.unasked(&[prefix(9, 10, None)]).read, 0);
        assert_eq!(cache.unasked(&[prefix(9, 10, None)]).read, 0);
    }

    #[test]
    fn a_mark_is_written_once_and_then_read() {
        let mut cache = Cache::default();
        let marked = [prefix(1, 50, Some(Mark::OneHour)), prefix(2, 60, None)];
        assert_eq!(cache.marked(&marked), Cached { read: 0, written_5m: 0, written_1h: 50 });
        assert_eq!(cache.marked(&marked), Cached { read: 50, written_5m: 0, written_1h: 0 });
    }
}
