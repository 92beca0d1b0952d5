//! Pictures: the smallest there is, in as many copies as are asked for.

use super::tables;
use super::wording::{flawed, invalid};
use crate::refusal::Refusal;
use crate::script::{Frame, Part, Reply, Request};
use crate::shape::{self, Reading};
use crate::{form, ids, tokens};
use serde_json::{Value, json};

/// One pixel.
const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const CREATED: u64 = 1_735_689_600;

/// What is asked for, in a form or in JSON.
struct Asked {
    model: String,
    prompt: String,
    n: u64,
    as_url: bool,
    stream: bool,
    partial: u64,
    event: &'static str,
}

/// `/v1/images/generations`.
pub(super) fn make(request: &Request) -> Result<Reply, Refusal> {
    let body = super::body(request)?;
    shape::check(&tables::IMAGE_REQUEST, &body, Reading { loose: false })
        .map_err(|f| flawed(&f))?;
    if body["prompt"] == "" {
        return Err(invalid("Invalid 'prompt': empty string. Expected a string with minimum length 1, but got an empty string instead.").code("empty_string").param("prompt"));
    }
    let text = |name: &str| body[name].as_str().map(str::to_owned);
    answer(request, "image_generation", |name| match name {
        "n" | "partial_images" => body[name].as_u64().map(|n| n.to_string()),
        "stream" => body[name].as_bool().map(|flag| flag.to_string()),
        name => text(name),
    })
}

/// `/v1/images/edits`.
pub(super) fn edit(request: &Request) -> Result<Reply, Refusal> {
    super::credentials(request)?;
    if request.header("content-type").is_some_and(|t| t.starts_with("application/json")) {
        let body = super::body(request)?;
        if !body["images"].is_array() && !body["image"].is_object() {
            return Err(missing("images"));
        }
        return answer(request, "image_edit", |name| body[name].as_str().map(str::to_owned));
    }
    with_picture(request)?;
    if form::field(request, "prompt").is_none() {
        return Err(missing("prompt"));
    }
    answer(request, "image_edit", |name| form::field(request, name))
}

/// `/v1/images/variations`.
pub(super) fn vary(request: &Request) -> Result<Reply, Refusal> {
    super::credentials(request)?;
    with_picture(request)?;
    answer(request, "image_variation", |name| form::field(request, name))
}

fn with_picture(request: &Request) -> Result<(), Refusal> {
    let parts = form::parts(request).ok_or_else(|| invalid("Could not parse multipart form"))?;
    let named = |name: &str| name == "image" || name.starts_with("image[");
    match parts.iter().any(|part| named(&part.name) && part.filename.is_some()) {
        true => Ok(()),
        false => Err(missing("image")),
    }
}

fn missing(name: &str) -> Refusal {
    invalid(format!("Missing required parameter: '{name}'."))
        .code("missing_required_parameter")
        .param(name)
}

fn answer(
    request: &Request,
    event: &'static str,
    field: impl Fn(&str) -> Option<String>,
) -> Result<Reply, Refusal> {
    let model = field("model").unwrap_or_else(|| "dall-e-2".to_owned());
    let gpt = model.starts_with("gpt-image");
    let format = field("response_format");
    if gpt && format.is_some() {
        return Err(invalid("Unknown parameter: 'response_format'.")
            .code("unknown_parameter")
            .param("response_format"));
    }
    let number = |name: &str, otherwise| match field(name) {
        None => Ok(otherwise),
        Some(text) => text
            .parse::<u64>()
            .map_err(|_| invalid(format!("Invalid type for '{name}'.")).param(name)),
    };
    let n = number("n", 1)?;
    if !(1..=10).contains(&n) {
        return Err(invalid("Invalid 'n': expected a value from 1 to 10.").param("n"));
    }
    let asked = Asked {
        prompt: field("prompt").unwrap_or_default(),
        n,
        as_url: !gpt && format.as_deref() != Some("b64_json"),
        stream: gpt && field("stream").as_deref() == Some("true"),
        partial: number("partial_images", 0)?,
        model,
        event,
    };
    Ok(if asked.stream { streamed(request, &asked) } else { whole(request, &asked) })
}

fn usage(asked: &Asked) -> Value {
    let (input, output) = (tokens::count(&asked.prompt), 272 * asked.n);
    json!({
        "input_tokens": input,
        "input_tokens_details": {"image_tokens": 0, "text_tokens": input},
        "output_tokens": output,
        "output_tokens_details": {"image_tokens": output, "text_tokens": 0},
        "total_tokens": input + output,
    })
}

fn whole(request: &Request, asked: &Asked) -> Reply {
    let seed = ids::hash(&request.body);
    let data: Vec<Value> = (0..asked.n)
        .map(|at| match asked.as_url {
            true => json!({"url": format!("https://images.invalid/{}.png", ids::id("img-", seed, at, 24))}),
            false => json!({"b64_json": PNG}),
        })
        .collect();
    let mut body = json!({"created": CREATED, "data": data});
    if asked.model.starts_with("gpt-image") {
        body["usage"] = usage(asked);
    }
    super::whole(request, &body)
}

fn streamed(request: &Request, asked: &Asked) -> Reply {
    let framed = |part, kind: &str, more: Value| {
        let mut event = json!({"type": kind, "b64_json": PNG, "created_at": CREATED, "size": "1024x1024", "quality": "low", "background": "opaque", "output_format": "png"});
        if let (Some(event), Value::Object(more)) = (event.as_object_mut(), more) {
            event.extend(more);
        }
        Frame::new(part, format!("event: {kind}\ndata: {event}\n\n"))
    };
    let event = asked.event;
    let mut frames: Vec<Frame> = (0..asked.partial)
        .map(|at| {
            framed(
                Part::Content,
                &format!("{event}.partial_image"),
                json!({"partial_image_index": at}),
            )
        })
        .collect();
    frames.push(framed(
        Part::Terminator,
        &format!("{event}.completed"),
        json!({"usage": usage(asked)}),
    ));
    Reply {
        headers: super::head(request, "text/event-stream; charset=utf-8"),
        frames,
        streamed: true,
        input_tokens: tokens::count(&asked.prompt),
        output_tokens: 272,
    }
}
