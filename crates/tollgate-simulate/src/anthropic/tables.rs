//! The shape of Anthropic's requests: data only. Read from the vendor's public description.

use crate::shape::{Field, Shape, may, must, null};

const CACHE: Shape =
    Shape::Tagged("type", &[("ephemeral", &[may("ttl", Shape::Word(&["5m", "1h"]))])]);
const IMAGE_TYPES: &[&str] = &["image/jpeg", "image/png", "image/gif", "image/webp"];
const CITATIONS: Shape = Shape::Object(&[may("enabled", Shape::Bool)]);
const FILE: &[Field] = &[must("file_id", Shape::Str)];
const URL: &[Field] = &[must("url", Shape::Str)];
const CALLER: Shape = Shape::Object(&[must("type", Shape::Str), may("tool_id", Shape::Str)]);

const TEXT: &[Field] = &[
    must("text", Shape::Str),
    null("cache_control", CACHE),
    null("citations", Shape::List(&Shape::Map)),
];
const IMAGE: &[Field] = &[
    must(
        "source",
        Shape::Tagged(
            "type",
            &[
                (
                    "base64",
                    &[must("media_type", Shape::Word(IMAGE_TYPES)), must("data", Shape::Str)],
                ),
                ("url", URL),
                ("file", FILE),
            ],
        ),
    ),
    null("transformations", Shape::Map),
    null("cache_control", CACHE),
];
const DOCUMENT: &[Field] = &[
    must(
        "source",
        Shape::Tagged(
            "type",
            &[
                (
                    "base64",
                    &[
                        must("media_type", Shape::Word(&["application/pdf"])),
                        must("data", Shape::Str),
                    ],
                ),
                (
                    "text",
                    &[must("media_type", Shape::Word(&["text/plain"])), must("data", Shape::Str)],
                ),
                ("content", &[must("content", Shape::StrOr(&Shape::List(&Shape::Map)))]),
                ("url", URL),
                ("file", FILE),
            ],
        ),
    ),
    null("cache_control", CACHE),
    null("citations", CITATIONS),
    null("context", Shape::Str),
    null("title", Shape::Str),
];
const SEARCH_RESULT: &[Field] = &[
    must("source", Shape::Str),
    must("title", Shape::Str),
    must("content", Shape::List(&Shape::Tagged("type", &[("text", TEXT)]))),
    null("citations", CITATIONS),
    null("cache_control", CACHE),
];
const RESULT_PARTS: Shape = Shape::List(&Shape::Tagged(
    "type",
    &[
        ("text", TEXT),
        ("image", IMAGE),
        ("search_result", SEARCH_RESULT),
        ("document", DOCUMENT),
        ("tool_reference", &[must("tool_name", Shape::Str), null("cache_control", CACHE)]),
    ],
));
const TOOL_USE: &[Field] = &[
    must("id", Shape::Str),
    must("name", Shape::Str),
    must("input", Shape::Map),
    null("cache_control", CACHE),
    may("caller", CALLER),
    null("toolset_name", Shape::Str),
];
/// The result of a tool that Anthropic ran itself.
const SERVER_RESULT: &[Field] = &[
    must("tool_use_id", Shape::Str),
    must("content", Shape::Any),
    null("cache_control", CACHE),
    may("caller", CALLER),
    may("is_error", Shape::Bool),
];

const BLOCK: Shape = Shape::Tagged(
    "type",
    &[
        ("text", TEXT),
        ("image", IMAGE),
        ("document", DOCUMENT),
        ("search_result", SEARCH_RESULT),
        ("thinking", &[must("signature", Shape::Str), must("thinking", Shape::Str)]),
        ("redacted_thinking", &[must("data", Shape::Str)]),
        ("tool_use", TOOL_USE),
        (
            "tool_result",
            &[
                must("tool_use_id", Shape::Str),
                may("content", Shape::StrOr(&RESULT_PARTS)),
                may("is_error", Shape::Bool),
                null("cache_control", CACHE),
                null("toolset_name", Shape::Str),
            ],
        ),
        ("server_tool_use", TOOL_USE),
        ("web_search_tool_result", SERVER_RESULT),
        ("web_fetch_tool_result", SERVER_RESULT),
        ("code_execution_tool_result", SERVER_RESULT),
        ("bash_code_execution_tool_result", SERVER_RESULT),
        ("text_editor_code_execution_tool_result", SERVER_RESULT),
        ("tool_search_tool_result", SERVER_RESULT),
        ("advisor_tool_result", SERVER_RESULT),
        (
            "mcp_tool_use",
            &[
                must("id", Shape::Str),
                must("name", Shape::Str),
                must("server_name", Shape::Str),
                must("input", Shape::Map),
                null("cache_control", CACHE),
            ],
        ),
        ("mcp_tool_result", SERVER_RESULT),
        ("container_upload", &[must("file_id", Shape::Str), null("cache_control", CACHE)]),
        ("tool_addition", &[must("tool", Shape::Map), null("cache_control", CACHE)]),
        ("tool_removal", &[must("tool", Shape::Map), null("cache_control", CACHE)]),
    ],
);

