//! What is asked, once for all dialects: as the gateway's own `Chat`, so that a dialect that comes
//! later is asked the same by existing. What a feature must bring stands beside it.

use serde_json::json;
use tollgate_model::{
    CacheMark, Chat, Media, MediaKind, MediaSource, Message, OutputFormat, Part, PartKind,
    Reasoning, ReasoningEffort, Role, Tool, ToolKind,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Feature {
    Plain,
    Stream,
    Tools,
    ParallelTools,
    StreamedArguments,
    Images,
    Documents,
    StructuredOutput,
    Reasoning,
    Cache,
    Errors,
}

pub(crate) const FEATURES: &[Feature] = &[
    Feature::Plain,
    Feature::Stream,
    Feature::Tools,
    Feature::ParallelTools,
    Feature::StreamedArguments,
    Feature::Images,
    Feature::Documents,
    Feature::StructuredOutput,
    Feature::Reasoning,
    Feature::Cache,
    Feature::Errors,
];

impl Feature {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Stream => "stream",
            Self::Tools => "tools",
            Self::ParallelTools => "parallel tools",
            Self::StreamedArguments => "streamed arguments",
            Self::Images => "images",
            Self::Documents => "documents",
            Self::StructuredOutput => "structured output",
            Self::Reasoning => "reasoning",
            Self::Cache => "cache",
            Self::Errors => "errors",
        }
    }

    pub(crate) fn streams(self) -> bool {
        matches!(self, Self::Stream | Self::StreamedArguments)
    }
}

/// A picture of one point.
const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
/// The smallest document.
const PDF: &str = "JVBERi0xLjEKMSAwIG9iajw8L1R5cGUvQ2F0YWxvZy9QYWdlcyAyIDAgUj4+ZW5kb2JqCjIgMCBvYmo8PC9UeXBlL1BhZ2VzL0tpZHNbMyAwIFJdL0NvdW50IDE+PmVuZG9iagozIDAgb2JqPDwvVHlwZS9QYWdlL1BhcmVudCAyIDAgUi9NZWRpYUJveFswIDAgMyAzXT4+ZW5kb2JqCnRyYWlsZXI8PC9Sb290IDEgMCBSPj4KJSVFT0YK";

pub(crate) fn chat(feature: Feature, model: &str) -> Chat {
    let mut chat = Chat {
        model: model.to_owned(),
        stream: feature.streams(),
        stream_usage: feature.streams(),
        max_output_tokens: Some(300),
        ..Chat::default()
    };
    let text = match feature {
        Feature::Tools => "call get_weather",
        Feature::ParallelTools => "call get_weather and get_time",
        Feature::StreamedArguments => r#"call get_weather with {"city":"Paris"}"#,
        Feature::StructuredOutput => "Who are you? Answer with JSON.",
        _ => "Say a few words.",
    };
    let mut parts = vec![Part::text(text)];
    match feature {
        Feature::Tools | Feature::ParallelTools | Feature::StreamedArguments => {
            chat.tools = vec![tool("get_weather"), tool("get_time")];
        }
        Feature::Images => parts.insert(0, medium(MediaKind::Image, "image/png", PNG)),
        Feature::Documents => {
            parts.insert(0, medium(MediaKind::Document, "application/pdf", PDF));
        }
        Feature::StructuredOutput => {
            let schema = json!({
                "type": "object",
                "properties": {"name": {"type": "string"}},
                "required": ["name"],
                "additionalProperties": false,
            });
            chat.output = OutputFormat::Schema {
                name: Some("who".into()),
                description: None,
                schema,
                strict: Some(true),
            };
        }
        Feature::Reasoning => {
            chat.max_output_tokens = Some(3000);
            chat.reasoning = Some(Reasoning {
                enabled: Some(true),
                effort: Some(ReasoningEffort::Low),
                ..Reasoning::default()
            });
        }
        Feature::Cache => {
            let long = "Remember this well. ".repeat(600);
            let mut system = Part::text(long);
            system.cache = Some(CacheMark::default());
            chat.messages.push(Message::new(Role::System, vec![system]));
        }
        _ => {}
    }
    chat.messages.push(Message::new(Role::User, parts));
    chat
}

fn tool(name: &str) -> Tool {
    let parameters = json!({
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    });
    Tool {
        kind: ToolKind::Function {
            name: name.into(),
            description: Some("Looks it up.".into()),
            parameters: Some(parameters),
            strict: None,
        },
        cache: None,
        extras: tollgate_model::Extras::default(),
    }
}

fn medium(kind: MediaKind, mime: &str, data: &str) -> Part {
    let source = MediaSource::Base64 { mime: mime.into(), data: data.into() };
    let name = (kind == MediaKind::Document).then(|| "page.pdf".to_owned());
    Part::new(PartKind::Media(Media { kind, source, name, detail: None }))
}
