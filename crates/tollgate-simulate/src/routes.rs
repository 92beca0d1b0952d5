//! Which call a method and a path are. Only the vendors' own paths are known.

use crate::script::Request;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    OpenAi,
    Anthropic,
    Gemini,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Operation {
    OpenAiChat,
    OpenAiEmbeddings,
    /// The list, or one model.
    OpenAiModels(Option<String>),
    Messages,
    CountTokens,
    AnthropicModels(Option<String>),
    Gemini {
        model: String,
        method: GeminiMethod,
    },
    GeminiModels(Option<String>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GeminiMethod {
    Generate,
    Stream,
    CountTokens,
    Embed,
    BatchEmbed,
}

impl Operation {
    pub(crate) fn dialect(&self) -> Dialect {
        match self {
            Self::OpenAiChat | Self::OpenAiEmbeddings | Self::OpenAiModels(_) => Dialect::OpenAi,
            Self::Messages | Self::CountTokens | Self::AnthropicModels(_) => Dialect::Anthropic,
            Self::Gemini { .. } | Self::GeminiModels(_) => Dialect::Gemini,
        }
    }

    /// The word for it in the memory.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::OpenAiChat => "openai-chat",
            Self::OpenAiEmbeddings => "openai-embeddings",
            Self::OpenAiModels(_) => "openai-models",
            Self::Messages => "anthropic-messages",
            Self::CountTokens => "anthropic-count-tokens",
            Self::AnthropicModels(_) => "anthropic-models",
            Self::GeminiModels(_) => "gemini-models",
            Self::Gemini { method, .. } => match method {
                GeminiMethod::Generate => "gemini-generate",
                GeminiMethod::Stream => "gemini-stream",
                GeminiMethod::CountTokens => "gemini-count-tokens",
                GeminiMethod::Embed | GeminiMethod::BatchEmbed => "gemini-embed",
            },
        }
    }
}

/// A path that is no call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotACall {
    UnknownPath(Dialect),
    WrongMethod(Dialect),
}

/// Finds the call.
pub(crate) fn find(request: &Request) -> Result<Operation, NotACall> {
    let path = request.path.as_str();
    let (operation, method) = match path {
        "/v1/chat/completions" | "/chat/completions" => (Operation::OpenAiChat, "POST"),
        "/v1/embeddings" | "/embeddings" => (Operation::OpenAiEmbeddings, "POST"),
        "/v1/messages" => (Operation::Messages, "POST"),
        "/v1/messages/count_tokens" => (Operation::CountTokens, "POST"),
        _ => match gemini(path) {
            Some(operation) => (operation, "POST"),
            None => (models(request).ok_or(NotACall::UnknownPath(guess(request)))?, "GET"),
        },
    };
    if request.method.eq_ignore_ascii_case(method) {
        Ok(operation)
    } else {
        Err(NotACall::WrongMethod(operation.dialect()))
    }
}

/// `…/models/NAME:METHOD`, under AI Studio's paths and under Vertex's.
fn gemini(path: &str) -> Option<Operation> {
    let (version, rest) = path.strip_prefix('/')?.split_once('/')?;
    if !matches!(version, "v1" | "v1beta" | "v1beta1" | "v1alpha") {
        return None;
    }
    let (before, last) =
        rest.rsplit_once("models/").or_else(|| rest.rsplit_once("tunedModels/"))?;
    if !(before.is_empty() || before.ends_with("publishers/google/")) {
        return None;
    }
    let (model, method) = last.rsplit_once(':')?;
    let method = match method {
        "generateContent" => GeminiMethod::Generate,
        "streamGenerateContent" => GeminiMethod::Stream,
        "countTokens" => GeminiMethod::CountTokens,
        "embedContent" => GeminiMethod::Embed,
        "batchEmbedContents" => GeminiMethod::BatchEmbed,
        _ => return None,
    };
    Some(Operation::Gemini { model: model.to_owned(), method })
}

/// Three vendors list their models under paths that overlap; the headers tell them apart.
fn models(request: &Request) -> Option<Operation> {
    let (version, rest) = request
        .path
        .strip_prefix('/')?
        .split_once('/')
        .unwrap_or(("v1", request.path.trim_start_matches('/')));
    let one = match rest.strip_prefix("models")? {
        "" => None,
        name => Some(name.strip_prefix('/')?.to_owned()),
    };
    match version {
        "v1" if request.header("anthropic-version").is_some() => {
            Some(Operation::AnthropicModels(one))
        }
        "v1" if request.header("x-goog-api-key").is_some() => Some(Operation::GeminiModels(one)),
        "v1" => Some(Operation::OpenAiModels(one)),
        "v1beta" | "v1alpha" => Some(Operation::GeminiModels(one)),
        _ => None,
    }
}

fn guess(request: &Request) -> Dialect {
    if request.header("anthropic-version").is_some() || request.path.starts_with("/v1/messages") {
        Dialect::Anthropic
    } else if request.path.starts_with("/v1beta") || request.header("x-goog-api-key").is_some() {
        Dialect::Gemini
    } else {
        Dialect::OpenAi
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn at(method: &str, path: &str, header: &str) -> Result<Operation, NotACall> {
        find(&Request {
            method: method.into(),
            path: path.into(),
            query: String::new(),
            headers: vec![(header.into(), "x".into())],
            body: Bytes::new(),
        })
    }

    #[test]
    fn every_vendor_has_its_own_paths() {
        assert_eq!(at("POST", "/v1/chat/completions", ""), Ok(Operation::OpenAiChat));
        assert_eq!(
            at("GET", "/v1/chat/completions", ""),
            Err(NotACall::WrongMethod(Dialect::OpenAi))
        );
        assert_eq!(
            at("GET", "/v1/models", "anthropic-version"),
            Ok(Operation::AnthropicModels(None))
        );
        assert_eq!(
            at("GET", "/v1/models/gpt", ""),
            Ok(Operation::OpenAiModels(Some("gpt".into())))
        );
        assert_eq!(at("GET", "/models", ""), Ok(Operation::OpenAiModels(None)));
        let stream = Operation::Gemini { model: "g:1".into(), method: GeminiMethod::Stream };
        assert_eq!(at("POST", "/v1beta/models/g:1:streamGenerateContent", ""), Ok(stream.clone()));
        assert_eq!(
            at(
                "POST",
                "/v1/projects/P/locations/L/publishers/google/models/g:1:streamGenerateContent",
                ""
            ),
            Ok(stream)
        );
        assert_eq!(
            at("POST", "/v1/nothing", "anthropic-version"),
            Err(NotACall::UnknownPath(Dialect::Anthropic))
        );
    }
}
