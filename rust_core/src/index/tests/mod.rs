//! The index against a naive model: rows a person, nothing clever.

mod attributes;
mod compaction;
pub(crate) mod deeds;
mod durability;
pub(crate) mod equivalence;
pub(crate) mod erasing;
mod killed;
mod known;
pub(crate) mod model;
mod order;
pub(crate) mod send;
mod speed;
mod totals;
