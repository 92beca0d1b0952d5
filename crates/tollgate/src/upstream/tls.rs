//! TLS towards providers: always verified, against Mozilla's roots, the system's and the
//! configured ones.

use std::sync::{Arc, OnceLock};

use rustls::{ClientConfig, RootCertStore};

use super::SetupError;
use crate::config::UpstreamTls;

/// # Errors
/// When an extra root or the gateway's own certificate cannot be used.
pub(super) fn client_config(tls: &UpstreamTls) -> Result<Arc<ClientConfig>, SetupError> {
    static PLAIN: OnceLock<Arc<ClientConfig>> = OnceLock::new();
    let plain = tls.extra_roots.is_empty() && tls.client.is_none();
    if plain && let Some(config) = PLAIN.get() {
        return Ok(config.clone());
    }
    let config = built(tls)?;
    if plain {
        return Ok(PLAIN.get_or_init(|| config).clone());
    }
    Ok(config)
}

fn built(tls: &UpstreamTls) -> Result<Arc<ClientConfig>, SetupError> {
    let mut roots = usual_roots().clone();
    for root in &tls.extra_roots {
        roots.add(root.clone())?;
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(
        rustls::crypto::aws_lc_rs::default_provider(),
    ))
    .with_safe_default_protocol_versions()?
    .with_root_certificates(roots);
    let mut config = match &tls.client {
        None => builder.with_no_client_auth(),
        Some(identity) => {
            builder.with_client_auth_cert(identity.chain.clone(), identity.key.clone_key())?
        }
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// Read once: the system's store may be large.
fn usual_roots() -> &'static RootCertStore {
    static ROOTS: OnceLock<RootCertStore> = OnceLock::new();
    ROOTS.get_or_init(|| {
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        roots
    })
}
