//! `storage`: where state rests, and where several gateways count together.

use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;
use tollgate_store::SharedAddress;

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
        database: database(check, &path.key("database"), written.database),
    }
}

fn database(check: &mut Check<'_>, path: &Path, written: Option<String>) -> Option<PathBuf> {
    let text = written?;
    let hint = "`sqlite:PATH`, such as `sqlite:tollgate-data/tollgate.db`";
    let Some(file) = text.strip_prefix("sqlite:") else {
        let scheme = text.split_once(':').map_or("", |(scheme, _)| scheme);
        let message = if matches!(scheme, "postgres" | "postgresql") {
            "PostgreSQL is not supported yet".to_owned()
        } else {
            format!("a database of scheme {scheme:?} is not known")
        };
        // The address may hold a password: it is not quoted.
        check.refuse(path, message, hint);
        return None;
    };
    let file = file.strip_prefix("//").unwrap_or(file);
    if file.is_empty() || file.contains(['?', '#']) || file.starts_with(':') || file.ends_with('/')
    {
        check.refuse(path, "this is not the path of a file", hint);
        return None;
    }
    Some(check.around.path(file))
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
    let scheme = secrecy::ExposeSecret::expose_secret(&url).split_once("://");
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
