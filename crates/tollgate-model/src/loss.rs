//! What a translation could not carry. Reported, never silent.

use std::fmt;

/// One field of a request (or answer) that did not reach the other side as it was written.
/// Holds the field's path, never its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// Path in the caller's document: `messages[2].audio`, `logit_bias`.
    pub field: String,
    pub how: LossKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LossKind {
    /// Left out.
    Dropped,
    /// Carried with another meaning than the caller's, as near as the target allows.
    Approximated,
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.how {
            LossKind::Dropped => f.write_str(&self.field),
            LossKind::Approximated => write!(f, "~{}", self.field),
        }
    }
}

/// The losses of one translation, without repetition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Losses(Vec<Loss>);

/// More losses than this are counted as one `…`, so that a hostile request cannot grow a header.
const MOST: usize = 64;

impl Losses {
    /// Notes that `name` below `path` was left out. `path` is empty for the top level.
    pub fn dropped(&mut self, path: &str, name: &str) {
        self.note(path, name, LossKind::Dropped);
    }

    /// Notes that `name` below `path` was carried only approximately.
    pub fn approximated(&mut self, path: &str, name: &str) {
        self.note(path, name, LossKind::Approximated);
    }

    fn note(&mut self, path: &str, name: &str, how: LossKind) {
        if self.0.len() >= MOST {
            return;
        }
        let name: String = if self.0.len() + 1 == MOST { "…".into() } else { name.into() };
        let field = if path.is_empty() { name } else { format!("{path}.{name}") };
        let loss = Loss { field, how };
        if !self.0.contains(&loss) {
            self.0.push(loss);
        }
    }

    pub fn extend(&mut self, other: Losses) {
        for loss in other.0 {
            if self.0.len() < MOST && !self.0.contains(&loss) {
                self.0.push(loss);
            }
        }
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn iter(&self) -> impl Iterator<Item = &Loss> {
        self.0.iter()
    }
}
