//! Gemini generateContent and streamGenerateContent.

use http::HeaderMap;
use tollgate_model::{Chat, DialectId, Event, Fault, FaultKind, Reply};

use crate::{
    Dialect, Encoded, EncodedFault, Incoming, Outgoing, Quirks, Recipient, ReplyContext, Rules,
    Snapshot, StreamDecoder, StreamEncoder,
};

pub mod count_tokens;
pub mod embed;
pub mod models;

pub const ID: DialectId = DialectId("gemini-generate");

#[derive(Debug)]
pub struct GeminiGenerate;

const RULES: Rules = Rules {
    routes: &[],
    model_in_body: false,
    request_headers: &[],
    query: &[],
    response_headers: &[],
    path: |_, _| String::new(),
    usage_is_optional: false,
    request_id: "x-request-id",
};

impl Dialect for GeminiGenerate {
    fn id(&self) -> DialectId {
        ID
    }
    fn rules(&self) -> &'static Rules {
        &RULES
    }
    fn decode_request(&self, _: &Incoming<'_>) -> Result<Chat, Fault> {
        Err(Fault::internal("not written"))
    }
    fn encode_request(&self, _: &Chat, _: &Recipient<'_>) -> Result<Outgoing, Fault> {
        Err(Fault::internal("not written"))
    }
    fn decode_reply(&self, _: &[u8], _: &Quirks) -> Result<Vec<Event>, Fault> {
        Err(Fault::internal("not written"))
    }
    fn encode_reply(&self, _: &Reply, _: &ReplyContext) -> Encoded {
        Encoded::default()
    }
    fn decode_stream(&self, _: &'static Quirks) -> Box<dyn StreamDecoder> {
        unimplemented!()
    }
    fn encode_stream(&self, _: ReplyContext, _: Option<Snapshot>) -> Box<dyn StreamEncoder> {
        unimplemented!()
    }
    fn decode_fault(&self, status: u16, _: &HeaderMap, _: &[u8]) -> Fault {
        Fault::new(FaultKind::of_status(status), tollgate_model::Source::Upstream, "not written")
    }
    fn encode_fault(&self, fault: &Fault, _: &str) -> EncodedFault {
        EncodedFault { status: fault.status(), body: bytes::Bytes::new() }
    }
}
