//! Where a provider is reached: scheme, host, port and the TLS it demands. Connections are pooled
//! per origin, and a credential is bound to one.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::HeaderValue;
use rustls::ClientConfig;
use rustls_pki_types::ServerName;

use super::SetupError;
use super::tls::client_config;
use crate::config::base_url::{Host, Scheme};
use crate::config::{BaseUrl, UpstreamTls};

#[derive(Debug)]
pub struct Origin {
    /// Unique in this process; names the pool's drawer.
    pub id: u64,
    pub host: Host,
    pub port: u16,
    /// `None`: plain text.
    pub tls: Option<OriginTls>,
    /// The `host` header.
    pub authority: HeaderValue,
    /// For a connection, its TLS included.
    pub connect_timeout: Duration,
}

#[derive(Debug)]
pub struct OriginTls {
    pub name: ServerName<'static>,
    pub config: Arc<ClientConfig>,
}

impl Origin {
    /// # Errors
    /// When the host is no name that a certificate could hold, or its TLS cannot be set up.
    pub fn new(
        base: &BaseUrl,
        tls: &UpstreamTls,
        connect_timeout: Duration,
    ) -> Result<Self, SetupError> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let tls = match base.scheme {
            Scheme::Http => None,
            Scheme::Https => {
                let name = match &base.host {
                    Host::Name(name) => {
                        ServerName::try_from(name.clone()).map_err(|_| SetupError::Host)?
                    }
                    Host::Address(address) => ServerName::from(*address),
                };
                Some(OriginTls { name, config: client_config(tls)? })
            }
        };
        Ok(Self {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            host: base.host.clone(),
            port: base.port,
            tls,
            authority: HeaderValue::from_str(&base.authority()).map_err(|_| SetupError::Host)?,
            connect_timeout,
        })
    }

    /// Whether connections to one may serve for the other. Origins with TLS settings of their own
    /// are never alike: certificates may have been renewed.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        self.host == other.host
            && self.port == other.port
            && self.connect_timeout == other.connect_timeout
            && match (&self.tls, &other.tls) {
                (None, None) => true,
                (Some(one), Some(two)) => Arc::ptr_eq(&one.config, &two.config),
                _ => false,
            }
    }
}
