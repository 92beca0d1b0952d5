//! The dialects, one folder each: `request`, `reply`, `stream`, `fault`, and a file for each
//! further operation.

pub mod anthropic_messages;
pub mod bedrock_converse;
pub mod cohere_v2;
pub mod gemini_generate;
pub mod ollama_chat;
pub mod openai_chat;
pub mod openai_completions;
pub mod openai_responses;
