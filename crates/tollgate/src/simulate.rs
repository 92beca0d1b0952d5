//! The simulated providers on a socket: accepts connections, plays the scripts, and notices callers
//! that leave. What is answered is decided in `tollgate-simulate`; nothing here knows a dialect.

mod body;
mod connection;

use body::Playing;
use bytes::Bytes;
use connection::{Break, Connection};
use http::{Response, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::future::Future;
use std::pin::pin;
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tollgate_simulate::{Request, Script, Simulator, Step};

/// More than any caller of the gateway may send.
const MOST_BODY: usize = 64 << 20;
const HEAD_TIMEOUT: Duration = Duration::from_secs(60);

/// Serves until `shutdown` is done, then breaks off what still runs.
pub async fn serve(
    listener: TcpListener,
    simulator: Simulator,
    shutdown: impl Future<Output = ()> + Send,
) -> std::io::Result<()> {
    let mut shutdown = pin!(shutdown);
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = &mut shutdown => return Ok(()),
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, simulator.clone()));
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection to the simulated provider was not accepted");
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(stream: TcpStream, simulator: Simulator) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "frames may be sent late");
    }
    let broken = Break::default();
    let io = TokioIo::new(Connection::new(stream, broken.clone()));
    let service = service_fn(|request| answer(request, simulator.clone(), broken.clone()));
    let served = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(io, service)
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "a connection to the simulated provider ended early");
    }
}

/// Why a connection ends without an answer, or inside one.
#[derive(Debug, thiserror::Error)]
enum BrokenOff {
    #[error("the script breaks the connection off")]
    AsScripted,
    #[error("the call could not be read: {0}")]
    Unreadable(String),
}

async fn answer(
    request: hyper::Request<Incoming>,
    simulator: Simulator,
    broken: Break,
) -> Result<Response<Playing>, BrokenOff> {
    let arrived = Instant::now();
    let (head, body) = request.into_parts();
    let body = match Limited::new(body, MOST_BODY).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => return Ok(too_large()),
        Err(error) => return Err(BrokenOff::Unreadable(error.to_string())),
    };
    let script = simulator.answer(&seen(&head, body));
    let watch = body::Watch::new(simulator, script.received, arrived);
    before(&script, &watch, &broken).await?;
    Ok(response(script, watch, broken))
}

fn seen(head: &http::request::Parts, body: Bytes) -> Request {
    let headers = head.headers.iter();
    Request {
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: headers
            .map(|(n, v)| (n.to_string(), String::from_utf8_lossy(v.as_bytes()).into_owned()))
            .collect(),
        body,
    }
}

/// What the script does before the head. A caller that leaves meanwhile drops this future, and `watch` tells.
async fn before(script: &Script, watch: &body::Watch, broken: &Break) -> Result<(), BrokenOff> {
    for step in &script.before {
        match step {
            Step::Pause(time) => tokio::time::sleep(*time).await,
            Step::Hang => std::future::pending().await,
            Step::Reset => {
                watch.ended(false);
                broken.reset();
                return Err(BrokenOff::AsScripted);
            }
            Step::Cut | Step::Close => {
                watch.ended(false);
                return Err(BrokenOff::AsScripted);
            }
            Step::Send(_) => {}
        }
    }
    Ok(())
}

fn response(script: Script, watch: body::Watch, broken: Break) -> Response<Playing> {
    let mut response = Response::new(Playing::new(script.steps, watch, broken));
    *response.status_mut() =
        StatusCode::from_u16(script.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in script.headers {
        let name = http::HeaderName::try_from(name);
        let value = http::HeaderValue::try_from(value);
        if let (Ok(name), Ok(value)) = (name, value) {
            response.headers_mut().append(name, value);
        }
    }
    response
}

fn too_large() -> Response<Playing> {
    let mut response = Response::new(Playing::said(Bytes::from_static(
        b"the body is larger than the simulated provider reads",
    )));
    *response.status_mut() = StatusCode::PAYLOAD_TOO_LARGE;
    response
}

#[cfg(test)]
mod tests;
