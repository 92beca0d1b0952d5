//! The object `usage` of operations other than chat. It counts in the words of the Responses API, in
//! seconds, or (at some hosts) in the words of Chat Completions.

use serde_json::Value;
use tollgate_model::Usage;

use super::usage;
use crate::Quirks;
use crate::as_is::milliseconds;

/// Output tokens are text.
pub(in crate::dialects) fn of_text(stated: &Value, quirks: &Quirks) -> Usage {
    let (mut said, output) = input(stated, quirks);
    said.output_tokens = said.output_tokens.or(output);
    said
}

/// Output tokens are speech.
pub(super) fn of_speech(stated: &Value, quirks: &Quirks) -> Usage {
    let (mut said, output) = input(stated, quirks);
    said.audio_output_tokens = said.audio_output_tokens.or(output);
    said
}

/// Output tokens are pictures, but for those that are said to be text.
pub(super) fn of_images(stated: &Value, quirks: &Quirks) -> Usage {
    let (mut said, output) = input(stated, quirks);
    let text = stated["output_tokens_details"]["text_tokens"].as_u64();
    said.output_tokens = said.output_tokens.or(text);
    let images = output.map(|all| all.saturating_sub(text.unwrap_or_default()));
    said.image_output_tokens = said.image_output_tokens.or(images);
    said
}

/// The input's classes, and all output in one.
fn input(stated: &Value, quirks: &Quirks) -> (Usage, Option<u64>) {
    let seconds = ["seconds", "prompt_audio_seconds"].iter().find_map(|name| stated[name].as_f64());
    let mut said = match stated.get("prompt_tokens") {
        Some(_) => usage::decode(stated, quirks).unwrap_or_default(),
        None => Usage::default(),
    };
    said.input_audio_ms = seconds.and_then(milliseconds);
    let Some(all) = stated["input_tokens"].as_u64() else { return (said, None) };
    let details = ["input_tokens_details", "input_token_details"];
    let details = details.iter().map(|name| &stated[name]).find(|details| details.is_object());
    let class = |name: &str| details.and_then(|details| details[name].as_u64());
    said.audio_input_tokens = class("audio_tokens");
    said.image_input_tokens = class("image_tokens");
    said.cache_read_input_tokens = class("cached_tokens");
    let apart = [said.audio_input_tokens, said.image_input_tokens, said.cache_read_input_tokens];
    let apart = apart.iter().flatten().fold(0u64, |sum, n| sum.saturating_add(*n));
    said.input_tokens = Some(all.saturating_sub(apart));
    said.stated_total = stated["total_tokens"].as_u64();
    (said, stated["output_tokens"].as_u64())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::as_is::TELLING;
    use crate::dialects::openai_chat::{audio, images};
    use crate::{as_is::AsIs, members::Members};
    use serde_json::json;

    fn measured(operation: &AsIs, answer: &Value) -> Usage {
        let mut members = Members::new(TELLING);
        members.push(answer.to_string().as_bytes());
        operation.measured(&members, &Quirks::NONE)
    }

    #[test]
    fn pictures_are_counted_in_tokens_and_in_pieces() {
        let said = measured(
            &images::MAKE,
            &json!({"data": [{"b64_json": "x"}, {"b64_json": "y"}], "usage": {
                "input_tokens": 50, "output_tokens": 272, "total_tokens": 322,
                "input_tokens_details": {"image_tokens": 36, "text_tokens": 14},
                "output_tokens_details": {"image_tokens": 270, "text_tokens": 2},
            }}),
        );
        assert_eq!((said.input_tokens, said.image_input_tokens), (Some(14), Some(36)));
        assert_eq!((said.output_tokens, said.image_output_tokens), (Some(2), Some(270)));
        assert_eq!((said.output_images, said.stated_total), (Some(2), Some(322)));
        let bare = measured(&images::MAKE, &json!({"created": 1, "data": [{"url": "x"}]}));
        assert_eq!((bare.output_images, bare.total_input()), (Some(1), None));
    }

    #[test]
    fn speech_is_counted_in_tokens_or_in_seconds() {
        let said = measured(
            &audio::TRANSCRIBE,
            &json!({"text": "", "usage": {"type": "tokens", "input_tokens": 39, "output_tokens": 5,
                "total_tokens": 44, "input_token_details": {"text_tokens": 2, "audio_tokens": 37}}}),
        );
        assert_eq!((said.input_tokens, said.audio_input_tokens), (Some(2), Some(37)));
        assert_eq!((said.output_tokens, said.input_audio_ms), (Some(5), None));
        for answer in [
            json!({"text": "", "usage": {"type": "duration", "seconds": 4}}),
            json!({"text": "", "duration": 4.0002}),
            json!({"text": "", "duration": "4"}),
        ] {
            let said = measured(&audio::TRANSCRIBE, &answer);
            assert_eq!(said.input_audio_ms, Some(4000), "{answer}");
            assert_eq!(said.total_input(), None);
        }
        let mistral = json!({"usage": {"prompt_audio_seconds": 3, "prompt_tokens": 3,
            "total_tokens": 389, "completion_tokens": 11}});
        let said = measured(&audio::TRANSCRIBE, &mistral);
        assert_eq!((said.input_audio_ms, said.output_tokens), (Some(3000), Some(11)));
        let spoken = measured(
            &audio::SPEAK,
            &json!({"type": "speech.audio.done", "usage": {"input_tokens": 9, "output_tokens": 80}}),
        );
        assert_eq!((spoken.input_tokens, spoken.audio_output_tokens), (Some(9), Some(80)));
    }
}
