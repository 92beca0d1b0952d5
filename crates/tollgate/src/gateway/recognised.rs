//! Keys that were verified before, so that the digest of a key is worked out for its first call and
//! not for every one. A key is remembered by a mark: 128 bits of a pseudo-random function whose
//! secret lives and dies with the process. Neither keys nor digests are kept here.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, PoisonError, RwLock};

use super::Caller;

#[derive(Default)]
pub(super) struct Recognised {
    secret: RandomState,
    /// Marks are random already: there is nothing to hash.
    callers: RwLock<BTreeMap<Mark, Arc<Caller>>>,
}

type Mark = (u64, u64);

impl Recognised {
    fn mark(&self, key: &str) -> Mark {
        (self.secret.hash_one((0u8, key)), self.secret.hash_one((1u8, key)))
    }

    /// The caller of this key, verified by `verify` when it is met for the first time. What is not
    /// verified is not remembered.
    pub(super) fn caller(
        &self,
        key: &str,
        verify: impl FnOnce() -> Option<Arc<Caller>>,
    ) -> Option<Arc<Caller>> {
        let mark = self.mark(key);
        let known = self.callers.read().unwrap_or_else(PoisonError::into_inner).get(&mark).cloned();
        if known.is_some() {
            return known;
        }
        let caller = verify()?;
        let mut callers = self.callers.write().unwrap_or_else(PoisonError::into_inner);
        callers.insert(mark, caller.clone());
        Some(caller)
    }
}

impl fmt::Debug for Recognised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Recognised([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::TeamConfig;

    #[test]
    fn a_key_is_verified_once_and_a_refused_one_every_time() {
        let recognised = Recognised::default();
        let caller =
            || Caller { key: "k".into(), team: Arc::new(TeamConfig::unlimited("t")), limits: None };
        let mut verified = 0;
        for _ in 0..3 {
            let found = recognised.caller("tg_good", || {
                verified += 1;
                Some(Arc::new(caller()))
            });
            assert_eq!(found.unwrap().key, "k");
        }
        assert_eq!(verified, 1);
        let mut refused = 0;
        for key in ["tg_goo", "tg_good ", "TG_GOOD", "tg_goo", ""] {
            let found = recognised.caller(key, || {
                refused += 1;
                None
            });
            assert!(found.is_none(), "{key}");
        }
        assert_eq!(refused, 5);
    }
}
