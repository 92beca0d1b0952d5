//! Names: no file, function or type is called by a word that says nothing. And each source opens
//! with what it is.

use super::{Finding, Tree};

const FILES: &[&str] =
    &["base", "common", "helper", "helpers", "manager", "misc", "shared", "util", "utils"];

const FUNCTIONS: &[&str] = &["do_", "handle_", "process_"];

const TYPES: &[&str] = &["Helper", "Manager", "Service", "Util", "Utils"];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for file in tree.rust() {
        if FILES.contains(&file.stem()) {
            found.push(file.finding(0, format!("`{}` says nothing", file.stem())));
        }
        if !file.text.starts_with("//! ") {
            found.push(file.finding(1, "a file opens with `//!` and what it is"));
        }
        for (line, text) in file.lines() {
            let text = text.trim_start();
            if text.starts_with("//") {
                continue;
            }
            if let Some(name) = named(text, &["fn "])
                && FUNCTIONS.iter().any(|prefix| name.starts_with(prefix))
            {
                found.push(file.finding(line, format!("`{name}` says nothing")));
            }
            if let Some(name) = named(text, &["struct ", "enum ", "trait ", "type "])
                && TYPES.iter().any(|ending| name.ends_with(ending))
            {
                found.push(file.finding(line, format!("`{name}` says nothing")));
            }
        }
    }
    found
}

/// The name that a line gives to something of one of these kinds.
fn named<'t>(line: &'t str, kinds: &[&str]) -> Option<&'t str> {
    let mut words = line;
    for word in ["pub(crate) ", "pub(super) ", "pub ", "const ", "async "] {
        words = words.strip_prefix(word).unwrap_or(words);
    }
    let rest = kinds.iter().find_map(|kind| words.strip_prefix(kind))?;
    let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
    Some(&rest[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> usize {
        check(&Tree::of(&[(path, text)])).len()
    }

    #[test]
    fn words_that_say_nothing_are_found() {
        assert_eq!(found("a.rs", "//! x\nfn read() {}\nstruct Reader;\n"), 0);
        assert_eq!(found("utils.rs", "//! x\n"), 1);
        assert_eq!(found("a.rs", "//! x\n    pub(crate) async fn handle_it() {}\n"), 1);
        assert_eq!(found("a.rs", "//! x\nfn process_all() {}\nfn do_it() {}\n"), 2);
        assert_eq!(found("a.rs", "//! x\npub struct KeyManager {}\n"), 1);
    }

    #[test]
    fn a_file_opens_with_what_it_is() {
        assert_eq!(found("a.rs", "use x;\n"), 1);
        assert_eq!(found("a.rs", "//! What it is.\n"), 0);
    }
}
