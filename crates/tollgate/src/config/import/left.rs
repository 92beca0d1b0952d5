//! What LiteLLM knows and this gateway does not carry: by place, with the reason.

use super::super::place::{Path, Step};
use super::super::yaml::{Node, Value};
use super::{Fate, Note};

/// Places (`*` any key, `[]` any entry), and why what stands there is not carried. An empty reason
/// means that it is carried elsewhere. The first that fits counts.
const REASONS: &[(&str, &str)] = &[
    ("model_list[].model_name", ""),
    ("model_list[].litellm_params.model", ""),
    ("model_list[].litellm_params.api_base", ""),
    ("model_list[].litellm_params.base_url", ""),
    ("model_list[].litellm_params.api_key", ""),
    ("model_list[].litellm_params.api_version", ""),
    ("model_list[].litellm_params.custom_llm_provider", ""),
    ("model_list[].litellm_params.aws_region_name", ""),
    ("model_list[].litellm_params.aws_access_key_id", ""),
    ("model_list[].litellm_params.aws_secret_access_key", ""),
    ("model_list[].litellm_params.aws_session_token", ""),
    ("model_list[].litellm_params.aws_profile_name", ""),
    ("model_list[].litellm_params.vertex_project", ""),
    ("model_list[].litellm_params.vertex_location", ""),
    ("model_list[].litellm_params.vertex_credentials", ""),
    ("model_list[].litellm_params.tenant_id", ""),
    ("model_list[].litellm_params.client_id", ""),
    ("model_list[].litellm_params.client_secret", ""),
    ("model_list[].litellm_params.timeout", ""),
    ("model_list[].litellm_params.stream_timeout", ""),
    ("model_list[].litellm_params.order", ""),
    ("model_list[].litellm_params.rpm", LIMITS),
    ("model_list[].litellm_params.tpm", LIMITS),
    ("model_list[].litellm_params.max_parallel_requests", LIMITS),
    ("model_list[].litellm_params.max_budget", BUDGETS),
    ("model_list[].litellm_params.budget_duration", BUDGETS),
    (
        "model_list[].litellm_params.weight",
        "weighted targets come with a later version; targets are tried in the order written",
    ),
    ("model_list[].litellm_params.max_retries", RETRIES),
    ("model_list[].litellm_params.num_retries", RETRIES),
    ("model_list[].litellm_params.input_cost_per_token", PRICES),
    ("model_list[].litellm_params.output_cost_per_token", PRICES),
    ("model_list[].litellm_params.input_cost_per_second", PRICES),
    ("model_list[].litellm_params.tags", "routing by tags comes with a later version"),
    (
        "model_list[].litellm_params.region_name",
        "residency comes with a later version; say where data is processed with `data: { region: … }`",
    ),
    (
        "model_list[].litellm_params.mock_response",
        "nothing is made up here; the kind `simulated` answers without a provider",
    ),
    ("model_list[].litellm_params.organization", HEADERS),
    ("model_list[].litellm_params.extra_headers", HEADERS),
    ("model_list[].litellm_params.headers", HEADERS),
    ("model_list[].litellm_params.guardrails", POLICIES),
    ("model_list[].litellm_params.*", "a request is not filled in here: let callers send it"),
    ("model_list[].model_info.input_cost_per_token", PRICES),
    ("model_list[].model_info.output_cost_per_token", PRICES),
    (
        "model_list[].model_info.access_groups",
        "name the models that a team may use in `teams.*.models`",
    ),
    ("model_list[].model_info.*", "what models are and can do is known from the catalogue"),
    (
        "router_settings.routing_strategy",
        "targets are tried in the order written; weighted, fastest, least-busy and cheapest come with a later version",
    ),
    ("router_settings.fallbacks", ""),
    ("router_settings.default_fallbacks", ""),
    ("router_settings.model_group_alias", ""),
    ("router_settings.timeout", ""),
    ("router_settings.stream_timeout", ""),
    ("router_settings.context_window_fallbacks", CONTEXT),
    ("router_settings.content_policy_fallbacks", CONTENT),
    ("router_settings.num_retries", RETRIES),
    ("router_settings.max_retries", RETRIES),
    ("router_settings.retry_policy", RETRIES),
    ("router_settings.retry_after", RETRIES),
    ("router_settings.allowed_fails", HEALTH),
    ("router_settings.cooldown_time", HEALTH),
    (
        "router_settings.enable_pre_call_checks",
        "targets that certainly cannot do what is asked are passed over by themselves",
    ),
    ("router_settings.redis_host", SHARED),
    ("router_settings.redis_password", SHARED),
    ("router_settings.redis_port", SHARED),
    ("router_settings.redis_url", SHARED),
    ("router_settings.provider_budget_config", BUDGETS),
    ("litellm_settings.fallbacks", ""),
    ("litellm_settings.default_fallbacks", ""),
    ("litellm_settings.request_timeout", ""),
    ("litellm_settings.context_window_fallbacks", CONTEXT),
    ("litellm_settings.content_policy_fallbacks", CONTENT),
    ("litellm_settings.num_retries", RETRIES),
    ("litellm_settings.allowed_fails", HEALTH),
    (
        "litellm_settings.drop_params",
        "fields that cannot be carried are left out and told in `x-tollgate-loss`; `strict: true` on a model refuses instead",
    ),
    (
        "litellm_settings.modify_params",
        "requests are translated, and what is changed is told in `x-tollgate-loss`",
    ),
    ("litellm_settings.cache", CACHE),
    ("litellm_settings.cache_params", CACHE),
    ("litellm_settings.callbacks", TELEMETRY),
    ("litellm_settings.success_callback", TELEMETRY),
    ("litellm_settings.failure_callback", TELEMETRY),
    ("litellm_settings.max_budget", BUDGETS),
    ("litellm_settings.budget_duration", BUDGETS),
    ("litellm_settings.default_team_settings", TELEMETRY),
    ("litellm_settings.guardrails", POLICIES),
    ("litellm_settings.json_logs", "write `log: { format: json }`"),
    ("litellm_settings.set_verbose", "`RUST_LOG` chooses what is logged"),
    ("litellm_settings.turn_off_message_logging", "content is never logged here"),
    ("litellm_settings.redact_user_api_key_info", "keys are never logged here"),
    ("litellm_settings.*", "this gateway has no such setting"),
    ("general_settings.master_key", ""),
    (
        "general_settings.database_url",
        "that database belongs to the other gateway; give this one its own as `storage.database`",
    ),
    ("general_settings.max_parallel_requests", LIMITS),
    ("general_settings.global_max_parallel_requests", LIMITS),
    ("general_settings.max_budget", BUDGETS),
    ("general_settings.budget_duration", BUDGETS),
    (
        "general_settings.alerting",
        "alerts come with a later version; metrics are served at `/metrics`",
    ),
    (
        "general_settings.alerting_threshold",
        "alerts come with a later version; metrics are served at `/metrics`",
    ),
    ("general_settings.custom_auth", "callers show a key; other ways come with a later version"),
    ("general_settings.store_model_in_db", "models stand in the file"),
    ("general_settings.*", "this gateway has no such setting"),
    ("environment_variables", "set them where the gateway is started"),
    ("guardrails", POLICIES),
    ("callback_settings", TELEMETRY),
    ("mcp_servers", "servers of tools are not called from here"),
    ("credential_list", "write each credential where it is used, as `${env:NAME}`"),
    ("vector_store_registry", "stores of vectors are not kept here"),
    ("router_settings.*", "this gateway has no such setting"),
];

