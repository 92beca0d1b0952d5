//! The shape of Google's requests: data only. Read from the vendor's public description.

use crate::shape::{Field, Shape, may, must};

const BLOB: Shape = Shape::Object(&[
    may("mimeType", Shape::Str),
    may("data", Shape::Str),
    may("displayName", Shape::Str),
]);
const FILE: Shape = Shape::Object(&[
    may("mimeType", Shape::Str),
    must("fileUri", Shape::Str),
    may("displayName", Shape::Str),
]);
const FUNCTION_CALL: Shape = Shape::Object(&[
    may("id", Shape::Str),
    may("name", Shape::Str),
    may("args", Shape::Map),
    may("partialArgs", Shape::List(&Shape::Map)),
    may("willContinue", Shape::Bool),
]);
const FUNCTION_RESPONSE: Shape = Shape::Object(&[
    may("id", Shape::Str),
    may("name", Shape::Str),
    may("response", Shape::Map),
    may("parts", Shape::List(&Shape::Object(&[may("inlineData", BLOB), may("fileData", FILE)]))),
    may("willContinue", Shape::Bool),
    may("scheduling", Shape::Str),
]);

/// The members of a part of which exactly one is set.
pub(super) const DATA: &[&str] = &[
    "text",
    "inlineData",
    "fileData",
    "functionCall",
    "functionResponse",
    "executableCode",
    "codeExecutionResult",
    "toolCall",
    "toolResponse",
];

const PART: Shape = Shape::Object(&[
    may("text", Shape::Str),
    may("inlineData", BLOB),
    may("fileData", FILE),
    may("functionCall", FUNCTION_CALL),
    may("functionResponse", FUNCTION_RESPONSE),
    may(
        "executableCode",
        Shape::Object(&[
            may("id", Shape::Str),
            may("language", Shape::Str),
            may("code", Shape::Str),
        ]),
    ),
    may(
        "codeExecutionResult",
        Shape::Object(&[
            may("id", Shape::Str),
            may("outcome", Shape::Str),
            may("output", Shape::Str),
        ]),
    ),
    may(
        "toolCall",
        Shape::Object(&[
            may("id", Shape::Str),
            may("toolType", Shape::Any),
            may("args", Shape::Map),
        ]),
    ),
    may(
        "toolResponse",
        Shape::Object(&[
            may("id", Shape::Str),
            may("toolType", Shape::Any),
            may("response", Shape::Map),
        ]),
    ),
    may("thought", Shape::Bool),
    may("thoughtSignature", Shape::Str),
    may(
        "videoMetadata",
        Shape::Object(&[
            may("startOffset", Shape::Str),
            may("endOffset", Shape::Str),
            may("fps", Shape::Num),
        ]),
    ),
    may("mediaResolution", Shape::Any),
    may("partMetadata", Shape::Map),
]);
pub(super) const CONTENT: Shape =
    Shape::Object(&[may("role", Shape::Str), may("parts", Shape::List(&PART))]);

const TYPES: &[&str] =
    &["TYPE_UNSPECIFIED", "STRING", "NUMBER", "INTEGER", "BOOLEAN", "ARRAY", "OBJECT", "NULL"];

/// Google's own schema: a part of OpenAPI's, and nothing beyond it.
static SCHEMA: Shape = Shape::Object(SCHEMA_FIELDS);
static SCHEMA_FIELDS: &[Field] = &[
    may("type", Shape::Word(TYPES)),
    may("format", Shape::Str),
    may("title", Shape::Str),
    may("description", Shape::Str),
    may("nullable", Shape::Bool),
    may("enum", Shape::List(&Shape::Str)),
    may("maxItems", Shape::Int),
    may("minItems", Shape::Int),
    may("properties", Shape::MapOf(&SCHEMA)),
    may("required", Shape::List(&Shape::Str)),
    may("minProperties", Shape::Int),
    may("maxProperties", Shape::Int),
    may("minLength", Shape::Int),
    may("maxLength", Shape::Int),
    may("pattern", Shape::Str),
    may("example", Shape::Any),
    may("anyOf", Shape::List(&SCHEMA)),
    may("propertyOrdering", Shape::List(&Shape::Str)),
    may("default", Shape::Any),
    may("items", Shape::Ref(&SCHEMA)),
    may("minimum", Shape::Num),
    may("maximum", Shape::Num),
];

