//! One model at one provider, as a line of the text. Reading and writing stand side by side.

use std::fmt::Write as _;

use tollgate_model::{Abilities, Ability, Day, Meter, Price, Rate, Tier};

/// What a model is there for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Use {
    #[default]
    Chat,
    Completion,
    Embedding,
    Image,
    Moderation,
    Realtime,
    Rerank,
    Speech,
    Transcription,
    /// Something that this gateway does not speak.
    Other,
}

impl Use {
    pub const ALL: [Self; 10] = [
        Self::Chat,
        Self::Completion,
        Self::Embedding,
        Self::Image,
        Self::Moderation,
        Self::Realtime,
        Self::Rerank,
        Self::Speech,
        Self::Transcription,
        Self::Other,
    ];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Completion => "completion",
            Self::Embedding => "embedding",
            Self::Image => "image",
            Self::Moderation => "moderation",
            Self::Realtime => "realtime",
            Self::Rerank => "rerank",
            Self::Speech => "speech",
            Self::Transcription => "transcription",
            Self::Other => "other",
        }
    }
}

/// What is known of a model. `None` is "not known".
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The kind of provider that offers it.
    pub kind: &'a str,
    pub name: &'a str,
    pub used_for: Use,
    /// Tokens that input and output may have together.
    pub context: Option<u64>,
    pub max_input: Option<u64>,
    pub max_output: Option<u64>,
    pub abilities: Abilities,
    pub released: Option<Day>,
    /// The day from which it may be gone.
    pub retires: Option<Day>,
    /// Written, since few ask.
    pub(crate) prices: &'a str,
    /// Meters, as letters, on whose standard rate no two sources agree.
    pub(crate) disputed: &'a str,
}

/// How each ability is written: a capital when it is there, a small letter when it is not.
const ABILITIES: [(Ability, char); 10] = [
    (Ability::Tools, 'T'),
    (Ability::ImageInput, 'V'),
    (Ability::DocumentInput, 'D'),
    (Ability::AudioInput, 'A'),
    (Ability::VideoInput, 'M'),
    (Ability::Reasoning, 'R'),
    (Ability::StructuredOutput, 'S'),
    (Ability::PromptCaching, 'C'),
    (Ability::ImageOutput, 'I'),
    (Ability::AudioOutput, 'U'),
];

/// How each meter is written.
const METERS: [(Meter, char); 18] = [
    (Meter::Input, 'i'),
    (Meter::CacheReadInput, 'r'),
    (Meter::CacheWriteInput, 'w'),
    (Meter::CacheWrite1hInput, 'h'),
    (Meter::AudioInput, 'a'),
    (Meter::ImageInput, 'v'),
    (Meter::Output, 'o'),
    (Meter::ReasoningOutput, 't'),
    (Meter::AudioOutput, 's'),
    (Meter::ImageOutput, 'p'),
    (Meter::Call, 'C'),
    (Meter::WebSearch, 'S'),
    (Meter::ImageSent, 'I'),
    (Meter::ImageMade, 'M'),
    (Meter::SecondSent, 'A'),
    (Meter::SecondMade, 'B'),
    (Meter::Character, 'X'),
    (Meter::Page, 'P'),
];

const TIERS: [(Tier, char); 3] = [(Tier::Batch, 'b'), (Tier::Flex, 'f'), (Tier::Priority, 'p')];

/// What a line may say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Line<'a> {
    Entry(Entry<'a>),
    /// Another name of a model of the same provider.
    Alias {
        kind: &'a str,
        name: &'a str,
        of: &'a str,
    },
}

impl<'a> Line<'a> {
    /// `None` when it is no line of the catalogue.
    pub(crate) fn read(line: &'a str) -> Option<Self> {
        let mut columns = line.split('\t');
        let kind = columns.next().filter(|kind| !kind.is_empty())?;
        let name = columns.next().filter(|name| !name.is_empty())?;
        let used_for = columns.next()?;
        if used_for == "=" {
            let of = columns.next().filter(|of| !of.is_empty())?;
            return Some(Self::Alias { kind, name, of });
        }
        let used_for = Use::ALL.into_iter().find(|one| one.as_str() == used_for)?;
        let mut column = || columns.next().unwrap_or_default();
        let (context, max_input, max_output) =
            (number(column())?, number(column())?, number(column())?);
        let abilities = read_abilities(column())?;
        let (released, retires) = (number(column())?, number(column())?);
        let (prices, disputed) = (column(), column());
        let day = |number: Option<u64>| number.and_then(|n| u32::try_from(n).ok()).map(Day);
        let (released, retires) = (day(released), day(retires));
        Some(Self::Entry(Entry {
            kind,
            name,
            used_for,
            context,
            max_input,
            max_output,
            abilities,
            released,
            retires,
            prices,
            disputed,
        }))
    }
}

