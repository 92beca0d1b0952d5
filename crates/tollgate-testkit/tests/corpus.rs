//! The promise to the user, on recorded traffic: nothing lost, nothing invented, whichever dialect
//! the caller and the provider speak.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test: what is skipped is said aloud"
)]

use std::sync::LazyLock;

use serde_json::json;
use tollgate_testkit::judge::{self, Kind, Verdict, report};
use tollgate_testkit::{Corpus, exceptions};

static CORPUS: LazyLock<Option<Corpus>> = LazyLock::new(|| Corpus::load().unwrap());

static VERDICTS: LazyLock<Vec<Verdict>> =
    LazyLock::new(|| corpus().map(judge::judge).unwrap_or_default());

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
    assert!(proved.len() > 3800, "{} recordings", proved.len());
    let wrong: Vec<_> = proved.iter().filter(|(_, differences)| !differences.is_empty()).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Of every pair of dialects, 99 % at least, what is excepted counted as failed; of a recording's
/// own dialect, all but what is excepted; and nothing fails that is not excepted.
#[test]
fn recorded_traffic_comes_through_every_pair_of_dialects() {
    if corpus().is_none() {
        return;
    }
    let mut verdicts = VERDICTS.clone();
    assert!(verdicts.len() > 17_000, "{} verdicts", verdicts.len());
    for ((kind, dialect), row) in report::by_dialect(&verdicts) {
        for (ingress, tally) in row {
            let share = tally.per_mille();
            // A handful of recordings has no hundredth.
            let bar = if tally.all < 100 { 930 } else { 990 };
            let few = tally.all - tally.passed <= 2;
            assert!(share >= bar || few, "{} {dialect} -> {ingress}: {tally:?}", kind.as_str());
        }
    }
    let exceptions = exceptions::all().unwrap();
    let stale = exceptions::excuse(&mut verdicts, &exceptions);
    assert!(stale.is_empty(), "exceptions that excuse nothing any more: {stale:#?}");
    let failed: Vec<_> = verdicts.iter().filter(|verdict| !verdict.passed()).collect();
    assert!(failed.is_empty(), "{} failed: {:#?}", failed.len(), &failed[..failed.len().min(5)]);
}

#[test]
fn every_recorded_provider_has_its_row() {
    let Some(corpus) = corpus() else { return };
    let without: Vec<_> =
        corpus.providers.iter().filter(|provider| judge::row(provider).is_none()).collect();
    assert!(without.is_empty(), "{without:?}");
    assert!(corpus.providers.len() > 40, "{:?}", corpus.providers);
}

/// A judge that passes everything would pass above too: what is spoilt here must fail, everywhere.
#[test]
fn the_judge_sees_what_is_wrong() {
    let spoils = [
        ("text", json!("something else")),
        ("finish", json!("content_filter")),
        ("usage", json!({"input": 1})),
    ];
    for (field, value) in spoils {
        let Some(mut corpus) = Corpus::load().unwrap() else { return };
        corpus.exchanges.retain(|exchange| exchange.expected_kind() == "message");
        corpus.exchanges.truncate(100);
        for exchange in &mut corpus.exchanges {
            exchange.expect[field] = value.clone();
        }
        let answers = corpus.exchanges.iter().flat_map(judge::answers::judge);
        let passed: Vec<_> = answers.filter(Verdict::passed).map(|verdict| verdict.id).collect();
        assert!(passed.is_empty(), "{field}: {passed:?}");
    }
}

/// What is refused is what the other vendor cannot hear or see, or does not fetch.
#[test]
fn few_requests_cannot_be_had_from_another_vendor() {
    if corpus().is_none() {
        return;
    }
    let crossed = |verdict: &&Verdict| verdict.kind == Kind::Request && !verdict.is_own();
    let crossed: Vec<_> = VERDICTS.iter().filter(crossed).collect();
    let refused: Vec<_> = crossed.iter().filter_map(|verdict| verdict.refused.as_ref()).collect();
    assert!(refused.len() * 50 < crossed.len(), "{} of {}", refused.len(), crossed.len());
    let media = |reason: &&&String| {
        ["audio", "video", "by its address or file id", "by its own dialect only"]
            .iter()
            .any(|what| reason.contains(what))
    };
    let other: Vec<_> = refused.iter().filter(|reason| !media(reason)).collect();
    assert!(other.is_empty(), "{other:?}");
}
