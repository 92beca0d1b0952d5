//! Text with its citations, cut into the blocks that Anthropic's callers expect: a citation
//! stands on the block whose text it supports.

use serde_json::{Value, json};
use tollgate_model::{Citation, Losses};

use super::citation;

/// Writes `text`, which begins at character `from` of the answer, as one block or several, and
/// gives the character at which it ends.
pub(super) fn blocks(
    text: &str,
    from: u64,
    citations: &[&Citation],
    out: &mut Vec<Value>,
    losses: &mut Losses,
) -> u64 {
    let end = from + text.chars().count() as u64;
    let mut cited: Vec<(u64, u64, Vec<Value>)> = Vec::new();
    for citation in citations {
        let Some(json) = citation::written(citation) else {
            losses.dropped("", "citations");
            continue;
        };
        // A citation without a place supports all of the text.
        let (start, stop) = match (citation.start, citation.end) {
            (Some(start), Some(stop)) if from <= start && start < stop && stop <= end => {
                (start, stop)
            }
            _ => (from, end),
        };
        match cited.last_mut() {
            Some((last_start, last_stop, all)) if (*last_start, *last_stop) == (start, stop) => {
                all.push(json);
            }
            _ => cited.push((start, stop, vec![json])),
        }
    }
    let apart = cited.windows(2).all(|pair| pair[0].1 <= pair[1].0);
    if !apart {
        let all = cited.into_iter().flat_map(|(_, _, all)| all).collect();
        cited = vec![(from, end, all)];
    }
    let mut rest = text;
    let mut at = from;
    for (start, stop, all) in cited {
        let (before, cited, after) = cut(rest, start - at, stop - start);
        if !before.is_empty() {
            out.push(json!({"type": "text", "text": before}));
        }
        out.push(json!({"type": "text", "text": cited, "citations": all}));
        (rest, at) = (after, stop);
    }
    if !rest.is_empty() {
        out.push(json!({"type": "text", "text": rest}));
    }
    end
}

/// The first `skip` characters, the next `take`, and the rest.
fn cut(text: &str, skip: u64, take: u64) -> (&str, &str, &str) {
    let (before, rest) = text.split_at(byte_of(text, skip));
    let (taken, after) = rest.split_at(byte_of(rest, take));
    (before, taken, after)
}

fn byte_of(text: &str, chars: u64) -> usize {
    let skip = usize::try_from(chars).unwrap_or(usize::MAX);
    text.char_indices().nth(skip).map_or(text.len(), |(byte, _)| byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cite(start: u64, end: u64) -> Citation {
        let url = Some("https://example.com".to_owned());
        Citation { url, start: Some(start), end: Some(end), ..Citation::default() }
    }

    fn texts(citations: &[&Citation]) -> Vec<(String, usize)> {
        let (mut out, mut losses) = (Vec::new(), Losses::default());
        assert_eq!(blocks("Äpfel sind süß.", 10, citations, &mut out, &mut losses), 25);
        let count =
            |block: &Value| block.get("citations").map_or(0, |c| c.as_array().unwrap().len());
        out.iter().map(|b| (b["text"].as_str().unwrap().to_owned(), count(b))).collect()
    }

    #[test]
    fn a_citation_stands_on_the_text_it_supports() {
        let (first, second) = (cite(10, 15), cite(21, 25));
        assert_eq!(
            texts(&[&first, &first, &second]),
            [("Äpfel".into(), 2), (" sind ".into(), 0), ("süß.".into(), 1)]
        );
    }

    #[test]
    fn places_that_overlap_or_lie_outside_support_all_of_it() {
        let (first, second, outside) = (cite(10, 15), cite(12, 20), cite(3, 90));
        assert_eq!(texts(&[&first, &second]), [("Äpfel sind süß.".into(), 2)]);
        assert_eq!(texts(&[&outside]), [("Äpfel sind süß.".into(), 1)]);
    }
}
