//! What a call costs: what it used, at the rates that its model had on that day, for the tier that
//! served it and the size of its input.
//!
//! Everything is an integer. A rate is in picodollars for a unit and sound is counted in
//! milliseconds, so the sum is kept in femtodollars, where no product has a rest. It is rounded once,
//! for the whole call, to microdollars, half up.
//!
//! What has no price, or did not say what it used, has no cost: the reason stands in its place, and
//! never a zero.
//!
//! Not here: where prices come from, and who pays.

use tollgate_model::{Cost, Day, Meter, MicroUsd, Price, Rate, Tier, Usage};

#[cfg(test)]
mod tests;

const FEMTO_PER_PICO: u128 = 1_000;
const FEMTO_PER_MICRO: u128 = 1_000_000_000;

/// The prices of one model at one provider.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PriceList {
    prices: Vec<Price>,
    /// Nobody charges for it.
    free: bool,
}

/// Why a call has no cost that could be stated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Unpriced {
    #[error("nobody knows what the model costs")]
    NoPrice,
    #[error("no price is known for that day")]
    NoPriceThen,
    #[error("the provider names a tier of service that is not known")]
    UnknownTier,
    #[error("no price is known for the tier `{}`", .0.as_str())]
    NoPriceForTier(Tier),
    #[error("no rate is known for `{}`", .0.as_str())]
    NoRate(Meter),
    #[error("the provider did not say what was used")]
    NoUsage,
    #[error("the provider did not say how much of `{}` was used", .0.as_str())]
    PartOfUsage(Meter),
    #[error("it is more than can be held")]
    TooMuch,
}

impl Unpriced {
    /// One word for each, for records and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoPrice => "no_price",
            Self::NoPriceThen => "no_price_then",
            Self::UnknownTier => "unknown_tier",
            Self::NoPriceForTier(_) => "no_price_for_tier",
            Self::NoRate(_) => "no_rate",
            Self::NoUsage => "no_usage",
            Self::PartOfUsage(_) => "part_of_usage",
            Self::TooMuch => "too_much",
        }
    }
}

/// One term of the sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    pub meter: Meter,
    /// Of what the meter counts; of sound, milliseconds.
    pub count: u64,
    pub rate: Rate,
}

impl Line {
    /// `None` when it is more than can be held.
    #[must_use]
    pub fn femtodollars(&self) -> Option<u128> {
        let per_count = match self.meter {
            Meter::SecondSent | Meter::SecondMade => u128::from(self.rate.0),
            _ => u128::from(self.rate.0) * FEMTO_PER_PICO,
        };
        u128::from(self.count).checked_mul(per_count)
    }
}

impl PriceList {
    /// Of prices in any order.
    #[must_use]
    pub fn new(prices: Vec<Price>) -> Self {
        Self { prices, free: false }
    }

    /// Of a model that nobody charges for, whatever is known of what a call used.
    #[must_use]
    pub fn free() -> Self {
        Self { prices: Vec::new(), free: true }
    }

    /// What a call costs, or the word for why nobody can say.
    #[must_use]
    pub fn charge(&self, usage: &Usage, asked: Option<&str>, day: Day) -> Cost {
        match self.cost(usage, asked, day) {
            Ok(cost) => Cost::Stated(cost),
            Err(why) => Cost::Unknown(why.as_str()),
        }
    }

    /// The cost of one call. `asked` is the tier that the caller asked for, which counts where the
    /// provider does not say which one served.
    ///
    /// # Errors
    /// Why there is none.
    pub fn cost(&self, usage: &Usage, asked: Option<&str>, day: Day) -> Result<MicroUsd, Unpriced> {
        let mut femtodollars = 0u128;
        self.each(usage, asked, day, |line| {
            let more = line.femtodollars().and_then(|more| femtodollars.checked_add(more));
            femtodollars = more.ok_or(Unpriced::TooMuch)?;
            Ok(())
        })?;
        rounded(femtodollars).ok_or(Unpriced::TooMuch)
    }

    /// The terms of that sum, for who wants to see how it came about.
    ///
    /// # Errors
    /// Why there is no cost.
    pub fn lines(
        &self,
        usage: &Usage,
        asked: Option<&str>,
        day: Day,
    ) -> Result<Vec<Line>, Unpriced> {
        let mut lines = Vec::new();
        self.each(usage, asked, day, |line| {
            lines.push(line);
            Ok(())
        })?;
        Ok(lines)
    }

