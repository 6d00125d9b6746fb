//! The Python extension module `quanyu._core`. Each call releases the GIL and takes or returns bytes, buffers or plain numbers.

mod error;
mod eval;
mod identity;
mod index;
mod ingest;
mod live;
mod log;
mod plan;
mod witnesses;

use pyo3::prelude::*;

// Each answer frees its memory and the next one allocates it again. The system allocator returns it to the kernel in between, and the
// page faults then cost more than the answer.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[pymodule]
fn _core(module: &Bound<'_, PyModule>) -> PyResult<()> {
    error::register(module)?;
    module.add_class::<log::LocalLog>()?;
    module.add_class::<ingest::Ingestor>()?;
    module.add_class::<ingest::RecordEncoder>()?;
    module.add_function(wrap_pyfunction!(ingest::peek_workspace, module)?)?;
    module.add_class::<identity::Redactor>()?;
    module.add_class::<identity::Resolver>()?;
    index::register(module)?;
    eval::register(module)?;
    plan::register(module)?;
    witnesses::register(module)?;
    module.add_class::<live::Live>()
}
