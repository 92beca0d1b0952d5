//! Amazon's binary frames, read whole and plainly, every checksum verified. Shares nothing with the
//! gateway's own framing.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// A frame: what it is, and its payload.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Message {
    /// `event` or `exception`.
    pub kind: String,
    /// The type of the event or exception.
    pub name: String,
    pub payload: Value,
}

/// The frames of a whole stream.
///
/// # Errors
/// Where the bytes are cut off, a checksum is wrong, or a payload is not JSON.
pub fn messages(mut body: &[u8]) -> Result<Vec<Message>, String> {
    let mut found = Vec::new();
    while !body.is_empty() {
        let length = number(body.get(..4).ok_or("a frame is cut off")?);
        let frame = body.get(..length).filter(|_| length >= 16).ok_or("a frame is cut off")?;
        found.push(message(frame)?);
        body = &body[length..];
    }
    Ok(found)
}

fn message(frame: &[u8]) -> Result<Message, String> {
    let (rest, sum) = frame.split_at(frame.len() - 4);
    if number(&frame[8..12]) != checksum(&frame[..8]) || number(sum) != checksum(rest) {
        return Err("a checksum is wrong".into());
    }
    let at = 12 + number(&frame[4..8]);
    let head = rest.get(12..at).ok_or("the headers are longer than their frame")?;
    let mut message = Message::default();
    for (name, value) in headers(head)? {
        match name {
            ":message-type" => value.clone_into(&mut message.kind),
            ":event-type" | ":exception-type" => value.clone_into(&mut message.name),
            ":content-type" if value != "application/json" => {
                return Err(format!("a frame holds {value}"));
            }
            _ => {}
        }
    }
    message.payload = serde_json::from_slice(&rest[at..])
        .map_err(|e| format!("the payload of {} is not JSON: {e}", message.name))?;
    Ok(message)
}

/// Headers of the type string, the only one in use.
fn headers(mut head: &[u8]) -> Result<Vec<(&str, &str)>, String> {
    const STRING: u8 = 7;
    let mut found = Vec::new();
    let text = |bytes| std::str::from_utf8(bytes).map_err(|e| format!("a header: {e}"));
    while let [length, rest @ ..] = head {
        let cut = "a header is cut off";
        let (name, rest) = rest.split_at_checked(usize::from(*length)).ok_or(cut)?;
        let [STRING, high, low, rest @ ..] = rest else { return Err("no string header".into()) };
        let (value, rest) = rest.split_at_checked(number(&[*high, *low])).ok_or(cut)?;
        found.push((text(name)?, text(value)?));
        head = rest;
    }
    Ok(found)
}

fn number(bytes: &[u8]) -> usize {
    bytes.iter().fold(0, |number, byte| number << 8 | usize::from(*byte))
}

/// CRC-32, bit by bit.
fn checksum(bytes: &[u8]) -> usize {
    let mut sum = u32::MAX;
    for byte in bytes {
        sum ^= u32::from(*byte);
        for _ in 0..8 {
            sum = if sum & 1 == 1 { 0xedb8_8320 ^ (sum >> 1) } else { sum >> 1 };
        }
    }
    !sum as usize
}

/// The events that `chunk` frames wrap in base64, as the server-sent events they would otherwise be.
///
/// # Errors
/// As [`messages`], and where a chunk is not what it should be.
pub fn unwrapped(body: &[u8]) -> Result<Vec<u8>, String> {
    let mut events = String::new();
    for message in messages(body)? {
        let wrapped = message.payload["bytes"].as_str().unwrap_or_default();
        let bytes = STANDARD.decode(wrapped).map_err(|e| format!("a chunk: {e}"))?;
        let event: Value =
            serde_json::from_slice(&bytes).map_err(|e| format!("a chunk is not JSON: {e}"))?;
        let name = event["type"].as_str().unwrap_or_default();
        events.push_str(&format!("event: {name}\ndata: {event}\n\n"));
    }
    Ok(events.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_frame_is_an_error() {
        assert_eq!(checksum(b"123456789"), 0xcbf4_3926);
        assert_eq!(messages(b"").unwrap(), []);
        assert!(messages(&[0, 0, 0, 16]).is_err());
        assert!(messages(&[0, 0, 0, 0]).is_err());
        let mut frame = vec![0, 0, 0, 18, 0, 0, 0, 0];
        frame.extend(u32::try_from(checksum(&frame)).unwrap().to_be_bytes());
        frame.extend(b"{}");
        frame.extend(u32::try_from(checksum(&frame)).unwrap().to_be_bytes());
        assert_eq!(messages(&frame).unwrap().len(), 1);
        frame[12] = b'[';
        assert_eq!(messages(&frame).unwrap_err(), "a checksum is wrong");
    }
}
