//! The nearest names to one that is not there. For messages only: nothing is ever corrected
//! silently.

/// Names within a few slips of the pen, nearest first, three at most.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let wanted = fold(name);
    let allowed = (wanted.len() / 3).clamp(1, 4);
    let mut found: Vec<(usize, &str)> = known
        .into_iter()
        .map(|candidate| (slips(&wanted, &fold(candidate)), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .collect();
    found.sort_unstable();
    found.dedup();
    found.truncate(3);
    found.into_iter().map(|(_, candidate)| candidate).collect()
}

/// "did you mean `x` or `y`?", or, when nothing is near, the names there are.
pub fn suggestion<'a>(name: &str, known: impl IntoIterator<Item = &'a str>, what: &str) -> String {
    const SHOWN: usize = 12;
    let known: Vec<&str> = known.into_iter().collect();
    let near = nearest(name, known.iter().copied());
    if !near.is_empty() {
        return format!("did you mean {}?", quoted(&near, " or "));
    }
    match known.len() {
        0 => format!("there are no {what}"),
        1..=SHOWN => format!("the {what} are {}", quoted(&known, ", ")),
        many => {
            format!("the {what} are {} and {} more", quoted(&known[..SHOWN], ", "), many - SHOWN)
        }
    }
}

pub(super) fn quoted(names: &[&str], between: &str) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(between)
}

/// Case and the choice between `-` and `_` are not slips worth counting. Bounded, since names come
/// from callers too.
fn fold(name: &str) -> Vec<char> {
    name.chars()
        .take(64)
        .flat_map(char::to_lowercase)
        .map(|c| if c == '_' { '-' } else { c })
        .collect()
}

/// Insertions, deletions, changes and swaps of neighbours between two names.
fn slips(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let change = usize::from(a[i - 1] != b[j - 1]);
            row[j] = (last[j] + 1).min(row[j - 1] + 1).min(last[j - 1] + change);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_of_the_pen_are_near() {
        let known = ["openai", "claude", "gemini", "base_url"];
        assert_eq!(nearest("cluade", known), ["claude"]);
        assert_eq!(nearest("OpenAI", known), ["openai"]);
        assert_eq!(nearest("base-url", known), ["base_url"]);
        assert!(nearest("bedrock", known).is_empty());
        assert_eq!(suggestion("bedrock", ["a", "b"], "providers"), "the providers are `a`, `b`");
        assert_eq!(suggestion("x", [], "providers"), "there are no providers");
    }
}
