//! `quanyu._core.Resolver`.

use std::collections::HashMap;
use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::identity::redactor;
use crate::identity::{self, DecisionStatus, PARTITION, Policy, Refusal};

/// The identity graph of one workspace: a fold of its raw log.
#[pyclass(frozen, module = "quanyu._core")]
pub struct Resolver {
    inner: identity::Resolver,
}

#[pymethods]
impl Resolver {
    /// Opens the newest snapshot in `state`, or starts empty.
    #[new]
    fn new(py: Python<'_>, state: PathBuf) -> PyResult<Self> {
        let inner = py.detach(|| identity::Resolver::open(&state, Policy::default(), PARTITION))?;
        Ok(Resolver { inner })
    }

    fn offset(&self, py: Python<'_>) -> u64 {
        py.detach(|| self.inner.offset())
    }

    fn received_at_ms(&self, py: Python<'_>) -> i64 {
        py.detach(|| self.inner.received_at_ms())
    }

    fn fold<'py>(&self, py: Python<'py>, offset: u64, frame: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
        let resolved = py.detach(|| self.inner.fold(offset, frame))?;
        Ok(PyBytes::new(py, &resolved))
    }

    fn snapshot(&self, py: Python<'_>) -> PyResult<()> {
        Ok(py.detach(|| self.inner.snapshot())?)
    }

    fn redactor(&self, py: Python<'_>) -> Option<Redactor> {
        py.detach(|| self.inner.redactor()).map(Redactor)
    }

    fn forget(&self, py: Python<'_>, raw_offset: u64) -> PyResult<()> {
        Ok(py.detach(|| self.inner.forget(raw_offset))?)
    }

    fn owner(&self, py: Python<'_>, namespace: &str, value: &str) -> u64 {
        py.detach(|| self.inner.owner((namespace, value)))
    }

    fn all_erased(&self, py: Python<'_>, from_raw_offset: u64) -> (u64, Vec<u64>) {
        py.detach(|| self.inner.all_erased(from_raw_offset))
    }

    fn erased(&self, py: Python<'_>, key: &str) -> Option<(u64, u64)> {
        py.detach(|| self.inner.erased(key))
    }

    fn resolve(&self, py: Python<'_>, namespace: &str, value: &str) -> u64 {
        py.detach(|| self.inner.resolve((namespace, value)))
    }

    fn batch_resolve<'py>(&self, py: Python<'py>, request: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
        let response = py.detach(|| self.inner.batch_resolve(request))?;
        Ok(PyBytes::new(py, &response))
    }

    fn person<'py>(&self, py: Python<'py>, person: u64) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &py.detach(|| self.inner.person(person)))
    }

    /// Returns (reason, position).
    fn refusal(&self, py: Python<'_>, decision: &[u8]) -> PyResult<Option<(&'static str, usize)>> {
        let refusal = py.detach(|| self.inner.refusal(decision))?;
        Ok(refusal.map(|refusal| match refusal {
            Refusal::UnknownPerson => ("UNKNOWN_PERSON", 0),
            Refusal::NotOfPerson(position) => ("NOT_OF_PERSON", position),
            Refusal::NothingLeaves => ("NOTHING_LEAVES", 0),
            Refusal::NothingStays => ("NOTHING_STAYS", 0),
        }))
    }

    /// Returns (outcome, from, to, raw offset).
    fn outcome(&self, py: Python<'_>, decision: &[u8]) -> PyResult<Option<(&'static str, u64, u64, u64)>> {
        let outcome = py.detach(|| self.inner.outcome(decision))?;
        Ok(outcome.map(|outcome| match outcome {
            DecisionStatus::Conflict => ("CONFLICT", 0, 0, 0),
            DecisionStatus::Void => ("VOID", 0, 0, 0),
            DecisionStatus::Split { from, to, raw_offset } => ("SPLIT", from, to, raw_offset),
            DecisionStatus::Erased => ("ERASED", 0, 0, 0),
        }))
    }

    fn explain<'py>(
        &self,
        py: Python<'py>,
        from_namespace: &str,
        from_value: &str,
        to_namespace: &str,
        to_value: &str,
    ) -> Bound<'py, PyBytes> {
        let (from, to) = ((from_namespace, from_value), (to_namespace, to_value));
        PyBytes::new(py, &py.detach(|| self.inner.explain(from, to)))
    }

    fn identifiers<'py>(
        &self,
        py: Python<'py>,
        persons: &[u8],
        namespace: &str,
        max_rows: usize,
    ) -> PyResult<Vec<Bound<'py, PyBytes>>> {
        let messages = py.detach(|| self.inner.identifiers(persons, namespace, max_rows))?;
        Ok(messages.iter().map(|message| PyBytes::new(py, message)).collect())
    }

    fn policy<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &py.detach(|| self.inner.policy()))
    }

    fn violations<'py>(&self, py: Python<'py>, before: u64, limit: usize) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &py.detach(|| self.inner.violations(before, limit)))
    }

    fn statistics(&self, py: Python<'_>) -> HashMap<&'static str, u64> {
        let statistics = py.detach(|| self.inner.statistics());
        HashMap::from([
            ("persons", statistics.persons),
            ("identifiers", statistics.identifiers),
            ("edges", statistics.edges),
            ("merges", statistics.merges),
            ("splits", statistics.splits),
            ("violations", statistics.violations),
        ])
    }
}

#[pyclass(frozen, module = "quanyu._core")]
pub struct Redactor(redactor::Redactor);

#[pymethods]
impl Redactor {
    fn raw_offsets(&self) -> (u64, u64) {
        let offsets = self.0.raw_offsets();
        (offsets.start, offsets.end)
    }

    fn redact<'py>(
        &self,
        py: Python<'py>,
        raw_offset: u64,
        raw: &[u8],
        resolved: &[u8],
    ) -> PyResult<(Option<Bound<'py, PyBytes>>, Option<Bound<'py, PyBytes>>)> {
        let redacted = py.detach(|| self.0.redact(raw_offset, raw, resolved))?;
        let bytes = |frame: Option<Vec<u8>>| frame.map(|frame| PyBytes::new(py, &frame));
        Ok((bytes(redacted.raw), bytes(redacted.resolved)))
    }

    fn redact_rejects<'py>(&self, py: Python<'py>, frame: &[u8]) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let redacted = py.detach(|| self.0.redact_rejects(frame))?;
        Ok(redacted.map(|frame| PyBytes::new(py, &frame)))
    }
}
