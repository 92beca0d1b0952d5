//! The journal as it is read: once, whole, and whatever became of who wrote it.

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use super::*;
use crate::ledger::Journal;

/// A directory of its own, which goes with the test.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("tollgate-journal-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let _ = fs::remove_dir_all(&path);
        Self(path)
    }

    fn files(&self) -> usize {
        fs::read_dir(&self.0).unwrap().count()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn entry(number: u32) -> Entry<'static> {
    let at_us = 1_700_000_000_000_000 + u64::from(number);
    Entry {
        id: RecordId::new(at_us, 1, number),
        at_us,
        request_id: format!("req-{number}").into(),
        team: Some("tests".into()),
        ..Entry::default()
    }
}

fn done(number: u32) -> Entry<'static> {
    Entry { status: 200, ..entry(number) }
}

fn numbers(batch: &Unshipped) -> Vec<&str> {
    batch.entries.iter().map(|entry| entry.request_id.as_ref()).collect()
}

#[test]
fn outcomes_are_read_once_committed_once() {
    let directory = Directory::new();
    let journal = Journal::open(&directory.0, 1, 2).unwrap();
    let mut tail = Tail::new(&directory.0);
    assert!(tail.unshipped().unwrap().is_empty());
    for number in 0..4 {
        assert!(journal.intent(number as usize, &entry(number)));
    }
    for number in [2, 1] {
        assert!(journal.outcome(number as usize, &done(number)));
    }
    for _ in 0..2 {
        // As long as nobody says that they are shipped.
        assert_eq!(
            BTreeSet::from_iter(numbers(&tail.unshipped().unwrap())),
            ["req-1", "req-2"].into()
        );
    }
    let batch = tail.unshipped().unwrap();
    tail.commit(batch).unwrap();
    assert_eq!((tail.open(), tail.unshipped().unwrap().is_empty()), (2, true));
    // On another lane than the intent, as when a stream ends elsewhere.
    assert!(journal.outcome(0, &done(3)));
    let batch = tail.unshipped().unwrap();
    assert_eq!(numbers(&batch), ["req-3"]);
    tail.commit(batch).unwrap();
    assert_eq!(tail.open(), 1);
}

#[test]
fn what_a_dead_process_left_is_booked_as_it_stands_and_its_files_go() {
    let directory = Directory::new();
    let journal = Journal::open(&directory.0, 1, 1).unwrap();
    journal.intent(0, &entry(1));
    journal.intent(0, &entry(2));
    journal.outcome(0, &done(2));
    let mut tail = Tail::new(&directory.0);
    let batch = tail.unshipped().unwrap();
    assert_eq!(numbers(&batch), ["req-2"], "it lives, and may still say how the other ended");
    drop(journal);
    let mut tail = Tail::new(&directory.0);
    let batch = tail.unshipped().unwrap();
    assert_eq!(numbers(&batch), ["req-2", "req-1"]);
    let orphan = &batch.entries[1];
    assert_eq!((orphan.status, orphan.error.as_deref()), (0, Some("gateway_ended")));
    tail.commit(batch).unwrap();
    assert_eq!((directory.files(), tail.open()), (0, 0));
    assert!(tail.unshipped().unwrap().is_empty());
}

#[test]
fn a_torn_line_and_a_changed_one_harm_no_other() {
    let directory = Directory::new();
    let journal = Journal::open(&directory.0, 1, 1).unwrap();
    for number in 0..3 {
        journal.outcome(0, &done(number));
    }
    drop(journal);
    let path = fs::read_dir(&directory.0).unwrap().next().unwrap().unwrap().path();
    let mut text = fs::read(&path).unwrap();
    let middle = text.iter().position(|byte| *byte == b'\n').unwrap() + 20;
    text[middle] ^= 1;
    let whole = text.len();
    // The machine stopped while a fourth was written.
    text.extend_from_within(..40);
    fs::write(&path, &text).unwrap();
    let mut tail = Tail::new(&directory.0);
    let batch = tail.unshipped().unwrap();
    assert_eq!((numbers(&batch), batch.damaged), (vec!["req-0", "req-2"], 1));
    assert_eq!(batch.offsets.first().map(|(_, offset)| *offset), Some(whole as u64));
    tail.commit(batch).unwrap();
    assert_eq!(directory.files(), 0);
}

#[test]
fn a_line_that_is_still_being_written_is_waited_for() {
    let directory = Directory::new();
    let journal = Journal::open(&directory.0, 1, 1).unwrap();
    journal.outcome(0, &done(1));
    let path = fs::read_dir(&directory.0).unwrap().next().unwrap().unwrap().path();
    let mut line = Vec::new();
    assert!(segment::write(&mut line, segment::Kind::Outcome, &done(2)));
    let mut other = OpenOptions::new().append(true).open(&path).unwrap();
    other.write_all(&line[..30]).unwrap();
    let mut tail = Tail::new(&directory.0);
    let batch = tail.unshipped().unwrap();
    assert_eq!((numbers(&batch), batch.damaged), (vec!["req-1"], 0));
    tail.commit(batch).unwrap();
    other.write_all(&line[30..]).unwrap();
    assert_eq!(numbers(&tail.unshipped().unwrap()), ["req-2"]);
}

