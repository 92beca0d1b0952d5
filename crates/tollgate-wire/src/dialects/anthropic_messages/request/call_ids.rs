//! Ids of tool calls that Anthropic takes. Dialects without ids get made-up ones, the same each
//! time; a result finds its call by name and order.

use std::borrow::Cow;
use std::collections::VecDeque;

use crate::call_id;

#[derive(Debug, Default)]
pub(super) struct CallIds {
    made: usize,
    /// Calls without an id of their own that have no result yet: name and made-up id.
    open: VecDeque<(String, String)>,
}

impl CallIds {
    pub(super) fn of_call<'i>(&mut self, id: &'i str, name: &str) -> Cow<'i, str> {
        if !id.is_empty() {
            return call_id::written(id);
        }
        self.made += 1;
        let made = format!("toolu_{:04}", self.made);
        self.open.push_back((name.to_owned(), made.clone()));
        Cow::Owned(made)
    }

    pub(super) fn of_result<'i>(&mut self, id: &'i str, name: Option<&str>) -> Cow<'i, str> {
        if !id.is_empty() {
            return call_id::written(id);
        }
        let of_name = name.and_then(|name| self.open.iter().position(|(of, _)| of == name));
        match self.open.remove(of_name.unwrap_or(0)) {
            Some((_, made)) => Cow::Owned(made),
            // A result without a call: the provider says so.
            None => Cow::Borrowed("toolu_unknown"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_find_their_calls_by_name_then_by_order() {
        let mut ids = CallIds::default();
        let first = ids.of_call("", "a").into_owned();
        let second = ids.of_call("", "b").into_owned();
        let third = ids.of_call("", "a").into_owned();
        assert_eq!(ids.of_result("", Some("b")), second);
        assert_eq!(ids.of_result("", Some("a")), first);
        assert_eq!(ids.of_result("", None), third);
        assert_eq!(ids.of_result("functions.a:0", None), ids.of_call("functions.a:0", "a"));
    }
}
