//! Certificates and keys from PEM files, tried out before anything is served with them. It verifies
//! nobody: that is for the handshake.

use rustls::RootCertStore;
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use super::ClientIdentity;
use super::check::Check;
use super::place::Path;

/// A certificate chain and the key that belongs to its first certificate, from `certificate` and
/// `key` below `path`.
pub(super) fn identity(
    check: &mut Check<'_>,
    path: &Path,
    certificate: &str,
    key: &str,
) -> Option<ClientIdentity> {
    let chain = certificates(check, &path.key("certificate"), certificate);
    let key_path = path.key("key");
    let key = private_key(check, &key_path, key);
    let (chain, key) = (chain?, key?);
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    match CertifiedKey::from_der(chain.clone(), key.clone_key(), &provider) {
        Ok(_) => Some(ClientIdentity { chain, key }),
        Err(error) => {
            let hint = "the first certificate of the file must be the one made for this key";
            check.refuse(
                &key_path,
                format!("the key and the certificate do not fit: {error}"),
                hint,
            );
            None
        }
    }
}

/// Certificates that others are checked against.
pub(super) fn roots(
    check: &mut Check<'_>,
    path: &Path,
    file: &str,
) -> Option<Vec<CertificateDer<'static>>> {
    let roots = certificates(check, path, file)?;
    let mut store = RootCertStore::empty();
    for root in &roots {
        if let Err(error) = store.add(root.clone()) {
            check.refuse(
                path,
                format!("{file} holds a certificate that cannot be a root: {error}"),
                PEM_HINT,
            );
            return None;
        }
    }
    Some(roots)
}

const PEM_HINT: &str = "a PEM file has blocks such as `-----BEGIN CERTIFICATE-----`";

fn certificates(
    check: &mut Check<'_>,
    path: &Path,
    file: &str,
) -> Option<Vec<CertificateDer<'static>>> {
    let bytes = check.file_bytes(path, file)?;
    match CertificateDer::pem_slice_iter(&bytes).collect::<Result<Vec<_>, _>>() {
        Ok(chain) if !chain.is_empty() => Some(chain),
        Ok(_) => {
            check.refuse(path, format!("{file} holds no certificate"), PEM_HINT);
            None
        }
        Err(_) => {
            check.refuse(path, format!("{file} is not a whole PEM file"), PEM_HINT);
            None
        }
    }
}

fn private_key(check: &mut Check<'_>, path: &Path, file: &str) -> Option<PrivateKeyDer<'static>> {
    let bytes = check.file_bytes(path, file)?;
    PrivateKeyDer::from_pem_slice(&bytes)
        .map_err(|_| {
            let hint = "an unencrypted PEM file with `-----BEGIN PRIVATE KEY-----`, `RSA PRIVATE KEY` or `EC PRIVATE KEY`";
            check.refuse(path, format!("{file} holds no private key that can be read"), hint);
        })
        .ok()
}
