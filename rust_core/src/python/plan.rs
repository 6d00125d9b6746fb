//! `plan_dependencies`, for Python.

use std::collections::BTreeSet;

use pyo3::prelude::*;

use crate::live::{Dependencies as OfRoot, Dependency};
use crate::plan::Root;

/// The data that a root of a plan reads, and the instants and durations at which its result changes.
#[pyclass(frozen, module = "quanyu._core")]
pub struct Dependencies {
    of_root: OfRoot,
}

impl Dependencies {
    fn names<'d>(&'d self, name: impl Fn(&'d Dependency) -> Option<&'d String>) -> BTreeSet<String> {
        self.of_root.inputs.iter().filter_map(name).cloned().collect()
    }
}

#[pymethods]
impl Dependencies {
    #[getter]
    fn event_types(&self) -> BTreeSet<String> {
        self.names(|dependency| match dependency {
            Dependency::Events(name) => Some(name),
            _ => None,
        })
    }

    #[getter]
    fn attributes(&self) -> BTreeSet<String> {
        self.names(|dependency| match dependency {
            Dependency::Attribute(name) => Some(name),
            _ => None,
        })
    }

    #[getter]
    fn channels(&self) -> bool {
        let mut of = self.of_root.inputs.iter();
        of.any(|dependency| matches!(dependency, Dependency::Channels(_)))
    }

    #[getter]
    fn ranks(&self) -> bool {
        self.of_root.ranks
    }

    #[getter]
    fn ages_ms(&self) -> BTreeSet<i64> {
        self.of_root.ages_ms.clone()
    }

    #[getter]
    fn durations_ms(&self) -> BTreeSet<i64> {
        self.of_root.durations_ms.clone()
    }

    #[getter]
    fn past_ms(&self) -> i64 {
        self.of_root.past_ms
    }

    #[getter]
    fn items_in_windows(&self) -> bool {
        self.of_root.items_in_windows
    }
}

#[pyfunction]
fn plan_dependencies(py: Python<'_>, root: &[u8]) -> PyResult<Dependencies> {
    let of_root = py.detach(|| Ok::<_, crate::error::Error>(OfRoot::of(&Root::parse(root)?)))?;
    Ok(Dependencies { of_root })
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Dependencies>()?;
    module.add_function(wrap_pyfunction!(plan_dependencies, module)?)
}
