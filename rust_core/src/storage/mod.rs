//! Files that are written once, checked by checksums and mapped into memory.

pub mod buffer;
pub(crate) mod durable;
pub(crate) mod seal;
pub(crate) mod sections;
