//! `providers`: rows of the registry with their addresses, credentials and trust. It calls nobody.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use tollgate_model::DialectId;
use tollgate_wire::auth::Identity;
use tollgate_wire::{Provider, provider};

use super::base_url::Host;
use super::check::Check;
use super::pem;
use super::place::Path;
use super::{BaseUrl, Listen, ProviderConfig, Scheme, Timeouts, UpstreamTls};
use super::{data, identity, settings, written};

/// The kind that can live inside this process.
pub const SIMULATED: &str = "simulated";

/// What the simulated provider is shown when the file gives it no key: like those it stands in for,
/// it wants to see one, and any will do.
pub(super) const SIMULATED_KEY: &str = "any-key-will-do";

/// Longest that a call may be given.
const MAX_TOTAL: Duration = Duration::from_secs(24 * 3600);

pub(super) fn check(
    check: &mut Check<'_>,
    written: BTreeMap<String, written::Provider>,
    listen: &Listen,
) -> BTreeMap<String, ProviderConfig> {
    let path = Path::top().key("providers");
    if written.is_empty() {
        check.refuse(
            &path,
            "there are no providers",
            "write one at least: `openai: { kind: openai, api_key: \"${env:OPENAI_API_KEY}\" }`",
        );
    }
    written
        .into_iter()
        .filter_map(|(name, written)| {
            let path = path.key(&name);
            let named = check.name(&path, &name);
            let provider = one(check, &path, name.clone(), &written, listen)?;
            named.then_some((name, provider))
        })
        .collect()
}

fn one(
    check: &mut Check<'_>,
    path: &Path,
    name: String,
    written: &written::Provider,
    listen: &Listen,
) -> Option<ProviderConfig> {
    // The shape was checked against the same registry, so the kind is there.
    let provider = provider::find(&written.kind)?;
    let settings = settings::check(check, path, provider, written);
    let address = written.base_url.clone().unwrap_or_else(|| provider.address(&settings));
    let base = base(check, path, provider, &address);
    if let Some(base) = base.as_ref().and_then(Option::as_ref) {
        own_listener(check, path, base, listen);
    }
    let api_key = match &written.api_key {
        Some(text) => check.secret(&path.key("api_key"), text),
        None => {
            if !provider.key_optional && provider.identity == Identity::None {
                let variable = provider.key_env.first().copied().unwrap_or("NAME");
                let hint = format!("api_key: \"${{env:{variable}}}\"");
                check.refuse(
                    path,
                    format!("a provider of kind `{}` needs `api_key`", provider.kind),
                    hint,
                );
            }
            (provider.kind == SIMULATED).then(|| SecretString::from(SIMULATED_KEY))
        }
    };
    let dialect = written.dialect.as_deref().and_then(|text| dialect(check, path, provider, text));
    Some(ProviderConfig {
        name,
        provider,
        identity: identity::check(check, path, provider, written),
        api_key,
        settings,
        dialect,
        tls: upstream_tls(check, path, written),
        passthrough: written.passthrough.unwrap_or(true),
        timeouts: timeouts(check, path, written.timeouts.as_ref(), Timeouts::default()),
        data: data::check(check, path, provider, written.data.as_ref()),
        base: base?,
    })
}

/// `Some(None)` is the simulated provider inside this process.
#[expect(
    clippy::option_option,
    reason = "refused, or known to be inside: two answers that must not be confused"
)]
fn base(
    check: &mut Check<'_>,
    path: &Path,
    provider: &Provider,
    text: &str,
) -> Option<Option<BaseUrl>> {
    let at = path.key("base_url");
    if text.is_empty() && !check.stands(&at) {
        if provider.kind == SIMULATED {
            return Some(None);
        }
        let hint = "what the vendor's own SDK takes as its base URL, such as `base_url: \"http://127.0.0.1:8000/v1\"`";
        check.refuse(
            path,
            format!("a provider of kind `{}` needs `base_url`", provider.kind),
            hint,
        );
        return None;
    }
    if text.contains('{') && !check.stands(&at) {
        // A setting is missing, which was said already.
        return None;
    }
    let base = match BaseUrl::parse(text) {
        Ok(base) => base,
        Err(error) => {
            let hint = "scheme, host, port and a plain path, nothing else: `https://api.example.com/v1`; credentials go into `api_key`";
            check.refuse(&at, format!("this cannot be a base URL: {error}"), hint);
            return None;
        }
    };
    if base.scheme == Scheme::Http && !provider.self_hosted && !base.host.is_loopback() {
        let message = format!("a key for kind `{}` would travel unencrypted", provider.kind);
        check.refuse(
            &at,
            message,
            "write `https://`; plain `http://` is for providers that you run yourself",
        );
        return None;
    }
    if base.host.is_unspecified() || base.host.is_link_local() {
        let hint = "name the machine that runs the provider, `127.0.0.1` for this one";
        check.refuse(&at, format!("`{}` is not an address of a provider", base.host), hint);
        return None;
    }
    Some(Some(base))
}

