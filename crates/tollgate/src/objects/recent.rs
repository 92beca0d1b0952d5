//! What was lately found in the table: two generations of a bounded map, the older of which is
//! dropped whole when the younger is full.

use std::collections::HashMap;
use std::sync::Arc;

use tollgate_store::StoredObject;

use super::Named;

/// Objects in one generation.
const MOST: usize = 4096;

#[derive(Debug, Default)]
pub(super) struct Recent {
    younger: HashMap<Named, Arc<StoredObject>>,
    older: HashMap<Named, Arc<StoredObject>>,
}

impl Recent {
    /// An object that is not over at `now`.
    pub(super) fn find(&self, named: &Named, now: i64) -> Option<Arc<StoredObject>> {
        let object = self.younger.get(named).or_else(|| self.older.get(named))?;
        object.expires.is_none_or(|expires| expires > now).then(|| object.clone())
    }

    pub(super) fn keep(&mut self, named: Named, object: Arc<StoredObject>) {
        if self.younger.len() >= MOST {
            self.older = std::mem::take(&mut self.younger);
        }
        self.younger.insert(named, object);
    }

    pub(super) fn forget(&mut self, named: &Named) {
        self.younger.remove(named);
        self.older.remove(named);
    }
}

#[cfg(test)]
mod tests {
    use tollgate_store::ObjectKind;

    use super::*;

    fn named(id: usize) -> Named {
        Named { team: "t".into(), kind: ObjectKind::Response, id: id.to_string() }
    }

    fn object(expires: Option<i64>) -> Arc<StoredObject> {
        Arc::new(StoredObject {
            kind: ObjectKind::Response,
            id: "1".into(),
            team: "t".into(),
            made_by: "k".into(),
            provider: "p".into(),
            model: None,
            created: 0,
            expires,
        })
    }

    #[test]
    fn it_is_bounded_and_keeps_the_newest() {
        let mut recent = Recent::default();
        for id in 0..(3 * MOST) {
            recent.keep(named(id), object(None));
        }
        assert!(recent.younger.len() + recent.older.len() <= 2 * MOST);
        assert!(recent.find(&named(3 * MOST - 1), 0).is_some());
        assert!(recent.find(&named(0), 0).is_none());
        recent.forget(&named(3 * MOST - 1));
        assert!(recent.find(&named(3 * MOST - 1), 0).is_none());
    }

    #[test]
    fn what_is_over_is_not_found() {
        let mut recent = Recent::default();
        recent.keep(named(1), object(Some(10)));
        assert!(recent.find(&named(1), 9).is_some());
        assert!(recent.find(&named(1), 10).is_none());
    }
}
