//! What a request says, whatever its shape: texts, names of tools, arguments of calls. Read from
//! plain JSON; a request written for another dialect must say it all again.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use tollgate_model::Losses;

use crate::digest::{Difference, shortened};
use crate::readers::Shape;

#[derive(Debug, Default)]
pub struct Said {
    texts: Vec<String>,
    tools: Vec<String>,
    arguments: Vec<Value>,
    /// Data of images and documents, in base64.
    media: Vec<String>,
}

impl Said {
    #[must_use]
    pub fn of(shape: Shape, body: &Value) -> Self {
        let mut said = Self::default();
        (shape.asking().said)(&mut said, body);
        // A text of nothing but blanks says nothing, and one vendor refuses it.
        said.texts.retain(|text| !text.trim().is_empty());
        said
    }

    /// Something that was written or read aloud.
    pub fn text(&mut self, value: &Value) {
        self.texts.extend(value.as_str().map(str::to_owned));
    }

    /// The arguments of a call, given as an object or as a text that holds one.
    pub fn arguments(&mut self, value: &Value) {
        match value {
            Value::String(text) => self.arguments.extend(serde_json::from_str(text).ok()),
            Value::Null => {}
            object => self.arguments.push(object.clone()),
        }
    }

    /// The name of a tool, offered or called.
    pub fn tool(&mut self, name: &Value) {
        self.tools.extend(name.as_str().map(str::to_owned));
    }

    /// A medium inside an address.
    pub fn data_url(&mut self, url: &Value) {
        let data = url.as_str().and_then(|url| url.split_once(";base64,"));
        self.media.extend(data.map(|(_, data)| data.to_owned()));
    }

    /// A medium in base64.
    pub fn base64(&mut self, data: &Value) {
        self.media.extend(data.as_str().map(standard));
    }
}

/// What `foreign`, a request in another shape, no longer says. Media that the other vendor does not
/// take may be among the losses; texts, tools and arguments may not.
#[must_use]
pub fn missing(said: &Said, foreign: &Value, losses: &Losses) -> Vec<Difference> {
    let mut heard = Heard::default();
    heard.listen(foreign);
    let mut found = Vec::new();
    let mut miss = |field, what: Option<String>| {
        found.extend(what.map(|what| Difference::new(field, what, "nothing")));
    };
    let text = |text: &&String| {
        let said = heard.texts.iter().any(|heard| heard.contains(text.as_str()));
        !said && !heard.as_object(text)
    };
    miss("said.text", said.texts.iter().find(text).map(|text| shortened(text)));
    // Where nothing may be called, a shape without a word for that takes no tools.
    let no_tools = losses.iter().any(|loss| loss.field == "tools");
    let name = |name: &&String| !no_tools && !heard.texts.iter().any(|heard| heard == *name);
    miss("said.tool_name", said.tools.iter().find(name).cloned());
    let arguments = |arguments: &&Value| {
        let nothing = arguments.as_object().is_none_or(serde_json::Map::is_empty);
        !nothing && !heard.objects.iter().any(|heard| heard == *arguments)
    };
    let lost = said.arguments.iter().find(arguments);
    miss("said.tool_arguments", lost.map(|arguments| shortened(&arguments.to_string())));
    let named = losses.iter().any(|loss| loss.field.contains(".content["));
    let media = |data: &&String| {
        let said = heard.texts.iter().any(|heard| heard.contains(data.as_str()));
        !said && !named && !heard.as_text(data)
    };
    miss("said.media", said.media.iter().find(media).map(|data| shortened(data)));
    found
}

/// Every string and object of a document; JSON inside a string is opened too.
#[derive(Debug, Default)]
struct Heard {
    texts: Vec<String>,
    objects: Vec<Value>,
}

impl Heard {
    /// One vendor takes the results of tools as objects: JSON becomes what it says.
    fn as_object(&self, text: &str) -> bool {
        let object = serde_json::from_str::<Value>(text).ok();
        object.is_some_and(|object| object.is_object() && self.objects.contains(&object))
    }

    /// A document of plain text may be carried as that text.
    fn as_text(&self, data: &str) -> bool {
        let bytes = STANDARD.decode(data).unwrap_or_default();
        let text = String::from_utf8(bytes).unwrap_or_default();
        !text.is_empty() && self.texts.iter().any(|heard| heard.contains(&text))
    }

    fn listen(&mut self, value: &Value) {
        match value {
            Value::String(text) => {
                if text.starts_with('{')
                    && let Ok(inner) = serde_json::from_str(text)
                {
                    self.listen(&inner);
                }
                self.texts.push(text.clone());
            }
            Value::Array(list) => list.iter().for_each(|item| self.listen(item)),
            Value::Object(fields) => {
                self.objects.push(value.clone());
                fields.values().for_each(|field| self.listen(field));
            }
            _ => {}
        }
    }
}

/// Base64 in the standard alphabet: one vendor's SDKs write the other.
fn standard(data: &str) -> String {
    data.replace('-', "+").replace('_', "/")
}
