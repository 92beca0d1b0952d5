//! Text cut where its citations begin and end, for dialects in which a citation stands on the piece
//! of text that it supports.

/// A piece of text and what supports it.
pub(crate) type Piece<'t, C> = (&'t str, Vec<C>);

/// Cuts `text`, which begins at character `from` of the answer. Each citation comes with the
/// characters of the answer that it supports, where it names them. Also gives the character at which
/// the text ends.
pub(crate) fn pieces<C>(
    text: &str,
    from: u64,
    citations: impl IntoIterator<Item = ((Option<u64>, Option<u64>), C)>,
) -> (Vec<Piece<'_, C>>, u64) {
    let end = from + text.chars().count() as u64;
    let mut cited: Vec<(u64, u64, Vec<C>)> = Vec::new();
    for (place, citation) in citations {
        // A citation without a place supports all of the text.
        let (start, stop) = match place {
            (Some(start), Some(stop)) if from <= start && start < stop && stop <= end => {
                (start, stop)
            }
            _ => (from, end),
        };
        match cited.last_mut() {
            Some((last_start, last_stop, all)) if (*last_start, *last_stop) == (start, stop) => {
                all.push(citation);
            }
            _ => cited.push((start, stop, vec![citation])),
        }
    }
    let apart = cited.windows(2).all(|pair| pair[0].1 <= pair[1].0);
    if !apart {
        let all = cited.into_iter().flat_map(|(_, _, all)| all).collect();
        cited = vec![(from, end, all)];
    }
    let mut out = Vec::new();
    let mut rest = text;
    let mut at = from;
    for (start, stop, all) in cited {
        let (before, cited, after) = cut(rest, start - at, stop - start);
        if !before.is_empty() {
            out.push((before, Vec::new()));
        }
        out.push((cited, all));
        (rest, at) = (after, stop);
    }
    if !rest.is_empty() {
        out.push((rest, Vec::new()));
    }
    (out, end)
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

    fn texts(places: &[(u64, u64)]) -> Vec<(&'static str, usize)> {
        let citations = places.iter().map(|(start, end)| ((Some(*start), Some(*end)), ()));
        let (pieces, end) = pieces("Äpfel sind süß.", 10, citations);
        assert_eq!(end, 25);
        pieces.into_iter().map(|(text, all)| (text, all.len())).collect()
    }

    #[test]
    fn a_citation_stands_on_the_text_it_supports() {
        assert_eq!(
            texts(&[(10, 15), (10, 15), (21, 25)]),
            [("Äpfel", 2), (" sind ", 0), ("süß.", 1)]
        );
    }

    #[test]
    fn places_that_overlap_or_lie_outside_support_all_of_it() {
        assert_eq!(texts(&[(10, 15), (12, 20)]), [("Äpfel sind süß.", 2)]);
        assert_eq!(texts(&[(3, 90)]), [("Äpfel sind süß.", 1)]);
    }
}
