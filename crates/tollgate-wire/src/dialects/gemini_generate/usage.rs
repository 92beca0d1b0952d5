//! `usageMetadata`, both ways.
//!
//! Google counts cached and audio tokens inside the prompt, thinking beside the candidates, and
//! what its own tools brought into the prompt beside both.

use serde_json::{Map, Value, json};
use tollgate_model::Usage;

/// `None` for an object that states no figure.
pub(super) fn read(raw: &Map<String, Value>) -> Option<Usage> {
    let figure = |field: &str| raw.get(field).and_then(Value::as_u64);
    let prompt = figure("promptTokenCount");
    let tools = figure("toolUsePromptTokenCount");
    let cached = figure("cachedContentTokenCount");
    let candidates = figure("candidatesTokenCount");
    let input = prompt.or(tools).map(|_| prompt.unwrap_or(0).saturating_add(tools.unwrap_or(0)));

    let of = |field: &str, kinds: &[Modality]| modality(raw.get(field), kinds);
    let visual = [Modality::Image, Modality::Video];
    let fresh = |kinds: &[Modality]| {
        let all = of("promptTokensDetails", kinds)?;
        Some(all.saturating_sub(of("cacheTokensDetails", kinds).unwrap_or(0)))
    };
    let audio_input = fresh(&[Modality::Audio]);
    let image_input = fresh(&visual);
    let audio_output = of("candidatesTokensDetails", &[Modality::Audio]);
    let image_output = of("candidatesTokensDetails", &visual);
    let less = |total: Option<u64>, parts: &[Option<u64>]| {
        total.map(|total| parts.iter().flatten().fold(total, |left, n| left.saturating_sub(*n)))
    };
    let usage = Usage {
        input_tokens: less(input, &[cached, audio_input, image_input]),
        cache_read_input_tokens: cached,
        audio_input_tokens: audio_input,
        image_input_tokens: image_input,
        output_tokens: less(candidates, &[audio_output, image_output]),
        reasoning_output_tokens: figure("thoughtsTokenCount"),
        audio_output_tokens: audio_output,
        image_output_tokens: image_output,
        stated_total: figure("totalTokenCount"),
        service_tier: tier(raw),
        ..Usage::default()
    };
    let says = usage != Usage::default();
    says.then(|| Usage { raw: Some(Box::new(Value::Object(raw.clone()))), ..usage })
}

