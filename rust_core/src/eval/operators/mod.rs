//! The operators that read events or several columns at once.

pub mod aggregates;
pub mod batch;
pub mod exists;
pub mod item_filter;
pub mod list_conditions;
pub mod rank;
pub mod scan;
pub mod sequence;
