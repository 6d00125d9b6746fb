//! `quanyu._core.Live`.

use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::eval::{Answer, Limits};
use super::index::Index;
use crate::live;

/// The live segments of one workspace: a fold of its membership log.
#[pyclass(frozen, module = "quanyu._core")]
pub struct Live {
    inner: live::Live,
}

/// Segment, version, count, digest, (raw offset, arrival of the newest frame in ms, as-of in ms), error.
type StatusTuple = (String, u32, u64, u64, Option<(u64, i64, i64)>, Option<String>);
/// Segment, version, roaring bytes, count, digest.
type Held<'py> = (String, u32, Bound<'py, PyBytes>, u64, u64);

#[pymethods]
impl Live {
    #[new]
    fn new(py: Python<'_>, state: PathBuf) -> PyResult<Self> {
        let inner = py.detach(|| live::Live::open(&state))?;
        Ok(Live { inner })
    }

    fn offset(&self, py: Python<'_>) -> u64 {
        py.detach(|| self.inner.offset())
    }

    fn fold(&self, py: Python<'_>, offset: u64, frame: &[u8]) -> PyResult<()> {
        Ok(py.detach(|| self.inner.fold(offset, frame))?)
    }

    fn put(&self, py: Python<'_>, segment: &str, version: u32, root: &[u8]) -> PyResult<()> {
        Ok(py.detach(|| self.inner.put(segment, version, root))?)
    }

    fn refuse(&self, py: Python<'_>, segment: &str, version: u32, error: &str) {
        py.detach(|| self.inner.refuse(segment, version, error));
    }

    fn step<'py>(
        &self,
        py: Python<'py>,
        index: &Index,
        as_of_ms: i64,
        limits: &Limits,
    ) -> PyResult<Option<Vec<Bound<'py, PyBytes>>>> {
        let frames = py.detach(|| self.inner.step(index.version(), as_of_ms, &limits.limits))?;
        let bytes = |frames: Vec<Vec<u8>>| frames.iter().map(|frame| PyBytes::new(py, frame)).collect();
        Ok(frames.map(bytes))
    }

    fn settle(&self, py: Python<'_>) -> bool {
        py.detach(|| self.inner.settle())
    }

    fn statuses(&self, py: Python<'_>) -> Vec<StatusTuple> {
        let of = |status: live::SegmentStatus| {
            let fresh = status.fresh;
            let fresh = fresh.map(|(epoch, as_of)| (epoch.raw_offset, epoch.received_at_ms, as_of));
            let live::SegmentStatus {
                segment,
                version,
                count,
                digest,
                error,
                ..
            } = status;
            (segment, version, count, digest, fresh, error)
        };
        py.detach(|| self.inner.statuses().into_iter().map(of).collect())
    }

    fn members<'py>(&self, py: Python<'py>, segments: Vec<String>) -> PyResult<(u64, Vec<Held<'py>>)> {
        let (offset, held) = py.detach(|| {
            let (offset, held) = self.inner.members(&segments);
            let bytes = held
                .into_iter()
                .map(|segment| Ok((segment.members.roaring()?, segment)));
            Ok::<_, crate::error::Error>((offset, bytes.collect::<crate::error::Result<Vec<_>>>()?))
        })?;
        let named = segments.into_iter().zip(held);
        let held = named.map(|(name, (roaring, segment))| {
            (
                name,
                segment.version,
                PyBytes::new(py, &roaring),
                segment.count,
                segment.digest,
            )
        });
        Ok((offset, held.collect()))
    }

    fn answer(&self, py: Python<'_>, segments: Vec<String>) -> PyResult<(Answer, i64)> {
        let (answer, as_of_ms) = py.detach(|| self.inner.answer(&segments))?;
        Ok((Answer::new(answer), as_of_ms))
    }

    fn save(&self, py: Python<'_>) -> PyResult<()> {
        Ok(py.detach(|| self.inner.save())?)
    }
}
