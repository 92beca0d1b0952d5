//! The program with a provider for every row, and a caller that speaks HTTP by hand.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use tollgate_wire::Provider;

use crate::host;

const KEY: &str = "tg-test-key-not-a-secret";

pub(crate) struct Site {
    address: SocketAddr,
    folder: PathBuf,
    child: Child,
    // Its runtime serves the simulated providers.
    _runtime: tokio::runtime::Runtime,
}

impl Site {
    pub(crate) fn start(rows: &[&'static Provider]) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let simulator = listener.local_addr().unwrap();
        let simulated = tollgate_simulate::Simulator::new();
        runtime.spawn(tollgate::simulate::serve(listener, simulated, std::future::pending()));
        let hosts = host::listen(simulator);
        let folder =
            std::env::temp_dir().join(format!("tollgate-conformance-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let free = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let (address, admin) = (free(), free());
        std::fs::write(folder.join("tollgate.yaml"), configuration(address, admin, hosts, rows))
            .unwrap();
        let file = |name: &str| Stdio::from(std::fs::File::create(folder.join(name)).unwrap());
        let child = Command::new(env!("CARGO_BIN_EXE_tollgate"))
            .args(["serve", "--config", "tollgate.yaml", "--data-dir", "data"])
            .current_dir(&folder)
            .env_clear()
            .env("TEST_KEY", KEY)
            .env("PROVIDER_KEY", "sk-provider-key-not-a-secret")
            .stdout(file("out"))
            .stderr(file("err"))
            .spawn()
            .unwrap();
        let site = Self { address, folder, child, _runtime: runtime };
        let begun = Instant::now();
        while TcpStream::connect(site.address).is_err() {
            let said = std::fs::read_to_string(site.folder.join("err")).unwrap_or_default();
            assert!(begun.elapsed() < Duration::from_secs(20), "the gateway is not ready:\n{said}");
            std::thread::sleep(Duration::from_millis(20));
        }
        site
    }

    pub(crate) fn call(
        &self,
        path: &str,
        headers: &[(HeaderName, HeaderValue)],
        body: &[u8],
    ) -> Answer {
        let mut head = format!(
            "POST {path} HTTP/1.1\r\nhost: gateway\r\nauthorization: Bearer {KEY}\r\nconnection: close\r\ncontent-length: {}\r\n",
            body.len()
        );
        let typed = headers.iter().any(|(name, _)| name == "content-type");
        if !typed {
            head += "content-type: application/json\r\n";
        }
        for (name, value) in headers {
            let _ = write!(head, "{name}: {}\r\n", value.to_str().unwrap());
        }
        head += "\r\n";
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let _ = stream.write_all(&[head.as_bytes(), body].concat());
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        Answer::read(&bytes)
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn configuration(
    address: SocketAddr,
    admin: SocketAddr,
    hosts: SocketAddr,
    rows: &[&'static Provider],
) -> String {
    let mut text = format!(
        "listen: {{ data: \"{address}\", admin: \"{admin}\" }}\nlog: {{ access: false }}\nproviders:\n"
    );
    for row in rows {
        let mut fields = format!(
            "kind: {}, base_url: \"{}\", api_key: \"${{env:PROVIDER_KEY}}\"",
            row.kind,
            host::base_url(hosts, row)
        );
        for setting in row.settings {
            let value = if setting.name == "region" { "us-east-1" } else { "test-1" };
            let _ = write!(fields, ", {}: \"{value}\"", setting.name);
        }
        let _ = writeln!(text, "  {}: {{ {fields} }}", row.kind);
    }
    text + "keys: { tests: { secret: \"${env:TEST_KEY}\" } }\n"
}

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Reads what came until the connection closed; status 0 when it is no answer.
    pub(crate) fn read(bytes: &[u8]) -> Self {
        let nothing = Self { status: 0, headers: HeaderMap::new(), body: Bytes::new() };
        let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
            return nothing;
        };
        let head = String::from_utf8_lossy(&bytes[..at]);
        let mut lines = head.lines();
        let status =
            lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).unwrap_or(0);
        let mut headers = HeaderMap::new();
        for line in lines {
            if let Some((name, value)) = line.split_once(':')
                && let (Ok(name), Ok(value)) =
                    (HeaderName::try_from(name), HeaderValue::try_from(value.trim()))
            {
                headers.append(name, value);
            }
        }
        let rest = &bytes[at + 4..];
        let chunked = headers.get("transfer-encoding").is_some_and(|value| value == "chunked");
        let body = if chunked { unchunked(rest) } else { rest.to_vec() };
        Self { status, headers, body: body.into() }
    }
}

fn unchunked(mut bytes: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(end) = bytes.windows(2).position(|two| two == b"\r\n") {
        let size = std::str::from_utf8(&bytes[..end]).ok();
        let size = size.and_then(|size| usize::from_str_radix(size.trim(), 16).ok()).unwrap_or(0);
        let Some(chunk) = bytes.get(end + 2..end + 2 + size).filter(|chunk| !chunk.is_empty())
        else {
            break;
        };
        body.extend_from_slice(chunk);
        let Some(rest) = bytes.get(end + 4 + size..) else { break };
        bytes = rest;
    }
    body
}
