//! A bug in one call stays in that call: a panic becomes a fault, so that the caller gets an answer
//! and the call its record. The panic itself is reported by the panic hook.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

use tollgate_model::Fault;

/// What `call` gives, or `Internal` when it panics; then it is not polled again.
///
/// # Errors
/// As `call`, or the panic.
pub async fn caught<T>(call: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
    let mut call = pin!(call);
    // Nothing that a panic leaves half done is seen again: what a call shares with others is
    // behind locks that are held for no longer than a look-up.
    poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| call.as_mut().poll(cx))) {
        Ok(polled) => polled,
        Err(_) => Poll::Ready(Err(fault())),
    })
    .await
}

/// What a call that panicked ends with.
#[must_use]
pub fn fault() -> Fault {
    Fault::internal("a call panicked")
}

#[cfg(test)]
mod tests {
    use tollgate_model::FaultKind;

    use super::*;

    #[test]
    fn a_panic_becomes_an_internal_fault_and_all_else_passes() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let panics = async {
            tokio::task::yield_now().await;
            panic!("a bug");
        };
        let fault = runtime.block_on(caught::<()>(panics)).unwrap_err();
        assert_eq!(fault.kind, FaultKind::Internal);
        assert!(!fault.message.contains("a bug"), "{}", fault.message);
        assert_eq!(runtime.block_on(caught(async { Ok(7) })).unwrap(), 7);
    }
}
