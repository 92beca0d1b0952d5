//! One request from top to bottom. Only this file knows the order of the stages, and no stage
//! calls another. A stage takes what earlier ones made and returns a value, so that leaving one
//! out does not compile.
//!
//! Every dialect, operation, stream and refusal goes this way.

use std::sync::Arc;

use http::header::EXPECT;
use http::request::Parts;
use http::{Request, Response};
use hyper::body::Incoming;
use tollgate_model::Fault;

use crate::caught::caught;
use crate::gateway::Gateway;
use crate::hop;
use crate::listener::host;
use crate::stages::read::Speech;
use crate::stages::reply::Ready;
use crate::stages::{ReplyBody, Settling};
use crate::stages::{
    admit, authorize, call, identify, own, plan, read, reply, rest, settle, watch,
};
use crate::worker::Worker;

/// Answers one request.
pub async fn serve(worker: &Worker, request: Request<Incoming>) -> Response<ReplyBody> {
    let gateway = worker.gateway();
    let mut settling = settle::open(worker, &request);
    let (head, body) = request.into_parts();
    let mut body = Some(body);
    let expects = head.headers.contains_key(EXPECT);
    let speech = read::listen(&head);
    let dialect = speech.dialect;
    settling.record.dialect = Some(dialect.id());
    // Boxed, so that a connection holds this room only while a call is being answered: not while
    // it is idle, nor while a stream runs.
    let answer = Box::pin(answer(worker, &gateway, speech, (head, &mut body), &mut settling));
    // Calls that wait when the grace is over are told so, and booked.
    let answer = tokio::select! {
        biased;
        answer = caught(answer) => answer,
        fault = worker.shared.cut.told() => Err(fault),
    };
    match answer {
        // 13 settle: booked when the last byte is ready to leave, or the caller leaves.
        Ok(ready) => ready.send(settling, &worker.shared.cut),
        Err(fault) => {
            // Who waits for leave to send its body was given none.
            if !expects && let Some(body) = body {
                read::take_rest(&gateway, body);
            }
            reply::fault(dialect, fault, settling)
        }
    }
}

async fn answer(
    worker: &Worker,
    gateway: &Arc<Gateway>,
    speech: Speech,
    (head, body): (Parts, &mut Option<Incoming>),
    settling: &mut Settling,
) -> Result<Ready, Fault> {
    host::check(&head.headers)?;
    hop::check(&worker.shared.instance, &head.headers)?;
    // 1  whose key is this?
    let claim = identify::identify(gateway, &head, &mut settling.record)?;
    // 2  what is asked? One validating scan; content is decoded only if a stage looks at it.
    let mut ask = read::read(gateway, speech, head, body, &mut settling.record).await?;
    // 1, ended: a signature stands over the body too.
    let caller = claim.proven(ask.as_it_came(), &mut settling.record)?;
    // 3  what may this caller use? A filter, and a plan is built only through it.
    let grant = authorize::authorize(&caller);
    if let Some(models) = plan::catalogue(gateway, &grant, &ask)? {
        return reply::catalogue(&ask, &models, settling);
    }
    // What does it refer to that rests at a provider? Its owner alone may.
    let held = rest::find(worker, &caller, &ask).await?;
    ask.held = own::find(worker, &grant, &ask).await?;
    // 5  where to? Ordered targets that pass the grant and can do it.
    let plan = plan::plan(gateway, &grant, &ask, &held)?;
    ask.patches = own::authorize_lines(gateway, &grant, &ask, &plan).await?;
    // 6  room for one more?
    let permit = admit::admit(worker, gateway, &caller, &ask, settling).await?;
    // 10 the first target that answers.
    let mut answer = call::call(worker, gateway, &plan, &ask, settling).await?;
    // What it leaves at its provider has an owner before its id is told.
    let leaves = rest::leaves(worker, &caller, (&ask, &held), &answer);
    let keep = leaves.enter(worker).await?;
    own::keep(worker, &grant, &ask, &mut answer).await?;
    // 11 read along, and meter.
    let watched = watch::watch(answer, permit, keep, &mut settling.record);
    // 12 in the caller's dialect, streamed or gathered.
    reply::reply(&ask, watched, settling)
}
