//! `quanyu._core.Index`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;

use super::eval::{Answer, Explanation, Limits};
use super::witnesses::Witnesses;
use crate::error::Error;
use crate::index::view::Version;
use crate::{eval, index};

/// An encoded `quanyu.api.event.v1.Value`, and whether the number has more digits.
type Valued<'py> = (Bound<'py, PyBytes>, bool);

/// People, events and catalogs of one workspace: a fold of its resolved log.
#[pyclass(frozen, module = "quanyu._core")]
pub struct Index {
    inner: index::Index,
}

impl Index {
    pub fn version(&self) -> Arc<Version> {
        self.inner.version()
    }
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

    fn tidy(&self, py: Python<'_>) -> PyResult<bool> {
        Ok(py.detach(|| self.inner.purge())?)
    }

    fn snapshot(&self, py: Python<'_>) -> PyResult<()> {
        Ok(py.detach(|| self.inner.snapshot())?)
    }

    fn epoch(&self) -> (u64, i64) {
        let epoch = self.inner.version().epoch;
        (epoch.raw_offset, epoch.received_at_ms)
    }

    #[pyo3(signature = (known_at=None))]
    fn schema<'py>(&self, py: Python<'py>, known_at: Option<u64>) -> PyResult<Bound<'py, PyBytes>> {
        let schema = py.detach(|| Ok::<_, Error>(self.inner.known_at(known_at)?.learned_schema().encode()))?;
        Ok(PyBytes::new(py, &schema))
    }

    fn declared<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        let schema = py.detach(|| self.inner.version().schema.encode());
        PyBytes::new(py, &schema)
    }

    #[pyo3(signature = (known_at=None))]
    fn channels(&self, py: Python<'_>, known_at: Option<u64>) -> PyResult<Vec<String>> {
        Ok(py.detach(|| Ok::<_, Error>(self.inner.known_at(known_at)?.channels()))?)
    }

    #[pyo3(signature = (known_at=None))]
    fn earliest_ms(&self, py: Python<'_>, known_at: Option<u64>) -> PyResult<i64> {
        let version = py.detach(|| self.inner.known_at(known_at))?;
        Ok(version.earliest_ms.unwrap_or(0))
    }

    fn statistics(&self, py: Python<'_>) -> BTreeMap<&'static str, u64> {
        py.detach(|| self.inner.version().statistics())
    }

    #[pyo3(signature = (plan, known_at=None, limits=None))]
    fn evaluate(
        &self,
        py: Python<'_>,
        plan: &[u8],
        known_at: Option<u64>,
        limits: Option<&Limits>,
    ) -> PyResult<Answer> {
        let limits = limits.map_or_else(eval::Limits::none, |limits| limits.limits.clone());
        let answer = py.detach(|| eval::evaluate_within(&*self.inner.known_at(known_at)?, plan, &limits))?;
        Ok(Answer::new(answer))
    }

    #[pyo3(signature = (plan, known_at=None, limits=None))]
    fn find(&self, py: Python<'_>, plan: &[u8], known_at: Option<u64>, limits: Option<&Limits>) -> PyResult<Answer> {
        let limits = limits.map_or_else(eval::Limits::none, |limits| limits.limits.clone());
        let answer = py.detach(|| eval::find(&*self.inner.known_at(known_at)?, plan, &limits))?;
        Ok(Answer::new(answer))
    }

    #[pyo3(signature = (plan, persons, known_at=None, limits=None))]
    fn verdicts(
        &self,
        py: Python<'_>,
        plan: &[u8],
        persons: Vec<u64>,
        known_at: Option<u64>,
        limits: Option<&Limits>,
    ) -> PyResult<Vec<Vec<Option<bool>>>> {
        let limits = limits.map_or_else(eval::Limits::none, |limits| limits.limits.clone());
        Ok(py.detach(|| eval::verdicts(&*self.inner.known_at(known_at)?, plan, &persons, &limits))?)
    }

    #[pyo3(signature = (plan, persons, known_at=None, limits=None))]
    fn values<'py>(
        &self,
        py: Python<'py>,
        plan: &[u8],
        persons: Vec<u64>,
        known_at: Option<u64>,
        limits: Option<&Limits>,
    ) -> PyResult<Vec<Vec<Option<Valued<'py>>>>> {
        let limits = limits.map_or_else(eval::Limits::none, |limits| limits.limits.clone());
        let found = py.detach(|| {
            let found = eval::values(&*self.inner.known_at(known_at)?, plan, &persons, &limits)?;
            let message = |value: Option<eval::Value>| value.map(|value| (value.message(), value.is_truncated()));
            let of_expr = |of: Vec<Option<eval::Value>>| of.into_iter().map(message).collect();
            Ok::<Vec<Vec<_>>, Error>(found.into_iter().map(of_expr).collect())
        })?;
        let bytes = |(message, is_truncated): (Vec<u8>, bool)| (PyBytes::new(py, &message), is_truncated);
        let of_expr = |of: Vec<Option<_>>| of.into_iter().map(|value| value.map(bytes)).collect();
        Ok(found.into_iter().map(of_expr).collect())
    }

    #[pyo3(signature = (plan, person, newest, known_at=None, limits=None))]
    fn witnesses(
        &self,
        py: Python<'_>,
        plan: &[u8],
        person: u64,
        newest: usize,
        known_at: Option<u64>,
        limits: Option<&Limits>,
    ) -> PyResult<Vec<Witnesses>> {
        let limits = limits.map_or_else(eval::Limits::none, |limits| limits.limits.clone());
        let found = py.detach(|| eval::witnesses(&*self.inner.known_at(known_at)?, plan, person, newest, &limits))?;
        Ok(found.into_iter().map(Witnesses::new).collect())
    }

    #[pyo3(signature = (plan, known_at=None, limits=None))]
    fn explain(
        &self,
        py: Python<'_>,
        plan: &[u8],
        known_at: Option<u64>,
        limits: Option<&Limits>,
    ) -> PyResult<(Answer, Explanation)> {
        let limits = limits.map_or_else(eval::Limits::none, |limits| limits.limits.clone());
        let (answer, explanation) = py.detach(|| eval::explain(&*self.inner.known_at(known_at)?, plan, &limits))?;
        Ok((Answer::new(answer), Explanation::new(explanation)))
    }

    #[pyo3(signature = (person, as_of_ms, known_at=None))]
    fn profile<'py>(
        &self,
        py: Python<'py>,
        person: u64,
        as_of_ms: i64,
        known_at: Option<u64>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let profile = py.detach(|| self.inner.known_at(known_at)?.profile(person, as_of_ms))?;
        Ok(PyBytes::new(py, &profile))
    }

    #[pyo3(signature = (person, before, limit, known_at=None))]
    fn timeline<'py>(
        &self,
        py: Python<'py>,
        person: u64,
        before: &[u8],
        limit: usize,
        known_at: Option<u64>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let timeline = py.detach(|| self.inner.known_at(known_at)?.timeline(person, before, limit))?;
        Ok(PyBytes::new(py, &timeline))
    }

    #[pyo3(signature = (person, known_at=None))]
    fn first_record_ms(&self, py: Python<'_>, person: u64, known_at: Option<u64>) -> PyResult<Option<i64>> {
        Ok(py.detach(|| Ok::<_, Error>(self.inner.known_at(known_at)?.first_record(person)))?)
    }

    #[pyo3(signature = (person, attributes, from_ms, to_ms, known_at=None))]
    fn attribute_changes(
        &self,
        py: Python<'_>,
        person: u64,
        attributes: Vec<String>,
        from_ms: i64,
        to_ms: i64,
        known_at: Option<u64>,
    ) -> PyResult<Vec<i64>> {
        let changes = || {
            let version = self.inner.known_at(known_at)?;
            version.attribute_changes(person, &attributes, from_ms..to_ms)
        };
        Ok(py.detach(changes)?)
    }
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Index>()
}
