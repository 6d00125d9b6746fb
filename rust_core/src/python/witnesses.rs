//! `Witnesses`, the events of one person that a condition depends on, for Python.

use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::eval;

#[pyclass(frozen, module = "quanyu._core")]
pub struct Witnesses {
    witnesses: eval::Witnesses,
}

impl Witnesses {
    pub fn new(witnesses: eval::Witnesses) -> Witnesses {
        Witnesses { witnesses }
    }
}

fn messages<'py>(py: Python<'py>, events: &[eval::Event]) -> Vec<Bound<'py, PyBytes>> {
    events.iter().map(|event| PyBytes::new(py, &event.message)).collect()
}

#[pymethods]
impl Witnesses {
    #[getter]
    fn count(&self) -> usize {
        self.witnesses.count
    }

    #[getter]
    fn newest<'py>(&self, py: Python<'py>) -> Vec<Bound<'py, PyBytes>> {
        messages(py, &self.witnesses.newest)
    }

    #[getter]
    fn oldest<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyBytes>> {
        let oldest = self.witnesses.oldest.as_ref();
        oldest.map(|event| PyBytes::new(py, &event.message))
    }

    /// (steps, events).
    #[getter]
    fn sequences<'py>(&self, py: Python<'py>) -> Vec<(usize, Vec<Bound<'py, PyBytes>>)> {
        let sequences = self.witnesses.sequences.iter();
        sequences.map(|one| (one.steps, messages(py, &one.events))).collect()
    }
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Witnesses>()
}
