//! Money that was spent: whole microdollars. Rates are finer, and live in [`price`](crate::price);
//! what is summed is rounded once.

use std::fmt;

/// Millionths of a dollar.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MicroUsd(pub u64);

impl MicroUsd {
    /// `None` when it is more than can be held.
    #[must_use]
    pub fn plus(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }
}

/// What a call cost. `None` of it: nothing was charged for, since nothing that has a price was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cost {
    Stated(MicroUsd),
    /// Money was spent, and nobody can say how much. The word says why; it is never taken for zero.
    Unknown(&'static str),
}

impl Cost {
    #[must_use]
    pub fn stated(self) -> Option<MicroUsd> {
        match self {
            Self::Stated(cost) => Some(cost),
            Self::Unknown(_) => None,
        }
    }

    /// Of two calls; unknown once one of them is.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        match (self, other) {
            (Self::Stated(one), Self::Stated(other)) => {
                one.plus(other).map_or(Self::Unknown("too_much"), Self::Stated)
            }
            (unknown @ Self::Unknown(_), _) | (_, unknown) => unknown,
        }
    }
}

/// Dollars, with all six places.
impl fmt::Display for MicroUsd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:06}", self.0 / 1_000_000, self.0 % 1_000_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dollars_are_shown_with_every_place() {
        for (micro, shown) in [(0, "0.000000"), (1, "0.000001"), (12_345_678, "12.345678")] {
            assert_eq!(MicroUsd(micro).to_string(), shown);
        }
    }

    #[test]
    fn what_cannot_be_held_is_none() {
        assert_eq!(MicroUsd(1).plus(MicroUsd(2)), Some(MicroUsd(3)));
        assert_eq!(MicroUsd(u64::MAX).plus(MicroUsd(1)), None);
    }
}
