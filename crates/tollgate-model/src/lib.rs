//! Floor 1: what the gateway thinks in.
//!
//! A request is a [`Chat`], an answer is a run of [`Event`]s, what it cost is a [`Usage`], what
//! went wrong is a [`Fault`], what a translation could not carry is a [`Loss`], and what is known
//! about a call when it is over is a [`Record`].
//!
//! Deliberately absent: wire formats (floor 2), I/O, clocks, randomness.

pub mod abilities;
pub mod chat;
pub mod embedding;
pub mod event;
pub mod extras;
pub mod fault;
pub mod ids;
pub mod loss;
pub mod money;
pub mod price;
pub mod record;
pub mod reply;
pub mod rerank;
pub mod terms;
pub mod usage;

pub use abilities::{Abilities, Ability, Needs};
pub use chat::{
    CacheMark, Chat, Media, MediaKind, MediaSource, Message, OutputFormat, Part, PartKind,
    Reasoning, ReasoningEffort, Role, Sampling, Shape, Signature, Tool, ToolChoice, ToolKind,
};
pub use embedding::{EmbedInput, EmbedReply, EmbedRequest, Encoding};
pub use event::{Citation, Event, FinishReason, TokenLogprob};
pub use extras::Extras;
pub use fault::{Fault, FaultKind, Source, UpstreamError};
pub use ids::DialectId;
pub use loss::{Loss, Losses};
pub use money::{Cost, MicroUsd};
pub use price::{Day, Meter, Price, Rate, Tier};
pub use record::{Lane, Record, RecordId};
pub use reply::{Choice, Reply};
pub use rerank::{Ranked, RerankDocument, RerankReply, RerankRequest};
pub use terms::DataTerms;
pub use usage::Usage;
