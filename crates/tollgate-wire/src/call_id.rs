//! One id of a tool call. Anthropic and Bedrock refuse characters that other providers' ids hold, so
//! such an id travels spelt in those they take, and is told to its provider again as it was.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

const SPELT: &str = "toolu_tg_";

/// The id in letters, digits, `_` and `-`.
pub(crate) fn written(id: &str) -> Cow<'_, str> {
    let fits = |letter: u8| letter.is_ascii_alphanumeric() || letter == b'_' || letter == b'-';
    if id.bytes().all(fits) {
        Cow::Borrowed(id)
    } else {
        Cow::Owned(format!("{SPELT}{}", URL_SAFE_NO_PAD.encode(id)))
    }
}

/// The id as its provider gave it.
pub(crate) fn read(id: String) -> String {
    let spelt = id.strip_prefix(SPELT).and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
    let own = spelt.and_then(|bytes| String::from_utf8(bytes).ok());
    // Only what would be spelt so again was spelt by us.
    own.filter(|own| written(own) == id).unwrap_or(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_come_back_as_they_were() {
        for id in
            ["call_1", "toolu_01A-b", "functions.add:0", "größe", "", "toolu_tg_", "toolu_tg_abc"]
        {
            let spelt = written(id);
            assert!(spelt.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-'));
            assert_eq!(read(spelt.into_owned()), id);
        }
        assert_eq!(written("functions.add:1"), "toolu_tg_ZnVuY3Rpb25zLmFkZDox");
    }
}
