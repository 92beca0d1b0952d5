//! What must not stand in which crate, and what must stand nowhere.

use super::{Finding, Tree};

/// Words that do not belong on a floor.
struct Banned {
    /// Folders whose shipped sources must not hold them.
    at: &'static [&'static str],
    words: &'static [&'static str],
    because: &'static str,
}

const BANNED: &[Banned] = &[
    Banned {
        at: &[
            "crates/tollgate-model/src/",
            "crates/tollgate-policy/src/",
            "crates/tollgate-simulate/src/",
            "crates/tollgate-wire/src/",
        ],
        words: &[
            "Instant::now",
            "SystemTime",
            "std::env",
            "std::fs",
            "std::net",
            "std::process",
            "std::thread",
            "tokio::",
        ],
        because: "below the program, I/O, time and environment are arguments",
    },
    Banned {
        at: &["crates/tollgate/src/", "crates/tollgate-policy/src/", "crates/tollgate-wire/src/"],
        words: &["INSERT INTO ", "SELECT ", "DELETE FROM ", "sqlx::"],
        because: "only the store knows SQL",
    },
    Banned {
        at: &["crates/tollgate-store/src/"],
        words: &["http::", "hyper::", "axum::"],
        because: "the store knows no HTTP",
    },
    Banned {
        at: &["crates/tollgate/src/", "crates/tollgate-policy/src/", "crates/tollgate-model/src/"],
        words: &[
            "\"candidates\"",
            "\"completion_tokens\"",
            "\"content_block\"",
            "\"generationConfig\"",
            "\"max_completion_tokens\"",
            "\"prompt_tokens\"",
            "\"stop_reason\"",
            "\"tool_calls\":",
            "\"usageMetadata\"",
        ],
        because: "JSON field names of providers belong to the wire",
    },
];

/// What stands nowhere: unfinished work, and the paths of somebody's machine.
const NOWHERE: &[&str] =
    &["TODO", "FIXME", "XXX", "todo!", "unimplemented!", "/home/", "/root/", "/work/", "/Users/"];

/// Files that name what is banned in order to ban it.
const NAMES_IT: &[&str] = &["clippy.toml", "xtask/src/tidy/contents.rs"];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for file in tree.rust().filter(|file| !file.is_test()) {
        let here = BANNED.iter().filter(|ban| ban.at.iter().any(|at| file.path.starts_with(at)));
        for ban in here {
            for (line, text) in file.shipped() {
                if let Some(word) = ban.words.iter().find(|word| text.contains(**word)) {
                    found.push(file.finding(line, format!("`{word}`: {}", ban.because)));
                }
            }
        }
    }
    for file in tree.files.iter().filter(|file| !NAMES_IT.contains(&file.path.as_str())) {
        for (line, text) in file.lines() {
            if let Some(word) = NOWHERE.iter().find(|word| stands(text, word)) {
                found.push(file.finding(line, format!("`{word}` stands nowhere")));
            }
        }
    }
    found
}

/// `word` stands in the line, and is no part of a longer one.
fn stands(line: &str, word: &str) -> bool {
    let part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        let open_end = word.ends_with('/') || word.ends_with('!');
        // A path begins a word; in `https://host/home/` it does not.
        let begins = !part(before) && (!word.starts_with('/') || before != Some('.'));
        begins && (open_end || !part(after))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> usize {
        check(&Tree::of(&[(path, text)])).len()
    }

    #[test]
    fn what_does_not_belong_on_a_floor_is_found() {
        let wire = "crates/tollgate-wire/src/a.rs";
        assert_eq!(found(wire, "//! x\nuse std::net::IpAddr;\n"), 1);
        assert_eq!(found(wire, "//! std::net is not for us\n"), 0);
        assert_eq!(found(wire, "//! x\n#[cfg(test)]\nmod tests {\nuse std::fs;\n}\n"), 0);
        assert_eq!(found("crates/tollgate/src/a.rs", "//! x\nuse std::net::IpAddr;\n"), 0);
        assert_eq!(found("crates/tollgate/src/a.rs", "//! x\nlet q = \"SELECT 1\";\n"), 1);
        assert_eq!(found("crates/tollgate/src/a.rs", "//! x\nv[\"candidates\"]\n"), 1);
        assert_eq!(found("crates/tollgate-store/src/a.rs", "//! x\nuse http::Uri;\n"), 1);
    }

    #[test]
    fn unfinished_work_and_machine_paths_are_found_in_any_file() {
        for bad in ["# TODO later", "XXX", "unimplemented!()", "cd /work/x", "see /home/me"] {
            assert_eq!(found("docs/a.md", bad), 1, "{bad}");
        }
        for good in ["https://a.example/home/x", "mastodon", "TODOS", "sk-XXXX-fake", "/worker/"] {
            assert_eq!(found("docs/a.md", good), 0, "{good}");
        }
    }
}