/// An empty column is not known; anything but a number is no column.
#[expect(clippy::option_option, reason = "unreadable, and not known: two answers")]
fn number(text: &str) -> Option<Option<u64>> {
    if text.is_empty() { Some(None) } else { text.parse().ok().map(Some) }
}

fn read_abilities(text: &str) -> Option<Abilities> {
    let mut abilities = Abilities::default();
    for letter in text.chars() {
        let (ability, _) =
            ABILITIES.iter().find(|(_, known)| known.eq_ignore_ascii_case(&letter))?;
        abilities.set(*ability, letter.is_ascii_uppercase());
    }
    Some(abilities)
}

impl Entry<'_> {
    /// Every price that is known, the standard one of today's input first.
    #[must_use]
    pub fn prices(&self) -> Vec<Price> {
        self.prices.split(' ').filter(|text| !text.is_empty()).filter_map(read_price).collect()
    }

    /// The rates for a call on that day, at that tier, with so much input: those of the highest
    /// bound that it exceeds, in force since the latest day.
    #[must_use]
    pub fn price(&self, tier: Tier, on: Day, input_tokens: u64) -> Option<Price> {
        let prices = self.prices().into_iter();
        let fits = |price: &Price| {
            price.tier == tier
                && price.from <= on
                && (price.above == 0 || input_tokens > price.above)
        };
        prices.filter(fits).max_by_key(|price| (price.from, price.above))
    }

    /// Meters on whose standard rate no two sources agree: the newest source's word is taken.
    #[must_use]
    pub fn disputed(&self) -> Vec<Meter> {
        let meter = |letter| METERS.iter().find(|(_, known)| *known == letter);
        self.disputed.chars().filter_map(|letter| Some(meter(letter)?.0)).collect()
    }

    /// Whether everything in it can be read.
    pub(crate) fn is_sound(&self) -> bool {
        let groups = self.prices.split(' ').filter(|text| !text.is_empty());
        groups.clone().count() == self.prices().len()
            && self.disputed.chars().count() == self.disputed().len()
    }
}

/// `p>200000@20260313:i6000000,o22500000`: tier, bound, day; then meters with their rates.
fn read_price(text: &str) -> Option<Price> {
    let mut price = Price::default();
    let rates = match text.split_once(':') {
        Some((mut head, rates)) => {
            if let Some((rest, day)) = head.split_once('@') {
                price.from = Day(day.parse().ok()?);
                head = rest;
            }
            if let Some((rest, bound)) = head.split_once('>') {
                price.above = bound.parse().ok()?;
                head = rest;
            }
            if let Some(letter) = head.chars().next() {
                price.tier = TIERS.iter().find(|(_, known)| *known == letter)?.0;
            }
            rates
        }
        None => text,
    };
    for rate in rates.split(',') {
        let letter = rate.chars().next()?;
        let (meter, _) = METERS.iter().find(|(_, known)| *known == letter)?;
        price.rates.push((*meter, Rate(rate[1..].parse().ok()?)));
    }
    Some(price)
}

