//! The way out: one HTTP/1.1 request to a provider's origin, over a kept-alive connection where
//! one is at hand.
//!
//! A connection that its server had closed while it lay idle is replaced silently; any other
//! failure is the caller's to judge. Redirects are never followed. HTTP/2 is not spoken here: one
//! connection for many long streams is one stream limit for all of them.

mod connect;
mod origin;
mod pool;
mod tls;

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, Uri};
use http_body_util::Full;
use hyper::body::Incoming;

pub use connect::ConnectError;
pub use origin::Origin;
pub use pool::{Lease, Pool};

/// A server that had closed a connection is found out within a round trip. One that hangs up later
/// has had the call, and may have worked on it.
const FOUND_OUT: Duration = Duration::from_secs(1);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    #[error("no connection: {0}")]
    Connect(#[from] ConnectError),
    #[error("the connection broke before an answer: {0}")]
    Broken(hyper::Error),
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

/// A request, kept whole so that it can be sent again on another connection.
#[derive(Debug)]
pub struct Call {
    pub method: Method,
    /// Path and query.
    pub uri: Uri,
    /// Host, credential and all.
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Call {
    fn request(&self) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(self.body.clone()));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = self.headers.clone();
        request
    }
}

/// Sends `call` to `origin` and waits for the head of the answer. The lease goes back to the pool
/// by [`Lease::give_back`] once the body was read to its end; dropped earlier it closes the
/// connection, and so the call.
///
/// # Errors
/// When there is no connection or it breaks before an answer begins.
pub async fn send(
    pool: &Arc<Pool>,
    origin: &Arc<Origin>,
    call: &Call,
) -> Result<(Response<Incoming>, Lease), SendError> {
    if let Some(mut lease) = pool.take(origin).await {
        let begun = Instant::now();
        match lease.send(call.request()).await {
            Ok(response) => return Ok((response, lease)),
            // It was closed while idle. Once and on a fresh connection: a server that hangs up on
            // this very call must not be sent it by every connection in the pool.
            Err(error) if error.is_canceled() => {}
            Err(error) if was_stale(&error) && begun.elapsed() < FOUND_OUT => {}
            Err(error) => return Err(SendError::Broken(error)),
        }
    }
    let mut lease = pool.open(origin).await?;
    let response = lease.send(call.request()).await.map_err(SendError::Broken)?;
    Ok((response, lease))
}

/// A kept-alive connection that ended before any byte of an answer.
fn was_stale(error: &hyper::Error) -> bool {
    error.is_closed()
        || error.is_incomplete_message()
        || error.is_body_write_aborted()
        || error_is_reset(error)
}

fn error_is_reset(error: &hyper::Error) -> bool {
    use std::error::Error;
    use std::io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected};
    let io = error.source().and_then(|source| source.downcast_ref::<std::io::Error>());
    io.is_some_and(|io| {
        matches!(io.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | NotConnected)
    })
}
