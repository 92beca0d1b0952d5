//! Takes a secret out of a text that somebody else wrote, in each form in which it would still give
//! itself away. Meant for the few texts of a provider that travel on, not for content.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};

const REDACTED: &str = "[redacted]";

/// Shorter ones are no secrets, and would be found in any text.
const SHORTEST: usize = 4;

/// `text` without `secret`.
#[must_use]
pub fn redacted(text: &str, secret: &str) -> String {
    let mut text = text.to_owned();
    if secret.len() < SHORTEST {
        return text;
    }
    for form in forms(secret) {
        if text.contains(&form) {
            text = text.replace(&form, REDACTED);
        }
    }
    text
}

/// As it is, in base64, in hexadecimal and in a URL.
fn forms(secret: &str) -> Vec<String> {
    let bytes = secret.as_bytes();
    let hex = |upper: bool, before: &str| {
        let digits = bytes.iter().map(|byte| match upper {
            true => format!("{before}{byte:02X}"),
            false => format!("{before}{byte:02x}"),
        });
        digits.collect::<String>()
    };
    let some = |upper: bool| {
        let letters = secret.chars().map(|c| match (c.is_ascii_alphanumeric(), upper) {
            (true, _) => c.to_string(),
            (false, true) => format!("%{:02X}", u32::from(c)),
            (false, false) => format!("%{:02x}", u32::from(c)),
        });
        letters.collect::<String>()
    };
    let mut forms = vec![secret.to_owned(), hex(false, ""), hex(true, "")];
    forms.extend([hex(false, "%"), hex(true, "%"), some(false), some(true)]);
    for engine in [STANDARD, URL_SAFE] {
        // The same bytes look different at each of three places; what is cut off at the ends
        // belongs to their neighbours.
        for place in 0..3 {
            let mut padded = vec![0; place];
            padded.extend_from_slice(bytes);
            let whole = padded.len() / 3 * 4;
            let encoded = engine.encode(&padded);
            let from = if place == 0 { 0 } else { 4 };
            forms.extend(encoded.get(from..whole).map(str::to_owned));
        }
    }
    forms.retain(|form| form.len() >= SHORTEST);
    forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
    forms.dedup();
    forms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_taken_out_in_every_form() {
        let secret = "sk-test_not/a+secret";
        for before in ["", "a", "ab", "abc"] {
            let joined = format!("{before}{secret}");
            for text in [joined.clone(), STANDARD.encode(&joined), URL_SAFE.encode(&joined)] {
                let told = redacted(&format!("no such key: {text}."), secret);
                assert!(told.contains(REDACTED), "{told}");
            }
        }
        for text in [
            "sk%2Dtest%5Fnot%2Fa%2Bsecret",
            "%73%6b%2d%74%65%73%74%5f%6e%6f%74%2f%61%2b%73%65%63%72%65%74",
            "736B2D746573745F6E6F742F612B736563726574",
        ] {
            assert_eq!(redacted(text, secret), REDACTED);
        }
        assert_eq!(redacted("nothing here", secret), "nothing here");
        assert_eq!(redacted("a b", "a"), "a b", "one letter is no secret");
    }
}
