//! Names with `*`, as rows of providers write them: each `*` stands for any run of letters, also
//! for none. No other letter means anything but itself.

/// Whether `name` is one that `pattern` stands for.
#[must_use]
pub fn matches(pattern: &str, name: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut name) = name.strip_prefix(head) else { return false };
    let mut parts = rest.split('*').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return name.ends_with(part);
        }
        // The first place is as good as any: what follows may begin later.
        let Some(at) = name.find(part) else { return false };
        name = &name[at + part.len()..];
    }
    true
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_star_stands_for_any_run() {
        let cases = [
            ("gpt-4o", "gpt-4o", true),
            ("gpt-4o", "gpt-4o-mini", false),
            ("gpt-*", "gpt-4o-mini", true),
            ("gpt-*", "gpt-", true),
            ("gpt-*", "chatgpt-4o", false),
            ("*anthropic.*", "us.anthropic.claude-v2:1", true),
            ("*anthropic.*", "anthropic.claude-v2", true),
            ("*anthropic.*", "amazon.nova-lite-v1:0", false),
            ("*/*", "meta/llama", true),
            ("*/*", "gemini-2.5-flash", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("a*a", "a", false),
            ("*", "", true),
        ];
        for (pattern, name, fits) in cases {
            assert_eq!(matches(pattern, name), fits, "{pattern} {name}");
        }
    }
}
