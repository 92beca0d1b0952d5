//! Fields that nobody knows, put into every object of a request that its dialect understands.
//! On the same dialect they must survive; across they must not get over, and each must be named
//! among the losses.

use serde_json::Value;
use tollgate_model::Losses;

use crate::digest::Difference;
use crate::readers::Shape;

const NAME: &str = "zz_canary_";
const SONG: &str = "zz-song-";

/// The bound on losses that a translation names one by one is higher.
const MOST: usize = 12;

/// Puts canaries into `body` and says how many.
pub fn release(shape: Shape, body: &mut Value) -> usize {
    let mut flock = Flock::default();
    match shape {
        Shape::OpenaiChat => openai(body, &mut flock),
        Shape::AnthropicMessages => anthropic(body, &mut flock),
        Shape::GeminiGenerate => gemini(body, &mut flock),
    }
    flock.0
}

/// Says which canaries got over or were not named.
#[must_use]
pub fn search(count: usize, foreign: &Value, losses: &Losses) -> Vec<Difference> {
    let mut found = Vec::new();
    let text = foreign.to_string();
    if let Some(at) = text.find(SONG).or_else(|| text.find(NAME)) {
        let around = text.get(at.saturating_sub(60)..(at + 40).min(text.len()));
        found.push(Difference::new("leak", "nothing", around.unwrap_or("a canary")));
    }
    if losses.iter().any(|loss| loss.field.ends_with('…')) {
        return found;
    }
    let named = |name: &str| losses.iter().any(|loss| loss.field.ends_with(name));
    let unnamed: Vec<_> =
        (0..count).map(|number| format!("{NAME}{number}")).filter(|name| !named(name)).collect();
    // A part that is left out as a whole takes its canary with it.
    let whole =
        losses.iter().filter(|loss| loss.field.contains(".content[")).map(|loss| &loss.field);
    let whole = whole.filter(|field| !field.contains(NAME)).count();
    if unnamed.len() > whole {
        let fields: Vec<_> = losses.iter().map(|loss| loss.field.as_str()).take(12).collect();
        found.push(Difference::new("loss", unnamed.join(" "), fields.join(" ")));
    }
    found
}

#[derive(Debug, Default)]
struct Flock(usize);

impl Flock {
    fn put(&mut self, object: &mut Value) {
        if let Value::Object(fields) = object
            && self.0 < MOST
        {
            let song = Value::from(format!("{SONG}{}", self.0));
            fields.insert(format!("{NAME}{}", self.0), song);
            self.0 += 1;
        }
    }
}

/// The elements of the list in `field`; nothing where there is no list.
fn each<'v>(object: &'v mut Value, field: &str) -> impl Iterator<Item = &'v mut Value> {
    let list = object.get_mut(field).and_then(Value::as_array_mut);
    list.map(|list| list.iter_mut()).unwrap_or_default()
}

fn openai(body: &mut Value, flock: &mut Flock) {
    flock.put(body);
    for tool in each(body, "tools").filter(|tool| tool["type"] == "function").take(2) {
        flock.put(tool);
        if let Some(function) = tool.get_mut("function") {
            flock.put(function);
        }
    }
    for message in each(body, "messages") {
        for part in each(message, "content") {
            if part["type"] == "text" || part["type"] == "image_url" {
                flock.put(part);
            }
        }
        flock.put(message);
    }
}

fn anthropic(body: &mut Value, flock: &mut Flock) {
    flock.put(body);
    for tool in each(body, "tools").take(2) {
        if tool["input_schema"].is_object() {
            flock.put(tool);
        }
    }
    for message in each(body, "messages") {
        for block in each(message, "content") {
            let kind = block["type"].as_str().unwrap_or_default();
            if matches!(kind, "text" | "image" | "tool_use" | "tool_result") {
                flock.put(block);
            }
        }
        flock.put(message);
    }
}

fn gemini(body: &mut Value, flock: &mut Flock) {
    flock.put(body);
    for content in each(body, "contents") {
        for part in each(content, "parts") {
            let thought = part["thought"] == Value::Bool(true);
            let known = ["text", "functionCall", "functionResponse", "inlineData"];
            if !thought && known.iter().any(|name| part.get(*name).is_some()) {
                flock.put(part);
            }
        }
        flock.put(content);
    }
    for tool in each(body, "tools").take(1) {
        for function in each(tool, "functionDeclarations").take(2) {
            flock.put(function);
        }
    }
    if let Some(config) = body.get_mut("generationConfig") {
        flock.put(config);
    }
}
