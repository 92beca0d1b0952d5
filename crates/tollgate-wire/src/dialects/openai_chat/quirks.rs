//! Which of a request's fields a provider with quirks would refuse or misread as written. Looks
//! at the bytes only: it stands before every verbatim call.

use memchr::memmem;

use crate::Quirks;
use crate::provider::{CallId, MaxTokens};
use crate::scan::Scan;

pub(super) fn disturbs(quirks: &Quirks, body: &[u8], scan: &Scan) -> bool {
    let has = |field: &str| scan.written(body, field).is_some();
    let says = |text: &str| memmem::find(body, text.as_bytes()).is_some();
    (quirks.max_tokens_field == MaxTokens::OnlyMaxTokens && has("max_completion_tokens"))
        || (quirks.seed_field != Some("seed") && has("seed"))
        || (quirks.seed_field == Some("seed") && has("random_seed"))
        || (!quirks.developer_role && says("\"developer\""))
        || (quirks.call_id != CallId::Any && says("\"tool_call_id\""))
        || (!quirks.json_schema && says("\"json_schema\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::find;
    use crate::scan::{Limits, scan};

    #[test]
    fn a_field_that_a_host_names_otherwise_disturbs_it() {
        let mistral = &find("mistral").unwrap().quirks;
        let openai = &find("openai").unwrap().quirks;
        for (body, to_mistral, to_openai) in [
            (r#"{"model":"m","messages":[]}"#, false, false),
            (r#"{"model":"m","seed":1}"#, true, false),
            (r#"{"model":"m","random_seed":1}"#, false, true),
            (r#"{"model":"m","tool_choice":"required"}"#, false, false),
            (r#"{"model":"m","max_completion_tokens":1}"#, true, false),
            (r#"{"messages":[{"role":"developer"}]}"#, true, false),
        ] {
            let found = scan(body.as_bytes(), &Limits::seeded(1)).unwrap();
            assert_eq!(disturbs(mistral, body.as_bytes(), &found), to_mistral, "{body}");
            assert_eq!(disturbs(openai, body.as_bytes(), &found), to_openai, "{body}");
        }
    }
}
