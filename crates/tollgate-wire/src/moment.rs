//! A moment in words: RFC 3339 in UTC, whole seconds. No clock, no time zones.

/// Days from the first of March of the year 0 to the first of January 1970.
const EPOCH: u64 = 719_468;

/// Unix seconds as RFC 3339, by the civil calendar counted in 400-year eras that begin in March.
pub(crate) fn written(unix: u64) -> String {
    const DAYS_OF_ERA: u64 = 146_097;
    let (days, second) = (unix / 86_400 + EPOCH, unix % 86_400);
    let (era, day) = (days / DAYS_OF_ERA, days % DAYS_OF_ERA);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, year) = if month < 10 { (month + 3, year) } else { (month - 9, year + 1) };
    let year = year + era * 400;
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// The Unix seconds of such a moment, its fraction left out; `None` for anything else, and for
/// times before 1970.
pub(crate) fn read(text: &str) -> Option<u64> {
    let (date, time) = text.split_once('T')?;
    let mut date = date.splitn(3, '-').map(|part| part.parse::<u64>().ok());
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let time = time.get(..8)?;
    let mut time = time.splitn(3, ':').map(|part| part.parse::<u64>().ok());
    let (hour, minute, second) = (time.next()??, time.next()??, time.next()??);
    let sane = (1970..10_000).contains(&year) && (1..=12).contains(&month);
    if !sane || !(1..=31).contains(&day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let (month, year) = if month > 2 { (month - 3, year) } else { (month + 9, year - 1) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1;
    Some((days - EPOCH) * 86_400 + hour * 3_600 + minute * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_as_the_sdks_read_them() {
        assert_eq!(written(0), "1970-01-01T00:00:00Z");
        assert_eq!(written(951_782_399), "2000-02-28T23:59:59Z");
        assert_eq!(written(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(written(1_795_478_400), "2026-11-24T00:00:00Z");
    }

    #[test]
    fn moments_come_back() {
        for unix in [0, 951_782_400, 1_709_164_800, 1_735_689_599, 1_767_225_600, 4_102_444_799] {
            assert_eq!(read(&written(unix)), Some(unix), "{}", written(unix));
        }
        assert_eq!(read("2025-01-29T23:37:41.068257Z"), Some(1_738_193_861));
        for odd in ["", "now", "2025-13-01T00:00:00Z", "2025-01-01", "1066-01-01T00:00:00Z"] {
            assert_eq!(read(odd), None, "{odd}");
        }
    }
}
