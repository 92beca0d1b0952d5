//! Reads the journal of this machine: what its own process has written by now, and what processes
//! left behind that are no more.
//!
//! Nothing is remembered but what was [committed](Tail::commit). A tail begins at the beginning of
//! every file; entries that are shipped once more are known by their id.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use tollgate_model::RecordId;

use super::entry::Entry;
use super::journal::ENDING;
use super::segment::{self, Line, MOST_LINE};

/// Read at once.
const MOST_READ: usize = 1 << 20;
/// What stands of a call whose gateway ended before it did.
const GATEWAY_ENDED: &str = "gateway_ended";

#[derive(Debug)]
pub struct Tail {
    directory: PathBuf,
    segments: BTreeMap<OsString, Seen>,
    /// Calls that have left and not ended: where their intents stand, and what they say.
    open: HashMap<RecordId, (OsString, Vec<u8>)>,
}

#[derive(Debug)]
struct Seen {
    file: File,
    offset: u64,
}

/// Rows that are to be shipped, and how far the journal was read for them.
#[derive(Debug, Default)]
pub struct Unshipped {
    pub entries: Vec<Entry<'static>>,
    /// Lines that are not as they were written.
    pub damaged: u64,
    offsets: Vec<(OsString, u64)>,
    opened: HashMap<RecordId, (OsString, Vec<u8>)>,
    closed: HashSet<RecordId>,
    /// Files whose writer is done with them, read to their end.
    ended: BTreeSet<OsString>,
}

impl Unshipped {
    /// There is nothing to ship and nothing to remember.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.offsets.is_empty() && self.ended.is_empty()
    }
}

impl Tail {
    #[must_use]
    pub fn new(directory: &Path) -> Self {
        Self { directory: directory.to_owned(), segments: BTreeMap::new(), open: HashMap::new() }
    }

    /// Calls that have left and not ended, as far as was committed.
    #[must_use]
    pub fn open(&self) -> usize {
        self.open.len()
    }

    /// The next entries, some thousand at most. Asked again without a commit it gives them again.
    ///
    /// # Errors
    /// When the directory or a file of it cannot be read.
    pub fn unshipped(&mut self) -> io::Result<Unshipped> {
        self.look_for_files()?;
        let mut batch = Unshipped::default();
        let mut writers_alive = BTreeSet::new();
        let mut unread = BTreeSet::new();
        let mut left = MOST_READ;
        for (name, seen) in &self.segments {
            // Whether its writer is done is asked first: what it wrote until then is read.
            let ended = seen.file.try_lock_shared().is_ok();
            if ended {
                seen.file.unlock()?;
            } else {
                writers_alive.insert(writer(name));
            }
            let (taken, whole) = read(name, seen, left, &mut batch)?;
            left = left.saturating_sub(taken);
            if ended && whole {
                batch.ended.insert(name.clone());
            } else {
                unread.insert(writer(name));
            }
        }
        self.give_up(&mut batch, &writers_alive, &unread);
        Ok(batch)
    }

    /// Intents of a process that is no more, and all of whose files were read: no outcome will
    /// follow.
    fn give_up(
        &self,
        batch: &mut Unshipped,
        alive: &BTreeSet<OsString>,
        unread: &BTreeSet<OsString>,
    ) {
        let all = self.open.iter().chain(&batch.opened);
        let orphans: Vec<Entry<'static>> = all
            .filter(|(id, (name, _))| {
                let writer = writer(name);
                !batch.closed.contains(id) && !alive.contains(&writer) && !unread.contains(&writer)
            })
            .filter_map(|(_, (_, json))| serde_json::from_slice(json).ok())
            .map(|entry: Entry<'static>| Entry { error: Some(GATEWAY_ENDED.into()), ..entry })
            .collect();
        for entry in orphans {
            batch.closed.insert(entry.id);
            batch.entries.push(entry);
        }
    }

    /// The batch's entries are shipped: they are not read again, and files that hold nothing else are
    /// removed.
    ///
    /// # Errors
    /// When a file cannot be removed; it is tried again with the next batch.
    pub fn commit(&mut self, batch: Unshipped) -> io::Result<()> {
        for (name, offset) in batch.offsets {
            if let Some(seen) = self.segments.get_mut(&name) {
                seen.offset = offset;
            }
        }
        self.open.extend(batch.opened);
        self.open.retain(|id, _| !batch.closed.contains(id));
        let needed: BTreeSet<&OsString> = self.open.values().map(|(name, _)| name).collect();
        let done: Vec<OsString> =
            batch.ended.into_iter().filter(|name| !needed.contains(name)).collect();
        for name in done {
            match fs::remove_file(self.directory.join(&name)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => drop(self.segments.remove(&name)),
            }
        }
        Ok(())
    }

    fn look_for_files(&mut self) -> io::Result<()> {
        for entry in fs::read_dir(&self.directory)? {
            let name = entry?.file_name();
            let path = Path::new(&name);
            if path.extension().is_some_and(|ending| ending == ENDING)
                && !self.segments.contains_key(&name)
            {
                match File::open(self.directory.join(&name)) {
                    Ok(file) => drop(self.segments.insert(name, Seen { file, offset: 0 })),
                    // Another process that ships the same journal has removed it.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }
}

/// Which process wrote a file: its name up to the first `-`.
fn writer(name: &OsString) -> OsString {
    let name = name.to_string_lossy();
    name.split('-').next().unwrap_or_default().into()
}

/// Reads on in one file. Gives the bytes that were read, and whether that was all.
fn read(
    name: &OsString,
    seen: &Seen,
    most: usize,
    batch: &mut Unshipped,
) -> io::Result<(usize, bool)> {
    let length = seen.file.metadata()?.len();
    let behind = length.saturating_sub(seen.offset);
    let want = usize::try_from(behind).unwrap_or(usize::MAX).min(most);
    if want == 0 {
        return Ok((0, behind == 0));
    }
    let mut bytes = vec![0; want];
    seen.file.read_exact_at(&mut bytes, seen.offset)?;
    let mut end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let all = want as u64 == behind;
    if end == 0 && bytes.len() > MOST_LINE {
        // Nothing that was ever written is so long.
        end = bytes.len();
    }
    for line in bytes[..end].split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        take(name, line, batch);
    }
    if end > 0 {
        batch.offsets.push((name.clone(), seen.offset + end as u64));
    }
    // The rest of a line is still being written, or never will be: its writer says which.
    Ok((end, all))
}

fn take(name: &OsString, line: &[u8], batch: &mut Unshipped) {
    match segment::read(line) {
        Some(Line::Intent(id, json)) => {
            batch.opened.insert(id, (name.clone(), json.to_vec()));
        }
        Some(Line::Outcome(entry)) => {
            if batch.opened.remove(&entry.id).is_none() {
                batch.closed.insert(entry.id);
            }
            batch.entries.push(*entry);
        }
        None => batch.damaged += 1,
    }
}

#[cfg(test)]
mod tests;
