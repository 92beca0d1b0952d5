//! A model name, or many: literal text with at most one `*`. Not a glob language and not a regular
//! expression.

use std::fmt;

/// A name that may hold one `*`, which stands for any text, none included.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Pattern {
    text: Box<str>,
    star: Option<usize>,
}

/// Why a text is not a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    #[error("a name cannot be empty")]
    Empty,
    #[error("a name may hold one `*` at most")]
    ManyStars,
    #[error("a name cannot hold spaces or control characters")]
    Space,
}

impl Pattern {
    /// # Errors
    /// When the text is empty, has more than one `*`, or holds spaces.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        if text.is_empty() {
            return Err(PatternError::Empty);
        }
        if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(PatternError::Space);
        }
        let star = text.find('*');
        if star != text.rfind('*') {
            return Err(PatternError::ManyStars);
        }
        Ok(Self { text: text.into(), star })
    }

    /// The pattern that matches every name.
    #[must_use]
    pub fn any() -> Self {
        Self { text: "*".into(), star: Some(0) }
    }

    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        let Some(star) = self.star else {
            return *self.text == *name;
        };
        let (before, after) = (&self.text[..star], &self.text[star + 1..]);
        name.len() >= before.len() + after.len()
            && name.starts_with(before)
            && name.ends_with(after)
    }

    /// Whether some name is matched by both.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        let (Some(mine), Some(theirs)) = (self.star, other.star) else {
            return if self.is_exact() {
                other.matches(&self.text)
            } else {
                self.matches(&other.text)
            };
        };
        let begins = agree(self.text[..mine].bytes(), other.text[..theirs].bytes());
        begins && agree(self.text[mine + 1..].bytes().rev(), other.text[theirs + 1..].bytes().rev())
    }

    /// Whether some name that begins with `prefix`, and goes on, is matched.
    #[must_use]
    pub fn reaches_under(&self, prefix: &str) -> bool {
        match self.star {
            None => self.text.len() > prefix.len() && self.text.starts_with(prefix),
            Some(star) => agree(self.text[..star].bytes(), prefix.bytes()),
        }
    }

    /// Whether it names one model only.
    #[must_use]
    pub const fn is_exact(&self) -> bool {
        self.star.is_none()
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// Whether one is the beginning of the other.
fn agree(a: impl Iterator<Item = u8>, b: impl Iterator<Item = u8>) -> bool {
    a.zip(b).all(|(a, b)| a == b)
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        let cases = [
            ("assistant", "assistant", true),
            ("assistant", "assistants", false),
            ("openai/*", "openai/gpt-5", true),
            ("openai/*", "openai/", true),
            ("openai/*", "openai", false),
            ("*-mini", "gpt-5-mini", true),
            ("gpt-*-mini", "gpt-5-mini", true),
            ("gpt-*-mini", "gpt-mini", false),
            ("ab*ba", "aba", false),
            ("*", "", true),
            ("*", "a/b/c", true),
        ];
        for (pattern, name, expected) in cases {
            assert_eq!(
                Pattern::parse(pattern).unwrap().matches(name),
                expected,
                "{pattern} {name}"
            );
        }
    }

    #[test]
    fn patterns_overlap_when_a_name_fits_both() {
        let cases = [
            ("gpt-*", "gpt-4o", true),
            ("gpt-4o", "gpt-*", true),
            ("a*", "b*", false),
            ("a*", "ab*", true),
            ("*x", "a*", true),
            ("*-mini", "*-large", false),
            ("a", "a", true),
            ("a", "b", false),
        ];
        for (a, b, expected) in cases {
            assert_eq!(
                Pattern::parse(a).unwrap().overlaps(&Pattern::parse(b).unwrap()),
                expected,
                "{a} {b}"
            );
        }
        for (pattern, prefix, expected) in [
            ("openai/*", "openai/", true),
            ("openai/gpt-5", "openai/", true),
            ("openai/", "openai/", false),
            ("open*", "openai/", true),
            ("*", "openai/", true),
            ("gpt-*", "openai/", false),
        ] {
            assert_eq!(
                Pattern::parse(pattern).unwrap().reaches_under(prefix),
                expected,
                "{pattern} {prefix}"
            );
        }
    }

    #[test]
    fn misuse_is_refused() {
        assert_eq!(Pattern::parse(""), Err(PatternError::Empty));
        assert_eq!(Pattern::parse("a*b*"), Err(PatternError::ManyStars));
        assert_eq!(Pattern::parse("**"), Err(PatternError::ManyStars));
        assert_eq!(Pattern::parse("a b"), Err(PatternError::Space));
    }
}
