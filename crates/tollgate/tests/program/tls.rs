//! TLS on both sides is verified, and nothing turns that off.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::site::{DIALECTS, KEY, Site};

/// An authority of our own, and what it signs.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// Certificate and key, as PEM, for a name; expired when told.
    fn sign(&self, name: &str, expired: bool) -> (String, String) {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        if expired {
            params.not_before = rcgen::date_time_ymd(2001, 1, 1);
            params.not_after = rcgen::date_time_ymd(2002, 1, 1);
        }
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }

    fn roots(&self) -> Arc<RootCertStore> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.pem.as_bytes()).unwrap()).unwrap();
        Arc::new(roots)
    }
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

fn der(
    (certificate, key): &(String, String),
) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
    let certificate = CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap();
    (vec![certificate], PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap())
}

/// A door with TLS before a plain server; with `callers`, only their certificates are let in.
async fn tls_before(
    plain: SocketAddr,
    identity: &(String, String),
    callers: Option<&Authority>,
) -> u16 {
    let builder = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap();
    let builder = match callers {
        None => builder.with_no_client_auth(),
        Some(authority) => builder.with_client_cert_verifier(
            WebPkiClientVerifier::builder_with_provider(authority.roots(), provider())
                .build()
                .unwrap(),
        ),
    };
    let (chain, key) = der(identity);
    let config = builder.with_single_cert(chain, key).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut tls) = acceptor.accept(socket).await else { return };
                let Ok(mut plain) = TcpStream::connect(plain).await else { return };
                let _ = tokio::io::copy_bidirectional(&mut tls, &mut plain).await;
            });
        }
    });
    port
}

fn save(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

#[test]
fn a_provider_is_verified_against_the_configured_roots_by_name_and_date() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let plain = Site::start();
    let (ours, strangers) = (Authority::new(), Authority::new());
    let port = |identity: (String, String), callers: Option<&Authority>| {
        runtime.block_on(tls_before(plain.upstream, &identity, callers))
    };
    let good = port(ours.sign("localhost", false), None);
    let wrong_name = port(ours.sign("elsewhere.example", false), None);
    let expired = port(ours.sign("localhost", true), None);
    let unknown = port(strangers.sign("localhost", false), None);
    let mutual = port(ours.sign("localhost", false), Some(&ours));
    let ca = save(&plain.folder, "ca.pem", &ours.pem);
    let identity = ours.sign("gateway", false);
    let certificate = save(&plain.folder, "gateway.pem", &identity.0);
    let key = save(&plain.folder, "gateway.key", &identity.1);
    let line = |name: &str, port: u16, more: &str| {
        format!(
            "  {name}: {{ kind: openai-compatible, base_url: \"https://localhost:{port}/v1\", api_key: \"${{env:PROVIDER_KEY}}\", ca: \"{ca}\"{more} }}\n"
        )
    };
    let client = format!(", certificate: \"{certificate}\", key: \"{key}\"");
    let providers = [
        line("good", good, ""),
        line("wrong-name", wrong_name, ""),
        line("expired", expired, ""),
        line("unknown", unknown, ""),
        line("mutual", mutual, &client),
        line("stranger", mutual, ""),
        format!(
            "  no-root: {{ kind: openai-compatible, base_url: \"https://localhost:{good}/v1\" }}\n"
        ),
    ];
    let site = Site::adapted("", |text| {
        text.replacen("teams:", &format!("{}teams:", providers.concat()), 1)
    });
    for (provider, status) in [
        ("good", 200),
        ("mutual", 200),
        ("wrong-name", 503),
        ("expired", 503),
        ("unknown", 503),
        ("no-root", 503),
        ("stranger", 502),
    ] {
        for stream in [false, true] {
            let reply = site.call(DIALECTS[0], &format!("{provider}/hello"), stream);
            // A refused certificate of ours shows as a connection that ends before an answer.
            let fits = reply.status == status || (provider == "stranger" && reply.status == 503);
            assert!(fits, "{provider}: {} {}", reply.status, reply.body);
        }
    }
}

#[test]
fn callers_are_met_with_tls_and_their_certificates_are_demanded_where_configured() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let ours = Authority::new();
    let folder = tempfolder();
    let identity = ours.sign("localhost", false);
    let (certificate, key) =
        (save(&folder, "cert.pem", &identity.0), save(&folder, "key.pem", &identity.1));
    let ca = save(&folder, "ca.pem", &ours.pem);
    let tls = format!(
        ", tls: {{ certificate: \"{certificate}\", key: \"{key}\", client_ca: \"{ca}\" }} }}\nproviders:"
    );
    let site = Site::adapted("", |text| text.replacen(" }\nproviders:", &tls, 1));
    runtime.block_on(async {
        let caller = ours.sign("caller", false);
        let stranger = Authority::new().sign("caller", false);
        let answer = call(site.address, &ours, Some(&caller)).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(call(site.address, &ours, None).await.is_err(), "a caller without a certificate");
        assert!(
            call(site.address, &ours, Some(&stranger)).await.is_err(),
            "a stranger's certificate"
        );
    });
    let _ = std::fs::remove_dir_all(folder);
}

fn tempfolder() -> std::path::PathBuf {
    let folder = std::env::temp_dir().join(format!("tollgate-tls-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// One call over TLS; the answer's first bytes.
async fn call(
    address: SocketAddr,
    authority: &Authority,
    identity: Option<&(String, String)>,
) -> std::io::Result<String> {
    let builder = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(authority.roots());
    let config = match identity {
        None => builder.with_no_client_auth(),
        Some(identity) => {
            let (chain, key) = der(identity);
            builder.with_client_auth_cert(chain, key).unwrap()
        }
    };
    let name = ServerName::try_from("localhost").unwrap();
    let socket = TcpStream::connect(address).await?;
    let mut tls = TlsConnector::from(Arc::new(config)).connect(name, socket).await?;
    let (path, body) = DIALECTS[0].call("chat/hello", false);
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: gateway\r\nauthorization: Bearer {KEY}\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    tls.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    tls.read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
