//! The shape of requests for responses: data only. Read from the vendor's public description and from
//! what the vendor is seen to take.

use crate::shape::{Field, Shape, may, must, null};

const STATUS: Shape = Shape::Word(&["in_progress", "completed", "incomplete"]);
const ID: Field = null("id", Shape::Str);
const CALL_ID: Field = must("call_id", Shape::Str);
const CALLER: Field = null("caller", Shape::Map);
const STATE: Field = null("status", STATUS);
const BREAKPOINT: Field = may("prompt_cache_breakpoint", Shape::Map);

const INPUT_TEXT: &[Field] = &[must("text", Shape::Str), BREAKPOINT];
const INPUT_IMAGE: &[Field] = &[
    null("image_url", Shape::Str),
    null("file_id", Shape::Str),
    null("detail", Shape::Word(&["low", "high", "auto", "original"])),
    BREAKPOINT,
];
const INPUT_FILE: &[Field] = &[
    null("file_id", Shape::Str),
    null("filename", Shape::Str),
    null("file_data", Shape::Str),
    null("file_url", Shape::Str),
    null("detail", Shape::Word(&["auto", "low", "high"])),
    BREAKPOINT,
];
const OUTPUT_TEXT: &[Field] = &[
    must("text", Shape::Str),
    may("annotations", Shape::List(&Shape::Map)),
    may("logprobs", Shape::List(&Shape::Map)),
];
const REFUSAL: &[Field] = &[must("refusal", Shape::Str)];

const INPUT_PARTS: Shape = Shape::List(&Shape::Tagged(
    "type",
    &[("input_text", INPUT_TEXT), ("input_image", INPUT_IMAGE), ("input_file", INPUT_FILE)],
));
const OUTPUT_PARTS: Shape =
    Shape::List(&Shape::Tagged("type", &[("output_text", OUTPUT_TEXT), ("refusal", REFUSAL)]));

const ASKED: &[Field] = &[
    may("type", Shape::Word(&["message"])),
    ID,
    STATE,
    must("content", Shape::StrOr(&INPUT_PARTS)),
];
/// A message by its role; a `type` may stand beside it.
pub(super) const MESSAGE: Shape = Shape::Tagged(
    "role",
    &[
        (
            "assistant",
            &[
                may("type", Shape::Word(&["message"])),
                ID,
                STATE,
                null("phase", Shape::Word(&["commentary", "final_answer"])),
                must("content", Shape::StrOr(&OUTPUT_PARTS)),
            ],
        ),
        ("system", ASKED),
        ("developer", ASKED),
        ("user", ASKED),
    ],
);

const OUTPUT: Shape = Shape::StrOr(&INPUT_PARTS);
const SUMMARY: Shape =
    Shape::List(&Shape::Tagged("type", &[("summary_text", &[must("text", Shape::Str)])]));
const THOUGHTS: Shape =
    Shape::List(&Shape::Tagged("type", &[("reasoning_text", &[must("text", Shape::Str)])]));
const ANY_TOOLS: Shape = Shape::List(&Shape::Map);

