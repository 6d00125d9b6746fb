//! Reads and writes the messages of the logs and of requests: wire format, records, frames, schemas.

pub(crate) mod decision;
pub mod frame;
pub mod record;
pub(crate) mod redaction;
pub mod schema;
pub(crate) mod value;
pub mod wire;
