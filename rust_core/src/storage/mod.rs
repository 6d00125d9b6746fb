//! Files of the engine: atomic replacement, checksums, and the encodings of snapshots.
//!
//! `varints` encodes small states as varints and texts; `sections` encodes arrays that are mapped into memory.

pub mod buffer;
pub(crate) mod checksum;
pub(crate) mod durable;
pub(crate) mod file_check;
pub(crate) mod sections;
pub(crate) mod varints;
