//! `limits`, `shutdown` and `log`: bounds and places, nothing that needs another
//! section.

use std::time::Duration;

use super::check::Check;
use super::place::Path;
use super::{Limits, Log, LogFormat, written};

/// How long open streams may go on when the file says nothing.
pub(super) const DEFAULT_GRACE: Duration = Duration::from_secs(30);

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

pub(super) fn check(check: &mut Check<'_>, written: &written::Limits) -> Limits {
    let path = Path::top().key("limits");
    let default = Limits::default();
    let mut size = |name: &str, text: &Option<String>, default, bounds| {
        check.size(&path.key(name), text.as_deref(), default, bounds)
    };
    let body_bytes = size("body", &written.body, default.body_bytes, (KIB, KIB * MIB));
    let upload_bytes = size("upload", &written.upload, 512 * MIB, (KIB, 64 * KIB * MIB));
    let head_bytes = size("head", &written.head, default.head_bytes, (KIB, MIB));
    let reply_bytes = size("reply", &written.reply, default.reply_bytes, (KIB, KIB * MIB));
    let line_bytes = size("line", &written.line, default.line_bytes, (KIB, 256 * MIB));
    let event_bytes = size("event", &written.event, default.event_bytes, (KIB, 256 * MIB));
    if line_bytes > event_bytes {
        let message = "a line may be longer than the event it belongs to";
        let at = if written.line.is_some() { "line" } else { "event" };
        check.refuse(&path.key(at), message, "make `event` at least as large as `line`");
    }
    Limits {
        body_bytes,
        upload_bytes: upload_bytes as u64,
        head_bytes,
        headers: check.count(&path.key("headers"), written.headers, default.headers, (8, 1_000)),
        reply_bytes,
        line_bytes,
        event_bytes,
        json_depth: check.count(
            &path.key("json_depth"),
            written.json_depth,
            default.json_depth,
            (8, 512),
        ),
        connections: check.count(
            &path.key("connections"),
            written.connections,
            default.connections,
            (1, 1_000_000),
        ),
    }
}

pub(super) fn check_shutdown(check: &mut Check<'_>, written: &written::Shutdown) -> Duration {
    let path = Path::top().key("shutdown").key("grace");
    check.duration(&path, written.grace.as_deref(), DEFAULT_GRACE, Duration::from_secs(3600))
}

#[must_use]
pub(super) fn check_log(written: &written::Log) -> Log {
    let format = match written.format {
        Some(written::LogFormat::Json) => LogFormat::Json,
        Some(written::LogFormat::Text) | None => LogFormat::Text,
    };
    Log { format, access: written.access.unwrap_or(true) }
}
