//! Server-sent events, read whole and plainly. Shares nothing with the gateway's own framing.

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    pub name: String,
    pub data: String,
}

/// The events of a whole stream. An event without data is none. A last event that no blank line
/// ends counts too: some recordings lost it.
///
/// # Errors
/// When the bytes are not UTF-8.
pub fn events(body: &[u8]) -> Result<Vec<Event>, String> {
    let text = std::str::from_utf8(body).map_err(|e| format!("stream is not UTF-8: {e}"))?;
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    Ok(text.split("\n\n").filter_map(event).collect())
}

fn event(block: &str) -> Option<Event> {
    let mut event = Event::default();
    let mut data = Vec::new();
    for line in block.lines() {
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut event.name),
            "data" => data.push(value),
            _ => {}
        }
    }
    event.data = data.join("\n");
    (!data.is_empty()).then_some(event)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_names_line_ends_and_a_lost_last_blank_line() {
        let got = events(b": hi\r\n\r\nevent: a\r\ndata: 1\r\ndata: 2\r\n\r\ndata:3").unwrap();
        let event = |name: &str, data: &str| Event { name: name.into(), data: data.into() };
        assert_eq!(got, [event("a", "1\n2"), event("", "3")]);
    }
}
