//! A request body that travels on while it arrives. What of it has to be read first, since it says
//! where the call goes, is kept: a little in memory, more in a file that has no name. The rest is
//! never held: it is taken from the caller as fast as the provider takes it.
//!
//! Nothing here knows a provider or a dialect.

mod flow;
mod inlet;
mod kept;
mod lines;

use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use tollgate_model::Fault;
use tollgate_wire::multipart::Field;

pub use flow::Flow;
use inlet::Inlet;
pub use inlet::{Along, Bounds};
use kept::{Keeping, Kept, MOST_IN_MEMORY};

/// How long the rest of a body is taken that nobody wants any more.
const REST_WITHIN: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub struct Upload {
    inlet: Arc<Mutex<Inlet>>,
    kept: Kept,
    /// Of the whole body, where it is known.
    length: Option<u64>,
}

/// One replacement in what was kept; an empty range is an insertion.
#[derive(Clone, Debug)]
pub struct Patch {
    pub at: Range<u64>,
    pub with: Bytes,
}

impl Upload {
    /// Reads a body as far as it must be known.
    ///
    /// # Errors
    /// When it is larger than allowed, late, broken, or not what `along` takes it for.
    pub async fn begin(incoming: Incoming, along: Along, bounds: Bounds) -> Result<Self, Fault> {
        let (length, most) = (bounds.length, bounds.most);
        if length.is_some_and(|length| length > most) {
            return Err(inlet::too_large(most));
        }
        // A short one is taken whole: it can be sent twice.
        let short = length.is_some_and(|length| length <= MOST_IN_MEMORY as u64);
        // Dropped on the way, the rest is still taken from its caller.
        let mut upload = Self {
            inlet: Arc::new(Mutex::new(Inlet::new(incoming, along, bounds))),
            kept: Kept::default(),
            length,
        };
        let mut keeping = Keeping::default();
        while short || !upload.inlet().knows_enough() {
            let next = std::future::poll_fn(|cx| upload.inlet().poll_chunk(cx)).await;
            let Some(chunk) = next else { break };
            keeping.add(chunk?).await?;
        }
        upload.kept = keeping.done().await?;
        if upload.inlet().is_over() {
            upload.length = Some(upload.kept.length());
        }
        Ok(upload)
    }

    /// Keeps all of it, so that it can be looked at before any of it leaves.
    ///
    /// # Errors
    /// As [`begin`](Self::begin).
    pub async fn take_all(&mut self) -> Result<(), Fault> {
        let mut keeping = Keeping::resumed(std::mem::take(&mut self.kept))?;
        loop {
            let next = std::future::poll_fn(|cx| self.inlet().poll_chunk(cx)).await;
            let Some(chunk) = next else { break };
            keeping.add(chunk?).await?;
        }
        self.kept = keeping.done().await?;
        self.length = Some(self.kept.length());
        Ok(())
    }

    /// Looks at the lines of a file in a form that was kept whole: `look` is given where each
    /// begins, and may replace something in it. Empty lines are passed over.
    ///
    /// # Errors
    /// What `look` finds, or `InvalidRequest` when there is no such file or a line is longer than
    /// `longest`.
    pub async fn lines(
        &self,
        name: &str,
        longest: usize,
        look: impl FnMut(u64, &[u8]) -> Result<Option<Patch>, Fault> + Send + 'static,
    ) -> Result<Vec<Patch>, Fault> {
        let place = match &self.inlet().along {
            Along::Form(form) => {
                let file = form.files().iter().find(|file| file.name == name);
                file.and_then(|file| Some(file.from..file.to?))
            }
            _ => None,
        };
        let missing = || Fault::invalid_field(name, format!("The form has no file `{name}`."));
        let (place, kept) = (place.ok_or_else(missing)?, self.kept.clone());
        let looked = spawn_blocking(move || lines::look(&kept, place, longest, look)).await;
        looked
            .map_err(|error| Fault::internal("an upload is unread").with_note(error.to_string()))?
    }

    /// The field of a form that was read along.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<Field> {
        match &self.inlet().along {
            Along::Form(form) => form.field(name).cloned(),
            _ => None,
        }
    }

    /// A further field for the beginning of a form.
    #[must_use]
    pub fn written_field(&self, name: &str, value: &str) -> Option<Bytes> {
        match &self.inlet().along {
            Along::Form(form) => Some(form.written_field(name, value).into()),
            _ => None,
        }
    }

    /// The member of an object that was read along, as far as it has passed.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<serde_json::Value> {
        match &self.inlet().along {
            Along::Object(members) => members.get(name),
            _ => None,
        }
    }

    /// The whole body, where it is in memory.
    #[must_use]
    pub fn whole(&self) -> Option<&Bytes> {
        match &self.kept {
            Kept::Memory(bytes) if self.inlet().is_over() => Some(bytes),
            _ => None,
        }
    }

    /// Something of what is not kept has gone out: it cannot be sent again.
    #[must_use]
    pub fn is_spent(&self) -> bool {
        self.inlet().spent
    }

    /// Why it broke off on the caller's side.
    #[must_use]
    pub fn fault(&self) -> Option<Fault> {
        self.inlet().fault()
    }

    /// Bytes that have arrived.
    #[must_use]
    pub fn arrived(&self) -> u64 {
        self.inlet().read
    }

    /// The body as it is sent: what was kept, patched, and the rest as it arrives.
    #[must_use]
    pub fn flow(&self, patches: &[Patch]) -> Flow {
        Flow::new(self.kept.clone(), patches, self.inlet.clone(), self.length)
    }

    /// Nobody takes it any more.
    pub fn stop(&self) {
        let rest = self.inlet().stop();
        if let Some((rest, most)) = rest {
            take_rest(rest, most);
        }
    }

    fn inlet(&self) -> MutexGuard<'_, Inlet> {
        lock(&self.inlet)
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        self.stop();
    }
}

fn lock(inlet: &Mutex<Inlet>) -> MutexGuard<'_, Inlet> {
    inlet.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes what a caller is still sending, within bounds: most clients send their whole request
/// before they look for an answer, and would see a broken connection in place of it.
pub fn take_rest(mut body: Incoming, most: u64) {
    if body.is_end_stream() {
        return;
    }
    let mut left = most;
    tokio::spawn(timeout(REST_WITHIN, async move {
        while let Some(Ok(frame)) = body.frame().await {
            let taken = frame.data_ref().map_or(0, Bytes::len) as u64;
            let Some(more) = left.checked_sub(taken) else { return };
            left = more;
        }
    }));
}
