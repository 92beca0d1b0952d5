//! Events gathered into a whole answer.

use crate::{Citation, Event, Fault, FinishReason, Part, PartKind, Signature, TokenLogprob, Usage};

/// A whole answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reply {
    pub id: Option<String>,
    pub model: Option<String>,
    /// Unix seconds.
    pub created: Option<u64>,
    pub choices: Vec<Choice>,
    pub usage: Usage,
}

/// One of the alternative answers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Choice {
    /// Text, reasoning, tool calls, media and native parts in the model's order; neighbouring
    /// pieces of text are one part.
    pub parts: Vec<Part>,
    /// Each with the index of the part it belongs to.
    pub citations: Vec<(usize, Citation)>,
    pub logprobs: Vec<TokenLogprob>,
    pub finish: Option<FinishReason>,
    pub finish_word: Option<String>,
    pub stop_sequence: Option<String>,
}

impl Choice {
    /// All visible text, joined.
    #[must_use]
    pub fn text(&self) -> String {
        self.joined(|kind| match kind {
            PartKind::Text(text) => Some(text),
            _ => None,
        })
    }

    /// All visible reasoning, joined.
    #[must_use]
    pub fn reasoning(&self) -> String {
        self.joined(|kind| match kind {
            PartKind::Reasoning { text, .. } => Some(text),
            _ => None,
        })
    }

    /// All refusals, joined.
    #[must_use]
    pub fn refusal(&self) -> String {
        self.joined(|kind| match kind {
            PartKind::Refusal(text) => Some(text),
            _ => None,
        })
    }

    fn joined<'a>(&'a self, pick: impl Fn(&'a PartKind) -> Option<&'a String>) -> String {
        self.parts.iter().filter_map(|part| pick(&part.kind)).map(String::as_str).collect()
    }

    #[must_use]
    pub fn has_tool_calls(&self) -> bool {
        self.parts.iter().any(|part| matches!(part.kind, PartKind::ToolCall { .. }))
    }
}

impl Reply {
    /// Gathers the events of a whole answer.
    ///
    /// # Errors
    /// The fault, when the answer is broken: a broken answer is never gathered into a short one.
    pub fn gather(events: impl IntoIterator<Item = Event>) -> Result<Self, Fault> {
        let mut gathering = Gathering::default();
        for event in events {
            gathering.add(event)?;
        }
        Ok(gathering.reply)
    }

    /// The events of a whole answer: gathering them gives it back.
    #[must_use]
    pub fn into_events(self) -> Vec<Event> {
        let mut out = vec![Event::Start { id: self.id, model: self.model, created: self.created }];
        for (number, choice) in self.choices.into_iter().enumerate() {
            choice.into_events(u32::try_from(number).unwrap_or(u32::MAX), &mut out);
        }
        out.push(Event::Usage(self.usage));
        out.push(Event::End);
        out
    }
}

impl Choice {
    fn into_events(self, choice: u32, out: &mut Vec<Event>) {
        let mut calls = 0;
        let mut citations = self.citations.into_iter().peekable();
        for (at, part) in self.parts.into_iter().enumerate() {
            match part.kind {
                PartKind::Text(text) => out.push(Event::Text { choice, text }),
                PartKind::Refusal(text) => out.push(Event::Refusal { choice, text }),
                PartKind::Media(media) => out.push(Event::Media { choice, media }),
                PartKind::Reasoning { text, signature } => {
                    if !text.is_empty() {
                        out.push(Event::Reasoning { choice, text });
                    }
                    if let Some(signature) = signature {
                        out.push(Event::ReasoningSignature { choice, signature });
                    }
                }
                PartKind::RedactedReasoning(data) => {
                    out.push(Event::RedactedReasoning { choice, data });
                }
                PartKind::ToolCall { id, name, arguments, signature } => {
                    let index = calls;
                    calls += 1;
                    out.push(Event::ToolCallStart { choice, index, id, name, signature });
                    out.push(Event::ToolCallDelta { choice, index, arguments });
                }
                PartKind::Native { dialect, json } => {
                    out.push(Event::Native { choice, dialect, json });
                }
                // A model does not answer with tool results of the caller.
                PartKind::ToolResult { .. } => {}
            }
            while let Some((_, citation)) = citations.next_if(|(of, _)| *of <= at) {
                out.push(Event::Citation { choice, citation });
            }
        }
        if !self.logprobs.is_empty() {
            out.push(Event::Logprobs { choice, tokens: self.logprobs });
        }
        if let Some(reason) = self.finish {
            let (word, stop_sequence) = (self.finish_word, self.stop_sequence);
            out.push(Event::Finish { choice, reason, word, stop_sequence });
        }
    }
}

