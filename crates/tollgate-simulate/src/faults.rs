//! Misbehaviour on demand, asked for by the model's name.
//!
//! A name may stand anywhere inside the model's name (`gpt-fault-429`), and carry further words:
//!
//! | name | what happens |
//! |---|---|
//! | `fault-400` … `fault-404`, `fault-408`, `fault-413`, `fault-429`, `fault-500`, `fault-502`, `fault-503`, `fault-504`, `fault-529` | that status with the vendor's own body; 429 and 529 with `retry-after: 1` |
//! | `fault-429-no-retry-after` | 429 without the header |
//! | `fault-429-quota` | OpenAI's `insufficient_quota`, Anthropic's and Gemini's like |
//! | `fault-silence` | the call is read and never answered |
//! | `fault-silence-stream` | the head arrives, then nothing before the first token |
//! | `fault-stall` | stops inside the body, connection open |
//! | `fault-reset` | TCP reset inside the body |
//! | `fault-reset-early` | TCP reset before any byte of the answer |
//! | `fault-cut` | the connection closes inside the body, without its end |
//! | `fault-clean-end` | the body ends cleanly inside the answer |
//! | `fault-no-terminator` | everything but `[DONE]`, `message_stop`, Gemini's finish or the closing bracket |
//! | `fault-garbage` | 200 with bytes that are no text |
//! | `fault-garbage-chunk` | one frame inside the stream is broken JSON |
//! | `fault-error-in-stream` | an error event inside the 200 |
//! | `fault-error-in-200` | 200 whose whole body is an error object |
//! | `fault-html` | 502 with an HTML page |
//! | `fault-html-200` | 200 with an HTML page |
//! | `fault-empty` | 200 with an empty body |
//! | `fault-drip` | the answer byte by byte |
//! | `fault-huge-line` | one line of 16 MiB; `fault-huge-line-2mib` of two |
//! | `fault-redirect` | 302 to `http://127.0.0.1:1/`; `fault-redirect-HOST` to `http://HOST/` |
//! | `fault-wrong-json` | JSON of a shape that the vendor never sends |
//! | `fault-slow-head` | the head comes after two seconds |
//!
//! With `-first-N` behind it, only the first N calls of that model name misbehave. `-pace-20ms` in any
//! model's name waits that long before each frame, `-words-N` makes the answer N words long.

mod lay;

use crate::dialect::Dialect;
use crate::refusal::Refusal;
pub(crate) use lay::play;
use std::time::Duration;

/// How a model behaves, read from its name.
#[derive(Debug, Clone)]
pub(crate) struct Manners {
    pub(crate) model: String,
    pub(crate) fault: Option<Fault>,
    pub(crate) pace: Option<Duration>,
    /// Misbehaves only on this many first calls.
    pub(crate) first: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    Status { status: u16, retry_after: bool, quota: bool },
    Silence,
    SilenceStream,
    Stall,
    Reset,
    ResetEarly,
    Cut,
    CleanEnd,
    NoTerminator,
    Garbage,
    GarbageChunk,
    ErrorInStream,
    ErrorIn200,
    Html { status: u16 },
    Empty,
    Drip,
    HugeLine { bytes: usize },
    Redirect { host: String },
    WrongJson,
    SlowHead,
}

/// Names without figures of their own. Longer names stand before their beginnings.
const NAMES: &[(&str, Fault)] = &[
    ("clean-end", Fault::CleanEnd),
    ("cut", Fault::Cut),
    ("drip", Fault::Drip),
    ("empty", Fault::Empty),
    ("error-in-200", Fault::ErrorIn200),
    ("error-in-stream", Fault::ErrorInStream),
    ("garbage-chunk", Fault::GarbageChunk),
    ("garbage", Fault::Garbage),
    ("html-200", Fault::Html { status: 200 }),
    ("html", Fault::Html { status: 502 }),
    ("no-terminator", Fault::NoTerminator),
    ("reset-early", Fault::ResetEarly),
    ("reset", Fault::Reset),
    ("silence-stream", Fault::SilenceStream),
    ("silence", Fault::Silence),
    ("slow-head", Fault::SlowHead),
    ("stall", Fault::Stall),
    ("wrong-json", Fault::WrongJson),
];

/// Statuses that a vendor's body is known for.
const STATUSES: &[u16] = &[400, 401, 402, 403, 404, 408, 413, 429, 500, 502, 503, 504, 529];

