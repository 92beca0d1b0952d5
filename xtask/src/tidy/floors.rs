//! Which crate may stand on which: the table of `ARCHITECTURE.md` as data. A new edge is a decided
//! change, made here and there in one commit.

use super::{Finding, Tree};

struct Floor {
    /// Folder of the crate.
    at: &'static str,
    /// Everything that may stand under `[dependencies]`; `None`: anything.
    may_import: Option<&'static [&'static str]>,
}

const FLOORS: &[Floor] = &[
    Floor { at: "crates/tollgate", may_import: None },
    Floor {
        at: "crates/tollgate-catalogue",
        may_import: Some(&["serde", "serde_json", "thiserror", "tollgate-model"]),
    },
    Floor {
        at: "crates/tollgate-model",
        may_import: Some(&["bytes", "serde", "serde_json", "thiserror"]),
    },
    Floor {
        at: "crates/tollgate-policy",
        may_import: Some(&[
            "bytes",
            "jiff",
            "memchr",
            "serde",
            "serde_json",
            "thiserror",
            "tollgate-model",
        ]),
    },
    Floor {
        at: "crates/tollgate-simulate",
        may_import: Some(&[
            "base64",
            "bytes",
            "hmac",
            "memchr",
            "serde",
            "serde_json",
            "sha2",
            "thiserror",
        ]),
    },
    Floor {
        at: "crates/tollgate-store",
        may_import: Some(&[
            "aws-lc-rs",
            "base64",
            "crc32fast",
            "jiff",
            "secrecy",
            "serde",
            "serde_json",
            "redis",
            "sqlx",
            "thiserror",
            "tokio",
            "tollgate-model",
            "tracing",
        ]),
    },
    Floor {
        at: "crates/tollgate-testkit",
        may_import: Some(&[
            "base64",
            "bytes",
            "flate2",
            "http",
            "serde",
            "serde_json",
            "tollgate-model",
            "tollgate-wire",
        ]),
    },
    Floor {
        at: "crates/tollgate-wire",
        may_import: Some(&[
            "aws-credential-types",
            "aws-sigv4",
            "base64",
            "bytes",
            "crc32fast",
            "hmac",
            "http",
            "memchr",
            "serde",
            "serde_json",
            "sha2",
            "thiserror",
            "tollgate-model",
        ]),
    },
    Floor {
        at: "xtask",
        may_import: Some(&[
            "anyhow",
            "serde_json",
            "tollgate-catalogue",
            "tollgate-testkit",
            "tollgate-wire",
        ]),
    },
];

/// The program must not ship what only tests need.
const NEVER_SHIPPED: &[&str] = &["proptest", "rcgen", "tollgate-testkit"];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for file in tree.files.iter().filter(|file| file.path.ends_with("/Cargo.toml")) {
        let at = file.path.trim_end_matches("/Cargo.toml");
        if !at.starts_with("crates/") && at != "xtask" {
            continue;
        }
        let Some(floor) = FLOORS.iter().find(|floor| floor.at == at) else {
            found.push(file.finding(0, "this crate stands on no floor of the table"));
            continue;
        };
        for (line, name) in dependencies(&file.text) {
            match floor.may_import {
                Some(allowed) if !allowed.contains(&name) => {
                    found.push(file.finding(line, format!("{at} may not import {name}")));
                }
                None if NEVER_SHIPPED.contains(&name) => {
                    found.push(file.finding(line, format!("{name} is for tests only")));
                }
                _ => {}
            }
        }
    }
    found
}

/// Names under `[dependencies]`, with their lines.
fn dependencies(manifest: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut inside = false;
    manifest.lines().enumerate().filter_map(move |(at, line)| {
        if line.starts_with('[') {
            inside = line.trim() == "[dependencies]";
            return None;
        }
        let end = line.find(['.', ' ', '=']).unwrap_or(line.len());
        let name = line[..end].trim();
        (inside && !name.is_empty() && !name.starts_with('#')).then_some((at + 1, name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> usize {
        check(&Tree::of(&[(path, text)])).len()
    }

    #[test]
    fn an_edge_that_is_not_in_the_table_is_found() {
        let wire = "crates/tollgate-wire/Cargo.toml";
        assert_eq!(found(wire, "[dependencies]\nbytes.workspace = true\n"), 0);
        assert_eq!(found(wire, "[dependencies]\ntokio.workspace = true\n"), 1);
        assert_eq!(found(wire, "[dependencies]\ntollgate-policy = { path = \"x\" }\n"), 1);
        assert_eq!(found(wire, "[dev-dependencies]\nproptest.workspace = true\n"), 0);
        assert_eq!(found("crates/tollgate-new/Cargo.toml", ""), 1);
        let program = "crates/tollgate/Cargo.toml";
        assert_eq!(found(program, "[dependencies]\ntollgate-testkit.workspace = true\n"), 1);
    }
}
