//! `storage`: where state rests, and where several gateways count together.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tollgate_store::{Address, Pepper, Server, SharedAddress};

use super::check::Check;
use super::place::Path;
use super::{Away, SharedStorage, Storage, written};

/// How long a call waits for shared counters when the file says nothing.
const PATIENCE: Duration = Duration::from_millis(100);
const MOST_PATIENCE: Duration = Duration::from_secs(5);
/// The most gateways that share counters.
const MOST_GATEWAYS: usize = 1_000;

pub(super) fn check(check: &mut Check<'_>, written: written::Storage) -> Storage {
    let path = Path::top().key("storage");
    Storage {
        shared: shared(check, &path, &written),
        database: written.database.and_then(|text| database(check, &path.key("database"), &text)),
        pepper: written.pepper.and_then(|text| pepper(check, &path.key("pepper"), &text)),
    }
}

/// The address may hold a password: it is never quoted.
fn database(check: &mut Check<'_>, path: &Path, text: &str) -> Option<Address> {
    let hint = "`sqlite:PATH`, such as `sqlite:tollgate-data/tollgate.db`, or `postgres://USER@HOST/DATABASE`";
    let referred = text.starts_with("${");
    let resolved = if referred { Some(check.secret(path, text)?) } else { None };
    let text = resolved.as_ref().map_or(text, ExposeSecret::expose_secret);
    let scheme = text.split_once(':').map_or("", |(scheme, _)| scheme);
    match scheme {
        "sqlite" => {
            let file = text.trim_start_matches("sqlite:");
            let file = file.strip_prefix("//").unwrap_or(file);
            let odd = file.contains(['?', '#']) || file.starts_with(':') || file.ends_with('/');
            if file.is_empty() || odd {
                check.refuse(path, "this is not the path of a file", hint);
                return None;
            }
            Some(Address::Sqlite(check.around.path(file)))
        }
        "postgres" | "postgresql" => match Server::parse(text) {
            Ok(server) if server.holds_password() && !referred => {
                let message = "the address holds a password in plain text";
                let hint = "write a reference to the whole address: \"${env:DATABASE_URL}\" or \"${file:PATH}\"; and replace this password, since a file is easily copied";
                check.refuse(path, message, hint);
                None
            }
            Ok(server) => Some(Address::Postgres(server)),
            Err(error) => {
                check.refuse(
                    path,
                    error.to_string(),
                    "`postgres://USER@HOST:5432/DATABASE?sslmode=verify-full`",
                );
                None
            }
        },
        _ => {
            let message = if referred {
                "what the reference leads to is not the address of a database".to_owned()
            } else {
                format!("a database of scheme {scheme:?} is not known")
            };
            check.refuse(path, message, hint);
            None
        }
    }
}

fn pepper(check: &mut Check<'_>, path: &Path, text: &str) -> Option<Pepper> {
    let secret = check.secret(path, text)?;
    let pepper = Pepper::from_hex(secret.expose_secret());
    if pepper.is_none() {
        let hint = "`openssl rand -hex 32` makes one; `xxd -p -c 32 pepper` shows the one of a data directory";
        check.refuse(path, "a pepper is 64 hexadecimal digits", hint);
    }
    pepper
}

fn shared(check: &mut Check<'_>, path: &Path, written: &written::Storage) -> Option<SharedStorage> {
    let at = path.key("shared");
    let text = written.shared.as_deref().unwrap_or("memory");
    if text == "memory" {
        for name in ["away", "gateways", "patience"] {
            if check.stands(&path.key(name)) {
                let message = format!("`{name}` speaks of a Redis, and none is named");
                let hint = "write `shared: redis://HOST:PORT` beside it, or remove it";
                check.refuse(&path.key(name), message, hint);
            }
        }
        return None;
    }
    let address = address(check, &at, text);
    let patience =
        check.duration(&path.key("patience"), written.patience.as_deref(), PATIENCE, MOST_PATIENCE);
    let away = away(check, path, written)?;
    Some(SharedStorage { address: address?, away, patience })
}

fn address(check: &mut Check<'_>, at: &Path, text: &str) -> Option<SharedAddress> {
    let hint = "`redis://HOST:PORT` or, over TLS, `rediss://HOST:PORT`; with a password as a reference: \"${env:REDIS_URL}\"";
    let is_reference = text.starts_with("${");
    // What stands before an `@` may be a password: it is not quoted.
    if !is_reference && text.contains('@') {
        let message = "a name or a password is written here in plain text";
        check.refuse(at, message, hint);
        return None;
    }
    let url =
        if is_reference { check.secret(at, text)? } else { SecretString::from(text.to_owned()) };
    let scheme = url.expose_secret().split_once("://");
    let known = scheme.is_some_and(|(scheme, _)| matches!(scheme, "redis" | "rediss"));
    let address = known.then(|| SharedAddress::parse(&url).ok()).flatten();
    if address.is_none() {
        check.refuse(at, "this is not the address of a Redis", hint);
    }
    address
}

fn away(check: &mut Check<'_>, path: &Path, written: &written::Storage) -> Option<Away> {
    let gateways = path.key("gateways");
    match (written.away, written.gateways) {
        (None, _) => {
            let hint = "`away: refuse`: then calls that have limits are refused; or `away: local` with `gateways: 3`: then each of them holds its calls to a third of every limit";
            check.refuse(path, "what is done while that Redis is away?", hint);
            None
        }
        (Some(written::Away::Refuse), None) => Some(Away::Refuse),
        (Some(written::Away::Refuse), Some(_)) => {
            let message = "nobody has a share where calls are refused";
            check.refuse(&gateways, message, "remove it, or write `away: local`");
            None
        }
        (Some(written::Away::Local), None) => {
            let hint = "add `gateways: 3`: the most that share this Redis";
            check.refuse(path, "a share of a limit for each of how many gateways?", hint);
            None
        }
        (Some(written::Away::Local), number @ Some(_)) => {
            let count = check.count(&gateways, number, 1, (1, MOST_GATEWAYS));
            Some(Away::Local { gateways: count as u64 })
        }
    }
}