/// Writes what [`Line::read`] reads.
pub(crate) fn write(entry: &Entry<'_>, prices: &[Price], disputed: &[Meter]) -> String {
    let letter_of =
        |meter: &Meter| METERS.iter().find(|(known, _)| known == meter).map(|(_, letter)| *letter);
    let shown = |number: Option<u64>| number.map(|n| n.to_string()).unwrap_or_default();
    let day = |day: Option<Day>| day.map(|day| day.0.to_string()).unwrap_or_default();
    let abilities: String = ABILITIES
        .iter()
        .filter_map(|(ability, letter)| match entry.abilities.get(*ability)? {
            true => Some(*letter),
            false => Some(letter.to_ascii_lowercase()),
        })
        .collect();
    let prices: Vec<String> = prices
        .iter()
        .map(|price| {
            let mut text = String::new();
            let tier = TIERS.iter().find(|(tier, _)| *tier == price.tier);
            text.extend(tier.map(|(_, letter)| *letter));
            // Writing to a string does not fail.
            if price.above > 0 {
                let _ = write!(text, ">{}", price.above);
            }
            if price.from > Day(0) {
                let _ = write!(text, "@{}", price.from.0);
            }
            if !text.is_empty() {
                text.push(':');
            }
            let rates = price.rates.iter();
            let rates = rates.filter_map(|(meter, rate)| Some((letter_of(meter)?, rate.0)));
            let rates: Vec<_> = rates.map(|(letter, rate)| format!("{letter}{rate}")).collect();
            text + &rates.join(",")
        })
        .collect();
    let disputed: String = disputed.iter().filter_map(letter_of).collect();
    let columns = [
        entry.kind.to_owned(),
        entry.name.to_owned(),
        entry.used_for.as_str().to_owned(),
        shown(entry.context),
        shown(entry.max_input),
        shown(entry.max_output),
        abilities,
        day(entry.released),
        day(entry.retires),
        prices.join(" "),
        disputed,
    ];
    columns.join("\t").trim_end_matches('\t').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = "openai\tgpt-x\tchat\t400000\t\t128000\tTVa\t20250807\t20270101\ti1250000,r125000,o10000000 b:i625000 >200000:i2500000 p>272000@20260313:i9,C5000000000\tr";

    #[test]
    fn a_line_reads_as_it_was_written() {
        let Some(Line::Entry(entry)) = Line::read(LINE) else { panic!("no entry") };
        assert!(entry.is_sound());
        assert_eq!(
            (entry.context, entry.max_input, entry.max_output),
            (Some(400_000), None, Some(128_000))
        );
        assert_eq!(entry.abilities.get(Ability::ImageInput), Some(true));
        assert_eq!(entry.abilities.get(Ability::AudioInput), Some(false));
        assert_eq!(entry.abilities.get(Ability::Reasoning), None);
        assert_eq!(entry.released, Some(Day(20_250_807)));
        assert_eq!(entry.disputed(), [Meter::CacheReadInput]);
        assert_eq!(write(&entry, &entry.prices(), &entry.disputed()), LINE);
    }

    #[test]
    fn the_price_of_a_call_is_that_of_its_tier_its_day_and_its_size() {
        let text = "i10,o40 @20250610:i2,o8 >200000@20250610:i4,o16 b@20250610:i1,o4";
        let line = format!("openai\to3\tchat\t\t\t\t\t\t\t{text}");
        let Some(Line::Entry(entry)) = Line::read(&line) else { panic!("no entry") };
        let input = |tier, day, tokens| {
            entry.price(tier, Day(day), tokens).and_then(|price| price.rate(Meter::Input))
        };
        assert_eq!(input(Tier::Standard, 20_250_609, 5), Some(Rate(10)));
        assert_eq!(input(Tier::Standard, 20_250_610, 200_000), Some(Rate(2)));
        assert_eq!(input(Tier::Standard, 20_260_101, 200_001), Some(Rate(4)));
        assert_eq!(input(Tier::Batch, 20_250_701, 5), Some(Rate(1)));
        assert_eq!(input(Tier::Batch, 20_250_101, 5), None);
        assert_eq!(input(Tier::Flex, 20_260_101, 5), None);
    }

    #[test]
    fn what_is_no_line_is_none() {
        for line in [
            "",
            "openai",
            "openai\tx",
            "openai\tx\tpoetry",
            "openai\tx\tchat\tmany",
            "openai\tx\tchat\t\t\t\tQ",
            "openai\tx\t=",
        ] {
            assert_eq!(Line::read(line), None, "{line:?}");
        }
        for prices in ["i", "q5", "z:i5", "i5,,o6", "@soon:i5", "ié"] {
            let line = format!("openai\tx\tchat\t\t\t\t\t\t\t{prices}");
            let Some(Line::Entry(entry)) = Line::read(&line) else { panic!("{prices}") };
            assert!(!entry.is_sound(), "{prices}");
        }
    }
}
