//! Logs of sorted runs: when runs are merged, and in what order their rows come together.

use std::cmp::Ordering;
use std::ops::Range;
use std::sync::Arc;

use crate::error::Result;
use crate::index::columns::picks::Pick;
use crate::index::columns::texts::Texts;

/// As many runs of like size are merged at once.
const FAN_IN: usize = 4;
/// A run of so many rows is merged no more, so that no merge takes long.
const MAX_MERGE_ROWS: usize = 1 << 21;

/// A run of events, changes or updates of items.
pub trait Rows: Sized {
    /// Merges of more rows are left to `compaction`; in tests, where there are few rows, of fewer.
    const MAX_INLINE_ROWS: usize = if cfg!(test) { 12 } else { 1 << 14 };

    fn rows(&self) -> usize;
    /// All rows of some runs. None may be in two.
    fn merge(runs: &[Arc<Self>], texts: &Texts) -> Result<Self>;
}

/// Adds a run of new rows, and merges the last ones where that is quickly done.
pub fn push<R: Rows>(runs: &mut Vec<Arc<R>>, run: R, texts: &Texts) -> Result<()> {
    runs.push(Arc::new(run));
    if let Some(from) = merge_start(runs)
        && count_rows(&runs[from..]) <= R::MAX_INLINE_ROWS
    {
        let merged = R::merge(&runs[from..], texts)?;
        runs.truncate(from);
        runs.push(Arc::new(merged));
    }
    Ok(())
}

/// Which runs should be merged, but were not at once.
pub fn deferred_merge<R: Rows>(runs: &[Arc<R>]) -> Option<Range<usize>> {
    let ends = (FAN_IN..=runs.len()).rev();
    ends.into_iter().find_map(|end| Some(merge_start(&runs[..end])?..end))
}

/// From which run on they should be merged, so that there are few runs and each row is copied a logarithmic number of times. The
/// largest come first, roughly.
fn merge_start<R: Rows>(runs: &[Arc<R>]) -> Option<usize> {
    let (mut from, mut total) = (runs.len(), 0);
    while from > 0 && (total == 0 || runs[from - 1].rows() <= total.min(MAX_MERGE_ROWS)) {
        from -= 1;
        total += runs[from].rows();
    }
    (runs.len() - from >= FAN_IN).then_some(from)
}

pub fn count_rows<R: Rows>(runs: &[Arc<R>]) -> usize {
    runs.iter().map(|run| run.rows()).sum()
}

/// The rows of several runs as those of one: their keys, and which rows they are. `order` is that of rows with equal keys.
pub fn interleave<K: Copy + Ord>(
    mut runs: Vec<impl Iterator<Item = K>>,
    total: usize,
    order: impl Fn(Pick, Pick) -> Ordering,
) -> (Vec<K>, Vec<Pick>) {
    let (mut keys, mut picks): (Vec<K>, Vec<Pick>) = (Vec::with_capacity(total), Vec::with_capacity(total));
    let mut heads: Vec<(Option<K>, u32)> = runs.iter_mut().map(|run| (run.next(), 0)).collect();
    loop {
        let unread = heads
            .iter()
            .zip(0..)
            .filter_map(|(&(key, row), run)| Some((key?, (run, row))));
        let first = unread.min_by(|(key, pick), (other, at)| key.cmp(other).then_with(|| order(*pick, *at)));
        let Some((key, (run, row))) = first else {
            return (keys, picks);
        };
        keys.push(key);
        picks.push((run, row));
        heads[run as usize] = (runs[run as usize].next(), row + 1);
    }
}
