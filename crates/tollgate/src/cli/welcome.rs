//! What `tollgate serve` says when it begins: where it is, which keys there are, and a first call
//! that works when it is pasted. No key is shown but the one that was made a moment ago.

use std::net::SocketAddr;
use std::path::PathBuf;

use secrecy::{ExposeSecret as _, SecretString};
use tollgate_store::StoredKey;

use crate::config::{Address, Config};

/// What is known when everything listens.
#[derive(Debug)]
pub(super) struct Welcome<'a> {
    pub(super) facts: &'a Facts,
    pub(super) data: SocketAddr,
    pub(super) admin: SocketAddr,
}

/// What is known before anything listens.
#[derive(Debug)]
pub(super) struct Facts {
    /// The addresses that were asked for.
    data: Address,
    admin: Address,
    tls: bool,
    providers: Vec<String>,
    /// A model that answers.
    model: Option<String>,
    /// Names of the keys that are in use.
    keys: Vec<String>,
    /// Made just now.
    fresh: Option<SecretString>,
    data_dir: PathBuf,
}

impl Facts {
    pub(super) fn new(
        config: &Config,
        data_dir: PathBuf,
        stored: &[StoredKey],
        fresh: Option<SecretString>,
    ) -> Self {
        let in_use = stored.iter().filter(|key| key.revoked.is_none()).map(|key| &key.name);
        Self {
            data: config.listen.data,
            admin: config.listen.admin,
            tls: config.listen.tls.is_some(),
            providers: config.providers.keys().cloned().collect(),
            model: first_model(config),
            keys: config.keys.iter().map(|key| &key.name).chain(in_use).cloned().collect(),
            fresh,
            data_dir,
        }
    }
}

impl Welcome<'_> {
    pub(super) fn text(&self) -> String {
        let facts = self.facts;
        let scheme = if facts.tls { "https" } else { "http" };
        let data = format!("{scheme}://{}", reachable(self.data));
        let mut lines = vec![format!("Tollgate {}", env!("CARGO_PKG_VERSION")), String::new()];
        lines.extend(moved(facts.data, self.data));
        lines.extend(moved(facts.admin, self.admin));
        lines.push(format!("Callers    {data}"));
        lines.push(format!("Operators  http://{}", reachable(self.admin)));
        lines.push(format!("Providers  {}", facts.providers.join(", ")));
        lines.push(format!("State      {}", facts.data_dir.display()));
        lines.push(self.keys());
        if !facts.keys.is_empty() || facts.fresh.is_some() {
            lines.push(
                "AWS SDKs   sign with what `tollgate keys aws NAME` shows of a key".to_owned(),
            );
        }
        if let Some(model) = &facts.model {
            lines.extend(["", "A first call:", ""].map(str::to_owned));
            lines.push(self.first_call(&data, model));
        }
        lines.push(String::new());
        lines.join("\n")
    }

    fn keys(&self) -> String {
        const ANOTHER: &str = "`tollgate keys create --name NAME` makes another";
        let names = self.facts.keys.join(", ");
        match &self.facts.fresh {
            Some(fresh) => {
                let key = fresh.expose_secret();
                format!("Key        {key}   (shown this once: keep it; {ANOTHER})")
            }
            None if names.is_empty() => {
                "Keys       none: every call is refused; `tollgate keys create --name NAME` makes one".to_owned()
            }
            None => format!("Keys       {names}   ({ANOTHER})"),
        }
    }

    fn first_call(&self, data: &str, model: &str) -> String {
        let key = self.facts.fresh.as_ref().map_or("$TOLLGATE_KEY", |fresh| fresh.expose_secret());
        let body = serde_json::json!({
            "model": model,
            "messages": [{ "role": "user", "content": "Say hello." }],
        });
        // In single quotes the shell changes nothing; a name with such a quote in it needs this.
        let body = body.to_string().replace('\'', "'\\''");
        format!(
            "curl {data}/v1/chat/completions -H \"authorization: Bearer {key}\" -H \"content-type: application/json\" -d '{body}'"
        )
    }
}

/// A model that answers as soon as possible: a simulated one, else the first that the file names,
/// else a usual one of the first provider.
fn first_model(config: &Config) -> Option<String> {
    let sample = |provider: &crate::config::ProviderConfig| {
        provider.provider.sample_models.first().map(|model| format!("{}/{model}", provider.name))
    };
    let simulated = config
        .providers
        .values()
        .find(|provider| provider.provider.kind == crate::config::SIMULATED);
    simulated
        .and_then(sample)
        .or_else(|| {
            let exact = config.models.iter().find(|model| model.name.is_exact());
            exact.map(|model| model.name.to_string())
        })
        .or_else(|| config.providers.values().find_map(sample))
}

/// A default port that was busy is never left in silence.
fn moved(asked: Address, got: SocketAddr) -> Option<String> {
    let (asked, got) = (asked.socket.port(), got.port());
    (asked != 0 && asked != got).then(|| format!("Port {asked} is busy: taking {got} instead."))
}

/// An address that a browser on this machine can open.
fn reachable(address: SocketAddr) -> SocketAddr {
    if !address.ip().is_unspecified() {
        return address;
    }
    let loopback = if address.is_ipv4() {
        [127, 0, 0, 1].into()
    } else {
        std::net::Ipv6Addr::LOCALHOST.into()
    };
    SocketAddr::new(loopback, address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(config: &Config, fresh: Option<SecretString>) -> String {
        let facts = Facts::new(config, PathBuf::from("tollgate-data"), &[], fresh);
        let (data, admin) = ("0.0.0.0:8080".parse().unwrap(), "127.0.0.1:8082".parse().unwrap());
        Welcome { facts: &facts, data, admin }.text()
    }

    #[test]
    fn the_first_start_shows_the_key_and_a_call_that_uses_it() {
        let config = Config::from_environment(&|_| None).unwrap();
        let key = SecretString::from("tg_fresh".to_owned());
        let said = text(&config, Some(key));
        assert!(
            said.contains("http://127.0.0.1:8080") && said.contains("http://127.0.0.1:8082"),
            "{said}"
        );
        assert!(said.contains("Port 8081 is busy") && said.contains("shown this once"), "{said}");
        let call = said.lines().find(|line| line.starts_with("curl ")).unwrap();
        assert!(call.contains("Bearer tg_fresh") && call.contains("\"simulated/hello\""), "{call}");
    }

    #[test]
    fn a_later_start_names_the_keys_only() {
        let config = Config::from_environment(&|_| None).unwrap();
        let said = text(&config, None);
        assert!(said.contains("every call is refused"), "{said}");
        let call = said.lines().find(|line| line.starts_with("curl ")).unwrap();
        assert!(call.contains("Bearer $TOLLGATE_KEY"), "{call}");
    }
}
