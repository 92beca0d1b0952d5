//! A JSON object, read along while it passes: the values of a few members of the outermost level,
//! and how many entries its lists have. It keeps nothing else, so an answer full of pictures costs
//! no more than its figures. It does not judge whether the text is JSON.

use memchr::memchr2;
use serde_json::Value;

/// A value that is longer is not kept.
const MOST_VALUE_BYTES: usize = 64 << 10;
/// No member's name that is asked for is longer.
const MOST_NAME_BYTES: usize = 64;

/// An object, as far as it was read.
#[derive(Debug)]
pub struct Members {
    wanted: &'static [&'static str],
    place: Place,
    /// How many brackets are open.
    depth: usize,
    in_string: bool,
    escaped: bool,
    name: Vec<u8>,
    /// Of the members that are wanted, in the order in which they came.
    found: Vec<Member>,
}

#[derive(Debug)]
struct Member {
    name: &'static str,
    written: Vec<u8>,
    /// The value was too long to be kept.
    long: bool,
    is_list: bool,
    commas: u64,
    /// Something stands between the brackets.
    filled: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Before,
    /// Where a name may begin.
    Name,
    /// Behind a name.
    Colon,
    /// In a value; of the last of `found`, when it is wanted.
    Value {
        wanted: bool,
    },
    /// Behind the object, or in something that is none.
    Over,
}

