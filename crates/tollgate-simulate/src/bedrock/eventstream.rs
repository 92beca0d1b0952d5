//! Amazon's binary frames, written: lengths, headers, payload, and a checksum over each of both halves.
//! Reading them is not needed here.

use bytes::Bytes;

/// An event with a JSON payload.
pub(crate) fn event(name: &str, payload: &[u8]) -> Bytes {
    frame(
        &[(":event-type", name), (":content-type", "application/json"), (":message-type", "event")],
        payload,
    )
}

/// An error inside a stream.
pub(crate) fn exception(name: &str, payload: &[u8]) -> Bytes {
    frame(
        &[
            (":exception-type", name),
            (":content-type", "application/json"),
            (":message-type", "exception"),
        ],
        payload,
    )
}

/// Changes a letter of the payload, so that the checksum over it is wrong.
pub(crate) fn spoil(frame: &mut Bytes) {
    let mut bytes = frame.to_vec();
    let at = bytes.len().saturating_sub(8);
    if let Some(letter) = bytes.get_mut(at) {
        *letter ^= 1;
    }
    *frame = bytes.into();
}

fn frame(headers: &[(&str, &str)], payload: &[u8]) -> Bytes {
    let mut head = Vec::new();
    for (name, value) in headers {
        head.push(u8::try_from(name.len()).unwrap_or(u8::MAX));
        head.extend_from_slice(name.as_bytes());
        // The type of a string, and its length.
        head.push(7);
        head.extend_from_slice(&u16::try_from(value.len()).unwrap_or(u16::MAX).to_be_bytes());
        head.extend_from_slice(value.as_bytes());
    }
    let whole = 16 + head.len() + payload.len();
    let mut out = Vec::with_capacity(whole);
    out.extend_from_slice(&length(whole));
    out.extend_from_slice(&length(head.len()));
    out.extend_from_slice(&checksum(&out).to_be_bytes());
    out.extend_from_slice(&head);
    out.extend_from_slice(payload);
    out.extend_from_slice(&checksum(&out).to_be_bytes());
    out.into()
}

fn length(of: usize) -> [u8; 4] {
    u32::try_from(of).unwrap_or(u32::MAX).to_be_bytes()
}

/// CRC-32 as in zip.
fn checksum(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, byte| {
        let at = (sum ^ u32::from(*byte)) & 0xff;
        TABLE[at as usize] ^ (sum >> 8)
    })
}

const TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut at = 0;
    while at < 256 {
        #[expect(clippy::cast_possible_truncation, reason = "at most 255")]
        let mut sum = at as u32;
        let mut bit = 0;
        while bit < 8 {
            sum = if sum & 1 == 1 { 0xedb8_8320 ^ (sum >> 1) } else { sum >> 1 };
            bit += 1;
        }
        table[at] = sum;
        at += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_has_its_lengths_and_checksums() {
        assert_eq!(checksum(b"123456789"), 0xcbf4_3926);
        let frame = event("messageStop", b"{}");
        assert_eq!(
            frame.len(),
            usize::try_from(u32::from_be_bytes(frame[..4].try_into().unwrap())).unwrap()
        );
        assert_eq!(frame[8..12], checksum(&frame[..8]).to_be_bytes());
        assert_eq!(frame[frame.len() - 4..], checksum(&frame[..frame.len() - 4]).to_be_bytes());
        let mut spoilt = frame.clone();
        spoil(&mut spoilt);
        assert_ne!(spoilt, frame);
        assert_eq!(spoilt.len(), frame.len());
    }
}
