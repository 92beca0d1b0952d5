//! The shape of Cohere's requests: data only. Read from the vendor's public description.

use crate::shape::{Field, Shape, may, must, null};

const DOCUMENT: Shape =
    Shape::StrOr(&Shape::Object(&[may("id", Shape::Str), must("data", Shape::StrOr(&Shape::Map))]));

const PARTS: Shape = Shape::StrOr(&Shape::List(&Shape::Tagged(
    "type",
    &[
        ("text", &[must("text", Shape::Str)]),
        ("thinking", &[must("thinking", Shape::Str)]),
        (
            "image_url",
            &[must(
                "image_url",
                Shape::Object(&[
                    must("url", Shape::Str),
                    may("detail", Shape::Word(&["auto", "low", "high"])),
                ]),
            )],
        ),
        ("document", &[must("document", DOCUMENT)]),
    ],
)));

const CALL: Shape = Shape::Object(&[
    may("id", Shape::Str),
    may("type", Shape::Word(&["function"])),
    must("function", Shape::Object(&[must("name", Shape::Str), may("arguments", Shape::Str)])),
]);

const MESSAGE: Shape = Shape::Tagged(
    "role",
    &[
        ("system", &[must("content", PARTS)]),
        ("user", &[must("content", PARTS)]),
        (
            "assistant",
            &[
                null("content", PARTS),
                null("tool_calls", Shape::List(&CALL)),
                null("tool_plan", Shape::Str),
                null("citations", Shape::List(&Shape::Map)),
            ],
        ),
        ("tool", &[must("tool_call_id", Shape::Str), must("content", PARTS)]),
    ],
);

const TOOL: Shape = Shape::Object(&[
    must("type", Shape::Word(&["function"])),
    must(
        "function",
        Shape::Object(&[
            must("name", Shape::Str),
            null("description", Shape::Str),
            must("parameters", Shape::Map),
        ]),
    ),
]);

const CHAT_FIELDS: &[Field] = &[
    must("model", Shape::Str),
    must("messages", Shape::List(&MESSAGE)),
    null("stream", Shape::Bool),
    null("tools", Shape::List(&TOOL)),
    null("strict_tools", Shape::Bool),
    null("tool_choice", Shape::Word(&["REQUIRED", "NONE"])),
    null("documents", Shape::List(&DOCUMENT)),
    null("citation_options", Shape::Map),
    null("response_format", Shape::Map),
    null("safety_mode", Shape::Word(&["CONTEXTUAL", "STRICT", "OFF", "NONE"])),
    null("max_tokens", Shape::Int),
    null("stop_sequences", Shape::List(&Shape::Str)),
    null("temperature", Shape::Num),
    null("seed", Shape::Int),
    null("frequency_penalty", Shape::Num),
    null("presence_penalty", Shape::Num),
    null("k", Shape::Int),
    null("p", Shape::Num),
    null("logprobs", Shape::Bool),
    null(
        "thinking",
        Shape::Object(&[
            must("type", Shape::Word(&["enabled", "disabled"])),
            null("token_budget", Shape::Int),
        ]),
    ),
    null("priority", Shape::Int),
    null("raw_prompting", Shape::Bool),
];
pub(super) const CHAT: Shape = Shape::Object(CHAT_FIELDS);

pub(super) const EMBED: Shape = Shape::Object(&[
    must("model", Shape::Str),
    must(
        "input_type",
        Shape::Word(&["search_document", "search_query", "classification", "clustering", "image"]),
    ),
    null("texts", Shape::List(&Shape::Str)),
    null("images", Shape::List(&Shape::Str)),
    null("inputs", Shape::List(&Shape::Map)),
    null(
        "embedding_types",
        Shape::List(&Shape::Word(&["float", "int8", "uint8", "binary", "ubinary", "base64"])),
    ),
    null("output_dimension", Shape::Int),
    null("max_tokens", Shape::Int),
    null("truncate", Shape::Word(&["NONE", "START", "END"])),
    null("priority", Shape::Int),
]);

pub(super) const RERANK: Shape = Shape::Object(&[
    must("model", Shape::Str),
    must("query", Shape::Str),
    must("documents", Shape::List(&Shape::Str)),
    null("top_n", Shape::Int),
    null("max_tokens_per_doc", Shape::Int),
    null("priority", Shape::Int),
]);