static FUNCTION: Shape = Shape::Object(&[
    may("name", Shape::Str),
    may("description", Shape::Str),
    may("behavior", Shape::Word(&["UNSPECIFIED", "BLOCKING", "NON_BLOCKING"])),
    may("parameters", Shape::Ref(&SCHEMA)),
    may("parametersJsonSchema", Shape::Any),
    may("response", Shape::Ref(&SCHEMA)),
    may("responseJsonSchema", Shape::Any),
]);
static TOOL: Shape = Shape::Object(&[
    may("functionDeclarations", Shape::List(&FUNCTION)),
    may("codeExecution", Shape::Map),
    may("computerUse", Shape::Map),
    may("enterpriseWebSearch", Shape::Map),
    may("fileSearch", Shape::Map),
    may("googleMaps", Shape::Map),
    may("googleSearch", Shape::Map),
    may("googleSearchRetrieval", Shape::Map),
    may("mcpServers", Shape::List(&Shape::Map)),
    may("retrieval", Shape::Map),
    may("urlContext", Shape::Map),
]);
const TOOL_CONFIG: Shape = Shape::Object(&[
    may(
        "functionCallingConfig",
        Shape::Object(&[
            may("mode", Shape::Word(&["MODE_UNSPECIFIED", "AUTO", "ANY", "NONE", "VALIDATED"])),
            may("allowedFunctionNames", Shape::List(&Shape::Str)),
            may("streamFunctionCallArguments", Shape::Bool),
        ]),
    ),
    may("retrievalConfig", Shape::Map),
    may("includeServerSideToolInvocations", Shape::Bool),
]);

const MODALITIES: &[&str] = &["MODALITY_UNSPECIFIED", "TEXT", "IMAGE", "AUDIO"];
const LEVELS: &[&str] = &["THINKING_LEVEL_UNSPECIFIED", "MINIMAL", "LOW", "MEDIUM", "HIGH"];
static GENERATION_CONFIG: Shape = Shape::Object(&[
    may("stopSequences", Shape::List(&Shape::Str)),
    may("responseMimeType", Shape::Str),
    may("responseSchema", Shape::Ref(&SCHEMA)),
    may("responseJsonSchema", Shape::Any),
    may("_responseJsonSchema", Shape::Any),
    may("responseModalities", Shape::List(&Shape::Word(MODALITIES))),
    may("candidateCount", Shape::Int),
    may("maxOutputTokens", Shape::Int),
    may("temperature", Shape::Num),
    may("topP", Shape::Num),
    may("topK", Shape::Num),
    may("seed", Shape::Int),
    may("presencePenalty", Shape::Num),
    may("frequencyPenalty", Shape::Num),
    may("responseLogprobs", Shape::Bool),
    may("logprobs", Shape::Int),
    may("enableEnhancedCivicAnswers", Shape::Bool),
    may("audioTimestamp", Shape::Bool),
    may("speechConfig", Shape::Map),
    may(
        "thinkingConfig",
        Shape::Object(&[
            may("includeThoughts", Shape::Bool),
            may("thinkingBudget", Shape::Int),
            may("thinkingLevel", Shape::Word(LEVELS)),
        ]),
    ),
    may("imageConfig", Shape::Map),
    may("mediaResolution", Shape::Any),
    may("routingConfig", Shape::Map),
]);

/// A generateContent request. The last fields are Vertex's own.
pub(super) static GENERATE: Shape = Shape::Object(&[
    may("model", Shape::Str),
    may("contents", Shape::List(&CONTENT)),
    may("systemInstruction", CONTENT),
    may("tools", Shape::List(&TOOL)),
    may("toolConfig", TOOL_CONFIG),
    may(
        "safetySettings",
        Shape::List(&Shape::Object(&[
            may("category", Shape::Any),
            may("threshold", Shape::Any),
            may("method", Shape::Any),
        ])),
    ),
    may("generationConfig", Shape::Ref(&GENERATION_CONFIG)),
    may("cachedContent", Shape::Str),
    may("serviceTier", Shape::Any),
    may("store", Shape::Bool),
    may("labels", Shape::MapOf(&Shape::Str)),
    may("modelArmorConfig", Shape::Map),
]);

/// A countTokens request of AI Studio.
pub(super) static COUNT: Shape = Shape::Object(&[
    may("model", Shape::Str),
    may("contents", Shape::List(&CONTENT)),
    may("generateContentRequest", Shape::Ref(&GENERATE)),
]);

/// An embedContent request.
pub(super) static EMBED: Shape = Shape::Object(&[
    may("model", Shape::Str),
    may("content", CONTENT),
    may("taskType", Shape::Str),
    may("title", Shape::Str),
    may("outputDimensionality", Shape::Int),
    may("autoTruncate", Shape::Bool),
    may("embedContentConfig", Shape::Map),
]);

/// A batchEmbedContents request.
pub(super) static BATCH: Shape =
    Shape::Object(&[may("model", Shape::Str), may("requests", Shape::List(&EMBED))]);
