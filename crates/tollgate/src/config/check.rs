//! From the file as written to the configuration as checked. Every concern has its own file; this
//! one holds what they share: the place of every value, the refusals gathered so far, and the order
//! of the checks.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use tollgate_catalogue::Catalogue;

use super::place::Path;
use super::refusal::Refusal;
use super::secret::{Reference, Surroundings};
use super::yaml::Node;
use super::{
    Config, limits, listen, models, prices, providers, shape, storage, teams, units, written, yaml,
};

/// Longest name of a provider, team or key.
const MAX_NAME: usize = 64;

/// What is known while a file is checked.
pub(super) struct Check<'a> {
    pub(super) around: &'a Surroundings<'a>,
    tree: Node,
    refusals: Vec<Refusal>,
    files: Vec<PathBuf>,
}

/// Checks a whole file. Returns the configuration and the other files it was made from.
///
/// # Errors
/// Everything that is wrong with it: first what is no YAML, then what has the wrong shape, then
/// what makes no sense.
pub(super) fn check(
    text: &str,
    around: &Surroundings<'_>,
) -> Result<(Config, Vec<PathBuf>), Vec<Refusal>> {
    let tree = yaml::parse(text).map_err(|refusal| vec![refusal])?;
    let departures = shape::departures(&tree, &written::schema());
    if !departures.is_empty() {
        return Err(departures);
    }
    let file: written::File = serde_json::from_value(tree.to_json()).map_err(|error| {
        let hint = "compare the file with what `tollgate schema` prints";
        vec![Refusal::new(tree.at, &Path::top(), error.to_string(), hint)]
    })?;
    let mut check = Check { around, tree, refusals: Vec::new(), files: Vec::new() };
    let config = check.file(file);
    if check.refusals.is_empty() { Ok((config, check.files)) } else { Err(check.refusals) }
}

