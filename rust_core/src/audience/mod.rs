//! Sets of people outside the index: their wire format and the campaign waterfall.

pub mod roaring_set;
pub mod waterfall;