/// An item of any other type.
pub(super) const ITEM: Shape = Shape::Tagged(
    "type",
    &[
        (
            "function_call",
            &[
                ID,
                CALL_ID,
                CALLER,
                null("namespace", Shape::Str),
                must("name", Shape::Str),
                must("arguments", Shape::Str),
                STATE,
            ],
        ),
        (
            "function_call_output",
            &[
                ID,
                CALL_ID,
                CALLER,
                null("namespace", Shape::Str),
                null("name", Shape::Str),
                must("output", OUTPUT),
                STATE,
            ],
        ),
        (
            "custom_tool_call",
            &[
                ID,
                CALL_ID,
                CALLER,
                null("namespace", Shape::Str),
                must("name", Shape::Str),
                must("input", Shape::Str),
                STATE,
            ],
        ),
        ("custom_tool_call_output", &[ID, CALL_ID, CALLER, must("output", OUTPUT), STATE]),
        (
            "reasoning",
            &[
                ID,
                null("encrypted_content", Shape::Str),
                must("summary", SUMMARY),
                null("content", THOUGHTS),
                STATE,
            ],
        ),
        ("item_reference", &[must("id", Shape::Str)]),
        ("compaction", &[ID, must("encrypted_content", Shape::Str)]),
        ("compaction_trigger", &[]),
        (
            "additional_tools",
            &[ID, must("role", Shape::Word(&["developer"])), must("tools", ANY_TOOLS)],
        ),
        (
            "tool_search_call",
            &[
                ID,
                null("call_id", Shape::Str),
                null("execution", Shape::Word(&["server", "client"])),
                must("arguments", Shape::Any),
                STATE,
            ],
        ),
        (
            "tool_search_output",
            &[
                ID,
                null("call_id", Shape::Str),
                null("execution", Shape::Word(&["server", "client"])),
                must("tools", ANY_TOOLS),
                STATE,
            ],
        ),
        ("web_search_call", &[ID, null("status", Shape::Str), null("action", Shape::Map)]),
        (
            "file_search_call",
            &[
                ID,
                null("status", Shape::Str),
                must("queries", Shape::List(&Shape::Str)),
                null("results", Shape::List(&Shape::Map)),
            ],
        ),
        (
            "computer_call",
            &[
                ID,
                CALL_ID,
                null("action", Shape::Map),
                null("actions", Shape::List(&Shape::Map)),
                must("pending_safety_checks", Shape::List(&Shape::Map)),
                STATE,
            ],
        ),
        (
            "computer_call_output",
            &[
                ID,
                CALL_ID,
                must("output", Shape::Map),
                null("acknowledged_safety_checks", Shape::List(&Shape::Map)),
                STATE,
            ],
        ),
        ("image_generation_call", &[ID, null("status", Shape::Str), null("result", Shape::Str)]),
        (
            "code_interpreter_call",
            &[
                ID,
                null("status", Shape::Str),
                must("container_id", Shape::Str),
                null("code", Shape::Str),
                null("outputs", Shape::List(&Shape::Map)),
            ],
        ),
        ("local_shell_call", &[ID, CALL_ID, must("action", Shape::Map), STATE]),
        ("local_shell_call_output", &[ID, must("output", Shape::Str), STATE]),
        (
            "shell_call",
            &[
                ID,
                CALL_ID,
                CALLER,
                must("action", Shape::Map),
                null("environment", Shape::Map),
                STATE,
            ],
        ),
        (
            "shell_call_output",
            &[
                ID,
                CALL_ID,
                CALLER,
                must("output", Shape::List(&Shape::Map)),
                null("max_output_length", Shape::Int),
                STATE,
            ],
        ),
        ("apply_patch_call", &[ID, CALL_ID, CALLER, must("operation", Shape::Map), STATE]),
        (
            "apply_patch_call_output",
            &[
                ID,
                CALL_ID,
                CALLER,
                must("status", Shape::Word(&["completed", "failed"])),
                null("output", Shape::Str),
            ],
        ),
        (
            "mcp_list_tools",
            &[
                ID,
                must("server_label", Shape::Str),
                must("tools", ANY_TOOLS),
                null("error", Shape::Any),
            ],
        ),
        (
            "mcp_approval_request",
            &[
                ID,
                must("server_label", Shape::Str),
                must("name", Shape::Str),
                must("arguments", Shape::Str),
            ],
        ),
        (
            "mcp_approval_response",
            &[
                ID,
                must("approval_request_id", Shape::Str),
                must("approve", Shape::Bool),
                null("reason", Shape::Str),
            ],
        ),
        (
            "mcp_call",
            &[
                ID,
                must("server_label", Shape::Str),
                must("name", Shape::Str),
                must("arguments", Shape::Str),
                null("output", Shape::Str),
                null("error", Shape::Any),
                null("status", Shape::Str),
                null("approval_request_id", Shape::Str),
            ],
        ),
    ],
);

