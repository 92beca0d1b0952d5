//! Recorded traffic through the running program: a scripted provider answers as it once did, and
//! callers of each dialect read what arrives over a socket.
//!
//! The pure part is judged on every recording elsewhere (`tollgate-testkit`); here a sample shows
//! that listener, pipeline, lanes and upstream add nothing and lose nothing.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test that breaks should say so at once")]

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use tollgate_testkit::digest::Difference;
use tollgate_testkit::judge::answers::expected;
use tollgate_testkit::judge::expressible::{Passage, exact, passed};
use tollgate_testkit::judge::{Kind, Verdict, in_parallel, row};
use tollgate_testkit::readers::{Answer, Shape, Writer};
use tollgate_testkit::{Corpus, Exchange, exceptions};

use caller::Caller;
use gate::Gate;

#[path = "replay/caller.rs"]
mod caller;
#[path = "replay/gate.rs"]
mod gate;
#[path = "replay/http1.rs"]
mod http1;
#[path = "replay/upstream.rs"]
mod upstream;

/// Recordings of each dialect, at least; all of its errors are among them.
const SAMPLE: usize = 310;

#[test]
fn what_a_provider_answered_arrives_in_every_dialect() {
    let Some(corpus) = Corpus::load().unwrap() else {
        eprintln!("SKIPPED: no corpus at {}", tollgate_testkit::corpus::place().display());
        return;
    };
    let sample: Vec<Exchange> = sample(corpus);
    let calls: Vec<(usize, Shape)> =
        (0..sample.len()).flat_map(|at| Shape::ALL.map(|to| (at, to))).collect();
    let kinds: BTreeMap<&str, Shape> = sample.iter().filter_map(kind).collect();
    let answers: HashMap<String, Arc<Exchange>> =
        sample.into_iter().map(|exchange| (exchange.id.clone(), Arc::new(exchange))).collect();
    let mut order: Vec<Arc<Exchange>> = answers.values().cloned().collect();
    order.sort_by(|a, b| a.id.cmp(&b.id));
    let upstream = upstream::start(answers);
    let gate = Gate::start(upstream, &kinds);

    let mut verdicts = in_parallel(&calls, |(at, to)| judge(&gate, &order[*at], *to));
    let mut pairs: BTreeMap<(String, &str), usize> = BTreeMap::new();
    for verdict in &verdicts {
        *pairs.entry((verdict.dialect.clone(), verdict.ingress)).or_default() += 1;
    }
    eprintln!("replayed through sockets: {pairs:?}");
    assert!(pairs.len() == 9 && pairs.values().all(|count| *count >= 300), "{pairs:?}");

    let _ = exceptions::excuse(&mut verdicts, &exceptions::all().unwrap());
    let failed: Vec<_> = verdicts.iter().filter(|verdict| !verdict.passed()).collect();
    for verdict in failed.iter().take(20) {
        eprintln!("{} -> {}: {:?}", verdict.id, verdict.ingress, verdict.differences);
    }
    assert!(failed.is_empty(), "{} of {} failed\n{}", failed.len(), calls.len(), gate.log());
}

/// Every so many of each dialect, and every error.
fn sample(corpus: Corpus) -> Vec<Exchange> {
    let wanted = |exchange: &Exchange| matches!(exchange.expected_kind(), "message" | "error");
    let mut by_dialect: BTreeMap<String, Vec<Exchange>> = BTreeMap::new();
    for exchange in corpus.exchanges.into_iter().filter(wanted) {
        if Shape::of(&exchange.dialect).is_some() {
            by_dialect.entry(exchange.dialect.clone()).or_default().push(exchange);
        }
    }
    let mut sample = Vec::new();
    for exchanges in by_dialect.into_values() {
        let step = (exchanges.len() / SAMPLE).max(1);
        let taken = exchanges.into_iter().enumerate().filter(|(at, exchange)| {
            at.is_multiple_of(step) || exchange.expected_kind() == "error"
        });
        sample.extend(taken.map(|(_, exchange)| exchange));
    }
    sample
}

/// The kind of provider that stands for the recorded one, and the dialect it is to speak.
fn kind(exchange: &Exchange) -> Option<(&'static str, Shape)> {
    Some((row(exchange)?.kind, Shape::of(&exchange.dialect)?))
}

fn judge(gate: &Gate, exchange: &Exchange, to: Shape) -> Verdict {
    let error = exchange.expected_kind() == "error";
    let kind_of = if error { Kind::Error } else { Kind::Answer };
    let mut verdict = Verdict::new(exchange, to.as_str(), kind_of);
    let Some((kind, from)) = kind(exchange) else { return verdict };
    let model = format!("{}/{}", gate::name(kind, from), exchange.id);
    let streamed = exchange.response.body.is_stream() || exchange.response.body.json.is_array();
    let answer = Caller::of(gate).call(to, &model, streamed);
    let found = &mut verdict.differences;
    let target = answer.header("x-tollgate-target");
    if target != Some(model.as_str()) {
        found.push(Difference::new("target", &model, target.unwrap_or("nothing")));
    }
    let stream = answer.header("content-type").is_some_and(|kind| kind.contains("event-stream"));
    let body = if stream { Answer::Stream(&answer.body) } else { Answer::Buffered(&answer.body) };
    let expected = expected(exchange, from);
    // On the same dialect the provider's own bytes pass, oddities and all.
    let by = if from == to { Writer::Provider } else { Writer::Gateway };
    match to.read(body, answer.status, by) {
        Ok(got) if from == to && exact(&expected, &got).is_empty() => {}
        Ok(got) => found.extend(passed(&expected, &got, Passage { from, to })),
        Err(what) => found.push(Difference::new("shape", "an answer as SDKs read it", what)),
    }
    // A key that the provider refuses is the gateway's, and none of the caller's business: it is
    // told in the gateway's words.
    let refused = matches!(exchange.response.status, 400 | 401);
    found.retain(|difference| !(refused && difference.got.contains("the gateway's credential")));
    verdict
}
