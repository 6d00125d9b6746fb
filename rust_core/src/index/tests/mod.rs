//! The index against a naive model: rows a person, nothing clever.

mod attributes;
mod durability;
mod equivalence;
mod erasing;
mod known;
mod model;
mod order;
pub mod send;
mod speed;