const MESSAGES: Shape = Shape::List(&Shape::Object(&[
    must("role", Shape::Word(&["user", "assistant", "system"])),
    must("content", Shape::StrOr(&Shape::List(&BLOCK))),
]));
const SYSTEM: Shape = Shape::StrOr(&Shape::List(&Shape::Tagged("type", &[("text", TEXT)])));
const DISPLAY: Field = null("display", Shape::Word(&["summarized", "omitted"]));
const THINKING: Shape = Shape::Tagged(
    "type",
    &[
        ("enabled", &[must("budget_tokens", Shape::Int), DISPLAY]),
        ("disabled", &[]),
        ("adaptive", &[DISPLAY]),
    ],
);
const PARALLEL: Field = may("disable_parallel_tool_use", Shape::Bool);
const TOOL_CHOICE: Shape = Shape::Tagged(
    "type",
    &[
        ("auto", &[PARALLEL]),
        ("any", &[PARALLEL]),
        ("tool", &[must("name", Shape::Str), PARALLEL]),
        ("none", &[]),
    ],
);
const FORMAT: Shape = Shape::Tagged("type", &[("json_schema", &[must("schema", Shape::Map)])]);
const OUTPUT_CONFIG: Shape = Shape::Object(&[
    null("effort", Shape::Word(&["low", "medium", "high", "xhigh", "max"])),
    null("format", FORMAT),
    null("task_budget", Shape::Map),
]);
const MCP: Shape = Shape::List(&Shape::Tagged(
    "type",
    &[(
        "url",
        &[
            must("name", Shape::Str),
            must("url", Shape::Str),
            null("authorization_token", Shape::Str),
            null("tool_configuration", Shape::Map),
        ],
    )],
));

/// A message request.
pub(super) const MESSAGE_CALL: Shape = Shape::Object(&[
    must("model", Shape::Str),
    must("max_tokens", Shape::Int),
    must("messages", MESSAGES),
    null("cache_control", CACHE),
    null("container", Shape::StrOr(&Shape::Map)),
    null("context_management", Shape::Map),
    null("diagnostics", Shape::Map),
    null("inference_geo", Shape::Str),
    null("user_profile_id", Shape::Str),
    null("workspace_id", Shape::Str),
    may("mcp_servers", MCP),
    null("metadata", Shape::Object(&[null("user_id", Shape::Str)])),
    null("output_config", OUTPUT_CONFIG),
    null("output_format", FORMAT),
    may("service_tier", Shape::Word(&["auto", "standard_only"])),
    null("speed", Shape::Word(&["standard", "fast"])),
    null("stop_sequences", Shape::List(&Shape::Str)),
    null("stream", Shape::Bool),
    null("system", SYSTEM),
    null("temperature", Shape::Num),
    may("thinking", THINKING),
    null("tool_choice", TOOL_CHOICE),
    null("tools", Shape::List(&Shape::Map)),
    null("top_k", Shape::Int),
    null("top_p", Shape::Num),
]);

/// A count_tokens request.
pub(super) const COUNT_CALL: Shape = Shape::Object(&[
    must("model", Shape::Str),
    must("messages", MESSAGES),
    null("cache_control", CACHE),
    null("context_management", Shape::Map),
    may("mcp_servers", MCP),
    null("output_config", OUTPUT_CONFIG),
    null("output_format", FORMAT),
    null("speed", Shape::Word(&["standard", "fast"])),
    null("system", SYSTEM),
    may("thinking", THINKING),
    null("tool_choice", TOOL_CHOICE),
    null("tools", Shape::List(&Shape::Map)),
]);

/// A tool of the caller's own.
pub(super) const CUSTOM_TOOL: Shape = Shape::Object(&[
    must("name", Shape::Str),
    may("type", Shape::Word(&["custom"])),
    may("description", Shape::Str),
    must("input_schema", Shape::Map),
    null("allowed_callers", Shape::List(&Shape::Str)),
    null("cache_control", CACHE),
    may("defer_loading", Shape::Bool),
    null("eager_input_streaming", Shape::Bool),
    null("input_examples", Shape::List(&Shape::Map)),
    may("strict", Shape::Bool),
]);

/// Tools that Anthropic defines, by the beginning of their types; a date follows.
pub(super) const DEFINED_TOOLS: &[&str] = &[
    "advisor_",
    "bash_",
    "browser_toolset_",
    "code_execution_",
    "computer_",
    "computer_toolset_",
    "memory_",
    "text_editor_",
    "tool_search_tool_bm25_",
    "tool_search_tool_regex_",
    "web_fetch_",
    "web_search_",
];

/// What the tools that Anthropic defines may carry.
pub(super) const DEFINED_TOOL: Shape = Shape::Object(&[
    must("type", Shape::Str),
    may("name", Shape::Str),
    null("configs", Shape::Map),
    null("allowed_callers", Shape::List(&Shape::Str)),
    null("allowed_domains", Shape::List(&Shape::Str)),
    null("blocked_domains", Shape::List(&Shape::Str)),
    null("cache_control", CACHE),
    null("caching", Shape::Map),
    null("citations", CITATIONS),
    null("defer_loading", Shape::Bool),
    null("display_height_px", Shape::Int),
    null("display_number", Shape::Int),
    null("display_width_px", Shape::Int),
    null("enable_zoom", Shape::Bool),
    null("input_examples", Shape::List(&Shape::Map)),
    null("max_characters", Shape::Int),
    null("max_content_tokens", Shape::Int),
    null("max_tokens", Shape::Int),
    null("max_uses", Shape::Int),
    null("model", Shape::Str),
    null("strict", Shape::Bool),
    null("use_cache", Shape::Bool),
    null("user_location", Shape::Map),
]);

/// A whole MCP server as a tool.
pub(super) const MCP_TOOLSET: Shape = Shape::Object(&[
    must("type", Shape::Str),
    must("mcp_server_name", Shape::Str),
    null("cache_control", CACHE),
    null("configs", Shape::Map),
    null("default_config", Shape::Map),
]);
