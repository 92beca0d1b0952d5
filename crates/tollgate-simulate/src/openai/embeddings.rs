//! Embeddings: unit vectors made from the text alone, as floats or as base64 of little-endian floats.

use super::tables;
use super::wording::{flawed, invalid};
use crate::refusal::Refusal;
use crate::script::{Frame, Part, Reply, Request};
use crate::shape::{self, Reading};
use crate::{ids, tokens};
use base64::Engine as _;
use serde_json::{Value, json};

/// Answers an embeddings call, or says why not.
pub(crate) fn embeddings(request: &Request) -> Result<Reply, Refusal> {
    let body = super::body(request)?;
    shape::check(&tables::EMBEDDINGS, &body, Reading { loose: false }).map_err(|f| flawed(&f))?;
    judge(&body)?;
    let inputs = inputs(&body["input"])?;
    let size = usize::try_from(body["dimensions"].as_u64().unwrap_or(1536)).unwrap_or(1536);
    let base64 = body["encoding_format"] == "base64";
    let data: Vec<Value> = inputs
        .iter()
        .enumerate()
        .map(|(at, (seed, _))| {
            let vector = vector(*seed, size);
            json!({"object": "embedding", "index": at, "embedding": if base64 { packed(&vector) } else { json!(vector) }})
        })
        .collect();
    let counted: u64 = inputs.iter().map(|(_, n)| n).sum();
    let body = json!({
        "object": "list",
        "data": data,
        "model": body["model"],
        "usage": {"prompt_tokens": counted, "total_tokens": counted},
    });
    Ok(Reply {
        headers: super::head(request, "application/json"),
        frames: vec![Frame::new(Part::Content, body.to_string())],
        streamed: false,
        input_tokens: counted,
        output_tokens: 0,
    })
}

fn judge(body: &Value) -> Result<(), Refusal> {
    if let Some(size) = body["dimensions"].as_f64() {
        if size < 1.0 {
            return Err(invalid(format!("{size} is less than the minimum of 1 - 'dimensions'")));
        }
        let most = if body["model"].as_str().is_some_and(|m| m.contains("3-large")) {
            3072.0
        } else {
            1536.0
        };
        if size > most {
            return Err(invalid(format!(
                "Invalid value for 'dimensions' = {size}. Must be less than or equal to {most}."
            )));
        }
    }
    match body["encoding_format"].as_str() {
        None | Some("float" | "base64") => Ok(()),
        Some(other) => {
            Err(invalid(format!("'{other}' is not one of ['float', 'base64'] - 'encoding_format'")))
        }
    }
}

/// A seed and a token count for each text or list of tokens.
fn inputs(input: &Value) -> Result<Vec<(u64, u64)>, Refusal> {
    let text = |s: &str| (ids::hash(s.as_bytes()), tokens::count(s));
    let ids_of =
        |list: &[Value]| (ids::hash(json!(list).to_string().as_bytes()), list.len() as u64);
    let wrong = || {
        invalid(
            "'$.input' is invalid. Please check the API reference: https://platform.openai.com/docs/api-reference.",
        )
    };
    match input {
        Value::String(one) => Ok(vec![text(one)]),
        Value::Array(many) if many.is_empty() || many.len() > 2048 => Err(wrong()),
        Value::Array(many) if many.iter().all(Value::is_u64) => Ok(vec![ids_of(many)]),
        Value::Array(many) => many
            .iter()
            .map(|each| match each {
                Value::String(s) if !s.is_empty() => Ok(text(s)),
                Value::Array(list) if !list.is_empty() && list.iter().all(Value::is_u64) => {
                    Ok(ids_of(list))
                }
                _ => Err(wrong()),
            })
            .collect(),
        _ => Err(wrong()),
    }
}

/// A vector of length one; the same seed gives the same one.
pub(crate) fn vector(seed: u64, size: usize) -> Vec<f32> {
    let mut state = seed | 1;
    let raw: Vec<f32> = (0..size.max(1))
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let step = i32::try_from((state >> 40) & 0xffff).unwrap_or(0) - 0x8000;
            step as f32 / 32768.0
        })
        .collect();
    let length = raw.iter().map(|x| x * x).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
    raw.iter().map(|x| x / length).collect()
}

fn packed(vector: &[f32]) -> Value {
    let bytes: Vec<u8> = vector.iter().flat_map(|x| x.to_le_bytes()).collect();
    json!(base64::engine::general_purpose::STANDARD.encode(bytes))
}
