//! The access log: one JSON object a line, in OpenTelemetry's words where it has them. Lines are
//! made where the call ends and written by a thread of their own; when that cannot keep up, lines
//! are dropped and counted, and no call waits.

use std::io::Write;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use tollgate_model::{Cost, Record};

/// Lines waiting to be written.
const MOST_WAITING: usize = 16 * 1024;

/// Lines are written together, so that a busy gateway does not wake a thread for each of them.
const WRITE_EVERY: Duration = Duration::from_millis(20);
/// How long the end of the process waits for the last lines.
const FLUSH_WITHIN: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub struct AccessLog {
    queue: SyncSender<Queued>,
}

enum Queued {
    Line(Vec<u8>),
    /// Answered once everything before it is written.
    Flush(SyncSender<()>),
}

impl AccessLog {
    /// Starts the writing thread, which ends with the last sender.
    ///
    /// # Errors
    /// When no thread can be had.
    pub fn start(out: impl Write + Send + 'static) -> std::io::Result<Self> {
        let (queue, waiting) = sync_channel(MOST_WAITING);
        std::thread::Builder::new()
            .name("access-log".into())
            .spawn(move || write_lines(&waiting, out))?;
        Ok(Self { queue })
    }

    /// Whether the line was taken.
    #[must_use]
    pub fn write(&self, record: &Record) -> bool {
        let mut line = Vec::with_capacity(512);
        if serde_json::to_writer(&mut line, &Line(record)).is_err() {
            return false;
        }
        line.push(b'\n');
        self.queue.try_send(Queued::Line(line)).is_ok()
    }

    /// Waits until every line is written.
    pub fn flush(&self) {
        let (done, written) = sync_channel(1);
        if self.queue.send(Queued::Flush(done)).is_ok() {
            let _ = written.recv_timeout(FLUSH_WITHIN);
        }
    }
}

fn write_lines(waiting: &Receiver<Queued>, out: impl Write) {
    let mut out = std::io::BufWriter::with_capacity(64 << 10, out);
    while let Ok(first) = waiting.recv() {
        if matches!(first, Queued::Line(_)) {
            #[expect(clippy::disallowed_methods, reason = "this thread is no runtime's")]
            std::thread::sleep(WRITE_EVERY);
        }
        let mut asked = Vec::new();
        for queued in std::iter::once(first).chain(waiting.try_iter()) {
            match queued {
                // A log that cannot be written must not stop the gateway; the next line tries
                // again.
                Queued::Line(line) => drop(out.write_all(&line)),
                Queued::Flush(done) => asked.push(done),
            }
        }
        let _ = out.flush();
        for done in asked {
            let _ = done.send(());
        }
    }
}

struct Line<'a>(&'a Record);

impl Serialize for Line<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let record = self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("time_us", &record.started_us)?;
        map.serialize_entry("event", "call")?;
        map.serialize_entry("request_id", &record.request_id)?;
        map.serialize_entry("http.response.status_code", &record.status)?;
        map.serialize_entry("gen_ai.operation.name", record.operation)?;
        let mut some = |name: &str, value: &Option<String>| match value {
            Some(value) => map.serialize_entry(name, value),
            None => Ok(()),
        };
        some("tollgate.key", &record.key)?;
        some("tollgate.team", &record.team)?;
        some("gen_ai.request.model", &record.model_asked)?;
        some("gen_ai.provider.name", &record.provider)?;
        some("tollgate.limit", &record.limit)?;
        some("tollgate.target", &record.target)?;
        some("gen_ai.response.model", &record.model_answered)?;
        some("tollgate.upstream.request_id", &record.upstream_request_id)?;
        if let Some(dialect) = record.dialect {
            map.serialize_entry("tollgate.dialect", dialect.as_str())?;
        }
        if let Some(dialect) = record.upstream_dialect {
            map.serialize_entry("tollgate.upstream.dialect", dialect.as_str())?;
        }
        if let Some(lane) = record.lane {
            map.serialize_entry("tollgate.lane", lane.as_str())?;
        }
        map.serialize_entry("tollgate.stream", &record.stream)?;
        map.serialize_entry("tollgate.attempts", &record.attempts)?;
        if let Some(finish) = record.finish {
            map.serialize_entry("gen_ai.response.finish_reason", finish.as_str())?;
        }
        if record.left {
            map.serialize_entry("tollgate.left", &true)?;
        }
        if let Some(fault) = &record.fault {
            map.serialize_entry("error.type", fault.code())?;
            map.serialize_entry("error.source", fault.source.as_str())?;
        }
        for (class, tokens) in record.usage.classes() {
            if let Some(tokens) = tokens {
                map.serialize_entry(&UsageName(class), &tokens)?;
            }
        }
        for (unit, count) in record.usage.units() {
            if let Some(count) = count {
                map.serialize_entry(&UnitName(unit), &count)?;
            }
        }
        if record.estimated {
            map.serialize_entry("tollgate.usage.estimated", &true)?;
        }
        match record.cost {
            Some(Cost::Stated(cost)) => {
                map.serialize_entry("tollgate.cost.micro_usd", &cost.0)?;
            }
            Some(Cost::Unknown(why)) => map.serialize_entry("tollgate.cost.unknown", why)?,
            None => {}
        }
        if !record.losses.is_empty() {
            let losses: Vec<String> = record.losses.iter().map(ToString::to_string).collect();
            map.serialize_entry("tollgate.losses", &losses)?;
        }
        for (name, value) in [
            ("gen_ai.response.time_to_first_chunk_us", record.first_chunk_us),
            ("tollgate.overhead_us", record.overhead_us),
            ("duration_us", Some(record.duration_us)),
            ("request_bytes", Some(record.request_bytes)),
            ("response_bytes", Some(record.response_bytes)),
        ] {
            if let Some(value) = value {
                map.serialize_entry(name, &value)?;
            }
        }
        map.end()
    }
}

/// `gen_ai.usage.cache_read.input_tokens` and the like.
struct UsageName(&'static str);

impl Serialize for UsageName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("gen_ai.usage.{}_tokens", self.0))
    }
}

/// `tollgate.usage.output_images` and the like.
struct UnitName(&'static str);

impl Serialize for UnitName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("tollgate.usage.{}", self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_line_whatever_the_names_hold() {
        let record = Record {
            request_id: "req-1".into(),
            model_asked: Some("a\r\nb\u{2028}\u{1b}[31m\"".into()),
            operation: "chat",
            status: 200,
            ..Record::default()
        };
        let line = serde_json::to_string(&Line(&record)).unwrap();
        assert!(!line.contains('\n') && !line.contains('\r') && !line.contains('\u{1b}'), "{line}");
        let back: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(back["gen_ai.request.model"], "a\r\nb\u{2028}\u{1b}[31m\"");
    }
}
