//! Bedrock Converse: one wire format for every model that Amazon serves, answered as JSON or as
//! Amazon's binary event stream.

use http::Method;
use tollgate_model::DialectId;

use crate::dialect::{Faults, Replies, Requests, Rules};
use crate::stream::Streams;
use crate::{Claim, Dialect, Framing, Operation, Route};

mod citation;
pub mod count_tokens;
pub mod embed;
mod fault;
mod foreign;
mod media;
mod reply;
mod request;
mod stop;
mod stream;
mod thought;
mod usage;

pub const ID: DialectId = DialectId("bedrock-converse");

pub static BEDROCK_CONVERSE: Dialect = Dialect {
    id: ID,
    requests: Requests { decode: request::decode, encode: request::encode },
    replies: Replies { decode: reply::decode, skim: reply::skim, encode: reply::encode },
    rules: Rules {
        routes: &[
            route("/converse", Operation::Chat, false),
            route("/converse-stream", Operation::Chat, true),
            route("/count-tokens", Operation::CountTokens, false),
        ],
        model_in_body: false,
        request_headers: &[],
        query: &[],
        response_headers: &["x-amzn-bedrock-*", "x-amzn-requestid"],
        path: |model, stream| path(model, if stream { "converse-stream" } else { "converse" }),
        framing: Framing::AwsEventStream,
        streams_unless_told: false,
        usage_is_optional: false,
        disturbs: |_, body, _| foreign::is_in(body),
        request_id: "x-amzn-requestid",
    },
    streams: Streams::of::<stream::Decoder, stream::Encoder>(),
    faults: Faults { decode: fault::decode, encode: fault::encode },
};

const fn route(suffix: &'static str, operation: Operation, stream: bool) -> Route {
    let (prefix, suffix) = ("/model/", Some(suffix));
    Route { method: Method::POST, prefix, suffix, claim: Claim::Open, operation, stream }
}

/// The model's name may be an ARN, with `:` and `/` in it; both are escaped, as the SDKs do.
fn path(model: &str, action: &str) -> String {
    let mut out = String::from("/model/");
    for byte in model.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out.push('/');
    out.push_str(action);
    out
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::*;

    #[test]
    fn names_of_every_kind_stand_in_the_path() {
        assert_eq!(
            path("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "converse"),
            "/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse"
        );
        assert_eq!(
            path("arn:aws:bedrock:us-east-1:000000000000:inference-profile/x", "converse-stream"),
            "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A000000000000%3Ainference-profile%2Fx/converse-stream"
        );
    }

    #[test]
    fn names_of_every_kind_are_found_in_the_path() {
        let headers = HeaderMap::new();
        for (sent, model) in [
            ("anthropic.claude-3-haiku-20240307-v1%3A0", "anthropic.claude-3-haiku-20240307-v1:0"),
            ("anthropic.claude-3-haiku-20240307-v1:0", "anthropic.claude-3-haiku-20240307-v1:0"),
            ("openai%2Fgpt-5", "openai/gpt-5"),
            ("arn%3Aaws%3Abedrock%3A%3A0%3Aprompt%2Fx", "arn:aws:bedrock::0:prompt/x"),
        ] {
            for (action, stream) in [("converse", false), ("converse-stream", true)] {
                let path = format!("/model/{sent}/{action}");
                let found = crate::ingress::find(&Method::POST, &path, &headers).unwrap();
                assert_eq!(found.dialect.id(), ID);
                assert_eq!(found.model.as_deref(), Some(model));
                assert_eq!(found.route.stream, stream);
            }
        }
    }
}
