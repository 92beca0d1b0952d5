//! Documents in order of relevance: `/v1/rerank`, which OpenAI has not, but Jina began and Cohere's
//! first version, Voyage, Together, vLLM, llama.cpp and others speak with few differences.

use bytes::Bytes;
use serde_json::{Map, Value, json};
use tollgate_model::{Fault, Losses, RerankReply, RerankRequest};

use super::{ID, fault};
use crate::{Incoming, Outgoing, Quirks, Recipient, fields::Fields, operation::Rerank, rerank};

/// How many are wanted: as most hosts call it, and as Voyage does.
const TOP_N: &str = "top_n";
const TOP_K: &str = "top_k";

#[derive(Debug)]
pub struct Ranking;

impl Rerank for Ranking {
    fn decode_request(&self, incoming: &Incoming<'_>) -> Result<RerankRequest, Fault> {
        let mut top = Fields::body(ID, incoming)?;
        let model = top.model(incoming)?;
        let voyage = [TOP_K, "truncation"].iter().any(|field| top.all().contains_key(*field));
        let ask = rerank::read(&mut top, model, &[TOP_N, TOP_K])?;
        let mut extras = top.rest();
        if voyage {
            extras.choose(ID, TOP_K);
        }
        Ok(RerankRequest { extras, ..ask })
    }

    fn encode_request(&self, ask: &RerankRequest, to: &Recipient<'_>) -> Result<Outgoing, Fault> {
        let own = ask.extras.is_of(ID);
        let mut losses = Losses::default();
        let mut out = Map::new();
        out.insert("model".into(), to.model.into());
        out.insert("query".into(), ask.query.as_str().into());
        let documents: Vec<Value> = ask.documents.iter().map(rerank::document).collect();
        out.insert("documents".into(), documents.into());
        if let Some(most) = ask.top_n {
            out.insert(to.quirks.rerank_limit.into(), most.into());
        }
        if let Some(wanted) = ask.return_documents.filter(|_| own) {
            out.insert("return_documents".into(), wanted.into());
        }
        ask.extras.restore(ID, &mut out, "", &mut losses);
        Ok(Outgoing::json("/rerank", out, losses))
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
        let text = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
        let usage = rerank::usage(&body);
        Ok(RerankReply { id: text("id"), model: text("model"), results, usage })
    }

    fn encode_reply(&self, reply: &RerankReply, ask: &RerankRequest, model: &str) -> Bytes {
        let mut results = rerank::written(reply, ask);
        let mut usage = Map::new();
        if let Some(input) = reply.usage.total_input() {
            usage.insert("prompt_tokens".into(), input.into());
            usage.insert("total_tokens".into(), input.into());
        }
        let mut out = json!({
            "object": "list",
            "model": reply.model.as_deref().unwrap_or(model),
            "usage": usage,
        });
        if let Some(id) = &reply.id {
            out["id"] = id.as_str().into();
        }
        if let Some(units) = reply.usage.search_units {
            out["meta"] = json!({"billed_units": {"search_units": units}});
        }
        if ask.extras.chose(ID, TOP_K) {
            // Voyage's documents are bare texts.
            for result in &mut results {
                if let Some(Value::String(text)) = result.pointer("/document/text").cloned() {
                    result["document"] = text.into();
                }
            }
            // Nor does its SDK do without a count.
            if out["usage"]["total_tokens"].is_null() {
                out["usage"]["total_tokens"] = 0.into();
            }
            out["data"] = results.into();
        } else {
            out["results"] = results.into();
        }
        Bytes::from(out.to_string())
    }
}
