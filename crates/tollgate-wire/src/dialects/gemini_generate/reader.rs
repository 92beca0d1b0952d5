//! Reads an answer, whole or chunk by chunk, into events: a chunk of a stream is a whole
//! `GenerateContentResponse`, so that both are one.
//!
//! The diagnostics of an answer (`safetyRatings`, `avgLogprobs`, `finishMessage`) say nothing
//! that another dialect could carry and are not read.

use serde_json::{Map, Value};
use tollgate_model::{Event, Fault, FinishReason, TokenLogprob, Usage};

use super::partial::PartialArgs;
use super::{ID, citations, fault, finish, function, media, signature, usage};

/// More alternatives than Google gives; a bound for hostile answers.
const MOST_CHOICES: usize = 256;

#[derive(Debug, Default)]
pub(super) struct Reader {
    pub(super) id: Option<String>,
    pub(super) model: Option<String>,
    pub(super) created: Option<u64>,
    pub(super) started: bool,
    pub(super) choices: Vec<ChoiceState>,
    /// Every field that was stated, the last statement of each.
    stated: Map<String, Value>,
    pub(super) usage: Usage,
    /// Why the prompt was not answered.
    blocked: Option<String>,
}

/// Where one alternative stands.
#[derive(Debug, Default)]
pub(super) struct ChoiceState {
    calls: u32,
    /// A call whose arguments are still coming.
    open: Option<PartialArgs>,
    /// Why it ended. Older models repeat it in every chunk, so it counts when the body ends.
    pub(super) word: Option<String>,
}

impl Reader {
    /// Reads one response object.
    ///
    /// # Errors
    /// The error that it holds, or `BadUpstream` when it is no response.
    pub(super) fn read(&mut self, chunk: &Value, out: &mut Vec<Event>) -> Result<(), Fault> {
        let Value::Object(chunk) = chunk else {
            return Err(Fault::bad_upstream("The provider's answer is no response object"));
        };
        if chunk.contains_key("error") {
            return Err(match fault::error_of(&Value::Object(chunk.clone())) {
                Some(error) => fault::read(error, 0),
                None => Fault::bad_upstream("The provider's answer is an unreadable error"),
            });
        }
        self.start(chunk, out);
        let candidates = match chunk.get("candidates") {
            None | Some(Value::Null) => &[][..],
            Some(Value::Array(list)) => list,
            Some(_) => return Err(Fault::bad_upstream("The provider's candidates are no list")),
        };
        for (at, candidate) in candidates.iter().enumerate() {
            self.candidate(at, candidate, out);
        }
        if let Some(feedback) = chunk.get("promptFeedback")
            && let Some(word) = finish::block_word(&feedback["blockReason"])
        {
            self.blocked = Some(word);
        }
        if let Some(Value::Object(usage)) = chunk.get("usageMetadata") {
            self.usage(usage, out);
        }
        Ok(())
    }

    fn start(&mut self, chunk: &Map<String, Value>, out: &mut Vec<Event>) {
        if self.started {
            return;
        }
        self.started = true;
        let text = |field: &str| chunk.get(field).and_then(Value::as_str);
        self.id = text("responseId").map(str::to_owned);
        self.model = text("modelVersion").map(str::to_owned);
        self.created = text("createTime").and_then(unix_seconds);
        let (id, model, created) = (self.id.clone(), self.model.clone(), self.created);
        out.push(Event::Start { id, model, created });
    }

    /// Figures are repeated and corrected from chunk to chunk: what was said last is true, and
    /// what is no longer said stays.
    pub(super) fn usage(&mut self, usage: &Map<String, Value>, out: &mut Vec<Event>) {
        for (field, value) in usage.iter().filter(|(_, value)| !value.is_null()) {
            self.stated.insert(field.clone(), value.clone());
        }
        if let Some(usage) = usage::read(&self.stated)
            && usage != self.usage
        {
            self.usage = usage.clone();
            out.push(Event::Usage(usage));
        }
    }

    fn candidate(&mut self, at: usize, candidate: &Value, out: &mut Vec<Event>) {
        let index = candidate["index"].as_u64().and_then(|index| usize::try_from(index).ok());
        let at = index.unwrap_or(at).min(MOST_CHOICES);
        while self.choices.len() <= at {
            self.choices.push(ChoiceState::default());
        }
        let choice = u32::try_from(at).unwrap_or(u32::MAX);
        let state = &mut self.choices[at];
        let parts = match &candidate["content"]["parts"] {
            Value::Array(list) => list.as_slice(),
            one @ Value::Object(_) => std::slice::from_ref(one),
            _ => &[],
        };
        for part in parts {
            if let Value::Object(part) = part {
                state.part(choice, part, out);
            }
        }
        let tokens = logprobs(&candidate["logprobsResult"]);
        if !tokens.is_empty() {
            out.push(Event::Logprobs { choice, tokens });
        }
        citations::read(choice, candidate, out);
        if let Some(word) = finish::word(&candidate["finishReason"]) {
            state.word = Some(word);
        }
    }

