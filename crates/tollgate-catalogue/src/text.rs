//! The catalogue as one sorted text. Lines that begin with `#` stand at its head and say where it
//! comes from; the others are searched by halving.

use std::borrow::Cow;
use std::fmt;

use crate::entry::{Entry, Line};
use crate::names;

/// The one that the program carries.
const BUILT_IN: &str = include_str!("../models.tsv");

/// The first line of every catalogue.
pub(crate) const TITLE: &str = "# tollgate catalogue 1";

pub struct Catalogue {
    text: Cow<'static, str>,
    /// Where the head ends.
    rows: usize,
}

impl fmt::Debug for Catalogue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Catalogue").field("bytes", &self.text.len()).finish_non_exhaustive()
    }
}

/// Why a text is no catalogue.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {why}")]
pub struct Unreadable {
    pub line: usize,
    pub why: &'static str,
}

impl Catalogue {
    /// The one that the program carries. A test reads it whole; nothing is looked at here.
    #[must_use]
    pub fn built_in() -> Self {
        Self { text: Cow::Borrowed(BUILT_IN), rows: head(BUILT_IN) }
    }

    /// One that an operator gives, read whole.
    ///
    /// # Errors
    /// The first line that is none, or stands out of order.
    pub fn read(text: String) -> Result<Self, Unreadable> {
        if !text.starts_with(TITLE) {
            let why = "a catalogue begins with `# tollgate catalogue 1`";
            return Err(Unreadable { line: 1, why });
        }
        let catalogue = Self { rows: head(&text), text: Cow::Owned(text) };
        let above = catalogue.about().lines().count();
        let mut last: Option<(&str, &str)> = None;
        for (at, line) in catalogue.text[catalogue.rows..].lines().enumerate() {
            let wrong = |why| Unreadable { line: above + at + 1, why };
            let key = match Line::read(line) {
                Some(Line::Entry(entry)) if entry.is_sound() => (entry.kind, entry.name),
                Some(Line::Alias { kind, name, .. }) => (kind, name),
                _ => return Err(wrong("it cannot be read")),
            };
            if last.is_some_and(|last| last >= key) {
                return Err(wrong("it is out of order, or there twice"));
            }
            last = Some(key);
        }
        if last.is_none() {
            return Err(Unreadable { line: above + 1, why: "there are no models" });
        }
        Ok(catalogue)
    }

    /// Its head: where it comes from, and how it was made.
    #[must_use]
    pub fn about(&self) -> &str {
        &self.text[..self.rows]
    }

    /// How many bytes it takes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.text.len()
    }

    /// The model of that name at providers of that kind; in one of the spellings that mean the
    /// same.
    #[must_use]
    pub fn find(&self, kind: &str, name: &str) -> Option<Entry<'_>> {
        let spellings = names::spellings(kind, name);
        let found = spellings.iter().find_map(|name| self.exactly(kind, name));
        found.or_else(|| spellings.iter().find_map(|name| self.newest_dated(kind, name)))
    }

    /// Of models that are named with a date only, the latest stands for the name without one.
    fn newest_dated(&self, kind: &str, name: &str) -> Option<Entry<'_>> {
        let rows = self.from(kind, name).lines().filter_map(Line::read);
        let near = rows.map_while(|line| match line {
            Line::Entry(entry) if entry.kind == kind && entry.name.starts_with(name) => {
                Some(Some(entry))
            }
            Line::Alias { kind: of, name: alias, .. } if of == kind && alias.starts_with(name) => {
                Some(None)
            }
            _ => None,
        });
        near.flatten().filter(|entry| names::without_date(entry.name) == Some(name)).last()
    }

    /// The model of just that name, or the one that it is another name of.
    #[must_use]
    pub fn exactly(&self, kind: &str, name: &str) -> Option<Entry<'_>> {
        match self.line(kind, name)? {
            Line::Entry(entry) => Some(entry),
            Line::Alias { kind, of, .. } => match self.line(kind, of)? {
                Line::Entry(entry) => Some(entry),
                Line::Alias { .. } => None,
            },
        }
    }

    /// Every model of providers of that kind, by name; other names left out.
    pub fn of<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = Entry<'a>> {
        let lines = self.from(kind, "").lines().map_while(Line::read);
        lines
            .take_while(move |line| match line {
                Line::Entry(entry) => entry.kind == kind,
                Line::Alias { kind: of, .. } => *of == kind,
            })
            .filter_map(|line| match line {
                Line::Entry(entry) => Some(entry),
                Line::Alias { .. } => None,
            })
    }

    /// Every model.
    pub fn all(&self) -> impl Iterator<Item = Entry<'_>> {
        self.text[self.rows..].lines().filter_map(|line| match Line::read(line)? {
            Line::Entry(entry) => Some(entry),
            Line::Alias { .. } => None,
        })
    }

    fn line(&self, kind: &str, name: &str) -> Option<Line<'_>> {
        let line = self.from(kind, name).lines().next()?;
        (key(line) == (kind, name)).then(|| Line::read(line)).flatten()
    }

    /// The rows from the first on that does not stand before `kind` and `name`.
    fn from(&self, kind: &str, name: &str) -> &str {
        let rows = &self.text[self.rows..];
        let (mut low, mut high) = (0, rows.len());
        while low < high {
            let mut middle = low + (high - low) / 2;
            while !rows.is_char_boundary(middle) {
                middle -= 1;
            }
            let start = rows[low..middle].rfind('\n').map_or(low, |at| low + at + 1);
            let end = rows[start..high].find('\n').map_or(high, |at| start + at + 1);
            if key(rows[start..end].trim_end_matches('\n')) < (kind, name) {
                low = end;
            } else {
                high = start;
            }
        }
        &rows[low..]
    }
}

