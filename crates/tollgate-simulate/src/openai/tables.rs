//! The shape of OpenAI's requests: data only. Read from the vendor's public description.

use crate::shape::{Field, Shape, may, must, null};

const TEXT: &[Field] = &[
    must("text", Shape::Str),
    may("cache_control", Shape::Map),
    may("prompt_cache_breakpoint", Shape::Map),
];
const IMAGE: &[Field] = &[
    must(
        "image_url",
        Shape::StrOr(&Shape::Object(&[
            must("url", Shape::Str),
            may("detail", Shape::Word(&["auto", "low", "high", "original"])),
        ])),
    ),
    may("prompt_cache_breakpoint", Shape::Map),
];
const AUDIO: &[Field] = &[
    must(
        "input_audio",
        Shape::Object(&[must("data", Shape::Str), must("format", Shape::Word(&["wav", "mp3"]))]),
    ),
    may("prompt_cache_breakpoint", Shape::Map),
];
const FILE: &[Field] = &[
    must(
        "file",
        Shape::Object(&[
            may("file_data", Shape::Str),
            may("file_id", Shape::Str),
            may("filename", Shape::Str),
        ]),
    ),
    may("prompt_cache_breakpoint", Shape::Map),
];

const USER_PARTS: Shape = Shape::List(&Shape::Tagged(
    "type",
    &[
        ("text", TEXT),
        ("image_url", IMAGE),
        ("input_audio", AUDIO),
        ("refusal", REFUSED),
        ("file", FILE),
    ],
));
const TEXT_PARTS: Shape = Shape::List(&Shape::Tagged("type", &[("text", TEXT)]));
const REFUSED: &[Field] = &[must("refusal", Shape::Str)];
const ASSISTANT_PARTS: Shape =
    Shape::List(&Shape::Tagged("type", &[("text", TEXT), ("refusal", REFUSED)]));

const CALL_FUNCTION: Shape =
    Shape::Object(&[must("name", Shape::Str), must("arguments", Shape::Str)]);
const CALL: Shape = Shape::Tagged(
    "type",
    &[
        ("function", &[must("id", Shape::Str), must("function", CALL_FUNCTION)]),
        (
            "custom",
            &[
                must("id", Shape::Str),
                must(
                    "custom",
                    Shape::Object(&[must("name", Shape::Str), must("input", Shape::Str)]),
                ),
            ],
        ),
    ],
);

const SYSTEM: &[Field] = &[must("content", Shape::StrOr(&TEXT_PARTS)), may("name", Shape::Str)];
const MESSAGE: Shape = Shape::Tagged(
    "role",
    &[
        ("system", SYSTEM),
        (
            "assistant",
            &[
                null("content", Shape::StrOr(&ASSISTANT_PARTS)),
                null("refusal", Shape::Str),
                null("annotations", Shape::List(&Shape::Map)),
                null("audio", Shape::Object(&[must("id", Shape::Str)])),
                null("tool_calls", Shape::List(&CALL)),
                null("function_call", CALL_FUNCTION),
                may("name", Shape::Str),
            ],
        ),
        ("user", &[must("content", Shape::StrOr(&USER_PARTS)), may("name", Shape::Str)]),
        ("function", &[null("content", Shape::Str), must("name", Shape::Str)]),
        (
            "tool",
            &[
                must("content", Shape::StrOr(&TEXT_PARTS)),
                must("tool_call_id", Shape::Str),
                may("name", Shape::Str),
            ],
        ),
        ("developer", SYSTEM),
    ],
);

const FUNCTION: Shape = Shape::Object(&[
    must("name", Shape::Str),
    null("description", Shape::Str),
    null("parameters", Shape::Map),
    null("strict", Shape::Bool),
]);
const TOOL: Shape = Shape::Tagged(
    "type",
    &[
        ("function", &[must("function", FUNCTION)]),
        (
            "custom",
            &[must(
                "custom",
                Shape::Object(&[
                    must("name", Shape::Str),
                    null("description", Shape::Str),
                    null("format", Shape::Map),
                ]),
            )],
        ),
    ],
);

const NAMED: Shape = Shape::Object(&[must("name", Shape::Str)]);
const TOOL_CHOICE: Shape = Shape::StrOr(&Shape::Tagged(
    "type",
    &[
        ("function", &[must("function", NAMED)]),
        ("custom", &[must("custom", NAMED)]),
        (
            "allowed_tools",
            &[must(
                "allowed_tools",
                Shape::Object(&[
                    must("mode", Shape::Word(&["auto", "required"])),
                    must("tools", Shape::List(&Shape::Map)),
                ]),
            )],
        ),
    ],
));

const RESPONSE_FORMAT: Shape = Shape::Tagged(
    "type",
    &[
        ("text", &[]),
        ("json_object", &[]),
        (
            "json_schema",
            &[must(
                "json_schema",
                Shape::Object(&[
                    must("name", Shape::Str),
                    null("description", Shape::Str),
                    may("schema", Shape::Map),
                    null("strict", Shape::Bool),
                ]),
            )],
        ),
    ],
);

