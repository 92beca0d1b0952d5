//! Vectors and the texts they stand for, as dialects write them: lists of numbers, base64, and
//! inputs that stand alone or in a list.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;
use tollgate_model::{EmbedInput, EmbedRequest, Fault, FaultKind, Source};

/// A list of numbers, or base64 of little-endian 32-bit floats.
pub(crate) fn read(vector: &Value) -> Option<Vec<f32>> {
    #[expect(clippy::cast_possible_truncation, reason = "vectors are 32-bit floats")]
    let narrow = |number: f64| number as f32;
    match vector {
        Value::Array(numbers) => numbers.iter().map(|n| n.as_f64().map(narrow)).collect(),
        Value::String(text) => {
            let bytes = STANDARD.decode(text).ok()?;
            let (floats, rest) = bytes.as_chunks::<4>();
            rest.is_empty().then(|| floats.iter().map(|four| f32::from_le_bytes(*four)).collect())
        }
        _ => None,
    }
}

/// As a list of numbers.
pub(crate) fn floats(vector: &[f32]) -> Value {
    vector.iter().map(|number| shortest(*number)).collect()
}

/// As base64 of little-endian 32-bit floats.
pub(crate) fn base64(vector: &[f32]) -> Value {
    let bytes: Vec<u8> = vector.iter().flat_map(|number| number.to_le_bytes()).collect();
    STANDARD.encode(bytes).into()
}

/// The shortest decimal that reads back as this float: `0.1`, not `0.10000000149011612`.
fn shortest(number: f32) -> Value {
    number.to_string().parse::<f64>().ok().map_or(Value::Null, Value::from)
}

/// The inputs, alone where the caller wrote one alone.
///
/// # Errors
/// `Unsupported` for token ids: they mean nothing to another model.
pub(crate) fn texts(ask: &EmbedRequest) -> Result<Value, Fault> {
    let mut list = list_of_texts(ask)?;
    Ok(match list.pop() {
        Some(one) if ask.single && list.is_empty() => one.into(),
        last => {
            list.extend(last);
            list.into()
        }
    })
}

/// The inputs, which must be texts.
///
/// # Errors
/// `Unsupported` for token ids: they mean nothing to another model.
pub(crate) fn list_of_texts(ask: &EmbedRequest) -> Result<Vec<&str>, Fault> {
    let texts = ask.inputs.iter().map(|input| match input {
        EmbedInput::Text(text) => Ok(text.as_str()),
        EmbedInput::Tokens(_) => {
            let message = "This provider embeds texts, not token ids.";
            let fault = Fault::new(FaultKind::Unsupported, Source::Downstream, message);
            Err(Fault { param: Some("input".into()), ..fault })
        }
    });
    texts.collect()
}
