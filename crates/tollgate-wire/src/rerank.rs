//! What dialects have in common where documents are put in order: how documents are written, and
//! the results. Of the vendors some know other names for the same.

use serde_json::{Map, Value, json};
use tollgate_model::{Fault, Ranked, RerankDocument, RerankReply, RerankRequest, Usage};

use crate::fields::Fields;

/// Takes the query, the documents and how many are wanted, under the first name that is there.
pub(crate) fn read(
    top: &mut Fields,
    model: String,
    limits: &[&str],
) -> Result<RerankRequest, Fault> {
    let query = top.string("query")?.ok_or_else(|| top.missing("query"))?;
    let list = top.list("documents")?.ok_or_else(|| top.missing("documents"))?;
    let documents = list.into_iter().enumerate().map(|(at, document)| match document {
        Value::String(text) => Ok(RerankDocument::Text(text)),
        Value::Object(fields) => Ok(RerankDocument::Fields(fields)),
        other => Err(top.wrong(&format!("documents[{at}]"), "a string or an object", &other)),
    });
    let documents = documents.collect::<Result<_, _>>()?;
    let mut top_n = None;
    for name in limits {
        top_n = top_n.or(top.count(name)?);
    }
    let return_documents = top.bool("return_documents")?;
    Ok(RerankRequest { model, query, documents, top_n, return_documents, ..Default::default() })
}

/// A document as its caller wrote it.
pub(crate) fn document(document: &RerankDocument) -> Value {
    match document {
        RerankDocument::Text(text) => text.as_str().into(),
        RerankDocument::Fields(fields) => fields.clone().into(),
    }
}

/// The results of an answer, best first. `None` when there are none.
pub(crate) fn results(body: &Value) -> Option<Vec<Ranked>> {
    let list = match body {
        Value::Array(list) => list,
        body => body.get("results").or_else(|| body.get("data"))?.as_array()?,
    };
    let result = |result: &Value| {
        let score = result.get("relevance_score").or_else(|| result.get("score"))?;
        let document = result.get("document").filter(|document| !document.is_null());
        Some(Ranked {
            index: result.get("index")?.as_u64()?,
            score: score.as_f64()?,
            document: document.cloned(),
        })
    };
    let mut results: Vec<Ranked> = list.iter().map(result).collect::<Option<_>>()?;
    results.sort_by(|one, other| other.score.total_cmp(&one.score));
    Some(results)
}

/// What was used: tokens where they are stated, and the units that rerankers are billed by.
pub(crate) fn usage(body: &Value) -> Usage {
    let count = |of: Option<&Value>, name: &str| of?.get(name)?.as_f64();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "figures are small counts; hosts write some of them as floats"
    )]
    let whole = |number: f64| number.clamp(0.0, 9.0e15) as u64;
    let usage = body.get("usage").or_else(|| body.get("meta")?.get("tokens"));
    let billed = body.get("meta").and_then(|meta| meta.get("billed_units"));
    let input = count(usage, "prompt_tokens")
        .or_else(|| count(usage, "input_tokens"))
        .or_else(|| count(usage, "total_tokens"));
    let units = count(billed, "search_units").or_else(|| count(usage, "search_units"));
    let raw = body.get("usage").or_else(|| body.get("meta")).cloned().map(Box::new);
    Usage {
        input_tokens: input.map(whole),
        search_units: units.map(whole),
        raw,
        ..Usage::default()
    }
}

/// The results as most vendors write them. A document that is wanted and was not repeated is the
/// caller's own.
pub(crate) fn written(reply: &RerankReply, ask: &RerankRequest) -> Vec<Value> {
    let results = reply.results.iter().map(|result| {
        let mut out = Map::new();
        out.insert("index".into(), result.index.into());
        out.insert("relevance_score".into(), result.score.into());
        let own = || {
            let wanted = ask.return_documents == Some(true);
            let at = usize::try_from(result.index).ok().filter(|_| wanted)?;
            Some(match ask.documents.get(at)? {
                RerankDocument::Text(text) => json!({"text": text}),
                RerankDocument::Fields(fields) => fields.clone().into(),
            })
        };
        let unwanted = ask.return_documents == Some(false);
        let document = result.document.clone().filter(|_| !unwanted).or_else(own);
        out.extend(document.map(|document| ("document".to_owned(), document)));
        Value::Object(out)
    });
    // A host that overlooks the wish for a few gives all of them.
    let most = ask.top_n.and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX);
    results.take(most).collect()
}
