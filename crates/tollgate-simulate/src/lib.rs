//! The simulated provider: what a vendor would answer to these bytes, as a script of steps.
//!
//! It speaks OpenAI's dialects, Anthropic's, Gemini's, Bedrock's, Cohere's and Ollama's strictly,
//! answers without a model, and misbehaves when the model's name asks for it (the table stands in
//! [`faults`]).
//! It is deliberately not built on the gateway's own codecs: it judges them. It opens no socket and
//! reads no clock; the program plays the script.

mod answer;
mod anthropic;
mod asked;
mod azure;
mod bedrock;
mod cache;
mod cohere;
mod dialect;
pub mod faults;
mod form;
mod gemini;
mod ids;
mod memory;
mod next;
mod ollama;
mod openai;
mod refusal;
mod responses;
mod routes;
mod schema;
mod script;
mod shape;
mod signature;
mod simulator;
mod text;
mod tokens;

pub use bedrock::{ACCESS_KEY_ID, SECRET_ACCESS_KEY};
pub use script::{Request, Script, Step};
pub use simulator::Simulator;
