//! Ids of tool calls for a recipient that demands them, or demands them in a shape of its own.
//! Made-up ids follow from the conversation alone, so that every turn gives the same.

use std::collections::VecDeque;

use crate::provider::CallId;

#[derive(Debug)]
pub(crate) struct Ids {
    own: bool,
    shape: CallId,
    made: usize,
    /// Calls without an id that still wait for their result: name and made-up id.
    waiting: VecDeque<(String, String)>,
}

impl Ids {
    /// `own`: the conversation was written in this dialect, so that no ids are made up.
    pub(crate) fn new(own: bool, shape: CallId) -> Self {
        Self { own, shape, made: 0, waiting: VecDeque::new() }
    }

    /// The id to write for a call.
    pub(crate) fn call(&mut self, id: &str, name: &str) -> String {
        if self.own || !id.is_empty() {
            return self.shaped(id);
        }
        self.made += 1;
        let id = self.shaped(&format!("call_{}", self.made));
        self.waiting.push_back((name.to_owned(), id.clone()));
        id
    }

    /// The id to write for a result: that of its call, matched by order and name where the
    /// result names none.
    pub(crate) fn result(&mut self, id: &str, name: Option<&str>) -> String {
        if self.own || !id.is_empty() {
            return self.shaped(id);
        }
        let named = self.waiting.iter().position(|(call, _)| name.is_none_or(|name| name == call));
        match named.and_then(|at| self.waiting.remove(at)) {
            Some((_, id)) => id,
            None => {
                self.made += 1;
                self.shaped(&format!("call_{}", self.made))
            }
        }
    }

    fn shaped(&self, id: &str) -> String {
        match self.shape {
            CallId::Any => id.to_owned(),
            CallId::Nine if id.is_empty() || is_nine(id) => id.to_owned(),
            CallId::Nine => nine(id),
        }
    }
}

fn is_nine(id: &str) -> bool {
    id.len() == 9 && id.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Nine letters or digits that stand for `id` (FNV-1a, so that every build gives the same).
fn nine(id: &str) -> String {
    const LETTERS: &[u8; 62] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    let mut hash = id.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    let mut out = String::with_capacity(9);
    for _ in 0..9 {
        out.push(char::from(LETTERS[usize::try_from(hash % 62).unwrap_or_default()]));
        hash /= 62;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_without_ids_are_matched_by_order_and_name() {
        let mut ids = Ids::new(false, CallId::Any);
        let (a, b, c) = (ids.call("", "a"), ids.call("", "b"), ids.call("", "a"));
        assert_eq!((a.as_str(), b.as_str(), c.as_str()), ("call_1", "call_2", "call_3"));
        assert_eq!(ids.result("", Some("b")), b);
        assert_eq!(ids.result("", Some("a")), a);
        assert_eq!(ids.result("", None), c);
        assert_eq!(ids.result("", None), "call_4", "a result without a call gets an id too");
    }

    #[test]
    fn ids_take_the_shape_that_is_demanded() {
        let mut ids = Ids::new(false, CallId::Nine);
        let call = ids.call("toolu_01A09q90qw90lq917835lq9", "a");
        assert!(is_nine(&call));
        assert_eq!(ids.result("toolu_01A09q90qw90lq917835lq9", None), call);
        assert_eq!(ids.call("Abc123xyz", "a"), "Abc123xyz");
    }
}
