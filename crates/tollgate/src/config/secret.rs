//! Secrets are references, never values: `${env:NAME}` and `${file:PATH}`. What a reference leads
//! to is read once, kept in a type that cannot be printed, and never quoted in a refusal.

use std::fmt;
use std::path::{Path, PathBuf};

use secrecy::SecretString;

/// Longest secret that is read from a file.
const MAX_BYTES: u64 = 64 << 10;

/// Where a secret is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reference {
    Env(String),
    File(PathBuf),
}

/// What is wrong with a secret, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SecretError {
    pub(super) message: String,
    pub(super) hint: String,
}

/// The process's surroundings, as an argument: tests bring their own.
pub(super) struct Surroundings<'a> {
    pub(super) variable: &'a dyn Fn(&str) -> Option<String>,
    /// Relative paths in the file start here.
    pub(super) directory: PathBuf,
}

impl Surroundings<'_> {
    #[must_use]
    pub(super) fn path(&self, written: &str) -> PathBuf {
        self.directory.join(written)
    }
}

impl fmt::Debug for Surroundings<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Surroundings").field("directory", &self.directory).finish_non_exhaustive()
    }
}

impl Reference {
    /// # Errors
    /// When the text is a plain value, or a reference of a kind that is not known.
    pub(super) fn parse(text: &str, around: &Surroundings<'_>) -> Result<Self, SecretError> {
        let Some(inside) = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')) else {
            return refuse(
                "a secret is written here in plain text",
                "write a reference: \"${env:NAME}\" or \"${file:/run/secrets/name}\"; and replace this secret, since a file is easily copied",
            );
        };
        match inside.split_once(':') {
            Some(("env", name)) if is_variable(name) => Ok(Self::Env(name.to_owned())),
            Some(("env", _)) => refuse(
                "this is not a name of an environment variable",
                "letters, digits and `_`, not beginning with a digit: \"${env:OPENAI_API_KEY}\"",
            ),
            Some(("file", "")) => refuse("the file has no name", "\"${file:/run/secrets/name}\""),
            Some(("file", path)) => Ok(Self::File(around.path(path))),
            Some(("vault", _)) => refuse(
                "references to a vault are not supported yet",
                "let the vault's agent write a file, and name it: \"${file:/run/secrets/name}\"",
            ),
            _ => {
                refuse("this reference is of no known kind", "\"${env:NAME}\" or \"${file:PATH}\"")
            }
        }
    }

    /// # Errors
    /// When the variable is not set, the file cannot be read, or what stands there cannot be a
    /// secret.
    pub(super) fn resolve(&self, around: &Surroundings<'_>) -> Result<SecretString, SecretError> {
        let (text, origin) = match self {
            Self::Env(name) => {
                let Some(value) = (around.variable)(name) else {
                    return refuse(
                        &format!("the environment variable {name} is not set"),
                        &format!("set it before the start: export {name}=…"),
                    );
                };
                (value, format!("the environment variable {name}"))
            }
            Self::File(path) => (read(path)?, format!("the file {}", path.display())),
        };
        let secret = text
            .strip_suffix('\n')
            .map_or(text.as_str(), |line| line.strip_suffix('\r').unwrap_or(line));
        if secret.is_empty() {
            return refuse(
                &format!("{origin} is empty"),
                "put the secret there, or leave this key out",
            );
        }
        if !secret.bytes().all(|b| b.is_ascii_graphic()) {
            return refuse(
                &format!("{origin} holds more than one plain word"),
                "a secret is visible ASCII characters without spaces or line breaks, ended by one line break at most",
            );
        }
        Ok(SecretString::from(secret.to_owned()))
    }
}

fn read(path: &Path) -> Result<String, SecretError> {
    let unreadable = |why: &dyn fmt::Display| {
        SecretError {
        message: format!("the file {} cannot be read: {why}", path.display()),
        hint: "relative paths start at the configuration file; the gateway's user must be able to read it".to_owned(),
    }
    };
    let length = std::fs::metadata(path).map_err(|error| unreadable(&error))?;
    if !length.is_file() || length.len() > MAX_BYTES {
        return Err(unreadable(&"it is not a small file"));
    }
    std::fs::read_to_string(path).map_err(|error| unreadable(&error))
}

fn is_variable(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_ascii_digit())
        && !name.is_empty()
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

fn refuse<T>(message: &str, hint: &str) -> Result<T, SecretError> {
    Err(SecretError { message: message.to_owned(), hint: hint.to_owned() })
}
