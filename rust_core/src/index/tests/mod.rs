//! The index against a naive model: rows a person, nothing clever.

mod durability;
mod equivalence;
mod model;
mod send;
mod speed;
