//! The Python extension module `quanyu._core`. Every call releases the GIL and takes or returns bytes, buffers or plain numbers.

mod error;
mod eval;

use pyo3::prelude::*;

#[pymodule]
fn _core(module: &Bound<'_, PyModule>) -> PyResult<()> {
    eval::register(module)?;
    error::register(module)
}
