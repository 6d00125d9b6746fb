//! `LocalLog` for Python.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;

use crate::log;

#[pyclass(frozen, module = "quanyu._core")]
pub struct LocalLog(pub Arc<log::LocalLog>);

#[pymethods]
impl LocalLog {
    #[staticmethod]
    fn create(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        Ok(LocalLog(Arc::new(py.detach(|| log::LocalLog::create(&path))?)))
    }

    #[staticmethod]
    fn follow(path: PathBuf) -> Self {
        LocalLog(Arc::new(log::LocalLog::follow(&path)))
    }

    fn append(&self, py: Python<'_>, frame: &[u8]) -> PyResult<u64> {
        Ok(py.detach(|| self.0.append(frame))?)
    }

    fn replace(&self, py: Python<'_>, frames: Vec<(u64, PyBackedBytes)>) -> PyResult<()> {
        let frames: Vec<(u64, &[u8])> = frames.iter().map(|(offset, frame)| (*offset, &**frame)).collect();
        Ok(py.detach(|| self.0.replace(&frames))?)
    }

    fn read<'py>(&self, py: Python<'py>, offset: u64, max_bytes: usize) -> PyResult<Vec<(u64, Bound<'py, PyBytes>)>> {
        let frames = py.detach(|| self.0.read(offset, max_bytes))?;
        Ok(frames
            .into_iter()
            .map(|(offset, frame)| (offset, PyBytes::new(py, &frame)))
            .collect())
    }

    fn end(&self, py: Python<'_>) -> PyResult<u64> {
        Ok(py.detach(|| self.0.end())?)
    }

    fn wait(&self, py: Python<'_>, offset: u64, timeout_ms: u64) -> PyResult<bool> {
        Ok(py.detach(|| self.0.wait(offset, Duration::from_millis(timeout_ms)))?)
    }

    fn bytes_on_disk(&self, py: Python<'_>) -> PyResult<u64> {
        Ok(py.detach(|| self.0.bytes_on_disk())?)
    }

    fn close(&self, py: Python<'_>) {
        py.detach(|| self.0.close());
    }
}
