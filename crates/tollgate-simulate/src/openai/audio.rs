//! Speech and transcription: bytes that any player would call noise, and a text that says how long
//! a recording was.

use super::tables;
use super::wording::{flawed, invalid};
use crate::refusal::Refusal;
use crate::script::{Frame, Part, Reply, Request};
use crate::shape::{self, Reading};
use crate::{form, ids, tokens};
use base64::Engine as _;
use serde_json::{Value, json};

/// Sound for each letter that is read aloud.
const BYTES_PER_LETTER: usize = 64;
const PIECE: usize = 1024;
/// What a second of a recording weighs.
const BYTES_PER_SECOND: u64 = 32_000;

/// `/v1/audio/speech`.
pub(super) fn speak(request: &Request) -> Result<Reply, Refusal> {
    let body = super::body(request)?;
    shape::check(&tables::SPEECH, &body, Reading { loose: false }).map_err(|f| flawed(&f))?;
    let input = body["input"].as_str().unwrap_or_default();
    if input.is_empty() || input.chars().count() > 4096 {
        return Err(
            invalid("Invalid 'input': expected a string of 1 to 4096 characters.").param("input")
        );
    }
    let (media, magic): (_, &[u8]) = match body["response_format"].as_str().unwrap_or("mp3") {
        "mp3" => ("audio/mpeg", b"\xff\xf3\xe4\xc4"),
        "opus" => ("audio/ogg", b"OggS"),
        "aac" => ("audio/aac", b"\xff\xf1P\x80"),
        "flac" => ("audio/flac", b"fLaC"),
        "wav" => ("audio/wav", b"RIFF\xff\xff\xff\xffWAVE"),
        _ => ("audio/pcm", b""),
    };
    let sound = sound(magic, ids::hash(input.as_bytes()), input.chars().count());
    let (input, output) = (tokens::count(input), sound.len() as u64 / 100);
    let (content_type, frames) = if body["stream_format"] == "sse" {
        ("text/event-stream; charset=utf-8", events(&sound, input, output))
    } else {
        (
            media,
            sound.chunks(PIECE).map(|piece| Frame::new(Part::Content, piece.to_vec())).collect(),
        )
    };
    Ok(Reply {
        headers: super::head(request, content_type),
        frames,
        streamed: true,
        input_tokens: input,
        output_tokens: output,
    })
}

fn sound(magic: &[u8], seed: u64, letters: usize) -> Vec<u8> {
    let mut sound = magic.to_vec();
    let mut state = seed | 1;
    while sound.len() < letters * BYTES_PER_LETTER {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        sound.extend_from_slice(&state.to_le_bytes());
    }
    sound
}

fn events(sound: &[u8], input: u64, output: u64) -> Vec<Frame> {
    let mut frames: Vec<Frame> = sound
        .chunks(PIECE)
        .map(|piece| {
            let audio = base64::engine::general_purpose::STANDARD.encode(piece);
            let event = json!({"type": "speech.audio.delta", "audio": audio});
            Frame::new(Part::Content, format!("data: {event}\n\n"))
        })
        .collect();
    let done = json!({"type": "speech.audio.done", "usage": {"input_tokens": input, "output_tokens": output, "total_tokens": input + output}});
    frames.push(Frame::new(Part::Terminator, format!("data: {done}\n\n")));
    frames
}

/// A recording that arrived in a form.
struct Recording {
    model: String,
    seconds: u64,
    text: String,
    format: String,
    stream: bool,
}

/// `/v1/audio/transcriptions`.
pub(super) fn transcribe(request: &Request) -> Result<Reply, Refusal> {
    heard(request, "A recording", true)
}

/// `/v1/audio/translations`.
pub(super) fn translate(request: &Request) -> Result<Reply, Refusal> {
    heard(request, "A translated recording", false)
}

fn heard(request: &Request, what: &str, streams: bool) -> Result<Reply, Refusal> {
    super::credentials(request)?;
    let parts = form::parts(request).ok_or_else(|| invalid("Could not parse multipart form"))?;
    let field = |name: &str| form::field(request, name);
    let Some(file) = parts.iter().find(|part| part.name == "file" && part.filename.is_some())
    else {
        return Err(invalid("Missing required parameter: 'file'.")
            .code("missing_required_parameter")
            .param("file"));
    };
    let model = field("model").ok_or_else(|| invalid("you must provide a model parameter"))?;
    let format = field("response_format").unwrap_or_else(|| "json".to_owned());
    if !["json", "text", "srt", "verbose_json", "vtt", "diarized_json"].contains(&format.as_str()) {
        return Err(invalid(
            "[{'type': 'enum', 'loc': ('body', 'response_format'), 'msg': \"Input should be 'json', 'text', 'vtt', 'srt' or 'verbose_json'\"}]",
        ));
    }
    let bytes = file.data.len() as u64;
    let recording = Recording {
        seconds: bytes.div_ceil(BYTES_PER_SECOND),
        text: format!("{what} of {bytes} bytes."),
        stream: streams && field("stream").as_deref() == Some("true") && model != "whisper-1",
        model,
        format,
    };
    Ok(if recording.stream { told(request, &recording) } else { written(request, &recording) })
}

fn usage(recording: &Recording) -> Value {
    if recording.model.starts_with("whisper") {
        return json!({"type": "duration", "seconds": recording.seconds});
    }
    let (input, output) = (recording.seconds * 10, tokens::count(&recording.text));
    json!({
        "type": "tokens",
        "input_tokens": input,
        "input_token_details": {"text_tokens": 0, "audio_tokens": input},
        "output_tokens": output,
        "total_tokens": input + output,
    })
}

fn written(request: &Request, recording: &Recording) -> Reply {
    let (text, seconds) = (&recording.text, recording.seconds);
    let clock = |dot: char| format!("00:00:{:02}{dot}000", seconds.min(59));
    let (content_type, body) = match recording.format.as_str() {
        "text" => ("text/plain; charset=utf-8", format!("{text}\n")),
        "srt" => ("text/plain; charset=utf-8", format!("1\n00:00:00,000 --> {}\n{text}\n\n", clock(','))),
        "vtt" => ("text/plain; charset=utf-8", format!("WEBVTT\n\n00:00:00.000 --> {}\n{text}\n\n", clock('.'))),
        "verbose_json" => (
            "application/json",
            json!({"task": "transcribe", "language": "english", "duration": seconds as f64, "text": text,
                "segments": [{"id": 0, "start": 0.0, "end": seconds as f64, "text": text}], "usage": {"type": "duration", "seconds": seconds}})
            .to_string(),
        ),
        _ => ("application/json", json!({"text": text, "usage": usage(recording)}).to_string()),
    };
    Reply {
        headers: super::head(request, content_type),
        frames: vec![Frame::new(Part::Content, body)],
        streamed: false,
        input_tokens: 0,
        output_tokens: 0,
    }
}

fn told(request: &Request, recording: &Recording) -> Reply {
    let framed = |part, event: Value| Frame::new(part, format!("data: {event}\n\n"));
    let mut frames: Vec<Frame> = recording
        .text
        .split_inclusive(' ')
        .map(|delta| {
            framed(Part::Content, json!({"type": "transcript.text.delta", "delta": delta}))
        })
        .collect();
    let done =
        json!({"type": "transcript.text.done", "text": recording.text, "usage": usage(recording)});
    frames.push(framed(Part::Terminator, done));
    Reply {
        headers: super::head(request, "text/event-stream; charset=utf-8"),
        frames,
        streamed: true,
        input_tokens: 0,
        output_tokens: 0,
    }
}
