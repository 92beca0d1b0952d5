//! The file of a batch, before it leaves: every line asks for a model that its caller may use, and
//! by the name that the model has at the provider.

use std::sync::Arc;

use bytes::Bytes;
use tollgate_model::Fault;
use tollgate_wire::Operation;
use tollgate_wire::dialects::openai_chat::batches;

use crate::gateway::Gateway;
use crate::stages::authorize::Grant;
use crate::stages::plan::{self, Plan};
use crate::stages::read::Ask;
use crate::upload::Patch;

/// The new names of models, for a file of a batch; nothing for any other request.
///
/// # Errors
/// `Forbidden` or `InvalidRequest`, naming the line.
pub async fn authorize(
    gateway: &Arc<Gateway>,
    grant: &Grant,
    ask: &Ask,
    plan: &Plan,
) -> Result<Vec<Patch>, Fault> {
    let (Some(upload), Some(target)) = (&ask.upload, plan.targets.first()) else {
        return Ok(Vec::new());
    };
    if ask.operation() != Operation::Files || !is_for_batch(ask) {
        return Ok(Vec::new());
    }
    let (gateway, grant) = (gateway.clone(), grant.clone());
    let provider = target.upstream.name.clone();
    let longest = gateway.config.limits.line_bytes;
    let mut number = 0;
    let look = move |at: u64, line: &[u8]| {
        number += 1;
        if number > batches::MOST_LINES {
            let most = batches::MOST_LINES;
            return Err(Fault::invalid(format!("The batch has more than {most} lines.")));
        }
        let Some((asked, place)) = batches::asked(line, gateway.scan_seed) else {
            let message = "it is no JSON object with a `body` that names its `model`.";
            return Err(of_line(number, Fault::invalid(message)));
        };
        let model = plan::model_at(&gateway, &grant, &provider, &asked);
        let model = model.map_err(|fault| of_line(number, fault))?;
        if model == asked {
            return Ok(None);
        }
        let with = Bytes::from(serde_json::Value::from(model).to_string());
        Ok(Some(Patch { at: at + place.start as u64..at + place.end as u64, with }))
    };
    upload.lines("file", longest, look).await
}

/// Whether a form brings the lines of a batch.
#[must_use]
pub(in crate::stages) fn is_for_batch(ask: &Ask) -> bool {
    let purpose = ask.upload.as_ref().and_then(|upload| upload.field("purpose"));
    purpose.is_some_and(|field| field.value == batches::PURPOSE.as_bytes())
}

fn of_line(number: usize, mut fault: Fault) -> Fault {
    fault.message = format!("Line {number} of the batch: {}", fault.message);
    Fault { param: Some("file".into()), ..fault }
}
