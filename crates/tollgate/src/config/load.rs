//! Reads a configuration file of this machine, with the environment of this process. The checks
//! themselves are in `check`, where both are arguments.

use std::path::{Path as FilePath, PathBuf};

use super::check::check;
use super::place::{Path, Place};
use super::refusal::{Refusal, Refusals};
use super::secret::Surroundings;
use super::{Config, yaml};

/// A configuration, and every file it was made from, the configuration file first. A change of any
/// of them is a reason to read it again.
#[derive(Debug)]
pub struct Loaded {
    pub config: Config,
    pub files: Vec<PathBuf>,
}

impl Config {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with its place and a hint.
    pub fn load(file: &FilePath) -> Result<Loaded, Refusals> {
        let text = read(file).map_err(|why| {
            let message = format!("it cannot be read: {why}");
            let hint = "name an existing file that the gateway's user may read";
            Refusals::new(
                file.to_owned(),
                vec![Refusal::new(Place::default(), &Path::top(), message, hint)],
            )
        })?;
        Self::from_text(file, &text, &|name| std::env::var(name).ok())
    }

    /// Checks `text` as if it stood in `file`, with `variable` for the environment.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn from_text(
        file: &FilePath,
        text: &str,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Loaded, Refusals> {
        let directory = file.parent().map(FilePath::to_owned).unwrap_or_default();
        let around = Surroundings { variable, directory };
        let (config, mut others) =
            check(text, &around).map_err(|refusals| Refusals::new(file.to_owned(), refusals))?;
        others.sort();
        others.dedup();
        let mut files = vec![file.to_owned()];
        files.append(&mut others);
        Ok(Loaded { config, files })
    }
}

fn read(file: &FilePath) -> Result<String, String> {
    let about = std::fs::metadata(file).map_err(|error| error.to_string())?;
    if !about.is_file() {
        return Err("it is not a file".to_owned());
    }
    if about.len() > yaml::MAX_BYTES as u64 {
        return Err(format!("it is larger than {} MiB", yaml::MAX_BYTES >> 20));
    }
    let bytes = std::fs::read(file).map_err(|error| error.to_string())?;
    String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())
}
