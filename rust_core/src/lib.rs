//! Quanyu's core: every per-event and per-person loop. It reads no configuration and writes no logs; Python moves frames,
//! offsets and errors. Only `python` knows pyo3.

pub mod error;
pub mod frame;
pub mod identity;
pub mod index;
pub mod ingest;
pub mod log;
pub mod number;
#[cfg(feature = "python")]
mod python;
pub mod record;
pub mod schema;
pub mod wire;
