//! Durations and sizes as people write them: `500ms`, `20s`, `10m`, `1h`; `64KiB`, `32MiB`. A bare
//! number has no unit and is refused, since nobody can tell seconds from milliseconds by looking.

use std::time::Duration;

const DURATIONS: [(&str, u64); 4] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000)];
const SIZES: [(&str, u64); 4] = [("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];

/// What the JSON Schema says of a duration.
pub(super) const DURATION_PATTERN: &str = "^[0-9]{1,9}(ms|s|m|h)$";
/// What the JSON Schema says of a size.
pub(super) const SIZE_PATTERN: &str = "^[0-9]{1,9}(B|KiB|MiB|GiB)$";

#[must_use]
pub(super) fn duration(text: &str) -> Option<Duration> {
    in_units(text, &DURATIONS).map(Duration::from_millis)
}

#[must_use]
pub(super) fn size(text: &str) -> Option<usize> {
    in_units(text, &SIZES).and_then(|bytes| usize::try_from(bytes).ok())
}

/// As [`duration`] reads it, in the largest unit that says it exactly.
#[must_use]
pub(super) fn show_duration(duration: Duration) -> String {
    let millis = duration.as_millis();
    let unit =
        DURATIONS.iter().rev().find(|(_, factor)| millis.is_multiple_of(u128::from(*factor)));
    let (name, factor) = unit.copied().unwrap_or(("ms", 1));
    format!("{}{name}", millis / u128::from(factor))
}

/// As [`size`] reads it, in the largest unit that says it exactly.
#[must_use]
pub(super) fn show_size(bytes: usize) -> String {
    let unit = SIZES.iter().rev().find(|(_, factor)| (bytes as u64).is_multiple_of(*factor));
    let (name, factor) = unit.copied().unwrap_or(("B", 1));
    format!("{}{name}", bytes as u64 / factor)
}

fn in_units(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    if !(1..=9).contains(&digits) {
        return None;
    }
    let (number, unit) = text.split_at(digits);
    let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
    number.parse::<u64>().ok()?.checked_mul(*factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_read_and_shown() {
        for (text, millis) in [("500ms", 500), ("20s", 20_000), ("10m", 600_000), ("1h", 3_600_000)]
        {
            assert_eq!(duration(text), Some(Duration::from_millis(millis)), "{text}");
            assert_eq!(show_duration(Duration::from_millis(millis)), text);
        }
        for (text, bytes) in
            [("12B", 12), ("64KiB", 65_536), ("32MiB", 33_554_432), ("1GiB", 1 << 30)]
        {
            assert_eq!(size(text), Some(bytes), "{text}");
            assert_eq!(show_size(bytes), text);
        }
    }

    #[test]
    fn what_has_no_unit_has_no_meaning() {
        for text in
            ["", "20", "s", "20 s", "-1s", "1.5s", "20S", "20sec", "1d", "9999999999s", "1e3s"]
        {
            assert_eq!(duration(text), None, "{text}");
        }
        for text in ["", "32", "32MB", "32 MiB", "32mib", "-1B", "1TiB"] {
            assert_eq!(size(text), None, "{text}");
        }
    }
}