impl Members {
    #[must_use]
    pub fn new(wanted: &'static [&'static str]) -> Self {
        Self {
            wanted,
            place: Place::Before,
            depth: 0,
            in_string: false,
            escaped: false,
            name: Vec::new(),
            found: Vec::new(),
        }
    }

    /// Reads on.
    pub fn push(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while let [first, after @ ..] = rest {
            if self.place == Place::Over {
                return;
            }
            if self.in_string && !self.escaped {
                // Nothing in a text matters but its end.
                let plain = memchr2(b'"', b'\\', rest).unwrap_or(rest.len());
                if plain > 0 {
                    let (text, next) = rest.split_at(plain);
                    self.keep(text);
                    rest = next;
                    continue;
                }
            }
            self.byte(*first);
            rest = after;
        }
    }

    /// The value of a member, when it was there and read to its end. The last one counts.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Value> {
        let member = self.member(name)?;
        (!member.long).then(|| serde_json::from_slice(&member.written).ok())?
    }

    /// How many entries the list of that name has so far.
    #[must_use]
    pub fn count(&self, name: &str) -> Option<u64> {
        let member = self.member(name)?;
        member.is_list.then_some(if member.filled { member.commas + 1 } else { 0 })
    }

    /// The object was read to its end.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.place == Place::Over && self.depth == 0 && !self.in_string
    }

    fn member(&self, name: &str) -> Option<&Member> {
        self.found.iter().rev().find(|member| member.name == name)
    }

    fn byte(&mut self, byte: u8) {
        if self.in_string {
            match (self.escaped, byte) {
                (true, _) => self.escaped = false,
                (false, b'\\') => self.escaped = true,
                (false, b'"') => {
                    self.in_string = false;
                    if self.place == Place::Name {
                        self.place = Place::Colon;
                        return;
                    }
                }
                _ => {}
            }
            return self.keep(&[byte]);
        }
        match (self.place, byte) {
            (_, b' ' | b'\t' | b'\r' | b'\n') => {}
            (Place::Before, b'{') => {
                self.depth = 1;
                self.place = Place::Name;
            }
            (Place::Name, b'"') => {
                self.name.clear();
                self.in_string = true;
            }
            (Place::Name, b',') => {}
            (Place::Name, b'}') => {
                self.depth = 0;
                self.place = Place::Over;
            }
            (Place::Colon, b':') => self.begin(),
            (Place::Value { .. }, _) => self.value(byte),
            _ => self.place = Place::Over,
        }
    }

    fn begin(&mut self) {
        let name = self.wanted.iter().copied().find(|wanted| wanted.as_bytes() == self.name);
        if let Some(name) = name {
            self.found.retain(|member| member.name != name);
            let (long, is_list, filled) = (false, false, false);
            self.found.push(Member { name, written: Vec::new(), long, is_list, commas: 0, filled });
        }
        self.place = Place::Value { wanted: name.is_some() };
    }

    /// A byte of a value that is no text and no blank.
    fn value(&mut self, byte: u8) {
        match byte {
            b',' | b'}' if self.depth == 1 => {
                self.place = Place::Name;
                if byte == b'}' {
                    self.depth = 0;
                    self.place = Place::Over;
                }
                return;
            }
            b'"' => self.in_string = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => self.depth -= 1,
            _ => {}
        }
        if self.place == (Place::Value { wanted: true })
            && let Some(member) = self.found.last_mut()
        {
            let opens = member.written.is_empty() && !member.long;
            match byte {
                b'[' if opens => member.is_list = true,
                b',' if self.depth == 2 => member.commas += 1,
                b']' if self.depth == 1 => {}
                _ => member.filled = true,
            }
        }
        self.keep(&[byte]);
    }

    fn keep(&mut self, bytes: &[u8]) {
        match self.place {
            Place::Name if self.name.len() <= MOST_NAME_BYTES => {
                let room = (MOST_NAME_BYTES + 1 - self.name.len()).min(bytes.len());
                self.name.extend_from_slice(bytes.get(..room).unwrap_or_default());
            }
            Place::Value { wanted: true } => {
                let Some(member) = self.found.last_mut() else { return };
                if member.long || member.written.len() + bytes.len() > MOST_VALUE_BYTES {
                    member.long = true;
                    member.written = Vec::new();
                } else {
                    member.written.extend_from_slice(bytes);
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(text: &str, cut: usize) -> Members {
        let mut members = Members::new(&["usage", "data", "model", "id"]);
        text.as_bytes().chunks(cut).for_each(|piece| members.push(piece));
        members
    }

    #[test]
    fn members_are_found_however_the_text_is_cut() {
        let data: Vec<Value> =
            (0..3).map(|_| json!({"b64": "A".repeat(50_000), "x": [1, 2]})).collect();
        let text = json!({
            "odd \"}{\\": {"usage": 7, "model": ["}"]},
            "model": "m\"},\\",
            "data": data,
            "empty": [],
            "usage": {"input_tokens": 1, "details": {"a": [1, {"b": "}"}]}},
            "id": null,
        })
        .to_string();
        for cut in [1, 2, 3, 5, 8, 1000, text.len()] {
            let members = read(&text, cut);
            assert!(members.is_whole());
            assert_eq!(members.get("model"), Some(json!("m\"},\\")), "{cut}");
            assert_eq!(members.get("usage").unwrap()["details"]["a"][1]["b"], "}");
            assert_eq!(members.get("id"), Some(Value::Null));
            assert_eq!(members.get("data"), None, "too long to be kept");
            assert_eq!(members.count("data"), Some(3));
            assert_eq!(members.count("usage"), None);
        }
    }

    #[test]
    fn lists_are_counted_and_other_texts_hold_nothing() {
        for (text, count) in
            [("[]", 0), ("[ ]", 0), ("[1]", 1), ("[[],[1,2]]", 2), ("[\"a,b\"]", 1)]
        {
            let text = format!("{{\"data\":{text}}}");
            assert_eq!(read(&text, 1).count("data"), Some(count), "{text}");
        }
        for text in ["[{\"model\":1}]", "text", "", "\"model\"", "{\"model\""] {
            let members = read(text, 1);
            assert_eq!(members.get("model"), None, "{text}");
            assert!(members.found.is_empty());
        }
        assert_eq!(read("{\"model\":1,\"model\":2}", 3).get("model"), Some(json!(2)));
    }
}
