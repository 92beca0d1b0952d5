//! What LiteLLM calls the providers that this gateway has a kind for. Hosts of its list that are
//! not here are reached as `openai-compatible` when their address is given.

use tollgate_catalogue::Catalogue;
use tollgate_wire::{PROVIDERS, Provider, provider};

/// Prefixes of models, sorted, and the kinds they mean.
const KINDS: &[(&str, &str)] = &[
    ("anthropic", "anthropic"),
    ("azure", "azure-openai"),
    ("bedrock", "bedrock"),
    ("cerebras", "cerebras"),
    ("cloudflare", "cloudflare"),
    ("cohere", "cohere"),
    ("cohere_chat", "cohere"),
    ("custom_openai", "openai-compatible"),
    ("dashscope", "alibaba"),
    ("databricks", "databricks"),
    ("deepseek", "deepseek"),
    ("fireworks_ai", "fireworks"),
    ("gemini", "gemini"),
    ("github", "github-models"),
    ("github_copilot", "copilot"),
    ("groq", "groq"),
    ("heroku", "heroku"),
    ("hosted_vllm", "vllm"),
    ("huggingface", "huggingface"),
    ("litellm_proxy", "openai-compatible"),
    ("llamafile", "openai-compatible"),
    ("lm_studio", "lmstudio"),
    ("mistral", "mistral"),
    ("moonshot", "moonshot"),
    ("nvidia_nim", "nvidia"),
    ("ollama", "ollama"),
    ("ollama_chat", "ollama"),
    ("openai", "openai"),
    ("openai_like", "openai-compatible"),
    ("openrouter", "openrouter"),
    ("perplexity", "perplexity"),
    ("sambanova", "sambanova"),
    ("snowflake", "snowflake"),
    ("text-completion-openai", "openai"),
    ("together_ai", "together"),
    ("vercel_ai_gateway", "vercel-gateway"),
    ("vertex_ai", "vertex"),
    ("voyage", "voyage"),
    ("xai", "xai"),
    ("zai", "zai"),
];

/// Words between the prefix and the model that say how, not which.
const WAYS: &[&str] = &["converse/", "invoke/", "chat/", "responses/", "gemini/"];

/// The kind that `model` is of, and its name there.
pub(super) fn of<'a>(
    model: &'a str,
    custom: Option<&str>,
    has_address: bool,
) -> Result<(&'static Provider, &'a str), String> {
    let (prefix, name) = match (model.split_once('/'), custom) {
        (Some((prefix, name)), Some(custom)) if prefix == custom => (Some(custom), name),
        (_, Some(custom)) => (Some(custom), model),
        (Some((prefix, name)), None) if known(prefix).is_some() => (Some(prefix), name),
        _ => (None, model),
    };
    let kind = match prefix {
        Some(prefix) => match known(prefix) {
            Some(kind) => kind,
            None if has_address => "openai-compatible",
            None => {
                return Err(format!(
                    "there is no kind for `{prefix}`; with its `api_base` it could be `openai-compatible`"
                ));
            }
        },
        None => bare(name).ok_or_else(|| {
            format!("`{name}` does not say whose model it is: write `provider/model`")
        })?,
    };
    // An address of one's own means a host that speaks like OpenAI.
    let kind = if kind == "openai" && has_address { "openai-compatible" } else { kind };
    let row = provider::find(kind).ok_or_else(|| format!("there is no kind `{kind}`"))?;
    let name = WAYS
        .iter()
        .filter(|_| matches!(kind, "bedrock" | "vertex" | "openai" | "azure-openai"))
        .find_map(|way| name.strip_prefix(way))
        .unwrap_or(name);
    Ok((row, name))
}

fn known(prefix: &str) -> Option<&'static str> {
    KINDS.iter().find(|(known, _)| *known == prefix).map(|(_, kind)| *kind)
}

/// Who makes a model of that name: by the rows' own names, else the vendors of the catalogue.
fn bare(name: &str) -> Option<&'static str> {
    let makes = |row: &&&Provider| {
        row.serves.iter().any(|known| match known.strip_suffix('*') {
            Some(begin) => name.starts_with(begin),
            None => name == *known,
        })
    };
    if let Some(row) = PROVIDERS.iter().find(makes) {
        return Some(row.kind);
    }
    let catalogue = Catalogue::built_in();
    let vendors = ["openai", "anthropic", "gemini", "mistral", "cohere", "deepseek", "xai"];
    vendors.into_iter().find(|kind| catalogue.exactly(kind, name).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_prefix_means_a_kind_that_there_is() {
        assert!(KINDS.is_sorted());
        for (prefix, kind) in KINDS {
            assert!(provider::find(kind).is_some(), "{prefix}: {kind}");
        }
    }

    #[test]
    fn models_find_their_kind() {
        for (model, custom, address, kind, name) in [
            ("gpt-4o", None, false, "openai", "gpt-4o"),
            ("openai/gpt-4o", None, false, "openai", "gpt-4o"),
            ("openai/my-model", None, true, "openai-compatible", "my-model"),
            ("azure/my-deployment", None, true, "azure-openai", "my-deployment"),
            ("claude-sonnet-4-5", None, false, "anthropic", "claude-sonnet-4-5"),
            (
                "bedrock/converse/us.amazon.nova-lite-v1:0",
                None,
                false,
                "bedrock",
                "us.amazon.nova-lite-v1:0",
            ),
            (
                "openrouter/anthropic/claude-sonnet-4.5",
                None,
                false,
                "openrouter",
                "anthropic/claude-sonnet-4.5",
            ),
            (
                "meta-llama/Llama-3.3-70B",
                Some("hosted_vllm"),
                true,
                "vllm",
                "meta-llama/Llama-3.3-70B",
            ),
            ("novita/x", Some("novita"), true, "openai-compatible", "x"),
        ] {
            let (row, found) = of(model, custom, address).unwrap();
            assert_eq!((row.kind, found), (kind, name), "{model}");
        }
        assert!(of("novita/x", Some("novita"), false).unwrap_err().contains("`novita`"));
        assert!(of("mystery", None, false).unwrap_err().contains("provider/model"));
    }
}
