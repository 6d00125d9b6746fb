//! Quanyu's core: every per-event and per-person loop. It reads no configuration and writes no logs; Python moves frames,
//! offsets and errors. Only `python` knows pyo3.

pub mod audience;
#[cfg(feature = "encode")]
pub mod encode;
pub mod error;
pub mod eval;
pub mod identity;
pub mod index;
pub mod ingest;
pub mod live;
pub mod log;
pub mod number;
pub mod plan;
pub mod proto;
#[cfg(feature = "python")]
mod python;
pub mod storage;
#[cfg(test)]
mod testing;
