//! Instants of a plan: fixed, or at a distance from its as-of.

use serde::Deserialize;

/// Milliseconds. One that moves with the as-of lets a plan be asked again, at a later as-of, as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(untagged)]
pub enum Moment {
    At(i64),
    Before(Ago),
}

/// So many milliseconds before the plan's as-of, not that of an `at` around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ago {
    pub ago: i64,
}

impl Moment {
    /// The plan's as-of itself.
    pub const NOW: Moment = Moment::Before(Ago { ago: 0 });

    /// Where the plan's as-of is `as_of`.
    pub fn resolve(self, as_of: i64) -> i64 {
        match self {
            Moment::At(ms) => ms,
            Moment::Before(Ago { ago }) => as_of.saturating_sub(ago),
        }
    }

    /// The distance, if it moves.
    pub fn ago(self) -> Option<i64> {
        match self {
            Moment::At(_) => None,
            Moment::Before(Ago { ago }) => Some(ago),
        }
    }
}
