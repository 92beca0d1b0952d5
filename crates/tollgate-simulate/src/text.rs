//! Cutting a text at stop sequences and at the cap, and into the pieces of a stream.

use crate::tokens;

/// The text up to the first stop sequence, and which one it was.
pub(crate) fn stopped<'a>(text: &str, stops: &'a [String]) -> (String, Option<&'a str>) {
    let first = stops
        .iter()
        .filter(|s| !s.is_empty())
        .filter_map(|s| text.find(s.as_str()).map(|at| (at, s)))
        .min_by_key(|(at, _)| *at);
    match first {
        Some((at, stop)) => (text[..at].to_owned(), Some(stop)),
        None => (text.to_owned(), None),
    }
}

/// The first `cap` tokens, and whether anything was cut off.
pub(crate) fn capped(text: &str, cap: u64) -> (String, bool) {
    let tokens = tokens::split(text);
    let most = usize::try_from(cap).unwrap_or(usize::MAX);
    if tokens.len() <= most {
        return (text.to_owned(), false);
    }
    (tokens[..most].concat(), true)
}

/// The text in pieces of `each` tokens; an empty text has none.
pub(crate) fn pieces(text: &str, each: usize) -> Vec<String> {
    tokens::split(text).chunks(each.max(1)).map(<[&str]>::concat).collect()
}

/// A JSON text in pieces that cut wherever they like, as the vendors' argument deltas do.
pub(crate) fn shards(json: &str) -> Vec<String> {
    let letters: Vec<char> = json.chars().collect();
    let each = letters.len().div_ceil(5).clamp(2, 40);
    letters.chunks(each).map(|c| c.iter().collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earliest_stop_wins() {
        let stops = vec!["END".to_owned(), "b".to_owned()];
        assert_eq!(stopped("abEND", &stops), ("a".to_owned(), Some("b")));
        assert_eq!(stopped("xyz", &stops), ("xyz".to_owned(), None));
    }

    #[test]
    fn pieces_join_again() {
        assert_eq!(capped("one two three", 2), ("one two".to_owned(), true));
        assert_eq!(capped("one", 2), ("one".to_owned(), false));
        assert_eq!(pieces("one two three", 2), ["one two", " three"]);
        let json = "{\"city\":\"Zürich\"}";
        assert_eq!(shards(json).concat(), json);
        assert!(shards(json).len() > 2);
    }
}
