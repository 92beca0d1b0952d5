//! The shape of Converse requests: data only. Read from the vendor's public description. Unknown
//! members are refused, in the words that the vendor's models have for them.

use crate::shape::{Field, Shape, may, must};

const S3: Shape = Shape::Object(&[must("uri", Shape::Str), may("bucketOwner", Shape::Str)]);
const CACHE_POINT: Shape = Shape::Object(&[
    must("type", Shape::Word(&["default"])),
    may("ttl", Shape::Word(&["5m", "1h"])),
]);
const IMAGE: Shape = Shape::Object(&[
    must("format", Shape::Word(&["png", "jpeg", "gif", "webp"])),
    must("source", Shape::Object(&[may("bytes", Shape::Str), may("s3Location", S3)])),
]);
const VIDEO: Shape = Shape::Object(&[
    must("format", Shape::Str),
    must("source", Shape::Object(&[may("bytes", Shape::Str), may("s3Location", S3)])),
]);
const AUDIO: Shape = Shape::Object(&[
    must("format", Shape::Str),
    must("source", Shape::Object(&[may("bytes", Shape::Str), may("s3Location", S3)])),
]);
const DOCUMENT: Shape = Shape::Object(&[
    may("format", Shape::Word(&["pdf", "csv", "doc", "docx", "xls", "xlsx", "html", "txt", "md"])),
    must("name", Shape::Str),
    must(
        "source",
        Shape::Object(&[
            may("bytes", Shape::Str),
            may("s3Location", S3),
            may("text", Shape::Str),
            may("content", Shape::List(&Shape::Object(&[must("text", Shape::Str)]))),
        ]),
    ),
    may("context", Shape::Str),
    may("citations", Shape::Object(&[must("enabled", Shape::Bool)])),
]);
const GUARD: Shape = Shape::Object(&[
    may(
        "text",
        Shape::Object(&[
            must("text", Shape::Str),
            may(
                "qualifiers",
                Shape::List(&Shape::Word(&["grounding_source", "query", "guard_content"])),
            ),
        ]),
    ),
    may("image", Shape::Map),
]);
const SEARCH_RESULT: Shape = Shape::Object(&[
    must("source", Shape::Str),
    must("title", Shape::Str),
    must("content", Shape::List(&Shape::Object(&[must("text", Shape::Str)]))),
    may("citations", Shape::Object(&[must("enabled", Shape::Bool)])),
]);

const RESULT_CONTENT: Shape = Shape::Object(&[
    may("text", Shape::Str),
    may("json", Shape::Any),
    may("image", IMAGE),
    may("document", DOCUMENT),
    may("video", VIDEO),
    may("searchResult", SEARCH_RESULT),
]);

const BLOCK: Shape = Shape::Object(&[
    may("text", Shape::Str),
    may("image", IMAGE),
    may("document", DOCUMENT),
    may("video", VIDEO),
    may("audio", AUDIO),
    may(
        "toolUse",
        Shape::Object(&[
            must("toolUseId", Shape::Str),
            must("name", Shape::Str),
            must("input", Shape::Any),
            may("type", Shape::Word(&["server_tool_use", "tool_use"])),
        ]),
    ),
    may(
        "toolResult",
        Shape::Object(&[
            must("toolUseId", Shape::Str),
            must("content", Shape::List(&RESULT_CONTENT)),
            may("status", Shape::Word(&["success", "error"])),
            may("type", Shape::Str),
        ]),
    ),
    may("guardContent", GUARD),
    may("cachePoint", CACHE_POINT),
    may(
        "reasoningContent",
        Shape::Object(&[
            may(
                "reasoningText",
                Shape::Object(&[must("text", Shape::Str), may("signature", Shape::Str)]),
            ),
            may("redactedContent", Shape::Str),
        ]),
    ),
    may(
        "citationsContent",
        Shape::Object(&[
            may("content", Shape::List(&Shape::Map)),
            may("citations", Shape::List(&Shape::Map)),
        ]),
    ),
    may("searchResult", SEARCH_RESULT),
]);

const MESSAGE: Shape = Shape::Object(&[
    must("role", Shape::Word(&["user", "assistant"])),
    must("content", Shape::List(&BLOCK)),
]);

const TOOL: Shape = Shape::Object(&[
    may(
        "toolSpec",
        Shape::Object(&[
            must("name", Shape::Str),
            may("description", Shape::Str),
            must("inputSchema", Shape::Object(&[must("json", Shape::Any)])),
            may("strict", Shape::Bool),
        ]),
    ),
    may("systemTool", Shape::Object(&[must("name", Shape::Str)])),
    may("cachePoint", CACHE_POINT),
]);

const EMPTY: Shape = Shape::Object(&[]);
const TOOL_CONFIG: Shape = Shape::Object(&[
    must("tools", Shape::List(&TOOL)),
    may(
        "toolChoice",
        Shape::Object(&[
            may("auto", EMPTY),
            may("any", EMPTY),
            may("tool", Shape::Object(&[must("name", Shape::Str)])),
        ]),
    ),
]);

const INFERENCE: Field = may(
    "inferenceConfig",
    Shape::Object(&[
        may("maxTokens", Shape::Int),
        may("temperature", Shape::Num),
        may("topP", Shape::Num),
        may("stopSequences", Shape::List(&Shape::Str)),
    ]),
);

const OUTPUT: Field = may(
    "outputConfig",
    Shape::Object(&[may(
        "textFormat",
        Shape::Object(&[
            must("type", Shape::Word(&["json_schema"])),
            must(
                "structure",
                Shape::Object(&[must(
                    "jsonSchema",
                    Shape::Object(&[
                        must("schema", Shape::Str),
                        may("name", Shape::Str),
                        may("description", Shape::Str),
                    ]),
                )]),
            ),
        ]),
    )]),
);

/// A Converse request; its stream takes the same.
pub(super) const CONVERSE: Shape = Shape::Object(&[
    may("messages", Shape::List(&MESSAGE)),
    may(
        "system",
        Shape::List(&Shape::Object(&[
            may("text", Shape::Str),
            may("guardContent", GUARD),
            may("cachePoint", CACHE_POINT),
        ])),
    ),
    INFERENCE,
    may("toolConfig", TOOL_CONFIG),
    may(
        "guardrailConfig",
        Shape::Object(&[
            may("guardrailIdentifier", Shape::Str),
            may("guardrailVersion", Shape::Str),
            may("trace", Shape::Word(&["enabled", "disabled", "enabled_full"])),
            may("streamProcessingMode", Shape::Word(&["sync", "async"])),
        ]),
    ),
    may("additionalModelRequestFields", Shape::Map),
    may("additionalModelResponseFieldPaths", Shape::List(&Shape::Str)),
    may("promptVariables", Shape::Map),
    may("requestMetadata", Shape::MapOf(&Shape::Str)),
    may(
        "performanceConfig",
        Shape::Object(&[may("latency", Shape::Word(&["standard", "optimized"]))]),
    ),
    may(
        "serviceTier",
        Shape::Object(&[must("type", Shape::Word(&["priority", "default", "flex", "reserved"]))]),
    ),
    OUTPUT,
]);