    fn each(
        &self,
        usage: &Usage,
        asked: Option<&str>,
        day: Day,
        mut take: impl FnMut(Line) -> Result<(), Unpriced>,
    ) -> Result<(), Unpriced> {
        if self.free {
            return Ok(());
        }
        if self.prices.is_empty() {
            return Err(Unpriced::NoPrice);
        }
        if usage.is_unknown() && usage.search_units.is_none() {
            return Err(Unpriced::NoUsage);
        }
        let tier = tier(usage.service_tier.as_deref().or(asked))?;
        let price = self.in_force(tier, day, usage.total_input().unwrap_or_default())?;
        is_whole(price, usage)?;
        for (meter, count) in counted(price, usage) {
            if count > 0 {
                let rate = rate(price, meter).ok_or(Unpriced::NoRate(meter))?;
                take(Line { meter, count, rate })?;
            }
        }
        Ok(())
    }

    /// The rates of the highest bound that the input exceeds, in force since the latest day.
    fn in_force(&self, tier: Tier, day: Day, input: u64) -> Result<&Price, Unpriced> {
        let mut of_tier = self.prices.iter().filter(|price| price.tier == tier).peekable();
        if of_tier.peek().is_none() {
            return Err(Unpriced::NoPriceForTier(tier));
        }
        let fits = |price: &&Price| price.from <= day && (price.above == 0 || input > price.above);
        let latest = of_tier.filter(fits).max_by_key(|price| (price.from, price.above));
        latest.ok_or(Unpriced::NoPriceThen)
    }
}

/// Half up.
fn rounded(femtodollars: u128) -> Option<MicroUsd> {
    let micro = femtodollars.checked_add(FEMTO_PER_MICRO / 2)? / FEMTO_PER_MICRO;
    u64::try_from(micro).ok().map(MicroUsd)
}

/// The tier that a provider or a caller names, in the words of any vendor.
fn tier(named: Option<&str>) -> Result<Tier, Unpriced> {
    match named {
        None | Some("default" | "standard" | "standard_only" | "on_demand" | "auto") => {
            Ok(Tier::Standard)
        }
        Some("batch") => Ok(Tier::Batch),
        Some("flex") => Ok(Tier::Flex),
        Some("priority") => Ok(Tier::Priority),
        Some(_) => Err(Unpriced::UnknownTier),
    }
}

/// What a price asks for must have been stated, or a part of the bill would be missing.
fn is_whole(price: &Price, usage: &Usage) -> Result<(), Unpriced> {
    for (meter, stated) in
        [(Meter::Input, usage.total_input()), (Meter::Output, usage.total_output())]
    {
        let asks = price.rate(meter).is_some_and(|rate| rate.0 > 0);
        if asks && stated.is_none() {
            return Err(Unpriced::PartOfUsage(meter));
        }
    }
    Ok(())
}

/// Every meter with its count. What is counted in tokens is not counted in pieces as well.
fn counted(price: &Price, usage: &Usage) -> [(Meter, u64); 14] {
    let n = |count: Option<u64>| count.unwrap_or_default();
    let pieces = |tokens: Option<u64>, pieces: Option<u64>| match tokens {
        Some(tokens) if tokens > 0 => 0,
        _ => n(pieces),
    };
    let (audio, images) = (usage.audio_input_tokens, usage.image_output_tokens);
    // Who asks for calls is asked once; a reranker says how many that was.
    let calls = price.rate(Meter::Call).map_or(0, |_| usage.search_units.unwrap_or(1));
    let by_tokens = usage.total_input().is_some_and(|tokens| tokens > 0);
    let seconds = if by_tokens { 0 } else { pieces(audio, usage.input_audio_ms) };
    let letters = if by_tokens { 0 } else { n(usage.input_characters) };
    let made = if n(usage.output_tokens) > 0 { 0 } else { pieces(images, usage.output_images) };
    [
        (Meter::Input, n(usage.input_tokens)),
        (Meter::CacheReadInput, n(usage.cache_read_input_tokens)),
        (Meter::CacheWriteInput, n(usage.cache_write_input_tokens)),
        (Meter::CacheWrite1hInput, n(usage.cache_write_1h_input_tokens)),
        (Meter::AudioInput, n(audio)),
        (Meter::ImageInput, n(usage.image_input_tokens)),
        (Meter::Output, n(usage.output_tokens)),
        (Meter::ReasoningOutput, n(usage.reasoning_output_tokens)),
        (Meter::AudioOutput, n(usage.audio_output_tokens)),
        (Meter::ImageOutput, n(images)),
        (Meter::Call, calls),
        (Meter::ImageMade, made),
        (Meter::SecondSent, seconds),
        (Meter::Character, letters),
    ]
}

/// Its own rate, else that of what it is part of. Two are never charged at another's: where writes
/// to a cache have a price, those that live longer cost more; and a picture's tokens cost several
/// times a text's.
fn rate(price: &Price, meter: Meter) -> Option<Rate> {
    match meter {
        Meter::ImageOutput => price.rate(meter),
        Meter::CacheWrite1hInput if price.rate(Meter::CacheWriteInput).is_some() => {
            price.rate(meter)
        }
        _ => price.charged(meter),
    }
}
