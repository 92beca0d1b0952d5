//! Spellings of one name: what clouds and clients put before and behind it.
//!
//! Deliberately absent: guessing. `gpt-5-nano` is not `gpt-5`, whatever they have in common; only a
//! date, a version, a tag or a place is taken off.

/// Where a model is served, before its name at Bedrock.
const PLACES: &[&str] = &["us.", "eu.", "apac.", "global.", "jp.", "au.", "ca.", "us-gov."];

/// The spellings to look for, the one that was asked for first.
pub(crate) fn spellings(kind: &str, asked: &str) -> Vec<String> {
    let mut found = vec![asked.to_owned()];
    let add = |found: &mut Vec<String>, name: &str| {
        if !name.is_empty() && !found.iter().any(|known| known == name) {
            found.push(name.to_owned());
        }
    };
    add(&mut found, &asked.to_ascii_lowercase());
    // `publishers/google/models/gemini-…`, `models/gemini-…`, an ARN.
    if matches!(kind, "gemini" | "vertex" | "bedrock")
        && let Some((_, name)) = asked.rsplit_once('/')
    {
        add(&mut found, name);
    }
    // Vertex writes the day of a model of Anthropic's behind an `@`.
    if kind == "vertex"
        && let Some((name, day)) = asked.rsplit_once('-')
        && day.len() == 8
    {
        add(&mut found, &format!("{name}@{day}"));
    }
    for step in [without_place, without_tag, without_date] {
        for at in 0..found.len() {
            if let Some(shorter) = step(&found[at]) {
                let shorter = shorter.to_owned();
                add(&mut found, &shorter);
            }
        }
    }
    for at in 0..found.len() {
        let longer = match found[at].strip_suffix("-latest") {
            Some(name) => name.to_owned(),
            None => format!("{}-latest", found[at]),
        };
        add(&mut found, &longer);
    }
    found
}

fn without_place(name: &str) -> Option<&str> {
    PLACES.iter().find_map(|place| name.strip_prefix(place))
}

/// `…@20250929`, `…:groq`, `…:0`.
fn without_tag(name: &str) -> Option<&str> {
    let (name, _) = name.rsplit_once(['@', ':'])?;
    Some(name)
}

/// `…-2024-08-06`, `…-20250929`, `…-0905`, `…-preview-09-2025`, `…-001`.
pub(crate) fn without_date(name: &str) -> Option<&str> {
    let mut rest = name;
    let (mut digits, mut groups) = (0, 0);
    while let Some((before, last)) = rest.rsplit_once('-') {
        let counts = matches!(last.len(), 2..=4 | 8) && last.bytes().all(|b| b.is_ascii_digit());
        if !counts || digits + last.len() > 8 {
            break;
        }
        digits += last.len();
        groups += 1;
        rest = before;
    }
    let rest = if groups > 1 { rest.strip_suffix("-preview").unwrap_or(rest) } else { rest };
    (digits >= 3 && !rest.is_empty()).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_versions_tags_and_places_are_taken_off_and_nothing_else() {
        let has = |kind: &str, asked: &str, name: &str| {
            spellings(kind, asked).iter().any(|found| found == name)
        };
        for (kind, asked, name) in [
            ("openai", "gpt-4o-2024-08-06", "gpt-4o"),
            ("anthropic", "claude-sonnet-4-5-20250929", "claude-sonnet-4-5"),
            ("anthropic", "claude-3-5-haiku", "claude-3-5-haiku-latest"),
            ("gemini", "gemini-2.5-flash-preview-09-2025", "gemini-2.5-flash"),
            ("gemini", "models/gemini-2.0-flash-001", "gemini-2.0-flash"),
            ("gemini", "gemini-2.5-pro-preview-05-06", "gemini-2.5-pro"),
            ("vertex", "claude-opus-4@20250514", "claude-opus-4"),
            ("vertex", "claude-opus-4-20250514", "claude-opus-4@20250514"),
            ("bedrock", "eu.amazon.nova-lite-v1:0", "amazon.nova-lite-v1:0"),
            ("huggingface", "deepseek-ai/DeepSeek-R1:groq", "deepseek-ai/DeepSeek-R1"),
            ("mistral", "mistral-small-2503", "mistral-small-latest"),
        ] {
            assert!(has(kind, asked, name), "{asked}: {:?}", spellings(kind, asked));
        }
        assert!(!has("openai", "gpt-5-nano", "gpt-5"));
        assert!(!has("anthropic", "claude-sonnet-4-6", "claude-sonnet-4"));
        assert!(!has("openai", "o1-mini", "o1"));
        assert_eq!(spellings("openai", "gpt-4o")[0], "gpt-4o", "as asked, before all");
    }
}