/// A chat completion request.
pub(super) const CHAT: Shape = Shape::Object(&[
    must("model", Shape::Str),
    must("messages", Shape::List(&MESSAGE)),
    null(
        "audio",
        Shape::Object(&[
            must("voice", Shape::Any),
            must("format", Shape::Word(&["wav", "aac", "mp3", "flac", "opus", "pcm16"])),
        ]),
    ),
    null("frequency_penalty", Shape::Num),
    may("function_call", Shape::StrOr(&NAMED)),
    null("functions", Shape::List(&FUNCTION)),
    null("logit_bias", Shape::Map),
    null("logprobs", Shape::Bool),
    null("max_completion_tokens", Shape::Int),
    null("max_tokens", Shape::Int),
    null("metadata", Shape::Map),
    null("modalities", Shape::List(&Shape::Word(&["text", "audio"]))),
    null("moderation", Shape::Map),
    null("n", Shape::Int),
    null("parallel_tool_calls", Shape::Bool),
    null(
        "prediction",
        Shape::Tagged("type", &[("content", &[must("content", Shape::StrOr(&TEXT_PARTS))])]),
    ),
    null("presence_penalty", Shape::Num),
    null("prompt_cache_key", Shape::Str),
    null("prompt_cache_options", Shape::Map),
    null("prompt_cache_retention", Shape::Word(&["in_memory", "in-memory", "24h"])),
    null(
        "reasoning_effort",
        Shape::Word(&["none", "minimal", "low", "medium", "high", "xhigh", "max"]),
    ),
    null("response_format", RESPONSE_FORMAT),
    null("safety_identifier", Shape::Str),
    null("seed", Shape::Int),
    null("service_tier", Shape::Word(&["auto", "default", "flex", "scale", "priority"])),
    null("stop", Shape::StrOr(&Shape::List(&Shape::Str))),
    null("store", Shape::Bool),
    null("stream", Shape::Bool),
    null(
        "stream_options",
        Shape::Object(&[
            may("include_usage", Shape::Bool),
            may("include_obfuscation", Shape::Bool),
        ]),
    ),
    null("temperature", Shape::Num),
    null("tool_choice", TOOL_CHOICE),
    null("tools", Shape::List(&TOOL)),
    null("top_logprobs", Shape::Int),
    null("top_p", Shape::Num),
    null("user", Shape::Str),
    null("verbosity", Shape::Word(&["low", "medium", "high"])),
    null(
        "web_search_options",
        Shape::Object(&[
            null("search_context_size", Shape::Word(&["low", "medium", "high"])),
            null("user_location", Shape::Map),
        ]),
    ),
]);

/// An embeddings request.
pub(super) const EMBEDDINGS: Shape = Shape::Object(&[
    must("model", Shape::Str),
    must("input", Shape::Any),
    null("dimensions", Shape::Int),
    // The recorded provider answers an unknown format with what is wrong elsewhere; it is judged later.
    null("encoding_format", Shape::Str),
    may("user", Shape::Str),
]);

pub(super) const COMPLETIONS: Shape = Shape::Object(&[
    must("model", Shape::Str),
    must("prompt", Shape::Any),
    null("suffix", Shape::Str),
    null("max_tokens", Shape::Int),
    null("temperature", Shape::Num),
    null("top_p", Shape::Num),
    null("n", Shape::Int),
    null("best_of", Shape::Int),
    null("echo", Shape::Bool),
    null("logprobs", Shape::Int),
    null("logit_bias", Shape::Map),
    null("stop", Shape::StrOr(&Shape::List(&Shape::Str))),
    null("seed", Shape::Int),
    null("presence_penalty", Shape::Num),
    null("frequency_penalty", Shape::Num),
    null("stream", Shape::Bool),
    null("stream_options", Shape::Map),
    may("user", Shape::Str),
]);

pub(super) const RERANK: Shape = Shape::Object(&[
    must("model", Shape::Str),
    must("query", Shape::Str),
    must("documents", Shape::List(&Shape::StrOr(&Shape::Map))),
    null("top_n", Shape::Int),
    null("return_documents", Shape::Bool),
    null("truncation", Shape::Bool),
]);

pub(super) static MODERATION: Shape =
    Shape::Object(&[must("input", Shape::Any), may("model", Shape::Str)]);

pub(super) static IMAGE_REQUEST: Shape = Shape::Object(&[
    must("prompt", Shape::Str),
    may("model", Shape::Str),
    null("n", Shape::Int),
    null("size", Shape::Str),
    null("quality", Shape::Str),
    null("response_format", Shape::Word(&["url", "b64_json"])),
    null("output_format", Shape::Word(&["png", "jpeg", "webp"])),
    null("output_compression", Shape::Int),
    null("background", Shape::Word(&["transparent", "opaque", "auto"])),
    null("moderation", Shape::Word(&["low", "auto"])),
    null("style", Shape::Word(&["vivid", "natural"])),
    null("stream", Shape::Bool),
    null("partial_images", Shape::Int),
    may("user", Shape::Str),
]);

pub(super) static SPEECH: Shape = Shape::Object(&[
    must("model", Shape::Str),
    must("input", Shape::Str),
    must("voice", Shape::StrOr(&Shape::Map)),
    may("instructions", Shape::Str),
    may("response_format", Shape::Word(&["mp3", "opus", "aac", "flac", "wav", "pcm"])),
    may("speed", Shape::Num),
    may("stream_format", Shape::Word(&["sse", "audio"])),
]);
