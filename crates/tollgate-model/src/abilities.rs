//! What a model can do, as far as anybody knows, and what a chat asks of it.

use crate::{Chat, MediaKind, OutputFormat, Part, PartKind};

/// One thing that models differ in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Ability {
    Tools,
    ImageInput,
    DocumentInput,
    AudioInput,
    VideoInput,
    Reasoning,
    StructuredOutput,
    PromptCaching,
    ImageOutput,
    AudioOutput,
}

impl Ability {
    pub const ALL: [Self; 10] = [
        Self::Tools,
        Self::ImageInput,
        Self::DocumentInput,
        Self::AudioInput,
        Self::VideoInput,
        Self::Reasoning,
        Self::StructuredOutput,
        Self::PromptCaching,
        Self::ImageOutput,
        Self::AudioOutput,
    ];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tools => "tools",
            Self::ImageInput => "image input",
            Self::DocumentInput => "document input",
            Self::AudioInput => "audio input",
            Self::VideoInput => "video input",
            Self::Reasoning => "reasoning",
            Self::StructuredOutput => "structured output",
            Self::PromptCaching => "prompt caching",
            Self::ImageOutput => "image output",
            Self::AudioOutput => "audio output",
        }
    }

    fn bit(self) -> u16 {
        1 << (self as u16)
    }
}

/// Abilities that are known to be there, or known to be absent. The rest is not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Abilities {
    can: u16,
    cannot: u16,
}

impl Abilities {
    #[must_use]
    pub fn get(self, ability: Ability) -> Option<bool> {
        match (self.can & ability.bit() != 0, self.cannot & ability.bit() != 0) {
            (true, _) => Some(true),
            (_, true) => Some(false),
            _ => None,
        }
    }

    /// What is known to be absent, of what a chat can need.
    #[must_use]
    pub fn known_absent(self) -> Needs {
        let waived = Ability::Reasoning.bit() | Ability::PromptCaching.bit();
        Needs(self.cannot & !self.can & !waived)
    }

    pub fn set(&mut self, ability: Ability, can: bool) {
        let side = if can { &mut self.can } else { &mut self.cannot };
        *side |= ability.bit();
    }
}

/// What a chat cannot do without. Thinking and caching are left out: without them it is answered
/// too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs(u16);

impl Needs {
    #[must_use]
    pub fn of(chat: &Chat) -> Self {
        let mut needs = Self::default();
        if !chat.tools.is_empty() {
            needs.add(Ability::Tools);
        }
        if matches!(chat.output, OutputFormat::Schema { .. }) {
            needs.add(Ability::StructuredOutput);
        }
        for message in &chat.messages {
            needs.look_at(&message.parts);
        }
        needs
    }

    fn look_at(&mut self, parts: &[Part]) {
        for part in parts {
            match &part.kind {
                PartKind::Media(media) => self.add(match media.kind {
                    MediaKind::Image => Ability::ImageInput,
                    MediaKind::Document => Ability::DocumentInput,
                    MediaKind::Audio => Ability::AudioInput,
                    MediaKind::Video => Ability::VideoInput,
                }),
                PartKind::ToolResult { parts, .. } => self.look_at(parts),
                _ => {}
            }
        }
    }

    fn add(&mut self, ability: Ability) {
        self.0 |= ability.bit();
    }

    /// What is needed and certainly not there.
    #[must_use]
    pub fn lacking(self, abilities: Abilities) -> Vec<Ability> {
        let lacks = |ability: &Ability| {
            self.0 & ability.bit() != 0 && abilities.get(*ability) == Some(false)
        };
        Ability::ALL.into_iter().filter(lacks).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_known_to_be_absent_is_lacking() {
        let mut needs = Needs::default();
        needs.add(Ability::ImageInput);
        needs.add(Ability::Tools);
        let mut abilities = Abilities::default();
        assert!(needs.lacking(abilities).is_empty(), "nothing is known");
        abilities.set(Ability::ImageInput, false);
        abilities.set(Ability::AudioInput, false);
        assert_eq!(needs.lacking(abilities), [Ability::ImageInput]);
        abilities.set(Ability::ImageInput, true);
        assert!(needs.lacking(abilities).is_empty(), "somebody knows that it can");
    }
}
