//! `credentials`: who the gateway is in a cloud that is not shown a key. What is left out is looked
//! for where the cloud's own SDKs would. Nothing is asked of any cloud here.

use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};
use tollgate_wire::Provider;
use tollgate_wire::auth::Identity;

use super::check::Check;
use super::nearest::quoted;
use super::place::Path;
use super::written;

/// Who the gateway is in a cloud, and how it can prove it.
#[derive(Debug, Clone)]
pub enum IdentityConfig {
    AwsKeys {
        access_key_id: SecretString,
        secret_access_key: SecretString,
        session_token: Option<SecretString>,
    },
    /// What AWS's own SDKs would find: environment, profile, web identity, container, machine.
    AwsChain {
        profile: Option<String>,
    },
    /// The JSON of a key file.
    GoogleFile(SecretString),
    /// What Google's own SDKs would find: environment, the user's own, machine.
    GoogleDefault,
    EntraApplication {
        tenant: String,
        client_id: String,
        proof: Application,
    },
    /// The identity that the machine was given.
    EntraManaged {
        client_id: Option<String>,
    },
    /// What Microsoft's own SDKs would find: environment, workload, machine.
    EntraDefault,
}

/// How an application of Entra proves itself.
#[derive(Debug, Clone)]
pub enum Application {
    Secret(SecretString),
    /// A file with a token of the platform it runs on.
    TokenFile(PathBuf),
}

impl IdentityConfig {
    /// Whether what one holds may serve the other.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (
                Self::AwsKeys { access_key_id, secret_access_key, session_token },
                Self::AwsKeys {
                    access_key_id: id,
                    secret_access_key: secret,
                    session_token: token,
                },
            ) => {
                same(access_key_id, id)
                    && same(secret_access_key, secret)
                    && session_token.as_ref().map(ExposeSecret::expose_secret)
                        == token.as_ref().map(ExposeSecret::expose_secret)
            }
            (Self::AwsChain { profile }, Self::AwsChain { profile: other }) => profile == other,
            (Self::GoogleFile(one), Self::GoogleFile(two)) => same(one, two),
            (Self::GoogleDefault, Self::GoogleDefault)
            | (Self::EntraDefault, Self::EntraDefault) => true,
            (
                Self::EntraApplication { tenant, client_id, proof },
                Self::EntraApplication { tenant: other, client_id: client, proof: proven },
            ) => tenant == other && client_id == client && proof.is_like(proven),
            (Self::EntraManaged { client_id }, Self::EntraManaged { client_id: other }) => {
                client_id == other
            }
            _ => false,
        }
    }

    /// What must never be seen in a text.
    pub fn secrets(&self) -> impl Iterator<Item = &SecretString> {
        let (one, two) = match self {
            Self::AwsKeys { secret_access_key, session_token, .. } => {
                (Some(secret_access_key), session_token.as_ref())
            }
            Self::EntraApplication { proof: Application::Secret(secret), .. } => {
                (Some(secret), None)
            }
            _ => (None, None),
        };
        one.into_iter().chain(two)
    }
}

impl Application {
    fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Secret(one), Self::Secret(two)) => same(one, two),
            (Self::TokenFile(one), Self::TokenFile(two)) => one == two,
            _ => false,
        }
    }
}

fn same(one: &SecretString, two: &SecretString) -> bool {
    one.expose_secret() == two.expose_secret()
}

/// The keys that each cloud reads of `credentials`.
const AWS: &[&str] = &["access_key_id", "profile", "secret_access_key", "session_token"];
const GOOGLE: &[&str] = &["file"];
const ENTRA: &[&str] = &["client_id", "client_secret", "managed_identity", "tenant", "token_file"];

/// `None`: a key is shown, or nothing.
pub(super) fn check(
    check: &mut Check<'_>,
    path: &Path,
    provider: &Provider,
    written: &written::Provider,
) -> Option<IdentityConfig> {
    let at = path.key("credentials");
    let Some(credentials) = &written.credentials else {
        return written.api_key.is_none().then(|| by_default(provider.identity)).flatten();
    };
    if written.api_key.is_some() {
        let hint = "keep the one that is meant";
        check.refuse(&at, "`credentials` and `api_key` exclude each other", hint);
        return None;
    }
    let keys = match provider.identity {
        Identity::None => {
            let message = format!("a provider of kind `{}` is shown a key", provider.kind);
            check.refuse(&at, message, "write `api_key` instead: \"${env:NAME}\"");
            return None;
        }
        Identity::Aws { .. } => AWS,
        Identity::Google { .. } => GOOGLE,
        Identity::Entra { .. } => ENTRA,
    };
    let strangers = credentials.names().filter(|name| !keys.contains(name));
    let strangers: Vec<&str> = strangers.collect();
    for name in &strangers {
        let message = format!("credentials of kind `{}` have no `{name}`", provider.kind);
        check.refuse(&at.key(name), message, format!("they have {}", quoted(keys, ", ")));
    }
    if !strangers.is_empty() {
        return None;
    }
    match provider.identity {
        Identity::None => None,
        Identity::Aws { .. } => aws(check, &at, credentials),
        Identity::Google { .. } => google(check, &at, credentials),
        Identity::Entra { .. } => entra(check, &at, credentials),
    }
}

