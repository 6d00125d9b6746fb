//! `Answer`, `Limits`, `Explanation`, and functions on sets of people, for Python.

use std::sync::atomic::Ordering;

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use roaring::RoaringTreemap;

use crate::audience::roaring_set;
use crate::audience::waterfall::waterfall;
use crate::error::{Error, Result};
use crate::eval;

#[pyclass(frozen, module = "quanyu._core")]
pub struct Answer {
    answer: eval::Answer,
}

impl Answer {
    pub fn new(answer: eval::Answer) -> Answer {
        Answer { answer }
    }

    fn counted(&self, root: usize) -> Result<&eval::RootAnswer> {
        match self.answer.counted {
            true => self.answer.root(root),
            false => Err(Error::Invalid(
                "only the members were asked for: `evaluate` counts the unknown and the clauses".into(),
            )),
        }
    }
}

#[pymethods]
impl Answer {
    #[getter]
    fn epoch(&self) -> (u64, i64) {
        (self.answer.epoch.raw_offset, self.answer.epoch.received_at_ms)
    }

    #[getter]
    fn universe(&self) -> u64 {
        self.answer.universe
    }

    #[getter]
    fn microseconds(&self) -> u64 {
        self.answer.microseconds
    }

    fn matched(&self, root: usize) -> PyResult<u64> {
        Ok(self.answer.root(root)?.matched)
    }

    fn counts(&self, root: usize) -> PyResult<(u64, u64)> {
        let root = self.counted(root)?;
        Ok((root.matched, root.unknown))
    }

    fn clauses(&self, root: usize) -> PyResult<Vec<(u64, u64)>> {
        Ok(self.counted(root)?.clauses.clone())
    }

    fn roaring<'py>(&self, py: Python<'py>, root: usize) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = py.detach(|| self.answer.root(root)?.people.roaring())?;
        Ok(PyBytes::new(py, &bytes))
    }

    fn page(&self, py: Python<'_>, root: usize, after: u64, limit: usize) -> PyResult<Vec<u64>> {
        Ok(py.detach(|| self.answer.root(root).map(|root| root.people.page(after, limit)))?)
    }

    fn contains(&self, py: Python<'_>, root: usize, persons: Vec<u64>) -> PyResult<Vec<bool>> {
        let contains = || {
            let root = self.answer.root(root)?;
            Ok::<_, crate::error::Error>(persons.into_iter().map(|person| root.people.contains(person)).collect())
        };
        Ok(py.detach(contains)?)
    }
}

/// Limits the memory of evaluations, and cancels them. Any thread can cancel.
#[pyclass(frozen, module = "quanyu._core")]
pub struct Limits {
    pub limits: eval::Limits,
}

#[pymethods]
impl Limits {
    #[new]
    fn new(bytes: u64) -> Limits {
        let limits = eval::Limits {
            bytes,
            ..eval::Limits::none()
        };
        Limits { limits }
    }

    fn cancel(&self) {
        self.limits.cancelled.store(true, Ordering::Relaxed);
    }
}

#[pyclass(frozen, module = "quanyu._core")]
pub struct Explanation {
    explanation: eval::Explanation,
}

impl Explanation {
    pub fn new(explanation: eval::Explanation) -> Explanation {
        Explanation { explanation }
    }
}

#[pymethods]
impl Explanation {
    #[getter]
    fn roots(&self) -> Vec<usize> {
        self.explanation.roots.clone()
    }

    #[getter]
    fn nodes(&self) -> Vec<PlanNode> {
        let nodes = self.explanation.nodes.iter().cloned();
        nodes.map(|node| PlanNode { node }).collect()
    }
}

#[pyclass(frozen, module = "quanyu._core")]
pub struct PlanNode {
    node: eval::Node,
}

