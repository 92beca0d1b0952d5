//! What becomes of what a provider is sent: facts that a policy can demand. Where they come from,
//! and what is demanded of whom, is decided elsewhere.

use std::borrow::Cow;

/// `None` is "not known": never a promise.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DataTerms {
    /// Where content is processed, such as `eu` or `us`.
    pub region: Option<Cow<'static, str>>,
    /// The longest that content is kept after the call, in days; 0: not at all.
    pub retention_days: Option<u32>,
    /// Content is used to train models unless the customer says no.
    pub trains: Option<bool>,
    /// The vendor signs a business associate agreement (HIPAA).
    pub baa: Option<bool>,
}

impl DataTerms {
    /// Nothing is known.
    pub const UNKNOWN: Self = Self { region: None, retention_days: None, trains: None, baa: None };

    /// What is said here, and what `other` says where nothing is said here.
    #[must_use]
    pub fn or(self, other: &Self) -> Self {
        Self {
            region: self.region.or_else(|| other.region.clone()),
            retention_days: self.retention_days.or(other.retention_days),
            trains: self.trains.or(other.trains),
            baa: self.baa.or(other.baa),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_here_goes_before_what_is_said_elsewhere() {
        let row =
            DataTerms { region: Some("us".into()), retention_days: Some(30), ..DataTerms::UNKNOWN };
        let own = DataTerms { retention_days: Some(0), ..DataTerms::UNKNOWN };
        let both = own.or(&row);
        assert_eq!(both.region.as_deref(), Some("us"));
        assert_eq!(both.retention_days, Some(0));
        assert_eq!((both.trains, both.baa), (None, None));
    }
}