/// AI Studio names the tier, Vertex the kind of traffic.
fn tier(raw: &Map<String, Value>) -> Option<String> {
    let word = raw.get("serviceTier").or_else(|| raw.get("trafficType"))?;
    word.as_str().map(str::to_owned)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Modality {
    Image,
    Video,
    Audio,
    Other,
}

impl Modality {
    fn of(value: &Value) -> Self {
        match (value.as_str(), value.as_u64()) {
            (Some("IMAGE"), _) | (_, Some(2)) => Self::Image,
            (Some("VIDEO"), _) | (_, Some(3)) => Self::Video,
            (Some("AUDIO"), _) | (_, Some(4)) => Self::Audio,
            _ => Self::Other,
        }
    }
}

/// Tokens of these kinds in a list of details; `None` when none is named.
fn modality(details: Option<&Value>, kinds: &[Modality]) -> Option<u64> {
    let details = details?.as_array()?;
    let of_kind =
        details.iter().filter(|detail| kinds.contains(&Modality::of(&detail["modality"])));
    of_kind.filter_map(|detail| detail["tokenCount"].as_u64()).reduce(u64::saturating_add)
}

/// `None` when nothing is known.
pub(super) fn written(usage: &Usage) -> Option<Value> {
    if usage.is_unknown() {
        return None;
    }
    let (input, output) = (usage.total_input(), usage.total_output());
    let shown = [usage.output_tokens, usage.audio_output_tokens, usage.image_output_tokens];
    let shown = shown.into_iter().flatten().reduce(u64::saturating_add);
    let mut out = Map::new();
    let mut put = |field: &str, figure: Option<u64>| {
        if let Some(figure) = figure {
            out.insert(field.to_owned(), figure.into());
        }
    };
    put("promptTokenCount", input);
    put("candidatesTokenCount", shown);
    put("thoughtsTokenCount", usage.reasoning_output_tokens);
    put("cachedContentTokenCount", usage.cache_read_input_tokens);
    put("totalTokenCount", Some(input.unwrap_or(0).saturating_add(output.unwrap_or(0))));
    let classes = [("AUDIO", usage.audio_input_tokens), ("IMAGE", usage.image_input_tokens)];
    details(&mut out, "promptTokensDetails", input, &classes);
    let classes = [("AUDIO", usage.audio_output_tokens), ("IMAGE", usage.image_output_tokens)];
    details(&mut out, "candidatesTokensDetails", shown, &classes);
    Some(out.into())
}

/// Says how a total divides, when some of it is no text.
fn details(
    out: &mut Map<String, Value>,
    field: &str,
    total: Option<u64>,
    classes: &[(&str, Option<u64>)],
) {
    let named = || classes.iter().filter_map(|(name, figure)| Some((*name, (*figure)?)));
    if let Some(total) = total
        && named().next().is_some()
    {
        let text = named().fold(total, |left, (_, figure)| left.saturating_sub(figure));
        let all = std::iter::once(("TEXT", text)).chain(named());
        let list = all.map(|(name, figure)| json!({"modality": name, "tokenCount": figure}));
        out.insert(field.to_owned(), list.collect());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(value: Value) -> Usage {
        read(value.as_object().unwrap()).unwrap()
    }

    #[test]
    fn classes_never_overlap() {
        let usage = usage(json!({
            "promptTokenCount": 1000, "cachedContentTokenCount": 400,
            "toolUsePromptTokenCount": 50, "candidatesTokenCount": 300, "thoughtsTokenCount": 70,
            "totalTokenCount": 1420, "serviceTier": "standard",
            "promptTokensDetails": [
                {"modality": "TEXT", "tokenCount": 500}, {"modality": "AUDIO", "tokenCount": 300},
                {"modality": 3, "tokenCount": 200},
            ],
            "cacheTokensDetails": [
                {"modality": "TEXT", "tokenCount": 300}, {"modality": "AUDIO", "tokenCount": 100},
            ],
            "candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": 250}],
        }));
        assert_eq!(usage.input_tokens, Some(250));
        assert_eq!(usage.cache_read_input_tokens, Some(400));
        assert_eq!(usage.audio_input_tokens, Some(200));
        assert_eq!(usage.image_input_tokens, Some(200));
        assert_eq!(usage.total_input(), Some(1050));
        assert_eq!(usage.output_tokens, Some(50));
        assert_eq!(usage.image_output_tokens, Some(250));
        assert_eq!(usage.total_output(), Some(370));
        assert_eq!(usage.total_output(), usage.stated_total.map(|all| all - 1050));
    }

    #[test]
    fn what_is_not_said_is_not_known() {
        let early = usage(json!({"promptTokenCount": 9, "totalTokenCount": 9}));
        assert_eq!((early.total_input(), early.total_output()), (Some(9), None));
        assert_eq!(read(&Map::new()), None);
        assert_eq!(written(&Usage::default()), None);
    }

    #[test]
    fn what_is_written_is_read_as_the_same() {
        let said = Usage {
            input_tokens: Some(10),
            cache_read_input_tokens: Some(5),
            audio_input_tokens: Some(3),
            output_tokens: Some(7),
            reasoning_output_tokens: Some(2),
            image_output_tokens: Some(4),
            ..Usage::default()
        };
        let read = usage(written(&said).unwrap());
        assert_eq!(read.stated_total, Some(31));
        assert_eq!(Usage { stated_total: None, raw: None, ..read }, said);
    }
}
