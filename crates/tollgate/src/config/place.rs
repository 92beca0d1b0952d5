//! Where something stands: a path of names for people, a line and a column for their editor.

use std::fmt;

/// A line and a column, both counted from one; zero when the text has no such place.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) line: u64,
    pub(super) column: u64,
}

/// The way from the top of the file to a value: `models.assistant.targets[0].to`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Path(Vec<Step>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Key(String),
    Index(usize),
}

impl Path {
    /// The top of the file.
    #[must_use]
    pub(super) const fn top() -> Self {
        Self(Vec::new())
    }

    /// The value under `name`.
    #[must_use]
    pub(super) fn key(&self, name: &str) -> Self {
        self.with(Step::Key(name.to_owned()))
    }

    /// The value at `index`.
    #[must_use]
    pub(super) fn index(&self, index: usize) -> Self {
        self.with(Step::Index(index))
    }

    #[must_use]
    pub(super) fn steps(&self) -> &[Step] {
        &self.0
    }

    fn with(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("the file");
        }
        for (at, step) in self.0.iter().enumerate() {
            match step {
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Key(name) => {
                    if at > 0 {
                        f.write_str(".")?;
                    }
                    if is_plain(name) { f.write_str(name)? } else { write!(f, "{name:?}")? }
                }
            }
        }
        Ok(())
    }
}

/// A name that cannot be mistaken for two steps.
fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '/' | '*' | ':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_reads_like_one() {
        let top = Path::top();
        assert_eq!(top.to_string(), "the file");
        let to = top.key("models").key("assistant").key("targets").index(0).key("to");
        assert_eq!(to.to_string(), "models.assistant.targets[0].to");
        assert_eq!(
            top.key("models").key("gpt-4.1").key("strict").to_string(),
            "models.\"gpt-4.1\".strict"
        );
    }
}
