//! The index against a naive model: rows a person, nothing clever.

mod attributes;
mod compaction;
mod durability;
mod equivalence;
mod killed;
mod model;
mod order;
mod send;
mod speed;