const LIMITS: &str = "rate limits belong to teams and keys here (`teams.*.limits`); those of models come with a later version";
const BUDGETS: &str = "budgets come with a later version";
const RETRIES: &str =
    "a call that fails goes to the next target; rules for retries come with a later version";
const PRICES: &str = "prices of your own come with a later version";
const HEADERS: &str = "headers of your own are not sent to providers";
const POLICIES: &str = "policies on content come with a later version";
const CONTEXT: &str = "a provider's refusal for length is told to the caller; put models with more room among the targets";
const CONTENT: &str = "a provider's refusal for content is told to the caller";
const HEALTH: &str = "health checks of providers come with a later version";
const SHARED: &str = "limits are shared between gateways with `storage.shared`, which needs to be told what to do while Redis is away (docs/limits.md)";
const CACHE: &str = "a cache of answers comes with a later version";
const TELEMETRY: &str = "export of records comes with a later version; metrics are served at `/metrics`, calls are logged on standard output";

/// Everything in the file that is not carried.
pub(super) fn notes(node: &Node, out: &mut Vec<Note>) {
    look(node, &Path::top(), out);
}

fn look(node: &Node, path: &Path, out: &mut Vec<Note>) {
    if !path.steps().is_empty()
        && let Some((_, why)) = REASONS.iter().find(|(pattern, _)| fits(pattern, path))
    {
        if !why.is_empty() {
            out.push(Note::new(node.at, path, Fate::Left, *why));
        }
        return;
    }
    match &node.value {
        Value::Map(entries) => {
            for entry in entries {
                look(&entry.node, &path.key(&entry.key), out);
            }
        }
        Value::List(items) => {
            for (at, item) in items.iter().enumerate() {
                look(item, &path.index(at), out);
            }
        }
        Value::Null => {}
        _ => out.push(Note::new(node.at, path, Fate::Left, "it is not known to this importer")),
    }
}

/// `pattern` stands for just this place.
fn fits(pattern: &str, path: &Path) -> bool {
    let mut steps = path.steps().iter();
    for word in pattern.split('.') {
        let (key, entry) = match word.strip_suffix("[]") {
            Some(key) => (key, true),
            None => (word, false),
        };
        match steps.next() {
            Some(Step::Key(name)) if key == "*" || name == key => {}
            _ => return false,
        }
        if entry && !matches!(steps.next(), Some(Step::Index(_))) {
            return false;
        }
    }
    steps.next().is_none()
}
