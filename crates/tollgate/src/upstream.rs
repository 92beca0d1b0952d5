//! The way out: one HTTP/1.1 request to a provider's origin, over a kept-alive connection where
//! one is at hand.
//!
//! A connection that its server had closed while it lay idle is replaced silently; any other
//! failure is the caller's to judge. Redirects are never followed. HTTP/2 is not spoken here: one
//! connection for many long streams is one stream limit for all of them.

mod connect;
mod http1;
mod origin;
mod payload;
mod pool;
mod stream;
mod tls;

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{HeaderMap, Method, Response, Uri};

pub use connect::ConnectError;
pub use http1::{Body, BodyError, Broken};
pub use origin::Origin;
pub use payload::{Payload, UploadBroken};
pub use pool::Pool;

/// A server that had closed a connection is found out within a round trip. One that hangs up later
/// has had the call, and may have worked on it.
const FOUND_OUT: Duration = Duration::from_secs(1);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    #[error("no connection: {0}")]
    Connect(#[from] ConnectError),
    #[error("the connection broke before an answer: {0}")]
    Broken(Broken),
}

/// Why a provider cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    #[error("the host is no name that a certificate could hold")]
    Host,
    #[error("the credential holds a character that no header may")]
    Credential,
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
}

/// A request, kept so that it can be sent again on another connection.
#[derive(Debug)]
pub struct Call {
    pub method: Method,
    /// Path and query.
    pub uri: Uri,
    /// Host, credential and all.
    pub headers: HeaderMap,
    pub body: Payload,
}

/// Sends `call` to `origin` and waits for the head of the answer. The connection goes back to the
/// pool by [`Body::give_back`] once the body was read to its end; a body that is dropped earlier
/// closes it, and so the call.
///
/// # Errors
/// When there is no connection or it breaks before an answer begins.
pub async fn send(
    pool: &Arc<Pool>,
    origin: &Arc<Origin>,
    call: &Call,
) -> Result<Response<Body>, SendError> {
    let head = http1::written(call);
    // What cannot be sent twice goes out on a connection that cannot turn out to be closed already.
    let again = matches!(call.body, Payload::Whole(_));
    if again && let Some(mut connection) = pool.take(origin.id) {
        let begun = Instant::now();
        match connection.exchange(head.clone(), call).await {
            Ok(answer) => return Ok(answered(connection, answer, pool, origin)),
            // It was closed while idle. Once and on a fresh connection: a server that hangs up on
            // this very call must not be sent it by every connection in the pool.
            Err(Broken::Unanswered) if begun.elapsed() < FOUND_OUT => {}
            Err(error) => return Err(SendError::Broken(error)),
        }
    }
    // Boxed: most calls need no new connection, and none the room to make one.
    let mut connection = Box::pin(connect::connect(origin)).await?;
    let answer = connection.exchange(head, call).await.map_err(SendError::Broken)?;
    Ok(answered(connection, answer, pool, origin))
}

fn answered(
    connection: http1::Connection,
    head: http1::Head,
    pool: &Arc<Pool>,
    origin: &Origin,
) -> Response<Body> {
    let mut response = Response::new(Body::new(connection, &head, pool.clone(), origin.id));
    *response.status_mut() = head.status;
    *response.headers_mut() = head.headers;
    response
}
