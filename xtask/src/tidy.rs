//! `xtask tidy`: the house rules that a machine can hold, as data and small checks over the text
//! of the repository.
//!
//! Deliberately absent: what the compiler, clippy and cargo-deny already hold.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, ensure};

mod contents;
mod floors;
mod pages;
mod registries;
mod repeats;
mod sizes;
mod words;

/// Every rule, in the order in which findings are printed.
const RULES: &[(&str, Rule)] = &[
    ("floors", floors::check),
    ("pages", pages::check),
    ("registries", registries::check),
    ("repeats", repeats::check),
    ("sizes", sizes::check),
    ("words", words::check),
    ("contents", contents::check),
];

type Rule = fn(&Tree) -> Vec<Finding>;

/// Folders that are not written by hand.
const SKIPPED: &[&str] =
    &[".git", ".venv", "__pycache__", "dist", "node_modules", "target", "tollgate-data"];

/// Files that are text, by the end of their name; and those without an ending.
const TEXT: &[&str] = &[
    "css", "html", "js", "json", "md", "mjs", "py", "rs", "sh", "sql", "toml", "ts", "tsx", "tsv",
];
const MORE_TEXT: &[&str] = &["yaml", "yml", "conf", "txt"];

/// Lock files are written by tools.
const WRITTEN_BY_TOOLS: &[&str] = &["Cargo.lock", "package-lock.json"];

pub(crate) fn run() -> Result<ExitCode> {
    let tree = Tree::read(&root())?;
    ensure!(tree.get("Cargo.toml").is_some(), "the root of the repository was not found");
    let mut count = 0;
    for (name, rule) in RULES {
        for finding in rule(&tree) {
            println!("{finding} ({name})");
            count += 1;
        }
    }
    println!("tidy: {} files, {count} findings", tree.files.len());
    Ok(if count == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The text files of the repository.
#[derive(Debug, Default)]
struct Tree {
    files: Vec<Source>,
}

#[derive(Debug, Default)]
struct Source {
    /// Below the root, with `/`.
    path: String,
    text: String,
}

/// One place that breaks a rule.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    path: String,
    /// From 1; 0 for the whole file.
    line: usize,
    what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.what)
    }
}

impl Tree {
    fn read(root: &Path) -> Result<Self> {
        let mut tree = Self::default();
        tree.walk(root, String::new())?;
        tree.files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(tree)
    }

    fn walk(&mut self, folder: &Path, below: String) -> Result<()> {
        for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = if below.is_empty() { name.clone() } else { format!("{below}/{name}") };
            if entry.file_type()?.is_dir() {
                if !SKIPPED.contains(&name.as_str()) && !name.starts_with(".venv") {
                    self.walk(&entry.path(), path)?;
                }
            } else if is_text(&name)
                && let Ok(text) = fs::read_to_string(entry.path())
            {
                self.files.push(Source { path, text });
            }
        }
        Ok(())
    }

    fn get(&self, path: &str) -> Option<&Source> {
        self.files.iter().find(|file| file.path == path)
    }

    /// Rust sources.
    fn rust(&self) -> impl Iterator<Item = &Source> {
        self.files.iter().filter(|file| file.path.ends_with(".rs"))
    }
}

fn is_text(name: &str) -> bool {
    let ending = name.rsplit_once('.').map(|(_, ending)| ending);
    let known = |ending: &str| TEXT.contains(&ending) || MORE_TEXT.contains(&ending);
    ending.is_none_or(known) && !WRITTEN_BY_TOOLS.contains(&name)
}

impl Source {
    fn finding(&self, line: usize, what: impl Into<String>) -> Finding {
        Finding { path: self.path.clone(), line, what: what.into() }
    }

    /// Numbered lines, from 1.
    fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(at, line)| (at + 1, line))
    }

    /// Numbered lines that ship: no comments, and nothing from the test module on.
    fn shipped(&self) -> impl Iterator<Item = (usize, &str)> {
        let tests = self.tests_begin();
        self.lines()
            .take_while(move |(line, _)| *line < tests)
            .filter(|(_, text)| !text.trim_start().starts_with("//"))
    }

    /// The line of the first `#[cfg(test)]` that opens a module; past the end if there is none.
    fn tests_begin(&self) -> usize {
        let mut marked = false;
        for (line, text) in self.lines() {
            if marked && text.trim_start().starts_with("mod ") && text.ends_with('{') {
                return line - 1;
            }
            marked = text.trim() == "#[cfg(test)]";
        }
        usize::MAX
    }

    /// Only ever runs in tests.
    fn is_test(&self) -> bool {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        name == "tests.rs" || self.path.contains("/tests/") || self.path.starts_with("tests/")
    }

    fn stem(&self) -> &str {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        name.split('.').next().unwrap_or_default()
    }
}

#[cfg(test)]
impl Tree {
    /// A tree of these files, for the tests of the rules.
    fn of(files: &[(&str, &str)]) -> Self {
        let source = |(path, text): &(&str, &str)| Source {
            path: (*path).to_owned(),
            text: (*text).to_owned(),
        };
        Self { files: files.iter().map(source).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ships_ends_where_the_tests_begin_and_holds_no_comments() {
        let text = "//! x\nfn a() {}\n// b\n#[cfg(test)]\nmod tests {\nfn c() {}\n}\n";
        let source = Source { path: "a.rs".into(), text: text.into() };
        let shipped: Vec<_> = source.shipped().collect();
        assert_eq!(shipped, [(2, "fn a() {}")]);
    }
}
