//! Where a provider lives, as typed parts. No URL is ever glued together from text that was not
//! taken apart first, so a fragment, a user name or a `..` in a setting cannot move a credential to
//! another host. It resolves no names.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Longest address that is accepted; far beyond any real one.
const MAX_LENGTH: usize = 2048;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    Http,
    Https,
}

impl Scheme {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    #[must_use]
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// A host: a name in lower case, or an address.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Host {
    Name(String),
    Address(IpAddr),
}

impl Host {
    /// Whether it is this machine, as far as the text alone can say.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        match self {
            Self::Name(name) => name == "localhost" || name.ends_with(".localhost"),
            Self::Address(IpAddr::V4(v4)) => v4.is_loopback(),
            Self::Address(IpAddr::V6(v6)) => {
                v6.is_loopback() || v6.to_ipv4_mapped().is_some_and(|v4| v4.is_loopback())
            }
        }
    }

    /// Whether it is an address that stands for "every interface of this machine".
    #[must_use]
    pub fn is_unspecified(&self) -> bool {
        matches!(self, Self::Address(ip) if ip.is_unspecified())
    }

    /// Whether it is an address that clouds serve their machines' metadata on, credentials
    /// included.
    #[must_use]
    pub fn is_link_local(&self) -> bool {
        match self {
            Self::Name(_) => false,
            Self::Address(IpAddr::V4(v4)) => v4.is_link_local(),
            Self::Address(IpAddr::V6(v6)) => {
                v6.is_unicast_link_local()
                    || v6.to_ipv4_mapped().is_some_and(|v4| v4.is_link_local())
            }
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(IpAddr::V4(v4)) => write!(f, "{v4}"),
            Self::Address(IpAddr::V6(v6)) => write!(f, "[{v6}]"),
        }
    }
}

/// What stands before the path of every call to a provider.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BaseUrl {
    pub scheme: Scheme,
    pub host: Host,
    pub port: u16,
    /// Empty, or begins with `/` and does not end with one.
    pub path_prefix: String,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BaseUrlError {
    #[error("it must begin with `https://` or `http://`")]
    Scheme,
    #[error("it holds a user name or password")]
    UserInfo,
    #[error("it holds a query (`?…`)")]
    Query,
    #[error("it holds a fragment (`#…`)")]
    Fragment,
    #[error("it names no host")]
    NoHost,
    #[error("`{0}` is not a host name or address")]
    Host(String),
    #[error("`{0}` is not a port")]
    Port(String),
    #[error("its path holds `{0}`, which is not allowed there")]
    Path(String),
    #[error("it is longer than {MAX_LENGTH} characters")]
    Length,
}

impl BaseUrl {
    /// # Errors
    /// When the text is not scheme, host, port and plain path, and nothing else.
    pub fn parse(text: &str) -> Result<Self, BaseUrlError> {
        if text.len() > MAX_LENGTH {
            return Err(BaseUrlError::Length);
        }
        let (scheme, rest) = split_scheme(text)?;
        if rest.contains('#') {
            return Err(BaseUrlError::Fragment);
        }
        if rest.contains('?') {
            return Err(BaseUrlError::Query);
        }
        let (authority, path) = match rest.find('/') {
            Some(at) => rest.split_at(at),
            None => (rest, ""),
        };
        if authority.contains('@') {
            return Err(BaseUrlError::UserInfo);
        }
        let (host, port) = split_authority(authority, scheme)?;
        Ok(Self { scheme, host, port, path_prefix: plain_path(path)? })
    }

    /// A plain server at an address of this machine.
    #[must_use]
    pub fn of_address(address: SocketAddr, path_prefix: &str) -> Self {
        let host = Host::Address(address.ip());
        let path_prefix = path_prefix.to_owned();
        Self { scheme: Scheme::Http, host, port: address.port(), path_prefix }
    }

    /// Host and port as a `Host` header writes them: the scheme's own port is left out.
    #[must_use]
    pub fn authority(&self) -> String {
        if self.port == self.scheme.default_port() {
            self.host.to_string()
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.scheme.as_str(), self.authority(), self.path_prefix)
    }
}

fn split_scheme(text: &str) -> Result<(Scheme, &str), BaseUrlError> {
    for scheme in [Scheme::Https, Scheme::Http] {
        let name = scheme.as_str();
        if let Some((head, rest)) = text.split_at_checked(name.len())
            && head.eq_ignore_ascii_case(name)
            && let Some(rest) = rest.strip_prefix("://")
        {
            return Ok((scheme, rest));
        }
    }
    Err(BaseUrlError::Scheme)
}

fn split_authority(authority: &str, scheme: Scheme) -> Result<(Host, u16), BaseUrlError> {
    let (host, port) = if let Some(inside) = authority.strip_prefix('[') {
        let (address, after) =
            inside.split_once(']').ok_or_else(|| BaseUrlError::Host(authority.to_owned()))?;
        let ip: Ipv6Addr = address.parse().map_err(|_| BaseUrlError::Host(address.to_owned()))?;
        let port = match after.strip_prefix(':') {
            Some(port) => Some(port),
            None if after.is_empty() => None,
            None => return Err(BaseUrlError::Host(authority.to_owned())),
        };
        (Host::Address(IpAddr::V6(ip)), port)
    } else {
        match authority.split_once(':') {
            Some((host, port)) => (parse_host(host)?, Some(port)),
            None => (parse_host(authority)?, None),
        }
    };
    let port = match port {
        None => scheme.default_port(),
        Some(digits) => parse_port(digits)?,
    };
    Ok((host, port))
}

