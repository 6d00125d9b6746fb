//! Aggregates of each person's events.

pub mod counts;
pub mod distinct;
pub mod pick_event;
pub mod sums;
pub mod tally;
pub mod totals;
