//! Opens one connection: name, address, TCP, TLS, HTTP.

use std::io;
use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::rt::{Read, Write};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::Origin;
use crate::config::base_url::Host;

#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    #[error("the name cannot be resolved: {0}")]
    Resolve(io::Error),
    #[error("the name has no address")]
    NoAddress,
    #[error("the host cannot be reached: {0}")]
    Tcp(io::Error),
    /// Verification failed, or the other side speaks no TLS that is allowed.
    #[error("TLS failed: {0}")]
    Tls(io::Error),
    #[error("HTTP failed: {0}")]
    Http(hyper::Error),
    #[error("no connection within {0} ms")]
    Timeout(u128),
}

/// Response heads above this are refused.
const MOST_HEAD_BYTES: usize = 64 << 10;

pub(super) async fn connect(origin: &Origin) -> Result<SendRequest<Full<Bytes>>, ConnectError> {
    match timeout(origin.connect_timeout, opened(origin)).await {
        Ok(result) => result,
        Err(_) => Err(ConnectError::Timeout(origin.connect_timeout.as_millis())),
    }
}

async fn opened(origin: &Origin) -> Result<SendRequest<Full<Bytes>>, ConnectError> {
    let tcp = tcp(origin).await?;
    match &origin.tls {
        None => http(TokioIo::new(tcp)).await,
        Some(tls) => {
            let connector = TlsConnector::from(tls.config.clone());
            let stream =
                connector.connect(tls.name.clone(), tcp).await.map_err(ConnectError::Tls)?;
            http(TokioIo::new(stream)).await
        }
    }
}

/// The first address that answers.
async fn tcp(origin: &Origin) -> Result<TcpStream, ConnectError> {
    let addresses: Vec<SocketAddr> = match &origin.host {
        Host::Address(address) => vec![SocketAddr::new(*address, origin.port)],
        Host::Name(name) => tokio::net::lookup_host((name.as_str(), origin.port))
            .await
            .map_err(ConnectError::Resolve)?
            .collect(),
    };
    let mut last = ConnectError::NoAddress;
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                stream.set_nodelay(true).map_err(ConnectError::Tcp)?;
                return Ok(stream);
            }
            Err(error) => last = ConnectError::Tcp(error),
        }
    }
    Err(last)
}

async fn http<T>(io: T) -> Result<SendRequest<Full<Bytes>>, ConnectError>
where
    T: Read + Write + Unpin + Send + 'static,
{
    let (sender, connection) = http1::Builder::new()
        .max_buf_size(MOST_HEAD_BYTES)
        .handshake(io)
        .await
        .map_err(ConnectError::Http)?;
    // Ends by itself when the sender and the response body are gone; its error is seen by the
    // request that it breaks.
    tokio::spawn(connection);
    Ok(sender)
}
