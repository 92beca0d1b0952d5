//! Why a configuration is refused: where, what, and what to write instead. A refusal without a hint
//! cannot be made. No refusal ever quotes a secret.

use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

use super::place::{Path, Place};

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refusal {
    pub line: u64,
    pub column: u64,
    /// Such as `models.assistant.targets[0].to`.
    pub path: String,
    pub message: String,
    pub hint: String,
}

impl Refusal {
    #[must_use]
    pub(super) fn new(
        at: Place,
        path: &Path,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self {
            line: at.line,
            column: at.column,
            path: path.to_string(),
            message: message.into(),
            hint: hint.into(),
        }
    }
}

/// Everything that is wrong with a file, in its order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
pub struct Refusals {
    pub file: PathBuf,
    pub refusals: Vec<Refusal>,
}

impl Refusals {
    #[must_use]
    pub(super) fn new(file: PathBuf, mut refusals: Vec<Refusal>) -> Self {
        refusals.sort_by_key(|refusal| (refusal.line, refusal.column));
        refusals.dedup();
        Self { file, refusals }
    }

    /// The reading itself came to nothing.
    pub(super) fn unread(file: PathBuf) -> Self {
        let message = "the reading was broken off";
        let hint = "it is read again with the next change";
        Self::new(file, vec![Refusal::new(Place::default(), &Path::top(), message, hint)])
    }
}

impl fmt::Display for Refusals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, refusal) in self.refusals.iter().enumerate() {
            if at > 0 {
                f.write_str("\n")?;
            }
            let Refusal { line, column, path, message, hint } = refusal;
            let file = self.file.display();
            // What is not in the file, such as the file itself, has no line.
            match line {
                0 => write!(f, "{file}: {message}\n  hint: {hint}")?,
                _ => write!(f, "{file}:{line}:{column}: {path}: {message}\n  hint: {hint}")?,
            }
        }
        Ok(())
    }
}
