//! The registries of the wire: sorted, and complete. A file in a folder that others extend must
//! stand in the list that others read.

use super::{Finding, Tree};

/// A sorted list of everything in a folder.
struct Registry {
    /// The file that holds the list.
    file: &'static str,
    /// The line on which it begins; it ends with `];`.
    begins: &'static str,
    /// What stands before and after the name of a file in an entry.
    before: &'static str,
    after: &'static str,
    folder: &'static str,
}

const REGISTRIES: &[Registry] = &[
    Registry {
        file: "crates/tollgate-wire/src/dialect.rs",
        begins: "pub const DIALECTS",
        before: "&dialects::",
        after: "::",
        folder: "crates/tollgate-wire/src/dialects/",
    },
    Registry {
        file: "crates/tollgate-wire/src/provider.rs",
        begins: "pub const PROVIDERS",
        before: "&providers::",
        after: "::ROW",
        folder: "crates/tollgate-wire/src/providers/",
    },
];

const OPERATIONS: &str = "crates/tollgate-wire/src/operation.rs";

/// A file of a dialect that holds one of these is a codec, and stands in `OPERATIONS`.
const CODECS: &[&str] =
    &["impl CountTokens for", "impl Embed for", "impl Models for", "impl Rerank for"];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for registry in REGISTRIES {
        registry.check(tree, &mut found);
    }
    operations(tree, &mut found);
    found
}

impl Registry {
    fn check(&self, tree: &Tree, found: &mut Vec<Finding>) {
        let Some(file) = tree.get(self.file) else { return };
        let mut names = Vec::new();
        let mut inside = false;
        for (line, text) in file.lines() {
            if text.starts_with(self.begins) {
                inside = true;
            } else if inside && text.trim() == "];" {
                inside = false;
            } else if inside
                && let Some((_, rest)) = text.split_once(self.before)
                && let Some((name, _)) = rest.split_once(self.after)
            {
                if names.last().is_some_and(|last: &&str| *last >= name) {
                    found.push(file.finding(line, format!("`{name}` is out of order")));
                }
                names.push(name);
            }
        }
        if names.is_empty() {
            found.push(file.finding(0, format!("no entries after `{}`", self.begins)));
        }
        for source in tree.rust() {
            let below = source.path.strip_prefix(self.folder);
            let Some(name) = below.and_then(|path| path.split(['/', '.']).next()) else { continue };
            if !names.contains(&name) {
                found.push(source.finding(0, format!("`{name}` is not in `{}`", self.begins)));
                names.push(name);
            }
        }
    }
}

fn operations(tree: &Tree, found: &mut Vec<Finding>) {
    let Some(file) = tree.get(OPERATIONS) else { return };
    let rows = file.text.split_once("pub const OPERATIONS").map_or("", |(_, rest)| rest);
    let rows = rows.split_once("];").map_or("", |(rows, _)| rows);
    let names = rows.split("row(").skip(1).filter_map(|row| row.split('"').nth(1));
    let names: Vec<_> = names.collect();
    if names.is_empty() || !names.is_sorted() {
        found.push(file.finding(0, "OPERATIONS is empty or not sorted by dialect"));
    }
    for source in tree.rust() {
        let Some(below) = source.path.strip_prefix("crates/tollgate-wire/src/dialects/") else {
            continue;
        };
        let codec = source.shipped().any(|(_, line)| CODECS.iter().any(|c| line.starts_with(c)));
        let path = below.trim_end_matches(".rs").replace('/', "::");
        if codec && !rows.contains(&format!("dialects::{path}::")) {
            found.push(source.finding(0, "this codec is not in OPERATIONS"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIALECT: &str = "crates/tollgate-wire/src/dialect.rs";

    fn list(names: &[&str]) -> String {
        let entries: String =
            names.iter().map(|name| format!("    &dialects::{name}::X,\n")).collect();
        format!("pub const DIALECTS: &[&Dialect] = &[\n{entries}];\n")
    }

    fn found(names: &[&str], files: &[&str]) -> usize {
        let list = list(names);
        let paths: Vec<_> =
            files.iter().map(|f| format!("crates/tollgate-wire/src/dialects/{f}")).collect();
        let mut tree = vec![(DIALECT, list.as_str())];
        tree.extend(paths.iter().map(|path| (path.as_str(), "")));
        check(&Tree::of(&tree)).len()
    }

    #[test]
    fn a_list_is_sorted_and_complete() {
        assert_eq!(found(&["a", "b"], &["a.rs", "b.rs", "b/reply.rs"]), 0);
        assert_eq!(found(&["b", "a"], &["a.rs", "b.rs"]), 1, "out of order");
        assert_eq!(found(&["a"], &["a.rs", "b.rs", "b/reply.rs"]), 1, "not registered");
        assert_eq!(found(&[], &[]), 1, "an empty list is no list");
    }

    #[test]
    fn a_codec_stands_among_the_operations() {
        let list = "pub const OPERATIONS: &[OperationRow] = &[\n    row(\"a\", dialects::a::embed::E),\n];\n";
        let codec = "//! x\nimpl Embed for E {}\n";
        let at = |path| check(&Tree::of(&[(OPERATIONS, list), (path, codec)])).len();
        assert_eq!(at("crates/tollgate-wire/src/dialects/a/embed.rs"), 0);
        assert_eq!(at("crates/tollgate-wire/src/dialects/b/embed.rs"), 1);
        let unsorted = list.replace("];", "    row(\"A\", x),\n];");
        assert_eq!(check(&Tree::of(&[(OPERATIONS, unsorted.as_str())])).len(), 1);
    }
}
