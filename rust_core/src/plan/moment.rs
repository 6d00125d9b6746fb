//! Instants of a plan: fixed, or relative to the as-of of the plan.

use serde::Deserialize;

/// An instant in milliseconds. A relative instant lets the same plan be evaluated again at a later as-of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(untagged)]
pub enum Moment {
    /// Milliseconds since the epoch.
    At(i64),
    /// A distance before the as-of of the plan.
    Before(Ago),
}

/// A distance before the as-of of the plan, even inside an `at` node with another as-of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ago {
    /// Milliseconds before the as-of.
    pub ago: i64,
}

impl Moment {
    /// The as-of of the plan.
    pub const NOW: Moment = Moment::Before(Ago { ago: 0 });

    /// Returns the instant in milliseconds since the epoch, given the as-of of the plan.
    pub fn resolve(self, as_of: i64) -> i64 {
        match self {
            Moment::At(ms) => ms,
            Moment::Before(Ago { ago }) => as_of.saturating_sub(ago),
        }
    }

    /// Returns the distance before the as-of in milliseconds; `None` for a fixed instant.
    pub fn ago(self) -> Option<i64> {
        match self {
            Moment::At(_) => None,
            Moment::Before(Ago { ago }) => Some(ago),
        }
    }
}
