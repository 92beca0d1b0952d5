//! Floor 2: how it looks as bytes. Bytes in, values out.
//!
//! A [`Dialect`] reads and writes one vendor's wire format, in both directions; [`DIALECTS`] and
//! [`OPERATIONS`] list what is spoken. A [`Provider`] is a row: which dialects, where, with what
//! quirks. [`Framer`] cuts a stream into frames; [`scan`] reads a body in place,
//! [`splice`] edits it.
//!
//! Deliberately absent: sockets, clocks, environment, and any pair of dialects: a translation is
//! a decode by one and an encode by another.

mod answer_body;
pub mod as_is;
pub mod auth;
pub mod batches;
mod blocks;
mod call_id;
mod call_ids;
pub mod carriage;
mod cited;
mod claude;
pub mod dialect;
pub mod dialects;
mod fields;
pub mod framing;
mod function_tool;
pub mod glob;
pub mod ingress;
mod json_progress;
mod lenient;
pub mod members;
mod moment;
pub mod multipart;
pub mod operation;
pub mod provider;
pub mod providers;
pub mod refused;
mod rerank;
pub mod resting;
pub mod scan;
mod sealed;
pub mod signature;
pub mod splice;
mod stream;
mod strict_schema;
mod tree;
mod uncarried;
mod unparsed;
mod vectors;
mod written;

pub use carriage::{Carriage, Envelope};
pub use dialect::{
    DIALECTS, Dialect, Encoded, EncodedFault, Incoming, Outgoing, Recipient, ReplyContext, Rules,
    dialect,
};
pub use framing::{Frame, FrameError, Framer, Framing, MessageType};
pub use ingress::{Claim, Match, Route};
pub use operation::{Codec, ModelEntry, OPERATIONS, Operation, OperationRow, Takes, codec};
pub use provider::{PROVIDERS, Provider, Quirks};
pub use scan::{Limits, Scan, ScanError, scan};
pub use splice::{Edit, Splice, splice};
pub use stream::{OpenItem, Snapshot, StreamDecoder, StreamEncoder};
