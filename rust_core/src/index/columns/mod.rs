//! Typed columns and the dictionary of texts.

pub mod cells;
pub(super) mod column;
pub mod flags;
mod flags_conversion;
pub mod ints;
pub(super) mod origins;
pub mod picks;
pub mod texts;
pub(super) mod values;