#[pymethods]
impl PlanNode {
    #[getter]
    fn op(&self) -> &'static str {
        self.node.op
    }

    #[getter]
    fn reads(&self) -> Vec<String> {
        self.node.reads.clone()
    }

    #[getter]
    fn of(&self) -> Vec<usize> {
        self.node.of.clone()
    }

    #[getter]
    fn evaluated(&self) -> u64 {
        self.node.evaluated
    }

    #[getter]
    fn unread(&self) -> u64 {
        self.node.unread
    }

    #[getter]
    fn rows(&self) -> u64 {
        self.node.rows
    }

    #[getter]
    fn bytes(&self) -> u64 {
        self.node.bytes
    }

    #[getter]
    fn microseconds(&self) -> u64 {
        self.node.microseconds
    }

    #[getter]
    fn matched(&self) -> u64 {
        self.node.matched
    }
}

type Waterfall<'py> = (Vec<(String, u64)>, Bound<'py, PyBytes>, Bound<'py, PyBytes>);

#[pyfunction]
fn plan_waterfall<'py>(
    py: Python<'py>,
    audience: &[u8],
    steps: Vec<(String, Vec<u8>, bool)>,
    holdout_salt: &str,
    holdout_basis_points: u64,
) -> PyResult<Waterfall<'py>> {
    let planned = py.detach(|| {
        let decoded = steps
            .into_iter()
            .map(|(name, people, keep)| Ok((name, roaring_set::decode(&people)?, keep)));
        let steps = decoded.collect::<Result<Vec<_>>>()?;
        let result = waterfall(
            roaring_set::decode(audience)?,
            steps,
            holdout_salt,
            holdout_basis_points,
        )?;
        let (eligible, held_out) = (
            roaring_set::encode(&result.eligible)?,
            roaring_set::encode(&result.held_out)?,
        );
        Ok::<_, crate::error::Error>((result.remaining, eligible, held_out))
    });
    let (remaining, eligible, held_out) = planned?;
    Ok((remaining, PyBytes::new(py, &eligible), PyBytes::new(py, &held_out)))
}

#[pyfunction]
fn roaring_count(py: Python<'_>, persons: &[u8]) -> PyResult<u64> {
    Ok(py.detach(|| roaring_set::decode(persons).map(|set| set.len()))?)
}

#[pyfunction]
fn roaring_ids(py: Python<'_>, persons: &[u8], after: u64, limit: usize) -> PyResult<Vec<u64>> {
    Ok(py.detach(|| roaring_set::decode(persons).map(|set| roaring_set::page(&set, after, limit)))?)
}

#[pyfunction]
fn roaring_from_ids<'py>(py: Python<'py>, persons: Vec<u64>) -> PyResult<Bound<'py, PyBytes>> {
    let bytes = py.detach(|| roaring_set::encode(&persons.into_iter().collect()))?;
    Ok(PyBytes::new(py, &bytes))
}

#[pyfunction]
fn roaring_union<'py>(py: Python<'py>, a: &[u8], b: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
    combined(py, a, b, |a, b| a | b)
}

#[pyfunction]
fn roaring_difference<'py>(py: Python<'py>, a: &[u8], b: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
    combined(py, a, b, |a, b| a - b)
}

fn combined<'py>(
    py: Python<'py>,
    a: &[u8],
    b: &[u8],
    combine: impl Fn(RoaringTreemap, RoaringTreemap) -> RoaringTreemap + Send + Sync,
) -> PyResult<Bound<'py, PyBytes>> {
    let bytes = py.detach(|| roaring_set::encode(&combine(roaring_set::decode(a)?, roaring_set::decode(b)?)))?;
    Ok(PyBytes::new(py, &bytes))
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Answer>()?;
    module.add_class::<Limits>()?;
    module.add_class::<Explanation>()?;
    module.add_class::<PlanNode>()?;
    module.add_function(wrap_pyfunction!(plan_waterfall, module)?)?;
    module.add_function(wrap_pyfunction!(roaring_count, module)?)?;
    module.add_function(wrap_pyfunction!(roaring_ids, module)?)?;
    module.add_function(wrap_pyfunction!(roaring_from_ids, module)?)?;
    module.add_function(wrap_pyfunction!(roaring_union, module)?)?;
    module.add_function(wrap_pyfunction!(roaring_difference, module)?)
}
