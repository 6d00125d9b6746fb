//! `quanyu._core.Index`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;

use super::eval::Answer;
use crate::{eval, index};

/// People, events and catalogs of one workspace: a fold of its resolved log.
#[pyclass(frozen, module = "quanyu._core")]
pub struct Index {
    inner: index::Index,
}

#[pymethods]
impl Index {
    /// Opens the newest snapshot in `state`, or starts empty.
    #[new]
    fn new(py: Python<'_>, state: PathBuf) -> PyResult<Self> {
        let inner = py.detach(|| index::Index::open(&state))?;
        Ok(Index { inner })
    }

    #[staticmethod]
    fn follow(py: Python<'_>, state: PathBuf) -> PyResult<Self> {
        let inner = py.detach(|| index::Index::follow(&state))?;
        Ok(Index { inner })
    }

    fn offset(&self) -> u64 {
        self.inner.offset()
    }

    fn fold(&self, py: Python<'_>, frames: Vec<(u64, PyBackedBytes)>) -> PyResult<()> {
        let frames: Vec<(u64, &[u8])> = frames.iter().map(|(offset, frame)| (*offset, &**frame)).collect();
        Ok(py.detach(|| self.inner.fold(&frames))?)
    }

    fn snapshot(&self, py: Python<'_>) -> PyResult<()> {
        Ok(py.detach(|| self.inner.snapshot())?)
    }

    fn epoch(&self) -> (u64, i64) {
        let epoch = self.inner.version().epoch;
        (epoch.raw_offset, epoch.received_at_ms)
    }

    fn schema<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        let schema = py.detach(|| self.inner.version().learned_schema().encode());
        PyBytes::new(py, &schema)
    }

    fn channels(&self, py: Python<'_>) -> Vec<String> {
        py.detach(|| self.inner.version().channels())
    }

    fn earliest_ms(&self) -> i64 {
        self.inner.version().earliest_ms.unwrap_or(0)
    }

    fn statistics(&self, py: Python<'_>) -> BTreeMap<&'static str, u64> {
        py.detach(|| self.inner.version().statistics())
    }

    fn evaluate(&self, py: Python<'_>, plan: &[u8]) -> PyResult<Answer> {
        let answer = py.detach(|| eval::evaluate(&self.inner.version(), plan))?;
        Ok(Answer::new(answer))
    }

    fn profile<'py>(&self, py: Python<'py>, person: u64, as_of_ms: i64) -> Bound<'py, PyBytes> {
        let profile = py.detach(|| self.inner.version().profile(person, as_of_ms));
        PyBytes::new(py, &profile)
    }

    fn timeline<'py>(
        &self,
        py: Python<'py>,
        person: u64,
        before: &[u8],
        limit: usize,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let timeline = py.detach(|| self.inner.version().timeline(person, before, limit))?;
        Ok(PyBytes::new(py, &timeline))
    }
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Index>()
}
