//! What can be asked of a model, and who speaks it: the registry dialect × operation → codec.
//!
//! Chat is one operation of several; its codec is the [`Dialect`] itself.

use std::fmt::Debug;

use bytes::Bytes;
use tollgate_model::{
    Chat, DialectId, EmbedReply, EmbedRequest, Fault, RerankReply, RerankRequest,
};

use crate::as_is::AsIs;
use crate::batches::Batches;
use crate::{Dialect, Incoming, Outgoing, Quirks, Recipient, dialects};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Operation {
    Chat,
    CountTokens,
    /// Makes a conversation shorter.
    Compact,
    Embed,
    Rerank,
    ListModels,
    GetModel,
    /// About something that rests at a provider.
    Resting,
    Moderate,
    MakeImage,
    EditImage,
    VaryImage,
    Speak,
    Transcribe,
    TranslateSpeech,
    Realtime,
    Files,
    Batches,
    /// Whatever a provider offers, on a path of its own.
    Passthrough,
}

/// What OpenAI's own chat dialect is for, at OpenAI and where all of it is passed on.
pub const OF_OPENAI: &[Operation] = &[
    Operation::Chat,
    Operation::Embed,
    Operation::Moderate,
    Operation::MakeImage,
    Operation::EditImage,
    Operation::VaryImage,
    Operation::Speak,
    Operation::Transcribe,
    Operation::TranslateSpeech,
    Operation::Files,
    Operation::Batches,
];

/// One list behind another, for a row that offers both; `N` are they together.
#[must_use]
pub const fn both<const N: usize>(one: &[Operation], other: &[Operation]) -> [Operation; N] {
    let mut out = [Operation::Chat; N];
    let mut at = 0;
    while at < N {
        out[at] = if at < one.len() { one[at] } else { other[at - one.len()] };
        at += 1;
    }
    out
}

/// What body a request has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    Nothing,
    Json,
    /// A form is passed on while it arrives.
    JsonOrForm,
    /// Whatever its method and media type say.
    Anything,
}

impl Operation {
    /// OpenTelemetry's `gen_ai.operation.name` where it has one.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::CountTokens => "count_tokens",
            Self::Compact => "compaction",
            Self::Embed => "embeddings",
            Self::Rerank => "rerank",
            Self::ListModels => "list_models",
            Self::GetModel => "get_model",
            Self::Resting => "resting",
            Self::Moderate => "moderation",
            Self::MakeImage => "image_generation",
            Self::EditImage => "image_edit",
            Self::VaryImage => "image_variation",
            Self::Speak => "speech",
            Self::Transcribe => "transcription",
            Self::TranslateSpeech => "translation",
            Self::Realtime => "realtime",
            Self::Files => "files",
            Self::Batches => "batches",
            Self::Passthrough => "passthrough",
        }
    }

    #[must_use]
    pub fn takes(self) -> Takes {
        match self {
            Self::ListModels | Self::GetModel | Self::Realtime => Takes::Nothing,
            Self::EditImage | Self::VaryImage | Self::Transcribe | Self::TranslateSpeech => {
                Takes::JsonOrForm
            }
            Self::Files | Self::Batches | Self::Passthrough => Takes::Anything,
            _ => Takes::Json,
        }
    }

    /// It goes only to providers of the caller's own dialect.
    #[must_use]
    pub fn travels_as_is(self) -> bool {
        matches!(
            self,
            Self::Compact
                | Self::Moderate
                | Self::MakeImage
                | Self::EditImage
                | Self::VaryImage
                | Self::Speak
                | Self::Transcribe
                | Self::TranslateSpeech
        )
    }
}

/// One cell of the registry.
#[derive(Debug)]
pub struct OperationRow {
    pub dialect: DialectId,
    pub codec: Codec,
}

