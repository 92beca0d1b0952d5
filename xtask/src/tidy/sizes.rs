//! Files of at most 600 lines, functions of at most 80. Tests and pure tables are not counted.

use super::{Finding, Source, Tree};

const FILE: usize = 600;
const FUNCTION: usize = 80;

/// Files that are a table and nothing else, each with what it is a table of.
const PURE_TABLES: &[(&str, &str)] = &[];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for file in tree.rust().filter(|file| !file.is_test()) {
        let lines = file.text.lines().count().min(file.tests_begin().saturating_sub(1));
        let table = PURE_TABLES.iter().any(|(path, _)| *path == file.path);
        if lines > FILE && !table {
            found.push(file.finding(0, format!("{lines} lines, of at most {FILE}")));
        }
        functions(file, &mut found);
    }
    for (path, _) in PURE_TABLES.iter().filter(|(path, _)| tree.get(path).is_none()) {
        let path = (*path).to_owned();
        found.push(Finding { path, line: 0, what: "this table is no longer there".into() });
    }
    found
}

/// Reads the layout that rustfmt makes: a function ends with a brace at its own indentation.
fn functions(file: &Source, found: &mut Vec<Finding>) {
    let mut open: Option<(usize, usize)> = None;
    for (line, text) in file.shipped() {
        let indent = text.len() - text.trim_start().len();
        if begins_function(text.trim_start()) {
            open = Some((line, indent));
        }
        let Some((first, at)) = open else { continue };
        let only_declared = indent == at && text.ends_with(';');
        let one_line = line == first && text.ends_with('}');
        if only_declared || one_line {
            open = None;
        } else if indent == at && text.trim() == "}" {
            let lines = line - first + 1;
            if lines > FUNCTION {
                let what = format!("a function of {lines} lines, of at most {FUNCTION}");
                found.push(file.finding(first, what));
            }
            open = None;
        }
    }
}

fn begins_function(line: &str) -> bool {
    let mut rest = line;
    if let Some(after) = rest.strip_prefix("pub(") {
        rest = after.split_once(") ").map_or("", |(_, rest)| rest);
    }
    loop {
        let words = ["pub ", "const ", "async ", "extern \"C\" "];
        match words.iter().find_map(|word| rest.strip_prefix(word)) {
            Some(after) => rest = after,
            None => return rest.starts_with("fn "),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> usize {
        check(&Tree::of(&[(path, text)])).len()
    }

    #[test]
    fn long_files_are_found_unless_their_length_is_tests() {
        let long = "//\n".repeat(601);
        assert_eq!(found("a.rs", &long), 1);
        assert_eq!(found("a.rs", &"//\n".repeat(600)), 0);
        assert_eq!(found("a/tests.rs", &long), 0);
        let tested = format!("//! x\n#[cfg(test)]\nmod tests {{\n{long}}}\n");
        assert_eq!(found("a.rs", &tested), 0);
    }

    #[test]
    fn long_functions_are_found_wherever_they_stand() {
        let body = "        x();\n".repeat(79);
        let method = format!("impl A {{\n    pub(crate) async fn a(&self) {{\n{body}    }}\n}}\n");
        assert_eq!(found("a.rs", &method), 1);
        let short = format!("fn a() {{\n{}}}\n", "    x();\n".repeat(78));
        assert_eq!(found("a.rs", &short), 0);
        let declared = format!("trait T {{\n    fn a();\n{}}}\n", "    //\n".repeat(100));
        assert_eq!(found("a.rs", &declared), 0);
    }
}
