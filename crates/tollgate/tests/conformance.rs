//! The conformance matrix: every dialect that callers speak, at every kind of provider, for every
//! feature, as the running program does it. A cell is what was observed; none is written by hand.
//!
//! Providers are simulated; each is heard through its `host`, which has the quirks of its row: it
//! refuses what the row says it does not understand, and answers with its oddities. With
//! `TOLLGATE_CONFORMANCE=FILE` the page is written there.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test that breaks should say so at once; it has no runtime to block"
)]

#[path = "conformance/asks.rs"]
mod asks;
#[path = "conformance/cell.rs"]
mod cell;
#[path = "conformance/host.rs"]
mod host;
#[path = "conformance/page.rs"]
mod page;
#[path = "conformance/site.rs"]
mod site;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use cell::Cell;
use tollgate_wire::{DIALECTS, Dialect, Operation, PROVIDERS, Provider};

/// Every row that can chat, in a dialect that the simulator speaks.
fn rows() -> Vec<&'static Provider> {
    let chats = |row: &&Provider| row.operations.contains(&Operation::Chat);
    PROVIDERS.iter().copied().filter(chats).collect()
}

/// Every dialect that callers can speak.
fn ingresses() -> Vec<&'static Dialect> {
    let spoken = |dialect: &&Dialect| {
        dialect.rules().routes.iter().any(|route| route.operation == Operation::Chat)
    };
    DIALECTS.iter().copied().filter(spoken).collect()
}

#[test]
fn every_dialect_reaches_every_provider_as_the_page_says() {
    let site = site::Site::start(&rows());
    let mut jobs = Vec::new();
    for dialect in ingresses() {
        for row in rows() {
            for feature in asks::FEATURES {
                jobs.push((dialect, row, *feature));
            }
        }
    }
    let next = AtomicUsize::new(0);
    let cells: Mutex<BTreeMap<(String, String, usize), Cell>> = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some((dialect, row, feature)) =
                    jobs.get(next.fetch_add(1, Ordering::Relaxed))
                {
                    let cell = cell::observe(&site, dialect, row, *feature);
                    let column = asks::FEATURES.iter().position(|one| one == feature).unwrap();
                    let key = (dialect.id().to_string(), row.kind.to_owned(), column);
                    cells.lock().unwrap().insert(key, cell);
                }
            });
        }
    });
    let cells = cells.into_inner().unwrap();
    if let Some(file) = std::env::var_os("TOLLGATE_CONFORMANCE") {
        std::fs::write(&file, page::written(&cells)).unwrap();
        eprintln!("{} cells in {}", cells.len(), file.display());
    }
    let failed: Vec<String> = cells
        .iter()
        .filter_map(|((dialect, kind, column), cell)| match cell {
            Cell::Failed(why) => {
                Some(format!("{dialect} -> {kind}, {}: {why}", asks::FEATURES[*column].as_str()))
            }
            _ => None,
        })
        .collect();
    let well = cells.values().filter(|cell| matches!(cell, Cell::Well(_))).count();
    assert!(failed.is_empty(), "{} failed:\n{}", failed.len(), failed.join("\n"));
    assert!(well * 2 > cells.len(), "{well} of {} went well", cells.len());
}
