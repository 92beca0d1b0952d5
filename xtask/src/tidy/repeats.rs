//! No run of six or more lines stands twice across the dialects and providers: what two of them
//! share has a module of its own, named after the thing it is about.
//!
//! Lines count as trimmed; blank lines, comments, imports and tests do not. Deliberately absent:
//! the rest of the repository, and likeness that is not equality.

use std::collections::HashMap;

use super::{Finding, Source, Tree};

/// Folders that are held against each other, and the files that open them.
const FOLDERS: &[&str] =
    &["crates/tollgate-wire/src/dialects/", "crates/tollgate-wire/src/providers/"];

/// So many equal lines are a run.
const RUN: usize = 6;

/// Runs that still stand twice, to be mended: more are refused.
const LEFT: usize = 50;

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let runs = runs(tree);
    if runs.len() > LEFT { runs } else { Vec::new() }
}

fn runs(tree: &Tree) -> Vec<Finding> {
    let held = |file: &&Source| FOLDERS.iter().any(|at| file.path.starts_with(at));
    let files: Vec<Lines<'_>> =
        tree.rust().filter(held).filter(|file| !file.is_test()).map(Lines::of).collect();
    let mut first: HashMap<&[&str], Place> = HashMap::new();
    let mut found = Vec::new();
    for (file, lines) in files.iter().enumerate() {
        // Where the run stands that the line before belongs to.
        let mut going_on: Option<Place> = None;
        for (at, window) in lines.texts.windows(RUN).enumerate() {
            let here = Place { file, at };
            let Some(there) = first.get(window).copied() else {
                first.insert(window, here);
                going_on = None;
                continue;
            };
            // A run does not stand twice where it overlaps itself.
            if there.file == file && at - there.at < RUN {
                going_on = None;
                continue;
            }
            if going_on != Some(there) {
                let length = common(lines, at, &files[there.file], there.at);
                let other = &files[there.file];
                let what = format!(
                    "{length} lines as they stand in {}:{}",
                    other.source.path, other.numbers[there.at]
                );
                found.push(lines.source.finding(lines.numbers[at], what));
            }
            going_on = Some(Place { file: there.file, at: there.at + 1 });
        }
    }
    found
}

/// A line, by its number among those that count.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Place {
    file: usize,
    at: usize,
}

/// The lines of a file that count.
struct Lines<'a> {
    source: &'a Source,
    numbers: Vec<usize>,
    texts: Vec<&'a str>,
}

impl<'a> Lines<'a> {
    fn of(source: &'a Source) -> Self {
        let mut lines = Self { source, numbers: Vec::new(), texts: Vec::new() };
        let mut importing = false;
        for (number, text) in source.shipped() {
            let text = text.trim();
            let visible = text.strip_prefix("pub ").unwrap_or(text);
            importing |= visible.starts_with("use ");
            if importing {
                importing = !text.ends_with(';');
            } else if !text.is_empty() {
                lines.numbers.push(number);
                lines.texts.push(text);
            }
        }
        lines
    }
}

/// How many lines from these places on are equal.
fn common(a: &Lines<'_>, at: usize, b: &Lines<'_>, bt: usize) -> usize {
    a.texts[at..].iter().zip(&b.texts[bt..]).take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUN_OF_SIX: &str = "a();\nb();\nc();\nd();\ne();\nf();\n";

    fn found(files: &[(&str, &str)]) -> Vec<String> {
        let at = |path: &str| format!("crates/tollgate-wire/src/{path}");
        let files: Vec<_> = files.iter().map(|(path, text)| (at(path), *text)).collect();
        let files: Vec<_> = files.iter().map(|(path, text)| (path.as_str(), *text)).collect();
        runs(&Tree::of(&files)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_run_that_stands_twice_is_found_once_with_its_length() {
        let other = format!("x();\n\n// Why.\n{RUN_OF_SIX}g();\n");
        let again = format!("{RUN_OF_SIX}g();\nh();\n");
        let found = found(&[("dialects/a.rs", &other), ("providers/b.rs", &again)]);
        assert_eq!(
            found,
            ["crates/tollgate-wire/src/providers/b.rs:1: \
              7 lines as they stand in crates/tollgate-wire/src/dialects/a.rs:4"]
        );
    }

    #[test]
    fn indentation_blanks_and_comments_hide_no_run() {
        let other = "  a();\n\n  b(); \n// c\n  c();\n  d();\n  e();\n  f();\n";
        assert_eq!(found(&[("dialects/a.rs", RUN_OF_SIX), ("dialects/b.rs", other)]).len(), 1);
        let twice = format!("{RUN_OF_SIX}x();\n{RUN_OF_SIX}");
        assert_eq!(found(&[("dialects/a.rs", &twice)]).len(), 1);
    }

    #[test]
    fn five_lines_imports_tests_and_other_folders_are_no_run() {
        let five = "a();\nb();\nc();\nd();\ne();\n";
        assert!(found(&[("dialects/a.rs", five), ("dialects/b.rs", five)]).is_empty());
        let imports = "pub use x::{\na,\nb,\nc,\nd,\ne,\n};\nuse y::z;\n";
        assert!(found(&[("dialects/a.rs", imports), ("dialects/b.rs", imports)]).is_empty());
        let tests = format!("#[cfg(test)]\nmod tests {{\n{RUN_OF_SIX}}}\n");
        assert!(found(&[("dialects/a.rs", &tests), ("dialects/b.rs", &tests)]).is_empty());
        assert!(found(&[("dialects/a.rs", RUN_OF_SIX), ("scan.rs", RUN_OF_SIX)]).is_empty());
        let row = "a,\na,\na,\na,\na,\na,\na,\na,\n";
        assert!(found(&[("dialects/a.rs", row)]).is_empty());
    }
}
