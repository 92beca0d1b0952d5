//! The data listener: accepts, speaks TLS where configured, and gives each request to the
//! pipeline. Strict HTTP only; heads, bodies and idle time are bounded.

pub mod host;
mod opening;
mod strict;
mod tls;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::header::{CONNECTION, UPGRADE};
use http::{HeaderValue, Method, Request, Response, Version};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::config::Limits;
use crate::pipeline;
use crate::run::Stop;
use crate::stages::ReplyBody;
use crate::worker::Worker;

use opening::Opened;
use strict::{HttpKind, Strict};
pub use tls::{Acceptor, TlsError};

/// How long a listener that has run out of file descriptors waits before it tries again.
const OUT_OF_DESCRIPTORS: Duration = Duration::from_millis(50);
/// A head that is not whole by then is given up, however patient the configuration is.
const MOST_WAIT: Duration = Duration::from_secs(60);
/// How long a TLS handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// A listening socket.
///
/// # Errors
/// When the address is taken or not ours.
pub fn bind(address: SocketAddr) -> std::io::Result<std::net::TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(4096)?;
    Ok(socket.into())
}

/// What every connection of a listener is served with.
#[derive(Debug)]
pub struct Door {
    pub worker: Arc<Worker>,
    pub acceptor: Option<Acceptor>,
    pub open: Arc<AtomicUsize>,
}

/// Accepts until `stop` asks for the end. Connections go on, watched by `graceful`.
pub async fn accept(
    door: Arc<Door>,
    listener: TcpListener,
    graceful: &GracefulShutdown,
    mut stop: watch::Receiver<Stop>,
) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.wait_for(Stop::is_asked) => return,
        };
        match accepted {
            Ok((stream, _)) => {
                let limits = door.worker.gateway().config.limits;
                if door.open.load(Ordering::Relaxed) >= limits.connections {
                    // Closed at once: better a clear end than a queue that nobody sees.
                    continue;
                }
                let place = Place::take(&door.open);
                let (watcher, stop) = (graceful.watcher(), stop.clone());
                tokio::spawn(connection(door.clone(), stream, watcher, stop, place));
            }
            Err(error) if is_of_the_peer(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "accepting pauses");
                tokio::time::sleep(OUT_OF_DESCRIPTORS).await;
            }
        }
    }
}

fn is_of_the_peer(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// One of the connections that may be open.
struct Place(Arc<AtomicUsize>);

impl Place {
    fn take(open: &Arc<AtomicUsize>) -> Self {
        open.fetch_add(1, Ordering::Relaxed);
        Self(open.clone())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn connection(
    door: Arc<Door>,
    stream: TcpStream,
    graceful: Watcher,
    stop: watch::Receiver<Stop>,
    place: Place,
) {
    let _place = place;
    let write = door.worker.gateway().config.listen.timeouts.write;
    // A caller that takes nothing for so long is gone, whatever its acknowledgements say.
    let socket = socket2::SockRef::from(&stream);
    if stream.set_nodelay(true).is_err() || socket.set_tcp_user_timeout(Some(write)).is_err() {
        return;
    }
    match &door.acceptor {
        None => serve(&door, stream, graceful, stop).await,
        // Boxed, so that a connection in the clear has no room for one under TLS.
        Some(acceptor) => {
            Box::pin(async {
                match tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await {
                    Ok(Ok(stream)) => serve(&door, stream, graceful, stop).await,
                    Ok(Err(error)) => tracing::debug!(%error, "TLS handshake failed"),
                    Err(_) => tracing::debug!("TLS handshake took too long"),
                }
            })
            .await
        }
    }
}

async fn serve<T>(door: &Door, io: T, graceful: Watcher, stop: watch::Receiver<Stop>)
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let config = door.worker.gateway().config.clone();
    let timeouts = &config.listen.timeouts;
    // One timer watches a connection that waits for a request, begun or not.
    let patience = timeouts.head.max(timeouts.idle.min(MOST_WAIT));
    let Some((kind, io)) = opened(io, patience, stop).await else { return };
    let io = TokioIo::new(io);
    let worker = door.worker.clone();
    let service = service_fn(move |request| answer(worker.clone(), request));
    let ended = match kind {
        HttpKind::Http1 => {
            let connection = http1(&config.limits, patience).serve_connection(io, service);
            graceful.watch(connection).await
        }
        HttpKind::Http2 => {
            let connection = http2(&config.limits).serve_connection(io, service);
            Box::pin(graceful.watch(connection)).await
        }
    };
    // What ends a connection early is seen and booked by the call it breaks.
    if let Err(error) = ended {
        tracing::trace!(%error, "connection ended");
    }
}

/// Waits for the first bytes, but not for ever, nor when the process is to end. The HTTP
/// implementation has a timer for heads, but none for a caller who begins with nothing.
async fn opened<T: AsyncRead + Unpin>(
    io: T,
    patience: Duration,
    mut stop: watch::Receiver<Stop>,
) -> Option<(HttpKind, Opened<Strict<T>>)> {
    let opened = tokio::select! {
        opened = tokio::time::timeout(patience, opening::opened(Strict::new(io))) => opened,
        _ = stop.wait_for(Stop::is_asked) => return None,
    };
    match opened {
        Ok(Ok(opened)) => opened,
        Ok(Err(error)) => {
            tracing::trace!(%error, "connection ended");
            None
        }
        Err(_) => {
            tracing::trace!("nothing was ever asked");
            None
        }
    }
}

async fn answer(
    worker: Arc<Worker>,
    request: Request<Incoming>,
) -> Result<Response<ReplyBody>, Infallible> {
    // No other protocol is spoken here. A connection on which one was offered ends with the answer,
    // so that nobody can take what follows for a request that is none.
    let offered = request.headers().contains_key(UPGRADE) && request.version() <= Version::HTTP_11;
    let mut response = replied(&worker, request).await;
    if offered {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(response)
}

async fn replied(worker: &Worker, request: Request<Incoming>) -> Response<ReplyBody> {
    // Some clients look whether anybody is here before they call.
    if request.uri().path() == "/" && matches!(*request.method(), Method::GET | Method::HEAD) {
        let body = ReplyBody::whole(bytes::Bytes::from_static(b"{\"service\":\"tollgate\"}\n"));
        return Response::new(body);
    }
    pipeline::serve(worker, request).await
}

fn http1(limits: &Limits, head: Duration) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(head)
        .max_headers(limits.headers)
        .max_buf_size(limits.head_bytes.max(8 << 10));
    builder
}

fn http2(limits: &Limits) -> http2::Builder<TokioExecutor> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_header_list_size(u32::try_from(limits.head_bytes).unwrap_or(u32::MAX))
        .max_concurrent_streams(200)
        .keep_alive_interval(Duration::from_secs(30))
        .keep_alive_timeout(Duration::from_secs(20));
    builder
}
