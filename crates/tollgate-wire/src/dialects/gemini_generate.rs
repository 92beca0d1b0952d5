//! Gemini generateContent and streamGenerateContent.
//!
//! Deliberately absent: Vertex' own paths and credentials, and the other operations, which stand
//! in `count_tokens.rs`, `embed.rs` and `models.rs`.

use http::Method;
use tollgate_model::DialectId;

use crate::dialect::{Faults, Replies, Requests, Rules};
use crate::stream::Streams;
use crate::{Claim, Dialect, Framing, Operation, Route};

mod answer;
mod citations;
pub mod count_tokens;
pub mod embed;
mod fault;
mod fields;
mod finish;
mod function;
mod media;
pub mod models;
mod partial;
mod reader;
mod reply;
mod request;
mod schema;
mod signature;
mod stream;
mod usage;

pub const ID: DialectId = DialectId("gemini-generate");

const WHOLE: &str = ":generateContent";

/// The method that streams. How it frames the stream is for the query to say: a caller's own
/// stays, and what is written anew asks for server-sent events.
const STREAM: &str = ":streamGenerateContent";

pub static GEMINI_GENERATE: Dialect = Dialect {
    id: ID,
    requests: Requests {
        decode: request::decode,
        encode: |chat, to| Ok(request::encode(chat, to)),
    },
    replies: Replies { decode: reply::decode, skim: reply::skim, encode: reply::encode },
    rules: Rules {
        routes: &[
            post("/v1beta/models/", WHOLE, Operation::Chat),
            streaming("/v1beta/models/"),
            post("/v1beta/models/", ":countTokens", Operation::CountTokens),
            post("/v1beta/models/", ":embedContent", Operation::Embed),
            post("/v1beta/models/", ":batchEmbedContents", Operation::Embed),
            get("/v1beta/models", None, Operation::ListModels, Claim::Open),
            get("/v1beta/models/", Some(""), Operation::GetModel, Claim::Open),
            post("/v1/models/", WHOLE, Operation::Chat),
            streaming("/v1/models/"),
            post("/v1/models/", ":countTokens", Operation::CountTokens),
            post("/v1/models/", ":embedContent", Operation::Embed),
            post("/v1/models/", ":batchEmbedContents", Operation::Embed),
            get("/v1/models", None, Operation::ListModels, GOOGLE_KEY),
            get("/v1/models/", Some(""), Operation::GetModel, GOOGLE_KEY),
        ],
        model_in_body: false,
        request_headers: &["x-server-timeout"],
        query: &["alt", "$alt"],
        response_headers: &["server-timing", "x-gemini-service-tier"],
        path: |model, stream| path(model, if stream { STREAM } else { WHOLE }),
        framing: Framing::JsonArray,
        streams_unless_told: false,
        usage_is_optional: false,
        // A body may repeat the model that its path names, and the target's may be another.
        disturbs: |_, body, scan| scan.member(body, "model").is_some(),
        request_id: "x-request-id",
    },
    streams: Streams::of::<stream::Decoder, stream::Encoder>(),
    faults: Faults { decode: fault::decode, encode: fault::encode },
};

const GOOGLE_KEY: Claim = Claim::Header("x-goog-api-key");

const fn post(prefix: &'static str, suffix: &'static str, operation: Operation) -> Route {
    let (method, suffix, claim) = (Method::POST, Some(suffix), Claim::Open);
    Route { method, prefix, suffix, claim, operation, stream: false }
}

const fn streaming(prefix: &'static str) -> Route {
    let (method, suffix) = (Method::POST, Some(STREAM));
    let (claim, operation) = (Claim::Open, Operation::Chat);
    Route { method, prefix, suffix, claim, operation, stream: true }
}

const fn get(
    prefix: &'static str,
    suffix: Option<&'static str>,
    operation: Operation,
    claim: Claim,
) -> Route {
    Route { method: Method::GET, prefix, suffix, claim, operation, stream: false }
}

/// Where `method` of a model is called. A name cannot lead out of the models' folder.
fn path(model: &str, method: &str) -> String {
    let (folder, name) = match model.split_once('/') {
        Some((folder, name)) if request::is_resource(model) => (folder, name),
        _ => ("models", model),
    };
    let mut path = format!("/v1beta/{folder}/");
    for byte in name.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'@' => {
                path.push(char::from(byte));
            }
            other => path.push_str(&format!("%{other:02X}")),
        }
    }
    path + method
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_name_stays_in_its_folder() {
        let path = GEMINI_GENERATE.rules.path;
        assert_eq!(
            path("gemini-2.5-flash", false),
            "/v1beta/models/gemini-2.5-flash:generateContent"
        );
        assert_eq!(path("tunedModels/a", true), format!("/v1beta/tunedModels/a{STREAM}"));
        assert_eq!(path("../x?y#z", false), "/v1beta/models/..%2Fx%3Fy%23z:generateContent");
        assert_eq!(path("models/../x", false), "/v1beta/models/..%2Fx:generateContent");
    }
}
