//! Opens one connection: name, address, TCP, TLS.

use std::io;
use std::net::SocketAddr;

use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::Origin;
use super::http1::Connection;
use super::stream::Stream;
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
    #[error("no connection within {0} ms")]
    Timeout(u128),
}

pub(super) async fn connect(origin: &Origin) -> Result<Connection, ConnectError> {
    match timeout(origin.connect_timeout, opened(origin)).await {
        Ok(result) => result,
        Err(_) => Err(ConnectError::Timeout(origin.connect_timeout.as_millis())),
    }
}

async fn opened(origin: &Origin) -> Result<Connection, ConnectError> {
    let tcp = tcp(origin).await?;
    let stream = match &origin.tls {
        None => Stream::Plain(tcp),
        Some(tls) => {
            let connector = TlsConnector::from(tls.config.clone());
            let stream = connector.connect(tls.name.clone(), tcp).await;
            Stream::Tls(Box::new(stream.map_err(ConnectError::Tls)?))
        }
    };
    Ok(Connection::new(stream))
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
