//! What the sources call the providers that this gateway has rows for. What is not here is left
//! out.

/// Kind, and what stands before its models' names in the keys of LiteLLM's list.
pub(super) fn of_litellm(provider: &str) -> Option<(&'static str, &'static str)> {
    let found = match provider {
        "anthropic" => ("anthropic", "anthropic/"),
        "azure" => ("azure-openai", "azure/"),
        "bedrock" | "bedrock_converse" => ("bedrock", "bedrock/"),
        "bedrock_mantle" => ("bedrock-mantle", "bedrock_mantle/"),
        "cerebras" => ("cerebras", "cerebras/"),
        "chatgpt" => ("chatgpt", "chatgpt/"),
        "cloudflare" => ("cloudflare", "cloudflare/"),
        "cohere" | "cohere_chat" => ("cohere", "cohere/"),
        "crusoe" => ("crusoe", "crusoe/"),
        "dashscope" => ("alibaba", "dashscope/"),
        "databricks" => ("databricks", "databricks/"),
        "deepseek" => ("deepseek", "deepseek/"),
        "fireworks_ai" | "fireworks_ai-embedding-models" => ("fireworks", "fireworks_ai/"),
        "gemini" => ("gemini", "gemini/"),
        "github_copilot" => ("copilot", "github_copilot/"),
        "groq" => ("groq", "groq/"),
        "heroku" => ("heroku", "heroku/"),
        "mistral" => ("mistral", "mistral/"),
        "moonshot" => ("moonshot", "moonshot/"),
        "nvidia_nim" => ("nvidia", "nvidia_nim/"),
        "openai" | "text-completion-openai" => ("openai", "openai/"),
        "openrouter" => ("openrouter", "openrouter/"),
        "perplexity" => ("perplexity", "perplexity/"),
        "sambanova" => ("sambanova", "sambanova/"),
        "snowflake" => ("snowflake", "snowflake/"),
        "together_ai" => ("together", "together_ai/"),
        "vercel_ai_gateway" => ("vercel-gateway", "vercel_ai_gateway/"),
        "voyage" => ("voyage", "voyage/"),
        "xai" => ("xai", "xai/"),
        "zai" => ("zai", "zai/"),
        vertex if vertex.starts_with("vertex_ai") => ("vertex", "vertex_ai/"),
        _ => return None,
    };
    Some(found)
}

pub(super) fn of_models_dev(provider: &str) -> Option<&'static str> {
    let found = match provider {
        "alibaba" => "alibaba",
        "amazon-bedrock" => "bedrock",
        "anthropic" => "anthropic",
        "azure" => "azure-openai",
        "cerebras" => "cerebras",
        "cloudflare-workers-ai" => "cloudflare",
        "cohere" => "cohere",
        "databricks" => "databricks",
        "deepseek" => "deepseek",
        "fireworks-ai" => "fireworks",
        "github-copilot" => "copilot",
        "github-models" => "github-models",
        "google" => "gemini",
        "google-vertex" | "google-vertex-anthropic" => "vertex",
        "groq" => "groq",
        "huggingface" => "huggingface",
        "mistral" => "mistral",
        "moonshotai" => "moonshot",
        "nvidia" => "nvidia",
        "openai" => "openai",
        "openrouter" => "openrouter",
        "perplexity" => "perplexity",
        "snowflake-cortex" => "snowflake",
        "togetherai" => "together",
        "venice" => "venice",
        "vercel" => "vercel-gateway",
        "xai" => "xai",
        "zai" => "zai",
        _ => return None,
    };
    Some(found)
}

/// Kind, and what its models' names end in. Hugging Face names who serves a model.
pub(super) fn of_genai(provider: &str) -> Option<(&'static str, String)> {
    if let Some(host) = provider.strip_prefix("huggingface_") {
        return Some(("huggingface", format!(":{host}")));
    }
    let found = match provider {
        "anthropic" => "anthropic",
        "aws" => "bedrock",
        "azure" => "azure-openai",
        "cerebras" => "cerebras",
        "cohere" => "cohere",
        "deepseek" => "deepseek",
        "doubleword" => "doubleword",
        "fireworks" => "fireworks",
        "google" => "gemini",
        "groq" => "groq",
        "mistral" => "mistral",
        "moonshotai" => "moonshot",
        "openai" => "openai",
        "openrouter" => "openrouter",
        "perplexity" => "perplexity",
        "together" => "together",
        "voyageai" => "voyage",
        "x-ai" => "xai",
        "zhipuai" => "zai",
        _ => return None,
    };
    Some((found, String::new()))
}
