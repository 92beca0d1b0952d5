//! Stage 11: reads the answer along, and meters it. Guards and the unmasking of answers will take
//! their place here.

use std::task::{Context, Poll};

use bytes::Bytes;
use tollgate_model::{Event, Fault, Record};

use super::admit::Permit;
use super::call::{Answer, Said};
use super::rest::Keep;

/// An answer under watch.
#[derive(Debug)]
pub struct Watched {
    pub answer: Answer,
    /// What of a stream is kept where it comes from.
    keep: Option<Keep>,
    _permit: Permit,
}

/// Takes an answer under watch; what is there already is metered at once.
pub fn watch(answer: Answer, permit: Permit, keep: Option<Keep>, record: &mut Record) -> Watched {
    match &answer.said {
        Said::Stream(_) | Said::Passing(_) | Said::Told { .. } => {}
        Said::Chat { events, .. } => meter(events, record),
        Said::Tokens(_) | Said::Object(_) => {}
        Said::Vectors(reply) => {
            record.usage.update(reply.usage.clone());
            record.model_answered.clone_from(&reply.model);
        }
        Said::Ranking(reply) => {
            record.usage.update(reply.usage.clone());
            record.model_answered.clone_from(&reply.model);
        }
    }
    // There are few, and a hash of the name takes longer.
    let id = answer.headers.iter().find(|(name, _)| name.as_str() == answer.request_id);
    let id = id.and_then(|(_, id)| id.to_str().ok());
    record.upstream_request_id = id.map(str::to_owned);
    Watched { answer, keep, _permit: permit }
}

impl Watched {
    /// The next piece of a stream, metered: the frames' bytes, and their events appended.
    pub fn poll_next(
        &mut self,
        cx: &mut Context<'_>,
        events: &mut Vec<Event>,
        record: &mut Record,
    ) -> Poll<Option<Bytes>> {
        let Said::Stream(source) = &mut self.answer.said else { return Poll::Ready(None) };
        let from = events.len();
        let next = std::task::ready!(source.poll_next(cx, events));
        if let Some(Event::Fault(fault)) = events[from..].last_mut() {
            *fault = self.answer.target.upstream.retold(fault.clone());
        }
        if let (Some(keep), Some(frames), Some(Event::End)) = (&self.keep, &next, events.last()) {
            keep.end(frames);
        }
        meter(&events[from..], record);
        Poll::Ready(next)
    }

    /// The next bytes of an answer that is passed on as it comes, metered at their end.
    pub fn poll_passing(
        &mut self,
        cx: &mut Context<'_>,
        record: &mut Record,
    ) -> Poll<Option<Result<Bytes, Fault>>> {
        let Said::Passing(passing) = &mut self.answer.said else { return Poll::Ready(None) };
        let next = std::task::ready!(passing.poll_next(cx));
        if passing.is_over() {
            passing.book(record);
        }
        Poll::Ready(next)
    }

    /// Nothing more is to come of an answer that is passed on.
    #[must_use]
    pub fn has_passed(&self) -> bool {
        matches!(&self.answer.said, Said::Passing(passing) if passing.is_over())
    }

    /// Ends the stream here with a fault; the provider's call is closed.
    pub fn cut(&mut self, fault: Fault, events: &mut Vec<Event>, record: &mut Record) {
        let Said::Stream(source) = &mut self.answer.said else { return };
        source.fail(fault, events);
        meter(events, record);
    }
}

fn meter(events: &[Event], record: &mut Record) {
    for event in events {
        match event {
            Event::Start { model: Some(model), .. } => record.model_answered = Some(model.clone()),
            Event::Usage(usage) => record.usage.update(usage.clone()),
            Event::Finish { reason, .. } => record.finish = Some(*reason),
            Event::Fault(fault) => record.fault = Some(fault.clone()),
            _ => {}
        }
    }
}
