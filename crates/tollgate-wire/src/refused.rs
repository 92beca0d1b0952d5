//! Body fields that no caller may send, in any dialect: they name a host, a credential or a
//! setting of the provider, which are the operator's to choose. Deliberately no option turns
//! this off.

use serde_json::{Map, Value};
use tollgate_model::Fault;

/// Refused by their whole name, in any spelling of case, with `-` or `_`.
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
    match body.keys().find(|name| is_refused(name)) {
        Some(name) => Err(Fault::invalid_field(name, format!("Unknown parameter: '{name}'."))
            .with_code("unknown_parameter")),
        None => Ok(()),
    }
}

/// No caller may send a field of this name.
#[must_use]
pub fn is_refused(name: &str) -> bool {
    let plain = snake(name);
    NAMES.contains(&plain.as_str()) || PREFIXES.iter().any(|prefix| plain.starts_with(prefix))
}

/// `apiBase`, `api-base` and `API_BASE` are all `api_base`.
fn snake(name: &str) -> String {
    let mut out = String::new();
    let mut lower_before = false;
    // Every refused name is far shorter: the rest of a long one decides nothing.
    for letter in name.chars().take(64) {
        if letter.is_ascii_uppercase() {
            if lower_before {
                out.push('_');
            }
            out.push(letter.to_ascii_lowercase());
        } else {
            out.push(if letter == '-' { '_' } else { letter });
        }
        lower_before = letter.is_ascii_lowercase() || letter.is_ascii_digit();
    }
    out
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
        ] {
            let body = json!({"model": "m", name: "http://192.0.2.1"});
            let fault = check(body.as_object().unwrap()).unwrap_err();
            assert_eq!(fault.param.as_deref(), Some(name));
            assert_eq!(fault.code(), "unknown_parameter");
            assert!(!fault.message.contains("192.0.2.1"), "the value is not repeated");
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