#[derive(Clone, Copy, Debug)]
pub enum Codec {
    Chat(&'static Dialect),
    CountTokens(&'static dyn CountTokens),
    Embed(&'static dyn Embed),
    Rerank(&'static dyn Rerank),
    Models(&'static dyn Models),
    AsIs(&'static AsIs),
    Batches(&'static Batches),
}

/// Every codec, sorted by dialect, then operation.
pub const OPERATIONS: &[OperationRow] = &[
    row("anthropic-messages", Codec::Chat(&dialects::anthropic_messages::ANTHROPIC_MESSAGES)),
    row(
        "anthropic-messages",
        Codec::CountTokens(&dialects::anthropic_messages::count_tokens::Count),
    ),
    row("anthropic-messages", Codec::Batches(&dialects::anthropic_messages::batches::BATCHES)),
    row("anthropic-messages", Codec::Models(&dialects::anthropic_messages::models::List)),
    row("bedrock-converse", Codec::Chat(&dialects::bedrock_converse::BEDROCK_CONVERSE)),
    row("bedrock-converse", Codec::CountTokens(&dialects::bedrock_converse::count_tokens::Count)),
    row("bedrock-converse", Codec::Embed(&dialects::bedrock_converse::embed::Titan)),
    row("cohere-v2", Codec::Chat(&dialects::cohere_v2::COHERE_V2)),
    row("cohere-v2", Codec::Embed(&dialects::cohere_v2::embed::Embeddings)),
    row("cohere-v2", Codec::Rerank(&dialects::cohere_v2::rerank::Ranking)),
    row("gemini-generate", Codec::Chat(&dialects::gemini_generate::GEMINI_GENERATE)),
    row("gemini-generate", Codec::CountTokens(&dialects::gemini_generate::count_tokens::Count)),
    row("gemini-generate", Codec::Embed(&dialects::gemini_generate::embed::Embeddings)),
    row("gemini-generate", Codec::Models(&dialects::gemini_generate::models::List)),
    row("ollama-chat", Codec::Chat(&dialects::ollama_chat::OLLAMA_CHAT)),
    row("ollama-chat", Codec::Embed(&dialects::ollama_chat::embed::Embeddings)),
    row("ollama-chat", Codec::Models(&dialects::ollama_chat::models::List)),
    row("openai-chat", Codec::Chat(&dialects::openai_chat::OPENAI_CHAT)),
    row("openai-chat", Codec::Embed(&dialects::openai_chat::embed::Embeddings)),
    row("openai-chat", Codec::Rerank(&dialects::openai_chat::rerank::Ranking)),
    row("openai-chat", Codec::Models(&dialects::openai_chat::models::List)),
    row("openai-chat", Codec::AsIs(&dialects::openai_chat::moderations::MODERATE)),
    row("openai-chat", Codec::AsIs(&dialects::openai_chat::images::MAKE)),
    row("openai-chat", Codec::AsIs(&dialects::openai_chat::images::EDIT)),
    row("openai-chat", Codec::AsIs(&dialects::openai_chat::images::VARY)),
    row("openai-chat", Codec::AsIs(&dialects::openai_chat::audio::SPEAK)),
    row("openai-chat", Codec::AsIs(&dialects::openai_chat::audio::TRANSCRIBE)),
    row("openai-chat", Codec::AsIs(&dialects::openai_chat::audio::TRANSLATE)),
    row("openai-chat", Codec::Batches(&dialects::openai_chat::batches::BATCHES)),
    row("openai-completions", Codec::Chat(&dialects::openai_completions::OPENAI_COMPLETIONS)),
    row("openai-responses", Codec::Chat(&dialects::openai_responses::OPENAI_RESPONSES)),
    row("openai-responses", Codec::CountTokens(&dialects::openai_responses::count_tokens::Count)),
    row("openai-responses", Codec::AsIs(&dialects::openai_responses::compact::COMPACT)),
];

const fn row(dialect: &'static str, codec: Codec) -> OperationRow {
    OperationRow { dialect: DialectId(dialect), codec }
}

/// The codec of one dialect for one operation.
#[must_use]
pub fn codec(dialect: DialectId, operation: Operation) -> Option<Codec> {
    // The operation first: a dialect's name takes longer to compare.
    let row = OPERATIONS.iter().find(|row| row.codec.is_of(operation) && row.dialect == dialect);
    row.map(|row| row.codec)
}

impl Codec {
    fn is_of(&self, operation: Operation) -> bool {
        match self {
            Self::Chat(_) => operation == Operation::Chat,
            Self::CountTokens(_) => operation == Operation::CountTokens,
            Self::Embed(_) => operation == Operation::Embed,
            Self::Rerank(_) => operation == Operation::Rerank,
            Self::Models(_) => matches!(operation, Operation::ListModels | Operation::GetModel),
            Self::AsIs(as_is) => operation == as_is.operation,
            Self::Batches(_) => operation == Operation::Batches,
        }
    }
}

/// How many tokens a chat's input is.
pub trait CountTokens: Debug + Send + Sync {
    /// # Errors
    /// `InvalidRequest` naming the field.
    fn decode_request(&self, incoming: &Incoming<'_>) -> Result<Chat, Fault>;
    /// # Errors
    /// `Unsupported`, as for a chat.
    fn encode_request(&self, chat: &Chat, to: &Recipient<'_>) -> Result<Outgoing, Fault>;
    /// # Errors
    /// `BadUpstream` when the body states no count.
    fn decode_reply(&self, body: &[u8]) -> Result<u64, Fault>;
    fn encode_reply(&self, tokens: u64) -> Bytes;
}

/// Vectors for texts.
pub trait Embed: Debug + Send + Sync {
    /// # Errors
    /// `InvalidRequest` naming the field.
    fn decode_request(&self, incoming: &Incoming<'_>) -> Result<EmbedRequest, Fault>;
    /// # Errors
    /// `Unsupported`, when the dialect cannot carry what is asked (token ids, for example).
    fn encode_request(&self, ask: &EmbedRequest, to: &Recipient<'_>) -> Result<Outgoing, Fault>;
    /// # Errors
    /// `BadUpstream` when the body holds no vectors.
    fn decode_reply(&self, body: &[u8], quirks: &Quirks) -> Result<EmbedReply, Fault>;
    /// In the shape and encoding that `ask` wants.
    fn encode_reply(&self, reply: &EmbedReply, ask: &EmbedRequest, model: &str) -> Bytes;
}

/// Documents in order of relevance.
pub trait Rerank: Debug + Send + Sync {
    /// # Errors
    /// `InvalidRequest` naming the field.
    fn decode_request(&self, incoming: &Incoming<'_>) -> Result<RerankRequest, Fault>;
    /// # Errors
    /// `Unsupported`, when the dialect cannot carry what is asked.
    fn encode_request(&self, ask: &RerankRequest, to: &Recipient<'_>) -> Result<Outgoing, Fault>;
    /// # Errors
    /// `BadUpstream` when the body holds no ranking.
    fn decode_reply(&self, body: &[u8], quirks: &Quirks) -> Result<RerankReply, Fault>;
    /// With the documents, where `ask` wants them.
    fn encode_reply(&self, reply: &RerankReply, ask: &RerankRequest, model: &str) -> Bytes;
}

/// A model that a caller may ask for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ModelEntry {
    /// As the caller writes it in a request.
    pub name: String,
    /// Who offers it: a provider's name, or `tollgate` for a configured model.
    pub owner: String,
    /// Unix seconds: when it was released, else when it was configured.
    pub created: u64,
    /// Tokens that may be sent, and made, where that is known.
    pub max_input: Option<u64>,
    pub max_output: Option<u64>,
}

/// The list of models in the dialect's shape.
pub trait Models: Debug + Send + Sync {
    /// The whole list as one page.
    fn encode_list(&self, models: &[ModelEntry]) -> Bytes;
    fn encode_one(&self, model: &ModelEntry) -> Bytes;
}