impl Check<'_> {
    /// Only to be used when nothing was refused.
    fn file(&mut self, file: written::File) -> Config {
        let listen = listen::check(self, file.listen.unwrap_or_default());
        let providers = providers::check(self, file.providers, &listen);
        let models = models::check(self, file.models.unwrap_or_default(), &providers);
        let teams = teams::check(self, file.teams.unwrap_or_default(), &models, &providers);
        let keys = teams::check_keys(self, file.keys.unwrap_or_default(), &teams);
        let catalogue = Arc::new(self.catalogue(file.catalogue.as_deref()));
        let prices = prices::check(self, file.prices.unwrap_or_default(), &providers).into();
        Config {
            prices,
            storage: storage::check(self, file.storage.unwrap_or_default()),
            limits: limits::check(self, &file.limits.unwrap_or_default()),
            shutdown_grace: limits::check_shutdown(self, &file.shutdown.unwrap_or_default()),
            log: limits::check_log(&file.log.unwrap_or_default()),
            listen,
            providers,
            models,
            teams,
            keys,
            catalogue,
        }
    }

    /// The catalogue of models: the file's, else the one that the program carries.
    fn catalogue(&mut self, written: Option<&str>) -> Catalogue {
        let Some(written) = written else { return Catalogue::built_in() };
        let path = Path::top().key("catalogue");
        let Some(bytes) = self.file_bytes(&path, written) else { return Catalogue::built_in() };
        let read = String::from_utf8(bytes)
            .map_err(|_| "it is not UTF-8".to_owned())
            .and_then(|text| Catalogue::read(text).map_err(|error| error.to_string()));
        read.unwrap_or_else(|why| {
            let hint = "`tollgate catalogue make` and `tollgate catalogue fetch` write such files";
            self.refuse(&path, format!("`{written}` is no catalogue: {why}"), hint);
            Catalogue::built_in()
        })
    }

    pub(super) fn refuse(
        &mut self,
        path: &Path,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.refusals.push(Refusal::new(self.tree.place(path), path, message, hint));
    }

    /// Whether anything was refused so far: what depends on it is then not refused a second time.
    #[must_use]
    pub(super) fn refused_any(&self) -> bool {
        !self.refusals.is_empty()
    }

    /// Whether something is written at `path`.
    #[must_use]
    pub(super) fn stands(&self, path: &Path) -> bool {
        self.tree.find(path).is_some()
    }

    /// A duration within its bounds, or `default` when none is written.
    pub(super) fn duration(
        &mut self,
        path: &Path,
        text: Option<&str>,
        default: Duration,
        most: Duration,
    ) -> Duration {
        let Some(text) = text else { return default };
        match units::duration(text) {
            Some(duration) if !duration.is_zero() && duration <= most => duration,
            Some(_) => {
                let hint = format!("it can be from `1ms` to `{}`", units::show_duration(most));
                self.refuse(path, format!("`{text}` cannot be"), hint);
                default
            }
            None => {
                let hint =
                    "a whole number and its unit, `ms`, `s`, `m` or `h`: `500ms`, `20s`, `10m`";
                self.refuse(path, format!("`{text}` is not a duration"), hint);
                default
            }
        }
    }

    /// A size within its bounds, or `default` when none is written.
    pub(super) fn size(
        &mut self,
        path: &Path,
        text: Option<&str>,
        default: usize,
        bounds: (usize, usize),
    ) -> usize {
        let Some(text) = text else { return default };
        match units::size(text) {
            Some(size) if (bounds.0..=bounds.1).contains(&size) => size,
            Some(_) => {
                let (least, most) = (units::show_size(bounds.0), units::show_size(bounds.1));
                self.refuse(
                    path,
                    format!("`{text}` cannot be"),
                    format!("it can be from `{least}` to `{most}`"),
                );
                default
            }
            None => {
                let hint =
                    "a whole number and its unit, `B`, `KiB`, `MiB` or `GiB`: `64KiB`, `32MiB`";
                self.refuse(path, format!("`{text}` is not a size"), hint);
                default
            }
        }
    }

    /// A number within its bounds, or `default` when none is written.
    pub(super) fn count(
        &mut self,
        path: &Path,
        number: Option<u32>,
        default: usize,
        bounds: (usize, usize),
    ) -> usize {
        let Some(number) = number else { return default };
        let number = number as usize;
        if !(bounds.0..=bounds.1).contains(&number) {
            self.refuse(
                path,
                format!("{number} cannot be"),
                format!("it can be from {} to {}", bounds.0, bounds.1),
            );
        }
        number
    }

    /// What the reference leads to.
    pub(super) fn secret(&mut self, path: &Path, text: &str) -> Option<SecretString> {
        let found = Reference::parse(text, self.around).and_then(|reference| {
            if let Reference::File(file) = &reference {
                self.files.push(file.clone());
            }
            reference.resolve(self.around)
        });
        found.map_err(|error| self.refuse(path, error.message, error.hint)).ok()
    }

    /// The bytes of a file that the configuration names, read within a bound.
    pub(super) fn file_bytes(&mut self, path: &Path, written: &str) -> Option<Vec<u8>> {
        const MAX_BYTES: u64 = 4 << 20;
        let file = self.around.path(written);
        let read = std::fs::metadata(&file).and_then(|about| {
            if about.is_file() && about.len() <= MAX_BYTES {
                std::fs::read(&file)
            } else {
                Err(std::io::Error::other("it is not a file of reasonable size"))
            }
        });
        let shown = file.display().to_string();
        self.files.push(file);
        read.map_err(|error| {
            let hint = "relative paths start at the configuration file; the gateway's user must be able to read it";
            self.refuse(path, format!("the file {shown} cannot be read: {error}"), hint);
        })
        .ok()
    }

    /// Whether `name`, a key of a mapping, may be the name of a provider, team or key.
    pub(super) fn name(&mut self, path: &Path, name: &str) -> bool {
        let plain = is_name(name);
        if !plain {
            let hint = format!(
                "a name is at most {MAX_NAME} letters, digits, `-`, `_` and `.`, beginning with a letter or digit"
            );
            self.refuse(path, format!("{name:?} cannot be a name"), hint);
        }
        plain
    }
}

/// Whether `name` may be the name of a provider, team or key.
#[must_use]
pub fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
        && name.len() <= MAX_NAME
}
