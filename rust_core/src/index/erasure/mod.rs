//! Removes erased people: from every query result at once, from stored data later.

pub(super) mod erased;
pub(super) mod exclusion;
pub(super) mod purge;
