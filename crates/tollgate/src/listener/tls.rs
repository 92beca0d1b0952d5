//! TLS on the data listener, with callers' certificates where the configuration demands them.

use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::config::ListenTls;

/// What connections are accepted with. A renewed certificate is taken over while it serves; a
/// connection keeps what it began with.
#[derive(Clone)]
pub struct Acceptor(Arc<ArcSwap<ServerConfig>>);

impl std::fmt::Debug for Acceptor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Acceptor")
    }
}

/// Why TLS cannot be offered.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("the certificate or its key cannot be used: {0}")]
    Certificate(#[from] rustls::Error),
    #[error("the roots for callers' certificates cannot be used: {0}")]
    Roots(#[from] rustls::server::VerifierBuilderError),
}

impl Acceptor {
    /// # Errors
    /// When the certificate does not fit its key, or a root is none.
    pub fn new(tls: &ListenTls) -> Result<Self, TlsError> {
        Ok(Self(Arc::new(ArcSwap::from_pointee(server(tls)?))))
    }

    /// Takes over another certificate, and other roots, for the connections to come.
    ///
    /// # Errors
    /// As [`Acceptor::new`]; what was there stays.
    pub fn renew(&self, tls: &ListenTls) -> Result<(), TlsError> {
        self.0.store(Arc::new(server(tls)?));
        Ok(())
    }

    pub(super) async fn accept(&self, stream: TcpStream) -> std::io::Result<TlsStream<TcpStream>> {
        TlsAcceptor::from(self.0.load_full()).accept(stream).await
    }
}

fn server(tls: &ListenTls) -> Result<ServerConfig, TlsError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()?;
    let builder = match &tls.client_roots {
        None => builder.with_no_client_auth(),
        Some(trusted) => {
            let mut roots = RootCertStore::empty();
            for root in trusted {
                roots.add(root.clone())?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build()?)
        }
    };
    let mut config = builder.with_single_cert(tls.chain.clone(), tls.key.clone_key())?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}