    /// The body has ended. `whole`: it was one document, so nothing can be missing behind it.
    ///
    /// # Errors
    /// `BadUpstream` when the answer is not whole.
    pub(super) fn end(&mut self, whole: bool, out: &mut Vec<Event>) -> Result<(), Fault> {
        if self.choices.is_empty() && self.blocked.is_some() {
            self.choices.push(ChoiceState::default());
        }
        if self.choices.is_empty() {
            return Err(Fault::bad_upstream("The provider's answer holds no candidates"));
        }
        for at in 0..self.choices.len() {
            let choice = u32::try_from(at).unwrap_or(u32::MAX);
            let state = &mut self.choices[at];
            state.close(choice, out);
            let blocked = self.blocked.as_ref().map(|word| format!("{}{word}", finish::BLOCKED));
            let word = state.word.clone().or(blocked);
            let reason = match &word {
                Some(word) => finish::reason(word, state.calls > 0),
                None if whole => FinishReason::Other,
                None => return Err(Fault::bad_upstream("The provider's stream broke off")),
            };
            out.push(Event::Finish { choice, reason, word, stop_sequence: None });
        }
        out.push(Event::End);
        Ok(())
    }
}

impl ChoiceState {
    fn part(&mut self, choice: u32, part: &Map<String, Value>, out: &mut Vec<Event>) {
        let signature = part.get("thoughtSignature").and_then(Value::as_str);
        let signature = signature.filter(|text| !text.is_empty());
        let signature = signature.map(|text| signature::read(text.to_owned()));
        if let Some(Value::Object(call)) = part.get("functionCall") {
            let signature = signature.map(|(signature, _)| signature);
            self.call(choice, call, signature, out);
            return;
        }
        self.close(choice, out);
        if let Some(text) = part.get("text").and_then(Value::as_str) {
            if !text.is_empty() {
                let text = text.to_owned();
                out.push(match part.get("thought") {
                    Some(Value::Bool(true)) => Event::Reasoning { choice, text },
                    _ => Event::Text { choice, text },
                });
            }
        } else if part.contains_key("inlineData") || part.contains_key("fileData") {
            let Some(media) = media::answered(part) else { return };
            out.push(Event::Media { choice, media });
        } else if part.keys().any(|name| !matches!(name.as_str(), "thoughtSignature" | "thought")) {
            // Its own signature is inside.
            out.push(Event::Native { choice, dialect: ID, json: part.clone().into() });
            return;
        }
        match signature {
            Some((data, true)) => out.push(Event::RedactedReasoning { choice, data }),
            Some((signature, _)) => out.push(Event::ReasoningSignature { choice, signature }),
            None => {}
        }
    }

    fn call(
        &mut self,
        choice: u32,
        call: &Map<String, Value>,
        signature: Option<tollgate_model::Signature>,
        out: &mut Vec<Event>,
    ) {
        let text = |field: &str| call.get(field).and_then(Value::as_str).map(str::to_owned);
        let name = text("name").filter(|name| !name.is_empty());
        if name.is_some() || self.open.is_none() {
            self.close(choice, out);
            let (index, id) = (self.calls, text("id").unwrap_or_default());
            self.calls = self.calls.saturating_add(1);
            let name = name.unwrap_or_default();
            out.push(Event::ToolCallStart { choice, index, id, name, signature });
            let args = call.get("args").and_then(Value::as_object).cloned();
            self.open = Some(PartialArgs::new(args.unwrap_or_default()));
        }
        if let Some(open) = &mut self.open {
            for piece in call.get("partialArgs").and_then(Value::as_array).into_iter().flatten() {
                open.add(piece);
            }
        }
        if call.get("willContinue") != Some(&Value::Bool(true)) {
            self.close(choice, out);
        }
    }

    /// The arguments of the open call are whole.
    fn close(&mut self, choice: u32, out: &mut Vec<Event>) {
        if let Some(open) = self.open.take() {
            let arguments = function::arguments(&open.into_args());
            let index = self.calls.saturating_sub(1);
            out.push(Event::ToolCallDelta { choice, index, arguments });
        }
    }
}

fn logprobs(result: &Value) -> Vec<TokenLogprob> {
    let one = |candidate: &Value, top| {
        let token = candidate["token"].as_str()?.to_owned();
        Some(TokenLogprob {
            token,
            logprob: candidate["logProbability"].as_f64()?,
            bytes: None,
            top,
        })
    };
    let chosen = result["chosenCandidates"].as_array().map(Vec::as_slice).unwrap_or_default();
    let of = |(at, candidate)| {
        let top = result["topCandidates"][at]["candidates"].as_array();
        let top = top.into_iter().flatten().filter_map(|candidate| one(candidate, Vec::new()));
        one(candidate, top.collect())
    };
    chosen.iter().enumerate().filter_map(of).collect()
}

/// `2026-02-17T11:12:40.135001Z` in Unix seconds.
fn unix_seconds(time: &str) -> Option<u64> {
    let number = |from: usize, to: usize| time.get(from..to)?.parse::<i64>().ok();
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    if !time.ends_with('Z') || !(1..=12).contains(&month) || !(1970..=9999).contains(&year) {
        return None;
    }
    // Years begin in March, so that the leap day is their last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days =
        365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 719_469;
    u64::try_from(days * 86_400 + hour * 3600 + minute * 60 + second).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_unix_seconds() {
        assert_eq!(unix_seconds("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(unix_seconds("2024-02-29T12:00:00.5Z"), Some(1_709_208_000));
        assert_eq!(unix_seconds("2026-02-17T11:12:40.135001Z"), Some(1_771_326_760));
        for broken in ["", "2026", "2026-13-01T00:00:00Z", "ü026-02-17T11:12:40Z"] {
            assert_eq!(unix_seconds(broken), None, "{broken}");
        }
    }
}
