//! Recorded traffic through the running program: a scripted provider answers as it once did, and
//! callers of each dialect read what arrives over a socket.
//!
//! The pure part is judged on every recording elsewhere (`tollgate-testkit`); here a sample shows
//! that listener, pipeline, lanes and upstream add nothing and lose nothing.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test that breaks should say so at once")]

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use tollgate_model::DialectId;
use tollgate_testkit::digest::Difference;
use tollgate_testkit::judge::answers::expected;
use tollgate_testkit::judge::expressible::{Passage, exact, passed};
use tollgate_testkit::judge::{Kind, Known, Verdict, in_parallel};
use tollgate_testkit::readers::{Answer, Shape, Writer};
use tollgate_testkit::{Corpus, Exchange, exceptions};
use tollgate_wire::{Operation, dialect};

use caller::Caller;
use gate::{Gate, Target};

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
    let calls: Vec<(usize, Shape)> = sample
        .iter()
        .enumerate()
        .flat_map(|(at, exchange)| passages(exchange).map(move |to| (at, to)))
        .collect();
    let targets: BTreeSet<Target> = sample.iter().filter_map(Target::of).collect();
    let mut taken: BTreeMap<String, usize> = BTreeMap::new();
    for exchange in &sample {
        *taken.entry(exchange.dialect.clone()).or_default() += 1;
    }
    let answers: HashMap<String, Arc<Exchange>> =
        sample.into_iter().map(|exchange| (exchange.id.clone(), Arc::new(exchange))).collect();
    let mut order: Vec<Arc<Exchange>> = answers.values().cloned().collect();
    order.sort_by(|a, b| a.id.cmp(&b.id));
    let upstream = upstream::start(answers);
    let gate = Gate::start(upstream, &targets);

    let mut verdicts = in_parallel(&calls, |(at, to)| judge(&gate, &order[*at], *to));
    let mut pairs: BTreeMap<(String, &str), usize> = BTreeMap::new();
    for verdict in &verdicts {
        *pairs.entry((verdict.dialect.clone(), verdict.ingress)).or_default() += 1;
    }
    eprintln!("replayed through sockets: {pairs:?}");
    let whole =
        |((dialect, _), count): (&(String, &str), &usize)| taken.get(dialect) == Some(count);
    assert!(pairs.iter().all(whole), "{pairs:?}");
    let large = taken.values().filter(|count| **count >= 300).count();
    assert!(large >= 3 && pairs.len() >= 20, "{pairs:?}");

    let _ = exceptions::excuse(&mut verdicts, &exceptions::all().unwrap());
    let failed: Vec<_> = verdicts.iter().filter(|verdict| !verdict.passed()).collect();
    for verdict in failed.iter().take(20) {
        eprintln!("{} -> {}: {:?}", verdict.id, verdict.ingress, verdict.differences);
    }
    assert!(failed.is_empty(), "{} of {} failed\n{}", failed.len(), calls.len(), gate.log());
}

/// Every so many chats of each dialect, and every error.
fn sample(corpus: Corpus) -> Vec<Exchange> {
    let wanted = |exchange: &Exchange| {
        let chat = Known::of(exchange)
            .is_some_and(|known| known.operation == Operation::Chat && known.dialect().is_some());
        chat && matches!(exchange.expected_kind(), "message" | "error")
    };
    let mut by_dialect: BTreeMap<String, Vec<Exchange>> = BTreeMap::new();
    for exchange in corpus.exchanges.into_iter().filter(wanted) {
        by_dialect.entry(exchange.dialect.clone()).or_default().push(exchange);
    }
    let mut sample = Vec::new();
    for exchanges in by_dialect.into_values() {
        let step = (exchanges.len() / SAMPLE).max(1);
        let taken = exchanges.into_iter().enumerate().filter(|(at, exchange)| {
            at.is_multiple_of(step) || exchange.expected_kind() == "error"
        });
        sample.extend(taken.map(|(_, exchange)| exchange));
    }
    // Calls are named by their place.
    sample.sort_by(|a, b| a.id.cmp(&b.id));
    sample
}

/// The shapes into which the program can write a recording.
fn passages(exchange: &Exchange) -> impl Iterator<Item = Shape> {
    let from = Known::of(exchange).map(|known| known.shape);
    let spoken = |to: &Shape| dialect(DialectId(to.as_str())).is_some();
    from.into_iter().flat_map(Shape::passages).filter(spoken)
}

fn judge(gate: &Gate, exchange: &Exchange, to: Shape) -> Verdict {
    let error = exchange.expected_kind() == "error";
    let kind_of = if error { Kind::Error } else { Kind::Answer };
    let mut verdict = Verdict::new(exchange, to.as_str(), kind_of);
    let Some(target) = Target::of(exchange) else { return verdict };
    let from = target.shape();
    let model = target.model(exchange);
    let streamed = exchange.response.body.is_stream() || exchange.response.body.json.is_array();
    let answer = Caller::of(gate).call(to, &model, streamed);
    let found = &mut verdict.differences;
    let said = answer.header("x-tollgate-target");
    if said != Some(model.as_str()) {
        found.push(Difference::new("target", &model, said.unwrap_or("nothing")));
    }
    let streams =
        ["text/event-stream", "application/x-ndjson", "application/vnd.amazon.eventstream"];
    let kind = answer.header("content-type").unwrap_or_default();
    let stream = streams.iter().any(|stream| kind.starts_with(stream));
    let body = if stream { Answer::Stream(&answer.body) } else { Answer::Buffered(&answer.body) };
    let expected = expected(exchange, from);
    // On the same dialect the provider's own bytes pass, oddities and all.
    let by = if from == to { Writer::Provider } else { Writer::Gateway };
    match to.read(body, answer.status, by) {
        Ok(got) if from == to && exact(&expected, &got).is_empty() => {}
        Ok(mut got) => {
            // Where the body does not say the type of an error, a header does.
            let said = to.can().type_header.and_then(|name| answer.header(name));
            if let (Some(said), Some(error)) = (said, &mut got.error) {
                error.kind = said.split(':').next().map(str::to_owned);
            }
            found.extend(passed(&expected, &got, Passage { from, to }));
        }
        Err(what) => found.push(Difference::new("shape", "an answer as SDKs read it", what)),
    }
    // A key that the provider refuses is the gateway's, and none of the caller's business: it is
    // told in the gateway's words.
    let refused = matches!(exchange.response.status, 400 | 401);
    found.retain(|difference| !(refused && difference.got.contains("the gateway's credential")));
    let key = |difference: &Difference| difference.expected.contains("UnrecognizedClientException");
    found.retain(|difference| !key(difference));
    verdict
}