/// Every name of the table above, for documentation and tests.
pub fn names() -> Vec<String> {
    let mut all: Vec<String> = STATUSES.iter().map(|s| format!("fault-{s}")).collect();
    all.extend(
        ["fault-429-no-retry-after", "fault-429-quota", "fault-huge-line", "fault-redirect"]
            .map(str::to_owned),
    );
    all.extend(NAMES.iter().map(|(name, _)| format!("fault-{name}")));
    all
}

impl Manners {
    pub(crate) fn of(model: &str) -> Self {
        Self {
            model: model.to_owned(),
            fault: asked_for(model).and_then(Fault::named),
            pace: figure(model, "-pace-").map(|ms| Duration::from_millis(ms.min(600_000))),
            first: figure(model, "-first-"),
        }
    }

    /// A rejected key or a rate limit is said before the body is read.
    pub(crate) fn before_reading(&self) -> bool {
        matches!(self.fault, Some(Fault::Status { status: 401 | 403 | 429, .. }))
    }
}

/// What follows `fault-`, unless that is the end of another word, as in `default-`.
fn asked_for(model: &str) -> Option<&str> {
    let (before, rest) = model.split_once("fault-")?;
    let own_word = !before.ends_with(|c: char| c.is_alphanumeric());
    if own_word { Some(rest) } else { asked_for(rest) }
}

fn figure(model: &str, word: &str) -> Option<u64> {
    let (_, rest) = model.split_once(word)?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

impl Fault {
    fn named(rest: &str) -> Option<Self> {
        if let Some(status) =
            rest.get(..3).and_then(|d| d.parse().ok()).filter(|s| STATUSES.contains(s))
        {
            let quota = rest[3..].starts_with("-quota");
            let retry_after =
                matches!(status, 429 | 529) && !quota && !rest[3..].starts_with("-no-retry-after");
            return Some(Self::Status { status, retry_after, quota });
        }
        if rest.starts_with("huge-line") {
            let mib = figure(rest, "huge-line-").unwrap_or(16).clamp(1, 64);
            return Some(Self::HugeLine { bytes: usize::try_from(mib).unwrap_or(16) << 20 });
        }
        if let Some(host) = rest.strip_prefix("redirect") {
            let host = host.strip_prefix('-').filter(|h| !h.is_empty()).unwrap_or("127.0.0.1:1");
            return Some(Self::Redirect { host: host.to_owned() });
        }
        NAMES.iter().find(|(name, _)| rest.starts_with(name)).map(|(_, fault)| fault.clone())
    }

    /// Its name, without figures.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Status { .. } => "status",
            Self::HugeLine { .. } => "huge-line",
            Self::Redirect { .. } => "redirect",
            named => NAMES.iter().find(|(_, f)| f == named).map_or("fault", |(name, _)| name),
        }
    }

    /// The refusal that this fault is, when it is one.
    pub(crate) fn refusal(&self, dialect: Dialect) -> Option<Refusal> {
        match self {
            Self::Status { status, retry_after, quota } => {
                let refusal = dialect.trouble(*status, *quota);
                Some(if *retry_after { refusal.header("retry-after", "1") } else { refusal })
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_wherever_they_stand() {
        let of = |name: &str| Manners::of(name).fault;
        assert_eq!(of("gpt-4o"), None);
        assert_eq!(of("my-default-500"), None);
        assert_eq!(of("default-fault-empty"), Some(Fault::Empty));
        assert_eq!(
            of("gpt-fault-429"),
            Some(Fault::Status { status: 429, retry_after: true, quota: false })
        );
        assert_eq!(
            of("fault-429-no-retry-after"),
            Some(Fault::Status { status: 429, retry_after: false, quota: false })
        );
        assert_eq!(
            of("fault-429-quota"),
            Some(Fault::Status { status: 429, retry_after: false, quota: true })
        );
        assert_eq!(of("fault-silence-stream"), Some(Fault::SilenceStream));
        assert_eq!(of("fault-garbage-chunk-pace-3ms"), Some(Fault::GarbageChunk));
        assert_eq!(of("fault-huge-line-2mib"), Some(Fault::HugeLine { bytes: 2 << 20 }));
        assert_eq!(
            of("fault-redirect-10.0.0.1:80"),
            Some(Fault::Redirect { host: "10.0.0.1:80".into() })
        );
        assert_eq!(of("fault-unknown"), None);
        let both = Manners::of("sim-fault-503-first-2-pace-20ms");
        assert_eq!((both.first, both.pace), (Some(2), Some(Duration::from_millis(20))));
    }

    #[test]
    fn every_name_is_a_fault() {
        for name in names() {
            assert!(Manners::of(&name).fault.is_some(), "{name}");
        }
    }
}
