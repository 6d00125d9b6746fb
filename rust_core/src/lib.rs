//! Quanyu's core: every per-event and per-person loop. It reads no configuration and writes no logs; Python moves frames,
//! offsets and errors. Only `python` knows pyo3.

mod decision;
#[cfg(feature = "encode")]
pub mod encode;
pub mod error;
pub mod eval;
pub mod frame;
pub mod identity;
pub mod index;
pub mod ingest;
pub mod live;
pub mod log;
pub mod number;
pub mod plan;
#[cfg(feature = "python")]
mod python;
pub mod record;
mod redaction;
pub mod redactor;
pub mod schema;
pub mod wire;
pub mod wire_set;