#[test]
fn a_journal_larger_than_one_file_goes_on_in_the_next() {
    let directory = Directory::new();
    let journal = Journal::open(&directory.0, 1, 1).unwrap();
    let mut tail = Tail::new(&directory.0);
    let filler = "x".repeat(4000);
    journal.intent(0, &entry(1_000_000));
    let mut seen = 0;
    for number in 0..6_000 {
        let outcome = Entry { raw_usage: Some(filler.as_str().into()), ..done(number) };
        assert!(journal.outcome(0, &outcome));
        if number % 500 == 0 {
            let batch = tail.unshipped().unwrap();
            seen += batch.entries.len();
            tail.commit(batch).unwrap();
        }
    }
    journal.sync().unwrap();
    for _ in 0..100 {
        let batch = tail.unshipped().unwrap();
        seen += batch.entries.len();
        tail.commit(batch).unwrap();
    }
    assert_eq!((seen, tail.open()), (6_000, 1));
    assert_eq!(directory.files(), 2, "the first holds an open intent, the last is written to");
    journal.outcome(0, &done(1_000_000));
    let batch = tail.unshipped().unwrap();
    tail.commit(batch).unwrap();
    let batch = tail.unshipped().unwrap();
    tail.commit(batch).unwrap();
    assert_eq!((directory.files(), tail.open()), (1, 0));
}

#[test]
fn without_a_disk_outcomes_wait_and_then_are_written() {
    let directory = Directory::new();
    let journal = Journal::open(&directory.0, 1, 1).unwrap();
    // The next file cannot be made: its directory is gone.
    fs::remove_dir_all(&directory.0).unwrap();
    let filler = "x".repeat(4000);
    let mut written = 0;
    let full = (0..4_000).find(|number| {
        let fits =
            journal.outcome(0, &Entry { raw_usage: Some(filler.as_str().into()), ..done(*number) });
        written += u32::from(fits);
        !fits
    });
    assert!(full.is_some());
    assert!(!journal.intent(0, &entry(9_999)), "this one is told so");
    assert_eq!((journal.waiting(), journal.lost()), (1, 0));
    assert!(journal.sync().is_err());
    fs::create_dir_all(&directory.0).unwrap();
    journal.sync().unwrap();
    assert_eq!(journal.waiting(), 0);
    let mut tail = Tail::new(&directory.0);
    assert_eq!(numbers(&tail.unshipped().unwrap()), [format!("req-{}", full.unwrap())]);
}

#[test]
fn what_many_gateways_write_that_begin_and_end_meanwhile_is_read_once() {
    let directory = Directory::new();
    let filler = "x".repeat(60_000);
    let done_writing = std::sync::atomic::AtomicBool::new(false);
    let read = std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut read = Vec::new();
            fs::create_dir_all(&directory.0).unwrap();
            let mut tail = Tail::new(&directory.0);
            loop {
                // Asked first: what was written by then is read below.
                let last = done_writing.load(Ordering::Acquire);
                let batch = tail.unshipped().unwrap();
                let found = batch.entries.len();
                read.extend(batch.entries.iter().map(|entry| entry.id));
                tail.commit(batch).unwrap();
                if last && found == 0 {
                    return read;
                }
            }
        });
        // Many beginnings: gateways that start and end, each with files of its own.
        for instance in 0..400 {
            let journal = Journal::open(&directory.0, instance, 2).unwrap();
            let outcome = Entry { raw_usage: Some(filler.as_str().into()), ..done(instance) };
            assert!(journal.outcome(instance as usize, &outcome));
        }
        done_writing.store(true, Ordering::Release);
        reader.join().unwrap()
    });
    let once: BTreeSet<_> = read.iter().collect();
    assert_eq!((read.len(), once.len()), (400, 400));
}

#[test]
fn a_file_that_is_not_locked_yet_is_nobodys_to_remove() {
    let directory = Directory::new();
    let _journal = Journal::open(&directory.0, 1, 1).unwrap();
    let unborn = directory.0.join("00000002-00-000000.new");
    fs::write(&unborn, "").unwrap();
    let mut tail = Tail::new(&directory.0);
    let batch = tail.unshipped().unwrap();
    assert!(batch.is_empty());
    tail.commit(batch).unwrap();
    assert!(unborn.exists());
    let names = fs::read_dir(&directory.0).unwrap().map(|entry| entry.unwrap().file_name());
    let names: BTreeSet<_> = names.map(|name| name.into_string().unwrap()).collect();
    assert_eq!(
        names,
        ["00000001-00-000000.journal", "00000002-00-000000.new"].map(String::from).into()
    );
}
