//! Streams in an envelope: frames of AWS's binary event stream, each with one event in base64, as
//! `InvokeModelWithResponseStream` sends them. Opened they are the server-sent events that the
//! dialect knows; sealed they are what a caller with AWS's framing expects.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;

use super::Envelope;
use crate::framing::aws_eventstream::{write_event, write_exception};
use crate::{Frame, FrameError, Framer, Framing, MessageType};

/// Bound on an event that is sealed: it was written or checked by this gateway.
const MOST_SEALED: usize = 64 << 20;

#[derive(Deserialize)]
struct Chunk<'a> {
    #[serde(borrow)]
    bytes: std::borrow::Cow<'a, str>,
}

/// Of an event, its name.
#[derive(Default, Deserialize)]
struct Typed {
    #[serde(default, rename = "type")]
    kind: String,
}

/// Of an exception, what it says.
#[derive(Default, Deserialize)]
struct Told {
    #[serde(default, alias = "Message")]
    message: String,
}

impl Envelope {
    /// How a stream is framed outside, where that is not the dialect's own way.
    #[must_use]
    pub fn framing(self) -> Option<Framing> {
        match self {
            Self::None => None,
            Self::AwsChunks => Some(Framing::AwsEventStream),
        }
    }

    /// The event inside, as the dialect's own framing would have brought it: `raw` too.
    ///
    /// # Errors
    /// When there is none inside.
    pub fn open(self, frame: Frame) -> Result<Frame, FrameError> {
        match self {
            Self::None => Ok(frame),
            Self::AwsChunks => opened(&frame),
        }
    }
}

fn opened(frame: &Frame) -> Result<Frame, FrameError> {
    let data = match frame.kind {
        MessageType::Event => {
            let chunk: Chunk<'_> =
                serde_json::from_slice(&frame.data).map_err(|_| FrameError::Malformed)?;
            STANDARD.decode(chunk.bytes.as_bytes()).map_err(|_| FrameError::Malformed)?
        }
        MessageType::Exception | MessageType::Error => told(frame),
    };
    let typed: Typed = serde_json::from_slice(&data).unwrap_or_default();
    let name = typed.kind.as_bytes();
    let mut raw = Vec::with_capacity(data.len() + name.len() + 20);
    raw.extend_from_slice(b"event: ");
    let event = raw.len()..raw.len() + name.len();
    raw.extend_from_slice(name);
    raw.extend_from_slice(b"\ndata: ");
    let from = raw.len();
    raw.extend_from_slice(&data);
    let data = from..raw.len();
    raw.extend_from_slice(b"\n\n");
    let raw = Bytes::from(raw);
    let (event, data) = (raw.slice(event), raw.slice(data));
    Ok(Frame { event, data, raw, kind: MessageType::Event })
}

/// What an exception says, as the dialect's own error event.
fn told(frame: &Frame) -> Vec<u8> {
    let said: Told = serde_json::from_slice(&frame.data).unwrap_or_default();
    let name = String::from_utf8_lossy(&frame.event);
    let kind = match name.as_ref() {
        "throttlingException" | "serviceQuotaExceededException" => "rate_limit_error",
        "serviceUnavailableException" | "modelNotReadyException" => "overloaded_error",
        "modelTimeoutException" => "timeout_error",
        "validationException" => "invalid_request_error",
        "accessDeniedException" => "permission_error",
        _ => "api_error",
    };
    let message = match (said.message.is_empty(), frame.kind) {
        (false, _) => said.message,
        (true, MessageType::Error) => String::from_utf8_lossy(&frame.data).into_owned(),
        (true, _) => format!("The provider ended its stream with {name}."),
    };
    json!({"type": "error", "error": {"type": kind, "message": message}}).to_string().into_bytes()
}

/// Puts server-sent events, which may come in pieces, into their envelopes.
#[derive(Debug)]
pub struct Sealer {
    framer: Framer,
}

impl Default for Sealer {
    fn default() -> Self {
        Self { framer: Framer::new(Framing::Sse, MOST_SEALED) }
    }
}

impl Sealer {
    /// The frames for what is whole of `events` so far.
    pub fn seal(&mut self, events: Bytes) -> Bytes {
        self.framer.push(events);
        let mut out = Vec::new();
        while let Ok(Some(frame)) = self.framer.next_frame() {
            match (frame.data.is_empty(), frame.event.as_ref()) {
                (true, _) => {}
                (false, b"error") => {
                    let said: serde_json::Value =
                        serde_json::from_slice(&frame.data).unwrap_or_default();
                    let name = exception(said["error"]["type"].as_str().unwrap_or_default());
                    let payload = json!({"message": said["error"]["message"]}).to_string();
                    write_exception(name, payload.as_bytes(), &mut out);
                }
                (false, _) => {
                    let payload = json!({"bytes": STANDARD.encode(&frame.data)}).to_string();
                    write_event("chunk", payload.as_bytes(), &mut out);
                }
            }
        }
        out.into()
    }
}

fn exception(kind: &str) -> &'static str {
    match kind {
        "rate_limit_error" => "throttlingException",
        "overloaded_error" => "serviceUnavailableException",
        "timeout_error" => "modelTimeoutException",
        "invalid_request_error" => "validationException",
        "api_error" => "internalServerException",
        _ => "modelStreamErrorException",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(bytes: Bytes) -> Vec<Frame> {
        let mut framer = Framer::new(Framing::AwsEventStream, 1 << 20);
        framer.push(bytes);
        std::iter::from_fn(|| framer.next_frame().unwrap()).collect()
    }

    #[test]
    fn what_is_sealed_opens_as_it_was() {
        let events = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{}}\n\n: ping\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
        let mut sealer = Sealer::default();
        let (one, two) = events.split_at(30);
        let mut sealed = sealer.seal(Bytes::from(one)).to_vec();
        sealed.extend_from_slice(&sealer.seal(Bytes::from(two)));
        let opened =
            frames(sealed.into()).into_iter().map(|f| Envelope::AwsChunks.open(f).unwrap());
        let raw: Vec<u8> = opened.flat_map(|frame| frame.raw.to_vec()).collect();
        assert_eq!(String::from_utf8(raw).unwrap(), events.replace(": ping\n\n", ""));
    }

    #[test]
    fn an_exception_is_an_error_of_the_dialect_and_back() {
        let mut out = Vec::new();
        write_exception("throttlingException", br#"{"message":"Slow down"}"#, &mut out);
        let frame = frames(out.into()).remove(0);
        let frame = Envelope::AwsChunks.open(frame).unwrap();
        assert_eq!(frame.event, "error");
        assert_eq!(
            frame.data,
            r#"{"type":"error","error":{"type":"rate_limit_error","message":"Slow down"}}"#
        );
        let again = frames(Sealer::default().seal(frame.raw)).remove(0);
        assert_eq!(
            (again.kind, again.event.as_ref()),
            (MessageType::Exception, &b"throttlingException"[..])
        );
    }

    #[test]
    fn a_frame_without_an_event_is_no_chunk() {
        let mut out = Vec::new();
        write_event("chunk", b"{\"p\":\"ab\"}", &mut out);
        let frame = frames(out.into()).remove(0);
        assert_eq!(Envelope::AwsChunks.open(frame), Err(FrameError::Malformed));
    }
}
