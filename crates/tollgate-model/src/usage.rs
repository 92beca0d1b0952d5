//! Tokens, in classes that never overlap, and what is counted otherwise.

use serde_json::Value;

/// What a call used. Every class is disjoint from every other, whatever the provider's own
/// object counts inside what: the bill is the sum over classes of tokens × price.
///
/// `None` means the provider did not say; it never means zero.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Usage {
    /// Input that was neither read from nor written to a prompt cache; text unless said below.
    pub input_tokens: Option<u64>,
    /// Input read from a prompt cache.
    pub cache_read_input_tokens: Option<u64>,
    /// Input written to a prompt cache that lives five minutes, or of unstated lifetime.
    pub cache_write_input_tokens: Option<u64>,
    /// Input written to a prompt cache that lives one hour.
    pub cache_write_1h_input_tokens: Option<u64>,
    /// Audio input.
    pub audio_input_tokens: Option<u64>,
    /// Image and video input, where the provider prices it apart.
    pub image_input_tokens: Option<u64>,
    /// Visible output (tool calls included), less the classes below.
    pub output_tokens: Option<u64>,
    /// Hidden or visible thinking.
    pub reasoning_output_tokens: Option<u64>,
    pub audio_output_tokens: Option<u64>,
    pub image_output_tokens: Option<u64>,
    /// What rerankers are billed by: a query over a certain number of documents.
    pub search_units: Option<u64>,
    /// Spoken input, in milliseconds, where that is what is billed.
    pub input_audio_ms: Option<u64>,
    /// Letters that were read aloud.
    pub input_characters: Option<u64>,
    /// Pictures that were made.
    pub output_images: Option<u64>,
    /// The provider's own total, as it said it. Only for reconciliation.
    pub stated_total: Option<u64>,
    /// Tier that served the call (`default`, `priority`, `batch`, …), as the provider said it.
    pub service_tier: Option<String>,
    /// The provider's own object, for the ledger.
    pub raw: Option<Box<Value>>,
}

fn sum(classes: &[Option<u64>]) -> Option<u64> {
    classes.iter().flatten().fold(None, |total, n| Some(total.unwrap_or(0u64).saturating_add(*n)))
}

impl Usage {
    /// All input, cached or not.
    #[must_use]
    pub fn total_input(&self) -> Option<u64> {
        sum(&[
            self.input_tokens,
            self.cache_read_input_tokens,
            self.cache_write_input_tokens,
            self.cache_write_1h_input_tokens,
            self.audio_input_tokens,
            self.image_input_tokens,
        ])
    }

    /// All output, thinking included.
    #[must_use]
    pub fn total_output(&self) -> Option<u64> {
        sum(&[
            self.output_tokens,
            self.reasoning_output_tokens,
            self.audio_output_tokens,
            self.image_output_tokens,
        ])
    }

    /// Input written to a cache, of either lifetime.
    #[must_use]
    pub fn total_cache_write(&self) -> Option<u64> {
        sum(&[self.cache_write_input_tokens, self.cache_write_1h_input_tokens])
    }

    #[must_use]
    pub fn is_unknown(&self) -> bool {
        self.total_input().is_none()
            && self.total_output().is_none()
            && self.units().iter().all(|(_, count)| count.is_none())
    }

    /// What is counted in something else than tokens.
    #[must_use]
    pub fn units(&self) -> [(&'static str, Option<u64>); 3] {
        [
            ("input_audio_ms", self.input_audio_ms),
            ("input_characters", self.input_characters),
            ("output_images", self.output_images),
        ]
    }

    /// The OpenTelemetry-style name of every class with its figure, for metrics and logs.
    #[must_use]
    pub fn classes(&self) -> [(&'static str, Option<u64>); 10] {
        [
            ("input", self.input_tokens),
            ("cache_read.input", self.cache_read_input_tokens),
            ("cache_write.input", self.cache_write_input_tokens),
            ("cache_write_1h.input", self.cache_write_1h_input_tokens),
            ("audio.input", self.audio_input_tokens),
            ("image.input", self.image_input_tokens),
            ("output", self.output_tokens),
            ("reasoning.output", self.reasoning_output_tokens),
            ("audio.output", self.audio_output_tokens),
            ("image.output", self.image_output_tokens),
        ]
    }

    /// Adds what another call used.
    pub fn add(&mut self, other: &Usage) {
        macro_rules! sum {
            ($($field:ident),*) => { $(
                if let Some(more) = other.$field {
                    self.$field = Some(self.$field.unwrap_or_default().saturating_add(more));
                }
            )* };
        }
        sum!(
            input_tokens,
            cache_read_input_tokens,
            cache_write_input_tokens,
            cache_write_1h_input_tokens,
            audio_input_tokens,
            image_input_tokens,
            output_tokens,
            reasoning_output_tokens,
            audio_output_tokens,
            image_output_tokens,
            input_audio_ms,
            input_characters,
            output_images,
            stated_total
        );
    }

    /// Takes over every class that `later` states. Providers repeat or correct earlier figures,
    /// so a later statement replaces an earlier one and is never added to it.
    pub fn update(&mut self, later: Usage) {
        macro_rules! take {
            ($($field:ident),*) => { $( if later.$field.is_some() { self.$field = later.$field; } )* };
        }
        take!(
            input_tokens,
            cache_read_input_tokens,
            cache_write_input_tokens,
            cache_write_1h_input_tokens,
            audio_input_tokens,
            image_input_tokens,
            output_tokens,
            reasoning_output_tokens,
            audio_output_tokens,
            image_output_tokens,
            search_units,
            input_audio_ms,
            input_characters,
            output_images,
            stated_total,
            service_tier,
            raw
        );
    }
}