impl Choice {
    /// Goes on with the thinking that is open, or begins another.
    fn think(&mut self, more: String) {
        match self.parts.last_mut().map(|part| &mut part.kind) {
            Some(PartKind::Reasoning { text, signature: None }) => text.push_str(&more),
            _ => self.parts.push(PartKind::Reasoning { text: more, signature: None }.into()),
        }
    }

    /// Signs the thinking that is open; without any, an empty one.
    fn sign(&mut self, signature: Signature) {
        match self.parts.last_mut().map(|part| &mut part.kind) {
            Some(PartKind::Reasoning { signature: open @ None, .. }) => *open = Some(signature),
            _ => {
                let (text, signature) = (String::new(), Some(signature));
                self.parts.push(PartKind::Reasoning { text, signature }.into());
            }
        }
    }
}

/// More alternatives than any provider gives; a bound for hostile upstreams.
const MOST_CHOICES: u32 = 256;

#[derive(Debug, Default)]
struct Gathering {
    reply: Reply,
    /// Per choice: index of each tool call's part, by the call's own index.
    calls: Vec<Vec<(u32, usize)>>,
}

impl Gathering {
    fn choice(&mut self, number: u32) -> &mut Choice {
        let at = number.min(MOST_CHOICES) as usize;
        while self.reply.choices.len() <= at {
            self.reply.choices.push(Choice::default());
            self.calls.push(Vec::new());
        }
        &mut self.reply.choices[at]
    }

    fn add(&mut self, event: Event) -> Result<(), Fault> {
        match event {
            Event::Start { id, model, created } => {
                self.reply.id = id.or(self.reply.id.take());
                self.reply.model = model.or(self.reply.model.take());
                self.reply.created = created.or(self.reply.created);
            }
            Event::Text { choice, text } => {
                let parts = &mut self.choice(choice).parts;
                match parts.last_mut().map(|part| &mut part.kind) {
                    Some(PartKind::Text(before)) => before.push_str(&text),
                    _ => parts.push(Part::text(text)),
                }
            }
            Event::Refusal { choice, text } => {
                let parts = &mut self.choice(choice).parts;
                match parts.last_mut().map(|part| &mut part.kind) {
                    Some(PartKind::Refusal(before)) => before.push_str(&text),
                    _ => parts.push(PartKind::Refusal(text).into()),
                }
            }
            Event::Reasoning { choice, text } => self.choice(choice).think(text),
            Event::ReasoningSignature { choice, signature } => self.choice(choice).sign(signature),
            Event::RedactedReasoning { choice, data } => {
                self.choice(choice).parts.push(PartKind::RedactedReasoning(data).into());
            }
            Event::ToolCallStart { choice, index, id, name, signature } => {
                let parts = &mut self.choice(choice).parts;
                let at = parts.len();
                let arguments = String::new();
                parts.push(PartKind::ToolCall { id, name, arguments, signature }.into());
                self.calls[choice.min(MOST_CHOICES) as usize].push((index, at));
            }
            Event::ToolCallDelta { choice, index, arguments: more } => {
                self.choice(choice);
                let number = choice.min(MOST_CHOICES) as usize;
                let at = self.calls[number].iter().rev().find(|(of, _)| *of == index);
                if let Some(&(_, at)) = at
                    && let PartKind::ToolCall { arguments, .. } =
                        &mut self.reply.choices[number].parts[at].kind
                {
                    arguments.push_str(&more);
                }
            }
            Event::Citation { choice, citation } => {
                let choice = self.choice(choice);
                let at = choice.parts.len().saturating_sub(1);
                choice.citations.push((at, citation));
            }
            Event::Logprobs { choice, tokens } => self.choice(choice).logprobs.extend(tokens),
            Event::Media { choice, media } => {
                self.choice(choice).parts.push(PartKind::Media(media).into());
            }
            Event::Native { choice, dialect, json } => {
                self.choice(choice).parts.push(PartKind::Native { dialect, json }.into());
            }
            Event::Usage(usage) => self.reply.usage.update(usage),
            Event::Finish { choice, reason, word, stop_sequence } => {
                let choice = self.choice(choice);
                choice.finish = Some(reason);
                choice.finish_word = word;
                choice.stop_sequence = stop_sequence;
            }
            Event::Fault(fault) => return Err(fault),
            Event::End => {}
        }
        Ok(())
    }
}
