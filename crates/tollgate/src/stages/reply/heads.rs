//! The response headers: the gateway's own, and the few of the provider that travel back.

use http::{HeaderMap, HeaderName, HeaderValue};
use tollgate_model::{Cost, Losses};

use super::rates;
use crate::stages::call::Answer;
use crate::stages::read::Ask;
use crate::stages::settle::Settling;

/// A longer list of losses is cut: it is in the record whole.
const MOST_LOSS_BYTES: usize = 1024;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const TARGET: HeaderName = HeaderName::from_static("x-tollgate-target");
const ATTEMPTS: HeaderName = HeaderName::from_static("x-tollgate-attempts");
const OVERHEAD: HeaderName = HeaderName::from_static("x-tollgate-overhead-us");
const COST: HeaderName = HeaderName::from_static("x-tollgate-cost-usd");
const LOSS: HeaderName = HeaderName::from_static("x-tollgate-loss");

pub(super) fn of_call(settling: &Settling) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(6);
    put(&mut headers, REQUEST_ID, &settling.record.request_id);
    headers
}

pub(super) fn of_answer(ask: &Ask, answer: &Answer, settling: &Settling) -> HeaderMap {
    let mut headers = of_call(settling);
    let record = &settling.record;
    if let Some(target) = &record.target {
        put(&mut headers, TARGET, target);
    }
    headers.insert(ATTEMPTS, HeaderValue::from(record.attempts));
    if let Some(overhead) = record.overhead_us {
        headers.insert(OVERHEAD, HeaderValue::from(overhead));
    }
    if answer.dialect.id() == ask.dialect.id() {
        let allowed = ask.dialect.rules().response_headers;
        for (name, value) in &answer.headers {
            let ours = settling.rated.is_some() && rates::is_of_limits(name);
            if !ours && allowed.iter().any(|allowed| matches_name(allowed, name)) {
                headers.append(name.clone(), value.clone());
            }
        }
    }
    rates::put(ask.dialect, settling, &mut headers);
    headers
}

fn matches_name(allowed: &str, name: &HeaderName) -> bool {
    match allowed.strip_suffix('*') {
        Some(prefix) => name.as_str().starts_with(prefix),
        None => name.as_str() == allowed,
    }
}

/// What an answer that is whole did cost, where anybody can say.
pub(super) fn cost(cost: Option<Cost>, headers: &mut HeaderMap) {
    if let Some(cost) = cost.and_then(Cost::stated) {
        put(headers, COST, &cost.to_string());
    }
}

pub(super) fn losses(losses: &Losses, headers: &mut HeaderMap) {
    if losses.is_empty() {
        return;
    }
    let mut text = String::new();
    for loss in losses.iter() {
        let field = loss.to_string();
        if text.len() + field.len() > MOST_LOSS_BYTES {
            text.push_str(",…");
            break;
        }
        if !text.is_empty() {
            text.push(',');
        }
        text.push_str(&field);
    }
    // A caller's own field names may hold anything; what no header may hold becomes `?`.
    let safe: String = text.chars().map(|c| if c.is_ascii_graphic() { c } else { '?' }).collect();
    put(headers, LOSS, &safe);
}

fn put(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