/// What the cloud's own SDKs would find.
pub(super) fn by_default(identity: Identity) -> Option<IdentityConfig> {
    match identity {
        Identity::None => None,
        Identity::Aws { .. } => Some(IdentityConfig::AwsChain { profile: None }),
        Identity::Google { .. } => Some(IdentityConfig::GoogleDefault),
        Identity::Entra { .. } => Some(IdentityConfig::EntraDefault),
    }
}

fn aws(check: &mut Check<'_>, at: &Path, written: &written::Credentials) -> Option<IdentityConfig> {
    let (id, secret) = match (&written.access_key_id, &written.secret_access_key) {
        (Some(id), Some(secret)) if written.profile.is_none() => (id, secret),
        (None, None) if written.session_token.is_none() => {
            return Some(IdentityConfig::AwsChain { profile: written.profile.clone() });
        }
        _ => {
            let hint = "`access_key_id` and `secret_access_key`, with `session_token` where the keys have one; or `profile` alone";
            check.refuse(at, "these are no keys of AWS", hint);
            return None;
        }
    };
    let access_key_id = check.secret(&at.key("access_key_id"), id);
    let secret_access_key = check.secret(&at.key("secret_access_key"), secret);
    let token = written.session_token.as_ref();
    let session_token = token.map(|text| check.secret(&at.key("session_token"), text));
    Some(IdentityConfig::AwsKeys {
        access_key_id: access_key_id?,
        secret_access_key: secret_access_key?,
        session_token: match session_token {
            Some(token) => Some(token?),
            None => None,
        },
    })
}

fn google(
    check: &mut Check<'_>,
    at: &Path,
    written: &written::Credentials,
) -> Option<IdentityConfig> {
    let Some(file) = &written.file else { return Some(IdentityConfig::GoogleDefault) };
    let at = at.key("file");
    let bytes = check.file_bytes(&at, file)?;
    let text = String::from_utf8(bytes).unwrap_or_default();
    let kind = serde_json::from_str::<serde_json::Value>(&text)
        .ok()
        .and_then(|json| json["type"].as_str().map(str::to_owned));
    const KINDS: [&str; 4] =
        ["authorized_user", "external_account", "impersonated_service_account", "service_account"];
    if kind.is_none_or(|kind| !KINDS.contains(&kind.as_str())) {
        let hint = format!("a JSON file whose `type` is one of {}", quoted(&KINDS, ", "));
        check.refuse(&at, format!("{file} is no key file of Google's"), hint);
        return None;
    }
    Some(IdentityConfig::GoogleFile(SecretString::from(text)))
}

fn entra(
    check: &mut Check<'_>,
    at: &Path,
    written: &written::Credentials,
) -> Option<IdentityConfig> {
    let client_id = written.client_id.clone();
    let proof = (&written.client_secret, &written.token_file);
    if written.managed_identity == Some(true) {
        if proof != (&None, &None) || written.tenant.is_some() {
            let hint = "`managed_identity: true` stands alone, or with a `client_id`";
            check.refuse(at, "a managed identity needs no other proof", hint);
        }
        return Some(IdentityConfig::EntraManaged { client_id });
    }
    let proof = match proof {
        (Some(secret), None) => {
            Application::Secret(check.secret(&at.key("client_secret"), secret)?)
        }
        (None, Some(file)) => Application::TokenFile(check.around.path(file)),
        (None, None) if client_id.is_none() && written.tenant.is_none() => {
            return Some(IdentityConfig::EntraDefault);
        }
        _ => {
            let hint = "beside `tenant` and `client_id`: `client_secret: \"${env:NAME}\"`, or `token_file: PATH`";
            check.refuse(at, "an application proves itself in one way", hint);
            return None;
        }
    };
    let (Some(tenant), Some(client_id)) = (written.tenant.clone(), client_id) else {
        let hint = "add the ids of the tenant and of the application";
        check.refuse(at, "an application has a `tenant` and a `client_id`", hint);
        return None;
    };
    for (name, value) in [("tenant", &tenant), ("client_id", &client_id)] {
        if !super::settings::fits(value) {
            let hint = "an id, such as `00000000-0000-0000-0000-000000000000`";
            check.refuse(&at.key(name), format!("{value:?} cannot be"), hint);
            return None;
        }
    }
    Some(IdentityConfig::EntraApplication { tenant, client_id, proof })
}
