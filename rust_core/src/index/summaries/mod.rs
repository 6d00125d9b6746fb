//! Summaries per person, kept next to the events so that common conditions need not read them.

pub mod counts;
pub mod firsts;
pub mod learned;
pub mod spans;
pub mod totals;
