//! Writes the journal. Each thread has a *lane*, a file of its own, and writes its lines by itself:
//! a line is with the kernel when [`write`](Journal::intent) returns, so that it outlives the
//! process. It outlives the machine once [`sync`](Journal::sync) has been called after it.
//!
//! Trouble with the disk never stops a call here: lines wait in memory, within a bound, for the next
//! try; what does not fit is lost, and counted.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::entry::Entry;
use super::segment::{self, Kind};

/// A longer file is ended and another begun.
const MOST_SEGMENT: u64 = 8 << 20;
/// Lines that wait while the disk takes none.
const MOST_WAITING: usize = 64 << 10;

/// The ending of a journal's file names.
pub(super) const ENDING: &str = "journal";

#[derive(Debug)]
pub struct Journal {
    directory: PathBuf,
    instance: u32,
    lanes: Box<[Mutex<Lane>]>,
    /// Ended files that are not yet safe from a power loss.
    ended: Mutex<Vec<File>>,
    waiting: Mutex<VecDeque<Vec<u8>>>,
    lost: AtomicU64,
    refused: AtomicU64,
}

#[derive(Debug)]
struct Lane {
    /// Held locked, which says that its writer lives. `None`: none could be made.
    file: Option<File>,
    number: u32,
    bytes: u64,
    unsynced: bool,
    line: Vec<u8>,
}

impl Journal {
    /// Opens a journal in `directory`; `instance` tells this process from others that write there.
    ///
    /// # Errors
    /// When the directory or the files cannot be made.
    pub fn open(directory: &Path, instance: u32, lanes: usize) -> io::Result<Self> {
        fs::create_dir_all(directory)?;
        let lane = |at| {
            let file = Some(begin(directory, instance, at, 0)?);
            let lane = Lane { file, number: 0, bytes: 0, unsynced: false, line: Vec::new() };
            Ok(Mutex::new(lane))
        };
        let lanes = (0..lanes.max(1)).map(lane).collect::<io::Result<_>>()?;
        Ok(Self {
            directory: directory.to_owned(),
            instance,
            lanes,
            ended: Mutex::default(),
            waiting: Mutex::default(),
            lost: AtomicU64::new(0),
            refused: AtomicU64::new(0),
        })
    }

    /// The call is about to leave. `entry` is what stands of it if the process ends before it does.
    /// `false`: the line is not with the kernel.
    pub fn intent(&self, lane: usize, entry: &Entry<'_>) -> bool {
        self.write(lane, Kind::Intent, entry)
    }

    /// The call is over. `false`: the line is not with the kernel.
    pub fn outcome(&self, lane: usize, entry: &Entry<'_>) -> bool {
        self.write(lane, Kind::Outcome, entry)
    }

    fn write(&self, at: usize, kind: Kind, entry: &Entry<'_>) -> bool {
        let at = at % self.lanes.len();
        let mut lane = locked(&self.lanes[at]);
        let mut line = std::mem::take(&mut lane.line);
        if !segment::write(&mut line, kind, entry) {
            self.lost.fetch_add(1, Ordering::Relaxed);
            lane.line = line;
            return false;
        }
        let written = self.append(&mut lane, at, &line);
        if written {
            lane.line = line;
            return true;
        }
        self.refused.fetch_add(1, Ordering::Relaxed);
        drop(lane);
        // An intent that is not on the disk before its call is worth nothing later.
        if kind == Kind::Outcome {
            self.wait(line);
        }
        false
    }

    fn append(&self, lane: &mut Lane, at: usize, line: &[u8]) -> bool {
        if lane.bytes >= MOST_SEGMENT || lane.file.is_none() {
            // A number that could not be had is not tried again: its file may be there.
            lane.number += 1;
            let Ok(next) = begin(&self.directory, self.instance, at, lane.number) else {
                return false;
            };
            lane.bytes = 0;
            if let Some(ended) = lane.file.replace(next) {
                locked(&self.ended).push(ended);
            }
        }
        let Some(file) = &mut lane.file else { return false };
        match file.write_all(line) {
            Ok(()) => {
                lane.bytes += line.len() as u64;
                lane.unsynced = true;
                true
            }
            Err(_) => {
                // A part of the line may be there: what follows must not be taken for its rest.
                lane.file = None;
                false
            }
        }
    }

    fn wait(&self, line: Vec<u8>) {
        let mut waiting = locked(&self.waiting);
        if waiting.len() < MOST_WAITING {
            waiting.push_back(line);
        } else {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Makes what was written safe from a power loss, and tries again what waits.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub fn sync(&self) -> io::Result<()> {
        self.retry()?;
        let ended = std::mem::take(&mut *locked(&self.ended));
        for file in ended {
            file.sync_data()?;
        }
        for lane in &self.lanes {
            let file = {
                let mut lane = locked(lane);
                if !std::mem::take(&mut lane.unsynced) {
                    continue;
                }
                lane.file.as_ref().map(File::try_clone).transpose()?
            };
            // Without the lock: the thread of the lane writes on meanwhile.
            file.map_or(Ok(()), |file| file.sync_data())?;
        }
        Ok(())
    }

    fn retry(&self) -> io::Result<()> {
        loop {
            let Some(line) = locked(&self.waiting).pop_front() else { return Ok(()) };
            if !self.append(&mut locked(&self.lanes[0]), 0, &line) {
                locked(&self.waiting).push_front(line);
                return Err(io::Error::other("the journal cannot be written"));
            }
        }
    }

    /// Lines that wait for the disk.
    #[must_use]
    pub fn waiting(&self) -> usize {
        locked(&self.waiting).len()
    }

    /// Outcomes that are lost for ever.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// Lines that the disk did not take at once.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }
}

/// A new file that says by its lock that its writer lives. It has its name only once it is locked:
/// whoever reads the journal would take it for one that nobody writes to, and remove it.
fn begin(directory: &Path, instance: u32, lane: usize, number: u32) -> io::Result<File> {
    let name = format!("{instance:08x}-{lane:02}-{number:06}");
    let unborn = directory.join(format!("{name}.new"));
    let mut options = OpenOptions::new();
    options.append(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(&unborn)?;
    file.try_lock().map_err(io::Error::from)?;
    fs::rename(&unborn, directory.join(format!("{name}.{ENDING}")))?;
    Ok(file)
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
