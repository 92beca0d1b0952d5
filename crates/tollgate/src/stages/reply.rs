//! Stage 12: the answer in the caller's dialect, streamed or gathered.

mod body;
mod fault;
mod heads;
mod passed;
mod rates;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response, StatusCode};
use tollgate_model::{Event, Fault, Lane, Losses, Reply};
use tollgate_wire::carriage::Sealer;
use tollgate_wire::{
    Codec, Dialect, Envelope, Framing, ModelEntry, Operation, ReplyContext, codec,
};

pub use body::ReplyBody;
pub use fault::fault;

use super::call::Said;
use super::read::Ask;
use super::settle::Settling;
use super::watch::Watched;
use crate::cut::Cut;
use body::Flow;
use passed::Passed;

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// An answer that is ready to leave; nothing of it can fail any more but a stream.
#[derive(Debug)]
pub struct Ready {
    status: StatusCode,
    headers: http::HeaderMap,
    losses: Losses,
    body: ReadyBody,
}

#[derive(Debug)]
enum ReadyBody {
    Whole(Bytes),
    Stream(Box<Flow>),
    Passed(Box<Watched>, &'static Dialect, ReplyContext),
}

/// # Errors
/// When a whole answer turns out to be none.
pub fn reply(ask: &Ask, mut watched: Watched, settling: &Settling) -> Result<Ready, Fault> {
    let mut headers = heads::of_answer(ask, &watched.answer, settling);
    let mut losses = watched.answer.losses.clone();
    let lane = watched.answer.lane;
    let streams =
        ask.stream && ask.is_answered_by_model() && !matches!(watched.answer.said, Said::Object(_));
    if let (Lane::Verbatim, Said::Chat { bytes, .. }, false) = (lane, &watched.answer.said, streams)
    {
        headers.insert(CONTENT_TYPE, JSON);
        let (status, body) = (StatusCode::OK, ReadyBody::Whole(bytes.clone()));
        return Ok(Ready { status, headers, losses, body });
    }
    let context = context(ask, &watched, settling);
    if let Said::Passing(passing) = &watched.answer.said {
        let status = passing.status();
        passed::heads(&watched.answer.headers, &mut headers);
        let body = ReadyBody::Passed(Box::new(watched), ask.dialect, context);
        return Ok(Ready { status, headers, losses, body });
    }
    if let Said::Told { status, bytes } = watched.answer.said {
        passed::heads(&watched.answer.headers, &mut headers);
        return Ok(Ready { status, headers, losses, body: ReadyBody::Whole(bytes) });
    }
    let status = StatusCode::OK;
    let envelope = ask.carriage.envelope;
    let framing = envelope.framing().unwrap_or(ask.framing());
    let content_type = if streams { framing.content_type() } else { "application/json" };
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    if matches!(watched.answer.said, Said::Stream(_)) {
        headers.insert(http::header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        // Of the provider's head nothing is needed any more.
        watched.answer.headers = http::HeaderMap::new();
        let flow = Box::new(Flow::new(watched, ask.dialect, context, envelope));
        return Ok(Ready { status, headers, losses, body: ReadyBody::Stream(flow) });
    }
    let body = match watched.answer.said {
        Said::Chat { events, .. } if streams => {
            let events = streamed(ask.dialect, events, context, &mut losses);
            match envelope {
                Envelope::None => events,
                Envelope::AwsChunks => Sealer::default().seal(events),
            }
        }
        Said::Chat { events, .. } => {
            let encoded = ask.dialect.encode_reply(&Reply::gather(events)?, &context);
            losses.extend(encoded.losses);
            encoded.body
        }
        Said::Tokens(tokens) => match codec(ask.dialect.id(), Operation::CountTokens) {
            Some(Codec::CountTokens(count)) => count.encode_reply(tokens),
            _ => return Err(Fault::internal("no codec for the operation")),
        },
        Said::Vectors(reply) => match codec(ask.dialect.id(), Operation::Embed) {
            Some(Codec::Embed(embed)) => embed.encode_reply(&reply, ask.embed()?, &context.model),
            _ => return Err(Fault::internal("no codec for the operation")),
        },
        Said::Object(bytes) => bytes,
        Said::Ranking(reply) => match codec(ask.dialect.id(), Operation::Rerank) {
            Some(Codec::Rerank(rerank)) => {
                rerank.encode_reply(&reply, ask.rerank()?, &context.model)
            }
            _ => return Err(Fault::internal("no codec for the operation")),
        },
        Said::Stream(_) | Said::Passing(_) | Said::Told { .. } => Bytes::new(),
    };
    Ok(Ready { status, headers, losses, body: ReadyBody::Whole(body) })
}

impl Ready {
    /// The response; a whole answer is booked here, a stream at its end.
    #[must_use]
    pub fn send(mut self, mut settling: Settling, cut: &Cut) -> Response<ReplyBody> {
        heads::losses(&self.losses, &mut self.headers);
        settling.record.losses = self.losses;
        settling.record.status = self.status.as_u16();
        let body = match self.body {
            ReadyBody::Whole(bytes) => {
                settling.record.response_bytes = bytes.len() as u64;
                settling.price();
                heads::cost(settling.record.cost, &mut self.headers);
                settling.settle();
                ReplyBody::whole(bytes)
            }
            ReadyBody::Stream(flow) => ReplyBody::stream(flow, settling, cut.awaited()),
            ReadyBody::Passed(watched, dialect, context) => {
                let end = (settling, cut.awaited());
                ReplyBody::passed(Passed::new(*watched, dialect, context, end))
            }
        };
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}

/// The list of models, or one of them.
///
/// # Errors
/// When the caller's dialect has no list of models.
pub fn catalogue(ask: &Ask, models: &[ModelEntry], settling: &Settling) -> Result<Ready, Fault> {
    let Some(Codec::Models(codec)) = codec(ask.dialect.id(), ask.operation()) else {
        return Err(Fault::internal("no codec for the operation"));
    };
    let body = match (ask.operation(), models) {
        (Operation::GetModel, [model, ..]) => codec.encode_one(model),
        _ => codec.encode_list(models),
    };
    let mut headers = heads::of_call(settling);
    headers.insert(CONTENT_TYPE, JSON);
    let losses = Losses::default();
    Ok(Ready { status: StatusCode::OK, headers, losses, body: ReadyBody::Whole(body) })
}

fn context(ask: &Ask, watched: &Watched, settling: &Settling) -> ReplyContext {
    let mut id = settling.record.request_id.clone();
    id.retain(|letter| letter.is_ascii_alphanumeric());
    ReplyContext {
        id,
        created: settling.record.started_us / 1_000_000,
        latency_ms: settling.elapsed_us() / 1000,
        model: watched.answer.target.model.clone(),
        stream_usage: ask.wants_stream_usage,
        json_array: ask.framing() == Framing::JsonArray,
    }
}

/// A whole answer to a caller who asked for a stream.
fn streamed(
    dialect: &Dialect,
    events: Vec<Event>,
    context: ReplyContext,
    losses: &mut Losses,
) -> Bytes {
    let mut encoder = dialect.encode_stream(context, None);
    let mut out = Vec::new();
    for event in events {
        encoder.write(event, &mut out);
    }
    losses.extend(encoder.losses().clone());
    out.into()
}
