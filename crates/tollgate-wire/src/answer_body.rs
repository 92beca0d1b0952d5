//! The body of an answer, before anybody reads what it says: a JSON object that is no error in
//! disguise, or the fault that it is instead.

use serde_json::{Map, Value};
use tollgate_model::{Fault, FaultKind, Source};

use crate::tree;

/// The object in `body`. `inside` finds the error that a dialect tells under a 200.
///
/// # Errors
/// What the provider said, or `BadUpstream` when the body is no object.
pub(crate) fn object(
    body: &[u8],
    inside: impl Fn(&Map<String, Value>) -> Option<Fault>,
) -> Result<Map<String, Value>, Fault> {
    let Ok(Value::Object(body)) = tree::read(body) else {
        return Err(Fault::bad_upstream("The provider's answer is not a JSON object."));
    };
    match inside(&body) {
        Some(fault) => Err(fault),
        None => Ok(body),
    }
}

/// The fault of an error answer that is not well formed: nothing of its body is repeated.
pub(crate) fn unexplained(status: u16) -> Fault {
    let message = "The provider answered with an error.";
    Fault::new(FaultKind::of_status(status), Source::Upstream, message)
        .with_note(format!("status {status} without a well-formed error"))
}
