//! Documents in order of relevance: `/v2/rerank`. It takes texts only and never repeats them.

use bytes::Bytes;
use serde_json::{Map, Value, json};
use tollgate_model::{Fault, Losses, RerankReply, RerankRequest};

use super::{ID, fault};
use crate::{Incoming, Outgoing, Quirks, Recipient, fields::Fields, operation::Rerank, rerank};

const PATH: &str = "/v2/rerank";

#[derive(Debug)]
pub struct Ranking;

impl Rerank for Ranking {
    fn decode_request(&self, incoming: &Incoming<'_>) -> Result<RerankRequest, Fault> {
        let mut top = Fields::body(ID, incoming)?;
        let model = top.model(incoming)?;
        let ask = rerank::read(&mut top, model, &["top_n"])?;
        Ok(RerankRequest { extras: top.rest(), ..ask })
    }

    fn encode_request(&self, ask: &RerankRequest, to: &Recipient<'_>) -> Result<Outgoing, Fault> {
        let own = ask.extras.is_of(ID);
        let mut losses = Losses::default();
        let mut out = Map::new();
        out.insert("model".into(), to.model.into());
        out.insert("query".into(), ask.query.as_str().into());
        let mut documents = Vec::with_capacity(ask.documents.len());
        for (at, document) in ask.documents.iter().enumerate() {
            if own {
                documents.push(rerank::document(document));
                continue;
            }
            if !document.is_plain() {
                losses.approximated("", &format!("documents[{at}]"));
            }
            documents.push(document.as_text().into());
        }
        out.insert("documents".into(), documents.into());
        // Zero is refused here, and means nothing elsewhere.
        if let Some(most) = ask.top_n.filter(|most| own || *most > 0) {
            out.insert("top_n".into(), most.into());
        }
        if let Some(wanted) = ask.return_documents.filter(|_| own) {
            out.insert("return_documents".into(), wanted.into());
        }
        ask.extras.restore(ID, &mut out, "", &mut losses);
        Ok(Outgoing::json(PATH, out, losses))
    }

    fn decode_reply(&self, body: &[u8], _: &Quirks) -> Result<RerankReply, Fault> {
        let body: Value = serde_json::from_slice(body)
            .map_err(|_| Fault::bad_upstream("The provider's answer is not JSON."))?;
        if let Some(fault) = body.as_object().and_then(fault::inside) {
            return Err(fault);
        }
        let Some(results) = rerank::results(&body) else {
            return Err(Fault::bad_upstream("The provider's answer has no ranking."));
        };
        let id = body.get("id").and_then(Value::as_str).map(str::to_owned);
        Ok(RerankReply { id, model: None, results, usage: rerank::usage(&body) })
    }

    fn encode_reply(&self, reply: &RerankReply, ask: &RerankRequest, _: &str) -> Bytes {
        let mut billed = Map::new();
        // At least one, as the vendor counts: a search of up to a hundred documents.
        let units = reply.usage.search_units.unwrap_or(1);
        billed.insert("search_units".into(), units.into());
        if let Some(input) = reply.usage.total_input() {
            billed.insert("input_tokens".into(), input.into());
        }
        let out = json!({
            "id": reply.id.as_deref().unwrap_or_default(),
            "results": rerank::written(reply, ask),
            "meta": {"api_version": {"version": "2"}, "billed_units": billed},
        });
        Bytes::from(out.to_string())
    }
}
