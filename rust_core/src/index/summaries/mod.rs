//! Figures by person that are kept beside the events, so that questions need not read the events.

pub mod counts;
pub mod firsts;
pub mod learned;
pub mod spans;
pub mod totals;
