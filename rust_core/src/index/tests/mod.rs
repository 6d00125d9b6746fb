//! The index against a naive model: rows a person, nothing clever.

mod attributes;
mod compaction;
mod crash;
mod durability;
pub(crate) mod encoded;
pub(crate) mod equivalence;
pub(crate) mod erasure;
mod invariants;
pub(crate) mod model;
pub(crate) mod random_history;
mod speed;
mod time_travel;
mod totals;
