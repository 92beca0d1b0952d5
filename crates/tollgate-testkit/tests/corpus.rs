//! The promise to the user, on recorded traffic: nothing lost, nothing invented, whichever dialect
//! the caller and the provider speak.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test: what is skipped is said aloud"
)]

use std::sync::LazyLock;

use tollgate_testkit::{Corpus, judge};

static CORPUS: LazyLock<Option<Corpus>> = LazyLock::new(|| Corpus::load().unwrap());

/// The recordings, or a line that says what is skipped.
fn corpus() -> Option<&'static Corpus> {
    if CORPUS.is_none() {
        eprintln!("SKIPPED: no corpus at {}", tollgate_testkit::corpus::place().display());
    }
    CORPUS.as_ref()
}

#[test]
fn the_readers_read_every_recording_of_their_own_dialect_as_the_corpus_says() {
    let Some(corpus) = corpus() else { return };
    let proved = judge::proof::prove(corpus);
    assert!(proved.len() > 2600, "{} recordings", proved.len());
    let wrong: Vec<_> = proved.iter().filter(|(_, differences)| !differences.is_empty()).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
