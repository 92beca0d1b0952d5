//! `listen`: the two addresses, TLS towards callers, and how long callers may take. It binds
//! nothing.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::check::Check;
use super::pem;
use super::place::Path;
use super::{Address, Listen, ListenTimeouts, ListenTls, written};

pub(super) const DEFAULT_DATA: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);
pub(super) const DEFAULT_ADMIN: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8081);

impl Default for ListenTimeouts {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(15),
            body: Duration::from_secs(30),
            write: Duration::from_secs(60),
            idle: Duration::from_secs(90),
        }
    }
}

impl Default for Listen {
    fn default() -> Self {
        Self {
            data: Address { socket: DEFAULT_DATA, chosen: false },
            admin: Address { socket: DEFAULT_ADMIN, chosen: false },
            tls: None,
            timeouts: ListenTimeouts::default(),
        }
    }
}

pub(super) fn check(check: &mut Check<'_>, written: written::Listen) -> Listen {
    let path = Path::top().key("listen");
    let data = address(check, &path.key("data"), written.data.as_deref(), DEFAULT_DATA);
    let admin = address(check, &path.key("admin"), written.admin.as_deref(), DEFAULT_ADMIN);
    if collide(data.socket, admin.socket) && (data.chosen || admin.chosen) {
        let (data, admin) = (data.socket, admin.socket);
        let at = if written.admin.is_some() { path.key("admin") } else { path.key("data") };
        let message = format!("callers ({data}) and operators ({admin}) cannot share an address");
        check.refuse(&at, message, "give one of them another port");
    }
    Listen {
        data,
        admin,
        tls: written.tls.and_then(|tls| listen_tls(check, &path.key("tls"), &tls)),
        timeouts: timeouts(check, &path.key("timeouts"), &written.timeouts.unwrap_or_default()),
    }
}

fn address(check: &mut Check<'_>, path: &Path, text: Option<&str>, default: SocketAddr) -> Address {
    let Some(text) = text else { return Address { socket: default, chosen: false } };
    match text.parse() {
        Ok(socket) => Address { socket, chosen: true },
        Err(_) => {
            let hint = format!(
                "an address and a port: `{default}` for this machine only, `0.0.0.0:{}` for all",
                default.port()
            );
            check.refuse(path, format!("`{text}` is not an address to listen on"), hint);
            Address { socket: default, chosen: true }
        }
    }
}

/// Whether both cannot be bound at once.
fn collide(a: SocketAddr, b: SocketAddr) -> bool {
    a.port() == b.port()
        && a.port() != 0
        && (a.ip() == b.ip() || a.ip().is_unspecified() || b.ip().is_unspecified())
}

fn listen_tls(
    check: &mut Check<'_>,
    path: &Path,
    written: &written::ListenTls,
) -> Option<ListenTls> {
    let identity = pem::identity(check, path, &written.certificate, &written.key);
    let client_roots = match &written.client_ca {
        None => Some(None),
        Some(file) => pem::roots(check, &path.key("client_ca"), file).map(Some),
    };
    let identity = identity?;
    Some(ListenTls { chain: identity.chain, key: identity.key, client_roots: client_roots? })
}

fn timeouts(
    check: &mut Check<'_>,
    path: &Path,
    written: &written::ListenTimeouts,
) -> ListenTimeouts {
    let default = ListenTimeouts::default();
    let minute = Duration::from_secs(60);
    let hour = minute * 60;
    ListenTimeouts {
        head: check.duration(&path.key("head"), written.head.as_deref(), default.head, minute),
        body: check.duration(&path.key("body"), written.body.as_deref(), default.body, hour),
        write: check.duration(&path.key("write"), written.write.as_deref(), default.write, hour),
        idle: check.duration(&path.key("idle"), written.idle.as_deref(), default.idle, hour),
    }
}