const FUNCTION: &[Field] = &[
    must("name", Shape::Str),
    null("description", Shape::Str),
    null("parameters", Shape::Map),
    null("output_schema", Shape::Map),
    null("strict", Shape::Bool),
    null("defer_loading", Shape::Bool),
    null("allowed_callers", Shape::List(&Shape::Str)),
];
const CUSTOM: &[Field] = &[
    must("name", Shape::Str),
    null("description", Shape::Str),
    null("format", Shape::Map),
    null("defer_loading", Shape::Bool),
    null("allowed_callers", Shape::List(&Shape::Str)),
];
const WEB_SEARCH: &[Field] = &[
    null("external_web_access", Shape::Bool),
    null("filters", Shape::Map),
    null("user_location", Shape::Map),
    null("search_context_size", Shape::Word(&["low", "medium", "high"])),
    null("search_content_types", Shape::List(&Shape::Str)),
];
const CALLERS: Field = null("allowed_callers", Shape::List(&Shape::Str));

/// A tool.
pub(super) const TOOL: Shape = Shape::Tagged(
    "type",
    &[
        ("function", FUNCTION),
        ("custom", CUSTOM),
        (
            "namespace",
            &[
                must("name", Shape::Str),
                must("description", Shape::Str),
                must(
                    "tools",
                    Shape::List(&Shape::Tagged(
                        "type",
                        &[("function", FUNCTION), ("custom", CUSTOM)],
                    )),
                ),
            ],
        ),
        (
            "tool_search",
            &[
                null("execution", Shape::Word(&["server", "client"])),
                null("description", Shape::Str),
                null("parameters", Shape::Map),
            ],
        ),
        ("web_search", WEB_SEARCH),
        ("web_search_2025_08_26", WEB_SEARCH),
        ("web_search_preview", WEB_SEARCH),
        ("web_search_preview_2025_03_11", WEB_SEARCH),
        (
            "file_search",
            &[
                must("vector_store_ids", Shape::List(&Shape::Str)),
                null("max_num_results", Shape::Int),
                null("ranking_options", Shape::Map),
                null("filters", Shape::Map),
            ],
        ),
        ("computer", &[]),
        (
            "computer_use_preview",
            &[
                must("environment", Shape::Str),
                must("display_width", Shape::Int),
                must("display_height", Shape::Int),
            ],
        ),
        (
            "mcp",
            &[
                must("server_label", Shape::Str),
                null("server_url", Shape::Str),
                null("connector_id", Shape::Str),
                null("tunnel_id", Shape::Str),
                null("authorization", Shape::Str),
                null("server_description", Shape::Str),
                null("headers", Shape::Map),
                null("allowed_tools", Shape::Any),
                null("allowed_callers", Shape::List(&Shape::Str)),
                null("require_approval", Shape::Any),
                null("defer_loading", Shape::Bool),
            ],
        ),
        ("code_interpreter", &[must("container", Shape::Any), CALLERS]),
        ("programmatic_tool_calling", &[]),
        (
            "image_generation",
            &[
                null("action", Shape::Str),
                null("model", Shape::Str),
                null("quality", Shape::Word(&["low", "medium", "high", "auto"])),
                null("size", Shape::Str),
                null("output_format", Shape::Word(&["png", "webp", "jpeg"])),
                null("output_compression", Shape::Int),
                null("moderation", Shape::Word(&["auto", "low"])),
                null("background", Shape::Word(&["transparent", "opaque", "auto"])),
                null("input_fidelity", Shape::Word(&["high", "low"])),
                null("input_image_mask", Shape::Map),
                null("partial_images", Shape::Int),
            ],
        ),
        ("local_shell", &[]),
        ("shell", &[null("environment", Shape::Map), CALLERS]),
        ("apply_patch", &[CALLERS]),
    ],
);