fn key(line: &str) -> (&str, &str) {
    let mut columns = line.split('\t');
    (columns.next().unwrap_or_default(), columns.next().unwrap_or_default())
}

/// Where the lines end that begin with `#`.
fn head(text: &str) -> usize {
    let heads = text.split_inclusive('\n').take_while(|line| line.starts_with('#'));
    heads.map(str::len).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = "# tollgate catalogue 1\n# from nowhere\na\tm1\tchat\t10\na\tm2\t=\tm1\na\tm3\tembedding\na\tm9-0901\tchat\na\tm9-0905\tchat\na\tm9-x-0905\tchat\nb\tm1\tchat\t20\nc\tz\tchat\n";

    #[test]
    fn every_line_is_found_and_nothing_else() {
        let small = Catalogue::read(SMALL.to_owned()).unwrap();
        assert_eq!(small.about(), "# tollgate catalogue 1\n# from nowhere\n");
        assert_eq!(small.exactly("a", "m1").unwrap().context, Some(10));
        assert_eq!(small.exactly("a", "m2").unwrap().name, "m1", "another name");
        assert_eq!(small.exactly("b", "m1").unwrap().context, Some(20));
        assert_eq!(small.exactly("c", "z").unwrap().name, "z");
        for (kind, name) in [("a", "m"), ("a", "m4"), ("aa", "m1"), ("d", "z"), ("", "")] {
            assert!(small.exactly(kind, name).is_none(), "{kind} {name}");
        }
        let names: Vec<_> = small.of("a").map(|entry| entry.name).collect();
        assert_eq!(names, ["m1", "m3", "m9-0901", "m9-0905", "m9-x-0905"]);
        assert_eq!(small.find("a", "m9").unwrap().name, "m9-0905", "the latest");
        assert_eq!(small.find("a", "m9-latest").unwrap().name, "m9-0905");
        assert_eq!(small.find("a", "m9-0902").unwrap().name, "m9-0905");
        assert!(small.find("a", "m8").is_none());
        assert_eq!(small.of("nobody").count(), 0);
        assert_eq!(small.all().count(), 7);
    }

    #[test]
    fn what_is_no_catalogue_is_refused_with_its_line() {
        let said = |text: &str| Catalogue::read(text.to_owned()).unwrap_err().to_string();
        assert!(said("").starts_with("line 1: a catalogue begins"), "{}", said(""));
        let head = "# tollgate catalogue 1\n";
        assert_eq!(said(head), "line 2: there are no models");
        assert_eq!(said(&format!("{head}a\tm\tchat\tmany\n")), "line 2: it cannot be read");
        let twice = format!("{head}a\tm\tchat\na\tm\tchat\n");
        assert_eq!(said(&twice), "line 3: it is out of order, or there twice");
    }
}
