//! What of an upload had to be read before it could go on: a little in memory, more in a file
//! without a name, which is gone with its last reader whatever becomes of the process.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::{Bytes, BytesMut};
use tokio::io::AsyncWriteExt;
use tokio::task::spawn_blocking;
use tollgate_model::{Fault, FaultKind, Source};

/// More goes into a file.
pub(super) const MOST_IN_MEMORY: usize = 256 << 10;
/// What is read from the file at once.
pub(super) const PIECE: u64 = 256 << 10;

#[derive(Clone, Debug)]
pub(super) enum Kept {
    Memory(Bytes),
    File(Arc<File>, u64),
}

impl Default for Kept {
    fn default() -> Self {
        Self::Memory(Bytes::new())
    }
}

impl Kept {
    pub(super) fn length(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::File(_, length) => *length,
        }
    }
}

/// The next piece of a file from `at` on, up to `to`.
pub(super) fn piece(file: &File, at: u64, to: u64) -> io::Result<Bytes> {
    let length = usize::try_from(PIECE.min(to - at)).unwrap_or_default();
    let mut piece = vec![0; length];
    file.read_exact_at(&mut piece, at)?;
    Ok(piece.into())
}

/// Keeps piece after piece.
#[derive(Debug, Default)]
pub(super) struct Keeping {
    memory: BytesMut,
    file: Option<tokio::fs::File>,
    length: u64,
}

impl Keeping {
    /// Goes on keeping.
    pub(super) fn resumed(kept: Kept) -> Result<Self, Fault> {
        let length = kept.length();
        Ok(match kept {
            Kept::Memory(bytes) => Self { memory: bytes.as_ref().into(), file: None, length },
            Kept::File(file, _) => {
                // What was written last is where it goes on.
                let file = file.try_clone().map_err(|error| unkept(&error))?;
                let file = Some(tokio::fs::File::from_std(file));
                Self { memory: BytesMut::new(), file, length }
            }
        })
    }

    pub(super) async fn add(&mut self, chunk: Bytes) -> Result<(), Fault> {
        self.length += chunk.len() as u64;
        if self.file.is_none() && self.memory.len() + chunk.len() > MOST_IN_MEMORY {
            let opened = spawn_blocking(nameless).await.map_err(io::Error::other);
            let file = opened.flatten().map_err(|error| unkept(&error))?;
            let file = self.file.insert(tokio::fs::File::from_std(file));
            let memory = std::mem::take(&mut self.memory);
            file.write_all(&memory).await.map_err(|error| unkept(&error))?;
        }
        match &mut self.file {
            None => self.memory.extend_from_slice(&chunk),
            Some(file) => file.write_all(&chunk).await.map_err(|error| unkept(&error))?,
        }
        Ok(())
    }

    pub(super) async fn done(self) -> Result<Kept, Fault> {
        let Some(mut file) = self.file else { return Ok(Kept::Memory(self.memory.freeze())) };
        file.flush().await.map_err(|error| unkept(&error))?;
        Ok(Kept::File(Arc::new(file.into_std().await), self.length))
    }
}

/// A file that this user alone can read while it has a name, which is for a moment.
fn nameless() -> io::Result<File> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!("tollgate-upload-{}-{number}", std::process::id());
    let path = std::env::temp_dir().join(name);
    let mut options = OpenOptions::new();
    let file = options.read(true).write(true).create_new(true).mode(0o600).open(&path)?;
    std::fs::remove_file(&path)?;
    Ok(file)
}

fn unkept(error: &io::Error) -> Fault {
    let message = "The gateway has no room to keep the upload until it is known where it goes.";
    Fault::new(FaultKind::Unavailable, Source::Internal, message)
        .with_code("upload_unkept")
        .with_note(format!("temporary directory: {error}"))
}
