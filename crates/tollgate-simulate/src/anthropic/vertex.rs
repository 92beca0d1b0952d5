//! Anthropic's calls as Vertex carries them: the model in the path, the version in the body.

use crate::dialect::{Call, State};
use crate::refusal::Refusal;
use crate::script::{Reply, Request};
use crate::simulator::percent_decoded;
use serde_json::{Map, Value};

/// A message under `:rawPredict`, or `:streamRawPredict`, which only the path tells apart.
pub(super) fn message(call: &Call<'_>, state: &mut State) -> Result<Reply, Refusal> {
    let request = unwrapped(call, "vertex-2023-10-16", |body| {
        let model = call.named.get("model").unwrap_or_default();
        body.insert("model".to_owned(), percent_decoded(model).into());
    })?;
    super::messages(&request, &mut state.cache)
}

/// A count; its model stands in the body.
pub(super) fn count(call: &Call<'_>, _state: &mut State) -> Result<Reply, Refusal> {
    super::count_tokens(&unwrapped(call, "vertex-2023-10-16", |_| {})?)
}

/// The call as Anthropic would get it. `add` puts in what the path says.
pub(crate) fn unwrapped(
    call: &Call<'_>,
    version: &str,
    add: impl FnOnce(&mut Map<String, Value>),
) -> Result<Request, Refusal> {
    let mut request = call.request.clone();
    request.headers.retain(|(name, _)| name != "anthropic-version");
    request.headers.push(("anthropic-version".to_owned(), "2023-06-01".to_owned()));
    let Ok(Value::Object(mut body)) = serde_json::from_slice(&request.body) else {
        return Ok(request);
    };
    let given = body.remove("anthropic_version");
    if given.as_ref().and_then(Value::as_str) != Some(version) {
        let what = match given {
            None => "anthropic_version: Field required".to_owned(),
            Some(_) => format!("anthropic_version: Input should be '{version}'"),
        };
        return Err(super::wording::invalid(what));
    }
    let betas = body.remove("anthropic_beta");
    for beta in betas.as_ref().and_then(Value::as_array).into_iter().flatten() {
        let beta = beta.as_str().unwrap_or_default().to_owned();
        request.headers.push(("anthropic-beta".to_owned(), beta));
    }
    if body.contains_key("model") && call.named.get("model").is_some() {
        return Err(super::wording::invalid("model: Extra inputs are not permitted"));
    }
    add(&mut body);
    request.body = Value::Object(body).to_string().into();
    Ok(request)
}
