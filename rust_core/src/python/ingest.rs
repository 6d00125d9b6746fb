//! `Ingestor` and other parts of ingestion, for Python.

use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::RwLock;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::log::LocalLog;
use crate::error::{Error, Result};
use crate::{encode, ingest};

#[pyclass(frozen, module = "quanyu._core")]
pub struct Ingestor {
    /// `None` after `close`.
    inner: RwLock<Option<Arc<ingest::Ingestor>>>,
}

impl Ingestor {
    fn open(&self) -> Result<Arc<ingest::Ingestor>> {
        let inner = self.inner.read().clone();
        inner.ok_or_else(|| Error::Invalid("the ingestor is closed".into()))
    }
}

#[pymethods]
impl Ingestor {
    #[new]
    fn new(py: Python<'_>, raw: &LocalLog, rejects: &LocalLog, state: PathBuf) -> PyResult<Self> {
        let (raw, rejects) = (raw.0.clone(), rejects.0.clone());
        let inner = py.detach(|| ingest::Ingestor::open(raw, rejects, &state))?;
        Ok(Ingestor {
            inner: RwLock::new(Some(Arc::new(inner))),
        })
    }

    fn ingest<'py>(&self, py: Python<'py>, request: &[u8], received_at_ms: i64) -> PyResult<Bound<'py, PyBytes>> {
        let response = py.detach(|| self.open()?.ingest(request, received_at_ms))?;
        Ok(PyBytes::new(py, &response))
    }

    fn put_schema(&self, py: Python<'_>, schema: &[u8], received_at_ms: i64) -> PyResult<u64> {
        Ok(py.detach(|| self.open()?.put_schema(schema, received_at_ms))?)
    }

    fn record_decision(&self, py: Python<'_>, decision: &[u8], received_at_ms: i64) -> PyResult<u64> {
        Ok(py.detach(|| self.open()?.record_decision(decision, received_at_ms))?)
    }

    fn schema<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        Ok(PyBytes::new(
            py,
            &py.detach(|| self.open().map(|inner| inner.schema()))?,
        ))
    }

    fn close(&self, py: Python<'_>) {
        py.detach(|| *self.inner.write() = None);
    }
}

#[pyfunction]
pub fn peek_workspace(request: &[u8]) -> PyResult<&str> {
    Ok(ingest::peek_workspace(request)?)
}

#[pyclass(frozen, module = "quanyu._core")]
pub struct RecordEncoder(encode::RecordEncoder);

#[pymethods]
impl RecordEncoder {
    #[new]
    fn new(mapping: &[u8], workspace: &str) -> PyResult<Self> {
        Ok(RecordEncoder(encode::RecordEncoder::new(mapping, workspace)?))
    }

    fn encode<'py>(&self, py: Python<'py>, batch: &[u8], first_row: u64) -> PyResult<Vec<Bound<'py, PyBytes>>> {
        let requests = py.detach(|| self.0.encode(batch, first_row))?;
        Ok(requests.iter().map(|request| PyBytes::new(py, request)).collect())
    }
}
