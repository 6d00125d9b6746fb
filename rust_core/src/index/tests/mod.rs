//! Tests of the whole index: random histories against a naive model, damage, crashes and timings.

mod attributes;
mod compaction;
mod crash;
mod damage;
mod durability;
mod equivalence;
mod erasure;
pub(crate) mod fixtures;
mod speed;
mod time_travel;
mod totals;