const NAMED: &[Field] = &[must("name", Shape::Str)];
const TOOL_CHOICE: Shape = Shape::StrOr(&Shape::Tagged(
    "type",
    &[
        ("function", NAMED),
        ("custom", NAMED),
        (
            "allowed_tools",
            &[must("mode", Shape::Word(&["auto", "required"])), must("tools", ANY_TOOLS)],
        ),
        ("mcp", &[must("server_label", Shape::Str), null("name", Shape::Str)]),
        ("file_search", &[]),
        ("web_search", &[]),
        ("web_search_preview", &[]),
        ("computer", &[]),
        ("computer_use_preview", &[]),
        ("code_interpreter", &[]),
        ("image_generation", &[]),
        ("programmatic_tool_calling", &[]),
        ("apply_patch", &[]),
        ("shell", &[]),
    ],
));

const FORMAT: Shape = Shape::Tagged(
    "type",
    &[
        ("text", &[]),
        ("json_object", &[]),
        (
            "json_schema",
            &[
                must("name", Shape::Str),
                null("description", Shape::Str),
                must("schema", Shape::Map),
                null("strict", Shape::Bool),
            ],
        ),
    ],
);

const INCLUDE: Shape = Shape::Word(&[
    "file_search_call.results",
    "web_search_call.results",
    "web_search_call.action.sources",
    "message.input_image.image_url",
    "computer_call_output.output.image_url",
    "code_interpreter_call.outputs",
    "reasoning.encrypted_content",
    "message.output_text.logprobs",
]);

/// A request for a response.
pub(super) const CREATE: Shape = Shape::Object(&[
    must("model", Shape::Str),
    null("input", Shape::StrOr(&Shape::List(&Shape::Map))),
    null("background", Shape::Bool),
    // In no reference, but Codex sends it with each request.
    null("client_metadata", Shape::Map),
    null("context_management", Shape::List(&Shape::Map)),
    null("conversation", Shape::StrOr(&Shape::Object(&[must("id", Shape::Str)]))),
    null("include", Shape::List(&INCLUDE)),
    null("instructions", Shape::Str),
    null("max_output_tokens", Shape::Int),
    null("max_tool_calls", Shape::Int),
    null("metadata", Shape::Map),
    null("moderation", Shape::Map),
    null("parallel_tool_calls", Shape::Bool),
    null("previous_response_id", Shape::Str),
    null("prompt", Shape::Map),
    null("prompt_cache_key", Shape::Str),
    null("prompt_cache_options", Shape::Map),
    null("prompt_cache_retention", Shape::Word(&["in_memory", "in-memory", "24h"])),
    null(
        "reasoning",
        Shape::Object(&[
            null(
                "effort",
                Shape::Word(&["none", "minimal", "low", "medium", "high", "xhigh", "max"]),
            ),
            null("summary", Shape::Word(&["auto", "concise", "detailed"])),
            null("generate_summary", Shape::Word(&["auto", "concise", "detailed"])),
            null("context", Shape::Word(&["auto", "current_turn", "all_turns"])),
            null("mode", Shape::Str),
        ]),
    ),
    null("safety_identifier", Shape::Str),
    null(
        "service_tier",
        Shape::Word(&["auto", "default", "flex", "scale", "priority", "fast", "ultrafast"]),
    ),
    null("store", Shape::Bool),
    null("stream", Shape::Bool),
    null("stream_options", Shape::Object(&[null("include_obfuscation", Shape::Bool)])),
    null("temperature", Shape::Num),
    null(
        "text",
        Shape::Object(&[
            null("format", FORMAT),
            null("verbosity", Shape::Word(&["low", "medium", "high"])),
        ]),
    ),
    null("tool_choice", TOOL_CHOICE),
    null("tools", Shape::List(&TOOL)),
    null("top_logprobs", Shape::Int),
    null("top_p", Shape::Num),
    null("truncation", Shape::Word(&["auto", "disabled"])),
    null("user", Shape::Str),
]);
