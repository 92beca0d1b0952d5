//! Feeds the decoders whatever libFuzzer thinks of. One program holds every target, so that all is
//! compiled once; `TOLLGATE_FUZZ` names the one to run, or `list`.
//!
//! A target is more than "it does not panic": what is read is written again and must be sound, and
//! a stream must mean the same however it was cut. `fuzz/run` builds, seeds and runs them.

#![no_main]

mod bodies;
mod chats;
mod frames;
mod operations;

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use tollgate_model::DialectId;
use tollgate_wire::{Codec, DIALECTS, Dialect, Framing, OPERATIONS};

/// One decoder and the checks around it.
struct Target {
    name: String,
    run: Box<dyn Fn(&[u8]) + Send + Sync>,
}

/// Every target; one for each decoder of each dialect there is.
fn targets() -> Vec<Target> {
    let mut all = vec![
        target("frames/aws-eventstream", frames::sealed),
        target("frames/sse", |data| frames::check(Framing::Sse, data)),
        target("frames/json-array", |data| frames::check(Framing::JsonArray, data)),
        target("frames/ndjson", |data| frames::check(Framing::Ndjson, data)),
        target("ingress", bodies::ingress),
        target("scan", bodies::scanned),
    ];
    let parts: [(&str, fn(&'static Dialect, &[u8])); 4] = [
        ("request", chats::request),
        ("reply", chats::reply),
        ("stream", chats::stream),
        ("fault", chats::fault),
    ];
    for dialect in DIALECTS.iter().copied() {
        for (part, run) in parts {
            all.push(target_of(dialect.id(), part, move |data| run(dialect, data)));
        }
    }
    for row in OPERATIONS {
        match row.codec {
            Codec::CountTokens(codec) => {
                all.push(target_of(row.dialect, "count-tokens", move |data| {
                    operations::count_tokens(row.dialect, codec, data);
                }));
            }
            Codec::Embed(codec) => {
                all.push(target_of(row.dialect, "embed", move |data| {
                    operations::embed(row.dialect, codec, data);
                }));
            }
            Codec::Rerank(codec) => {
                all.push(target_of(row.dialect, "rerank", move |data| {
                    operations::rerank(row.dialect, codec, data);
                }));
            }
            Codec::AsIs(_) | Codec::Batches(_) | Codec::Chat(_) | Codec::Models(_) => {}
        }
    }
    all
}

fn target(name: &str, run: impl Fn(&[u8]) + Send + Sync + 'static) -> Target {
    Target { name: name.into(), run: Box::new(run) }
}

fn target_of(
    dialect: DialectId,
    part: &str,
    run: impl Fn(&[u8]) + Send + Sync + 'static,
) -> Target {
    target(&format!("{}/{part}", dialect.as_str()), run)
}

static CHOSEN: OnceLock<Target> = OnceLock::new();

fn choose() {
    let wanted = std::env::var("TOLLGATE_FUZZ").unwrap_or_else(|_| "list".into());
    match targets().into_iter().find(|target| target.name == wanted) {
        Some(target) => drop(CHOSEN.set(target)),
        None => {
            for target in targets() {
                println!("{}", target.name);
            }
            std::process::exit(i32::from(wanted != "list"));
        }
    }
}

fuzz_target!(init: choose(), |data: &[u8]| {
    if let Some(target) = CHOSEN.get() {
        (target.run)(data);
    }
});
