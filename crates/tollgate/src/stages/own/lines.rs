//! The lines of a batch, before they leave: every one asks for a model that its caller may use, and
//! by the name that the model has at the provider. They stand in a file, or in the request that
//! makes the batch.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use tollgate_model::Fault;
use tollgate_wire::Operation;
use tollgate_wire::batches::{self, Batches, Lines, MOST_LINES};

use crate::gateway::Gateway;
use crate::stages::authorize::Grant;
use crate::stages::plan::{self, Plan};
use crate::stages::read::Ask;
use crate::upload::Patch;

/// The field of a form that holds the lines.
const FILE: &str = "file";

/// The new names of models, for the lines of a batch; nothing for any other request.
///
/// # Errors
/// `Forbidden` or `InvalidRequest`, naming the line.
pub async fn authorize(
    gateway: &Arc<Gateway>,
    grant: &Grant,
    ask: &Ask,
    plan: &Plan,
) -> Result<Vec<Patch>, Fault> {
    let (Some(batches), Some(target)) = (batches::of(ask.dialect.id()), plan.targets.first())
    else {
        return Ok(Vec::new());
    };
    let mut check = Check {
        gateway: gateway.clone(),
        grant: grant.clone(),
        provider: target.upstream.name.clone(),
        batches,
        number: 0,
    };
    match (batches.lines, ask.operation(), &ask.upload) {
        (Lines::InFiles { .. }, Operation::Files, Some(upload)) if is_for_batch(ask) => {
            let longest = gateway.config.limits.line_bytes;
            upload.lines(FILE, longest, move |at, line| check.line(at, line)).await
        }
        (Lines::InBatch { requests, .. }, Operation::Batches, None) => {
            let Some(scan) = &ask.scan else { return Ok(Vec::new()) };
            let lines = batches.inside(&ask.body, scan).ok_or_else(|| {
                let message = format!("The field `{requests}` must be a list of what to ask.");
                Fault::invalid_field(requests, message)
            })?;
            let patch = |(at, line): (usize, &[u8])| check.line(at as u64, line).transpose();
            lines.into_iter().filter_map(patch).collect()
        }
        _ => Ok(Vec::new()),
    }
}

/// What looks at line after line.
struct Check {
    gateway: Arc<Gateway>,
    grant: Grant,
    provider: String,
    batches: &'static Batches,
    number: usize,
}

impl Check {
    fn line(&mut self, at: u64, line: &[u8]) -> Result<Option<Patch>, Fault> {
        self.number += 1;
        if self.number > MOST_LINES {
            return Err(Fault::invalid(format!("The batch has more than {MOST_LINES} lines.")));
        }
        let Some((asked, place)) = self.batches.asked(line, self.gateway.scan_seed) else {
            let asks = self.batches.asks;
            let message = format!("it is no JSON object with `{asks}` that names its `model`.");
            return Err(self.refused(Fault::invalid(message)));
        };
        let model = plan::model_at(&self.gateway, &self.grant, &self.provider, &asked);
        let model = model.map_err(|fault| self.refused(fault))?;
        if model == asked {
            return Ok(None);
        }
        let with = Bytes::from(serde_json::Value::from(model).to_string());
        Ok(Some(Patch { at: moved(&place, at), with }))
    }

    fn refused(&self, mut fault: Fault) -> Fault {
        fault.message = format!("Line {} of the batch: {}", self.number, fault.message);
        let param = match self.batches.lines {
            Lines::InFiles { .. } => FILE.to_owned(),
            Lines::InBatch { requests, .. } => format!("{requests}.{}", self.number - 1),
        };
        Fault { param: Some(param), ..fault }
    }
}

fn moved(place: &Range<usize>, by: u64) -> Range<u64> {
    by + place.start as u64..by + place.end as u64
}

/// Whether a form brings the lines of a batch.
#[must_use]
pub(in crate::stages) fn is_for_batch(ask: &Ask) -> bool {
    let lines = batches::of(ask.dialect.id()).map(|batches| batches.lines);
    let Some(Lines::InFiles { purpose, .. }) = lines else { return false };
    let field = ask.upload.as_ref().and_then(|upload| upload.field("purpose"));
    field.is_some_and(|field| field.value == purpose.as_bytes())
}