fn parse_port(digits: &str) -> Result<u16, BaseUrlError> {
    let refused = || BaseUrlError::Port(digits.to_owned());
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(refused());
    }
    match digits.parse::<u16>() {
        Ok(0) | Err(_) => Err(refused()),
        Ok(port) => Ok(port),
    }
}

/// A name of plain labels, or an address in its one usual spelling: `127.1` and `0x7f000001` are
/// neither.
fn parse_host(text: &str) -> Result<Host, BaseUrlError> {
    if text.is_empty() {
        return Err(BaseUrlError::NoHost);
    }
    if let Ok(v4) = text.parse::<Ipv4Addr>() {
        return Ok(Host::Address(IpAddr::V4(v4)));
    }
    let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
    let plain_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    // A last label of digits would be read as an old spelling of an address by some resolvers.
    let last = name.rsplit('.').next().unwrap_or_default();
    let like_a_number = last.bytes().all(|b| b.is_ascii_digit())
        || (last.starts_with("0x") && last[2..].bytes().all(|b| b.is_ascii_hexdigit()));
    if name.len() > 253 || !name.split('.').all(plain_label) || like_a_number {
        return Err(BaseUrlError::Host(text.to_owned()));
    }
    Ok(Host::Name(name))
}

fn plain_path(path: &str) -> Result<String, BaseUrlError> {
    let path = path.strip_suffix('/').unwrap_or(path);
    for segment in path.split('/').skip(1) {
        if segment.is_empty() {
            return Err(BaseUrlError::Path("//".to_owned()));
        }
        if segment == "." || segment == ".." {
            return Err(BaseUrlError::Path(segment.to_owned()));
        }
        // Percent signs too: an escaped dot or slash is a dot or a slash to somebody further on.
        if let Some(c) = segment
            .chars()
            .find(|c| !(c.is_ascii_alphanumeric() || "-._~:@!$&'()*+,;=".contains(*c)))
        {
            return Err(BaseUrlError::Path(c.to_string()));
        }
    }
    Ok(path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_addresses_are_taken_apart() {
        let cases = [
            ("https://api.openai.com/v1", "https://api.openai.com/v1", 443),
            ("https://api.openai.com/v1/", "https://api.openai.com/v1", 443),
            ("HTTPS://API.Example.COM", "https://api.example.com", 443),
            ("http://127.0.0.1:11434/v1", "http://127.0.0.1:11434/v1", 11434),
            ("http://[::1]:8000", "http://[::1]:8000", 8000),
            ("http://[::1]", "http://[::1]", 80),
            ("https://host:443/a/b", "https://host/a/b", 443),
            ("http://model_server.internal.:80", "http://model_server.internal", 80),
        ];
        for (text, shown, port) in cases {
            let base = BaseUrl::parse(text).unwrap();
            assert_eq!((base.to_string().as_str(), base.port), (shown, port), "{text}");
        }
    }

    #[test]
    fn anything_that_could_move_the_host_is_refused() {
        let refused = [
            "",
            "api.openai.com/v1",
            "ftp://host",
            "https:/host",
            "https://",
            "https:///v1",
            "file:///etc/passwd",
            "https://user@host",
            "https://user:pass@host/v1",
            "https://host#@evil",
            "https://host/v1#x",
            "https://host?x=1",
            "https://host/v1?api-version=1",
            "https://E#.openai.azure.com",
            "https://a b",
            "https://host/../v1",
            "https://host/a/./b",
            "https://host/%2e%2e/x",
            "https://host/a%2fb",
            "https://host//v1",
            "https://host/a\\b",
            "https://host\\@evil/",
            "https://host:0",
            "https://host:65536",
            "https://host:+80",
            "https://host:",
            "https://host:80:80",
            "https://127.1",
            "https://2130706433",
            "https://0x7f000001",
            "https://127.0.0.01",
            "https://1.2.3.4.5",
            "https://[::1",
            "https://[::1]x",
            "https://[fe80::1%25eth0]",
            "https://-host",
            "https://host-",
            "https://a..b",
            "https://ho\u{0}st",
            "https://höst",
            "https://host/ä",
            "https://host/a b",
            "https://host/a\nb",
            " https://host",
        ];
        for text in refused {
            assert!(
                BaseUrl::parse(text).is_err(),
                "{text:?} was accepted as {:?}",
                BaseUrl::parse(text)
            );
        }
        assert_eq!(
            BaseUrl::parse(&format!("https://h/{}", "a".repeat(3000))),
            Err(BaseUrlError::Length)
        );
    }

    #[test]
    fn this_machine_is_recognised() {
        for text in [
            "http://localhost",
            "http://x.localhost",
            "http://127.9.9.9",
            "http://[::1]",
            "http://[::ffff:127.0.0.1]",
        ] {
            assert!(BaseUrl::parse(text).unwrap().host.is_loopback(), "{text}");
        }
        for text in ["http://localhost.example.com", "http://10.0.0.1", "http://[2001:db8::1]"] {
            assert!(!BaseUrl::parse(text).unwrap().host.is_loopback(), "{text}");
        }
    }
}
