//! The providers, one row a file.

pub mod anthropic;
pub mod anthropic_compatible;
pub mod deepseek;
pub mod gemini;
pub mod groq;
pub mod llamacpp;
pub mod mistral;
pub mod ollama;
pub mod openai;
pub mod openai_compatible;
pub mod openrouter;
pub mod simulated;
pub mod vllm;
pub mod xai;
