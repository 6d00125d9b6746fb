//! Sorted immutable runs of rows: made, searched, merged.

pub(super) mod changes;
pub(super) mod compaction;
pub(super) mod merging;
pub mod run;
