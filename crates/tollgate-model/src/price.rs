//! What a vendor asks for its models: rates, exact in integers. What a call costs is worked out
//! elsewhere.

/// Picodollars for one unit of what is metered; of tokens, that is microdollars for a million.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Rate(pub u64);

/// What a rate is asked for. The classes of tokens are those of [`Usage`](crate::Usage).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Meter {
    Input,
    CacheReadInput,
    CacheWriteInput,
    CacheWrite1hInput,
    AudioInput,
    ImageInput,
    Output,
    ReasoningOutput,
    AudioOutput,
    ImageOutput,
    /// One call.
    Call,
    /// One search of the web, of the middle size.
    WebSearch,
    /// One image that is sent.
    ImageSent,
    /// One image that is made.
    ImageMade,
    /// One second of sound that is sent.
    SecondSent,
    /// One second of sound that is made.
    SecondMade,
    /// One character of text that is sent.
    Character,
    /// One page that is read.
    Page,
}

impl Meter {
    /// Every one, in order.
    pub const ALL: [Self; 18] = [
        Self::Input,
        Self::CacheReadInput,
        Self::CacheWriteInput,
        Self::CacheWrite1hInput,
        Self::AudioInput,
        Self::ImageInput,
        Self::Output,
        Self::ReasoningOutput,
        Self::AudioOutput,
        Self::ImageOutput,
        Self::Call,
        Self::WebSearch,
        Self::ImageSent,
        Self::ImageMade,
        Self::SecondSent,
        Self::SecondMade,
        Self::Character,
        Self::Page,
    ];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::CacheReadInput => "cache_read.input",
            Self::CacheWriteInput => "cache_write.input",
            Self::CacheWrite1hInput => "cache_write_1h.input",
            Self::AudioInput => "audio.input",
            Self::ImageInput => "image.input",
            Self::Output => "output",
            Self::ReasoningOutput => "reasoning.output",
            Self::AudioOutput => "audio.output",
            Self::ImageOutput => "image.output",
            Self::Call => "call",
            Self::WebSearch => "web_search",
            Self::ImageSent => "image_sent",
            Self::ImageMade => "image_made",
            Self::SecondSent => "second_sent",
            Self::SecondMade => "second_made",
            Self::Character => "character",
            Self::Page => "page",
        }
    }

    /// At whose rate it is charged when it has none of its own.
    #[must_use]
    pub fn part_of(self) -> Option<Self> {
        match self {
            Self::CacheReadInput | Self::CacheWriteInput | Self::AudioInput | Self::ImageInput => {
                Some(Self::Input)
            }
            Self::CacheWrite1hInput => Some(Self::CacheWriteInput),
            Self::ReasoningOutput | Self::AudioOutput | Self::ImageOutput => Some(Self::Output),
            _ => None,
        }
    }

    /// A class of tokens, priced by the million.
    #[must_use]
    pub fn is_tokens(self) -> bool {
        self <= Self::ImageOutput
    }
}

/// The tier of service that a rate is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Tier {
    #[default]
    Standard,
    Batch,
    Flex,
    Priority,
}

impl Tier {
    pub const ALL: [Self; 4] = [Self::Standard, Self::Batch, Self::Flex, Self::Priority];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Batch => "batch",
            Self::Flex => "flex",
            Self::Priority => "priority",
        }
    }
}

/// A day, as the number `yyyymmdd`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Day(pub u32);

impl Day {
    /// Reads `2026-08-21`; a month or a year alone is its first day.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-').map(|part| part.parse::<u32>().ok());
        let year = parts.next()??;
        let month = parts.next().map_or(Some(1), |part| part)?;
        let day = parts.next().map_or(Some(1), |part| part)?;
        let sound = (1000..=9999).contains(&year)
            && (1..=12).contains(&month)
            && (1..=31).contains(&day)
            && parts.next().is_none();
        sound.then_some(Self(year * 10_000 + month * 100 + day))
    }
}

impl std::fmt::Display for Day {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.0 / 10_000, self.0 / 100 % 100, self.0 % 100)
    }
}

/// Rates that hold together: for one tier, from one day on, for calls with more input than a bound.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Price {
    pub tier: Tier,
    /// The first day they hold; 0: as long as anybody knows.
    pub from: Day,
    /// They hold for calls with more input tokens than this.
    pub above: u64,
    /// Sorted, each meter once. What is not here has no rate of its own.
    pub rates: Vec<(Meter, Rate)>,
}

impl Price {
    /// Its own rate.
    #[must_use]
    pub fn rate(&self, meter: Meter) -> Option<Rate> {
        self.rates.iter().find(|(of, _)| *of == meter).map(|(_, rate)| *rate)
    }

    /// Its own rate, else that of what it is part of.
    #[must_use]
    pub fn charged(&self, meter: Meter) -> Option<Rate> {
        self.rate(meter).or_else(|| self.charged(meter.part_of()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_read_and_shown() {
        assert_eq!(Day::parse("2026-08-21"), Some(Day(20_260_821)));
        assert_eq!(Day::parse("2025-01"), Some(Day(20_250_101)));
        for text in ["", "soon", "2025-13-01", "2025-01-32", "2025-01-01-01", "25-1-1"] {
            assert_eq!(Day::parse(text), None, "{text}");
        }
        assert_eq!(Day(20_250_101).to_string(), "2025-01-01");
    }

    #[test]
    fn what_has_no_rate_of_its_own_is_charged_as_what_it_is_part_of() {
        let rates = vec![(Meter::Input, Rate(3)), (Meter::CacheWriteInput, Rate(4))];
        let price = Price { rates, ..Price::default() };
        assert_eq!(price.charged(Meter::CacheWrite1hInput), Some(Rate(4)));
        assert_eq!(price.charged(Meter::AudioInput), Some(Rate(3)));
        assert_eq!(price.charged(Meter::ReasoningOutput), None);
        assert_eq!(price.rate(Meter::AudioInput), None);
    }

    #[test]
    fn meters_are_listed_in_order() {
        assert!(Meter::ALL.is_sorted());
        assert!(Meter::ImageOutput.is_tokens() && !Meter::Call.is_tokens());
    }
}
