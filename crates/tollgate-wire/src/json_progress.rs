//! How far the JSON text of a tool call's arguments has come, while it comes in pieces. Not a parser:
//! what is no JSON is never found out here.

/// Follows the JSON text of a call's arguments, to know when it is whole.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Progress {
    depth: u32,
    in_string: bool,
    escaped: bool,
    begun: bool,
}

impl Progress {
    pub(crate) fn feed(&mut self, piece: &str) {
        for byte in piece.bytes() {
            if self.in_string {
                match byte {
                    _ if self.escaped => self.escaped = false,
                    b'\\' => self.escaped = true,
                    b'"' => self.in_string = false,
                    _ => {}
                }
                continue;
            }
            match byte {
                b'"' => self.in_string = true,
                b'{' | b'[' => {
                    self.begun = true;
                    self.depth = self.depth.saturating_add(1);
                }
                b'}' | b']' => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
        }
    }

    /// An object or a list began.
    pub(crate) fn has_begun(self) -> bool {
        self.begun
    }

    /// An object began and ended: nothing more can come.
    pub(crate) fn is_whole(self) -> bool {
        self.begun && self.depth == 0 && !self.in_string
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_whole_when_their_object_ends() {
        let mut progress = Progress::default();
        for piece in ["", "{\"a\": \"}", "\\\"", "}\", \"b\": [{", "}]"] {
            progress.feed(piece);
            assert!(!progress.is_whole(), "{piece}");
        }
        progress.feed("}");
        assert!(progress.is_whole());
    }
}
