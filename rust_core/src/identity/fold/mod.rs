//! Applies raw frames to the identity graph.

pub(super) mod batch;
pub(super) mod intake;
pub(super) mod linking;
pub(super) mod union;