/// A gateway that calls itself would do so until something breaks.
fn own_listener(check: &mut Check<'_>, path: &Path, base: &BaseUrl, listen: &Listen) {
    let is = |socket: SocketAddr| {
        let same_host = match &base.host {
            Host::Address(ip) => socket.ip().is_unspecified() || *ip == socket.ip(),
            Host::Name(_) => false,
        };
        socket.port() == base.port
            && (same_host
                || (base.host.is_loopback()
                    && (socket.ip().is_loopback() || socket.ip().is_unspecified())))
    };
    for (what, socket) in [("data", listen.data.socket), ("admin", listen.admin.socket)] {
        if is(socket) {
            let message = format!(
                "this is the gateway's own address (`listen.{what}`): it would call itself"
            );
            check.refuse(
                &path.key("base_url"),
                message,
                "give the provider's address, or move the gateway to another port",
            );
        }
    }
}

pub(super) fn dialect(
    check: &mut Check<'_>,
    path: &Path,
    provider: &Provider,
    text: &str,
) -> Option<DialectId> {
    let spoken = provider.speaks.iter().find(|speaks| speaks.dialect.as_str() == text);
    if spoken.is_none() {
        let mut known: Vec<String> =
            provider.speaks.iter().map(|speaks| format!("`{}`", speaks.dialect)).collect();
        known.dedup();
        let message = format!("a provider of kind `{}` does not speak `{text}`", provider.kind);
        check.refuse(&path.key("dialect"), message, format!("it speaks {}", known.join(", ")));
    }
    spoken.map(|speaks| speaks.dialect)
}

fn upstream_tls(check: &mut Check<'_>, path: &Path, written: &written::Provider) -> UpstreamTls {
    let extra_roots = written.ca.as_ref().and_then(|file| pem::roots(check, &path.key("ca"), file));
    let client = match (&written.certificate, &written.key) {
        (Some(certificate), Some(key)) => pem::identity(check, path, certificate, key),
        (None, None) => None,
        (Some(_), None) => {
            check.refuse(
                &path.key("certificate"),
                "a certificate without its key",
                "add `key: key.pem`",
            );
            None
        }
        (None, Some(_)) => {
            let hint = "add `certificate: certificate.pem`; the provider's API key is `api_key`";
            check.refuse(&path.key("key"), "a private key without its certificate", hint);
            None
        }
    };
    UpstreamTls { extra_roots: extra_roots.unwrap_or_default(), client: client.map(Arc::new) }
}

/// What is written over `default`, and whether it makes sense as a whole.
pub(super) fn timeouts(
    check: &mut Check<'_>,
    path: &Path,
    written: Option<&written::Timeouts>,
    default: Timeouts,
) -> Timeouts {
    let Some(written) = written else { return default };
    let path = path.key("timeouts");
    let total =
        check.duration(&path.key("total"), written.total.as_deref(), default.total, MAX_TOTAL);
    let mut part = |name: &str, text: &Option<String>, default: Duration| {
        let at = path.key(name);
        let duration = check.duration(&at, text.as_deref(), default, MAX_TOTAL);
        if text.is_some() && duration > total {
            check.refuse(
                &at,
                "it is longer than the whole call may take (`total`)",
                "shorten it, or lengthen `total`",
            );
        }
        duration.min(total)
    };
    Timeouts {
        connect: part("connect", &written.connect, default.connect),
        first_token: part("first_token", &written.first_token, default.first_token),
        between_tokens: part("between_tokens", &written.between_tokens, default.between_tokens),
        total,
    }
}
