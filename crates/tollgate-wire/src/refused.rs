//! Body fields that no caller may send, in any dialect: they name a host, a credential or a
//! setting of the provider, which are the operator's to choose. Deliberately no option turns
//! this off.

use serde_json::{Map, Value};
use tollgate_model::Fault;

use crate::scan::Scan;

/// Refused by their whole name, in any spelling of case, with `-`, `_` or nothing between the words.
const NAMES: &[&str] = &[
    "api_base",
    "api_key",
    "api_type",
    "api_version",
    "azure_ad_token",
    "azure_endpoint",
    "base_url",
    "client_options",
    "credentials",
    "custom_llm_provider",
    "default_headers",
    "deployment",
    "deployment_id",
    "endpoint",
    "endpoint_url",
    "extra_body",
    "extra_headers",
    "extra_query",
    "headers",
    "host",
    "http_client",
    "mock_response",
    "organization",
    "proxies",
    "proxy",
    "proxy_url",
    "region_name",
    "ssl_verify",
];

/// Refused when the name begins so.
const PREFIXES: &[&str] = &["aws_", "azure_", "litellm_", "vertex_", "watsonx_"];

/// Looks at the top level of a request's body.
///
/// # Errors
/// `InvalidRequest` naming the first such field.
pub fn check(body: &Map<String, Value>) -> Result<(), Fault> {
    body.keys().find(|name| is_refused(name)).map_or(Ok(()), |name| Err(unknown(name)))
}

/// The same for a body that was scanned and perhaps will never be decoded.
///
/// # Errors
/// As [`check`].
pub fn check_scanned(body: &[u8], scan: &Scan) -> Result<(), Fault> {
    for key in scan.keys(body) {
        if is_refused_bytes(&key) {
            return Err(unknown(&String::from_utf8_lossy(&key)));
        }
    }
    Ok(())
}

fn unknown(name: &str) -> Fault {
    let short: String = name.chars().take(64).collect();
    let message = format!("Unknown parameter: '{short}'.");
    Fault::invalid_field(&short, message).with_code("unknown_parameter")
}

/// No caller may send a field of this name.
#[must_use]
pub fn is_refused(name: &str) -> bool {
    is_refused_bytes(name.as_bytes())
}

fn is_refused_bytes(name: &[u8]) -> bool {
    // Nearly every name differs from all of these in its first letter or in their number.
    let first = name.first().map_or(u8::MAX, |first| first.to_ascii_lowercase().wrapping_sub(b'a'));
    let Some(numbers) = NEAR.get(usize::from(first)) else { return false };
    if *numbers == 0 || (numbers >> letters(name).min(MANY)) & 1 == 0 {
        return false;
    }
    let plain = Plain::of(name);
    let plain = plain.as_bytes();
    NAMES.iter().any(|refused| same_letters(refused, plain))
        || PREFIXES.iter().any(|prefix| plain.starts_with(prefix.as_bytes()))
}

/// As many letters and more.
const MANY: usize = 63;

/// By the first letter of a name: a bit for each number of letters that a refused one has.
static NEAR: [u64; 26] = {
    let mut near = [0; 26];
    let mut at = 0;
    while at < NAMES.len() {
        let name = NAMES[at].as_bytes();
        near[(name[0] - b'a') as usize] |= 1 << letters(name);
        at += 1;
    }
    at = 0;
    while at < PREFIXES.len() {
        near[(PREFIXES[at].as_bytes()[0] - b'a') as usize] = u64::MAX;
        at += 1;
    }
    near
};

/// How many there are in a name, whatever stands between its words.
const fn letters(name: &[u8]) -> usize {
    let (mut at, mut count) = (0, 0);
    while at < name.len() {
        count += !matches!(name[at], b'_' | b'-') as usize;
        at += 1;
    }
    count
}

/// Whether `plain` is `name`, or `name` without its `_`.
fn same_letters(name: &str, plain: &[u8]) -> bool {
    let name = name.as_bytes();
    // Nearly every name differs in its first letter: the hot path ends here.
    if name.first() != plain.first() {
        return false;
    }
    let words = |text: &[u8]| text.len() - text.iter().filter(|byte| **byte == b'_').count();
    words(name) == words(plain)
        && name.iter().filter(|byte| **byte != b'_').eq(plain.iter().filter(|byte| **byte != b'_'))
}

/// A name in one spelling: `apiBase`, `api-base` and `API_BASE` are all `api_base`.
struct Plain {
    bytes: [u8; Self::MOST],
    length: usize,
}

impl Plain {
    /// Every refused name is far shorter: the rest of a long one decides nothing.
    const MOST: usize = 64;

    fn of(name: &[u8]) -> Self {
        let mut plain = Self { bytes: [0; Self::MOST], length: 0 };
        let mut lower_before = false;
        for letter in name {
            if letter.is_ascii_uppercase() && lower_before {
                plain.push(b'_');
            }
            plain.push(if *letter == b'-' { b'_' } else { letter.to_ascii_lowercase() });
            lower_before = letter.is_ascii_lowercase() || letter.is_ascii_digit();
        }
        plain
    }

    fn push(&mut self, letter: u8) {
        if let Some(place) = self.bytes.get_mut(self.length) {
            *place = letter;
            self.length += 1;
        }
    }

    fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn hosts_keys_and_provider_settings_are_refused_in_any_spelling() {
        for name in [
            "api_base",
            "API_BASE",
            "apiBase",
            "base-url",
            "baseUrl",
            "api_key",
            "extra_headers",
            "extra_body",
            "deployment",
            "aws_secret_access_key",
            "vertex_project",
            "vertexProject",
            "APIBase",
            "apikey",
            "ApiKey",
        ] {
            let body = json!({"model": "m", name: "http://192.0.2.1"});
            let fault = check(body.as_object().unwrap()).unwrap_err();
            assert_eq!(fault.param.as_deref(), Some(name));
            assert_eq!(fault.code(), "unknown_parameter");
            assert!(!fault.message.contains("192.0.2.1"), "the value is not repeated");
        }
    }

    #[test]
    fn a_body_that_is_never_decoded_is_looked_at_too() {
        let limits = crate::scan::Limits::seeded(1);
        let check = |body: &str| {
            let scan = crate::scan::scan(body.as_bytes(), &limits).unwrap();
            check_scanned(body.as_bytes(), &scan)
        };
        assert!(check(r#"{"model":"m","messages":[{"api_base":"x"}]}"#).is_ok());
        for body in [r#"{"model":"m","api_base":1}"#, r#"{"\u0061pi_base":1,"model":"m"}"#] {
            assert_eq!(check(body).unwrap_err().param.as_deref(), Some("api_base"), "{body}");
        }
    }

    #[test]
    fn honest_fields_are_not() {
        for name in ["model", "messages", "provider", "user", "metadata", "service_tier", "store"] {
            assert!(!is_refused(name), "{name}");
        }
        assert!(is_refused(&"aws_".repeat(100)), "a long name is no way around");
    }
}
