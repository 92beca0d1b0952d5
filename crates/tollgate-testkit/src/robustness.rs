//! Hostile input from outside the repository: `corpora/robustness` of the shared folder.
//!
//! Nothing of it is copied here. Where the folder is absent a test says so and does no work, or
//! fails when `STRICT=1`.

#![expect(
    clippy::expect_used,
    clippy::print_stderr,
    reason = "tests alone use it: a broken corpus ends the test, and what is skipped is said aloud"
)]

use std::env;
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use serde_json::Value;

/// The records of one file, or `None` (said aloud) when the corpora are not on this machine.
///
/// # Panics
/// When the corpora are absent and must not be, or cannot be read.
#[must_use]
pub fn robustness(file: &str) -> Option<Vec<Value>> {
    let path = shared().join("corpora/robustness").join(file);
    if !path.exists() {
        assert!(env::var("STRICT").as_deref() != Ok("1"), "{} is absent", path.display());
        eprintln!("SKIPPED: {} is absent (set TOLLGATE_SHARED)", path.display());
        return None;
    }
    let packed = std::fs::read(&path).expect("the corpus can be read");
    let mut text = String::new();
    GzDecoder::new(&packed[..]).read_to_string(&mut text).expect("the corpus is gzip");
    Some(text.lines().map(|line| serde_json::from_str(line).expect("a record is JSON")).collect())
}

fn shared() -> PathBuf {
    env::var_os("TOLLGATE_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    )
}
