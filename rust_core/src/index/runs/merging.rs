//! The merge policy of sorted runs, and the merge itself.

use std::cmp::Ordering;
use std::ops::Range;
use std::sync::Arc;

use crate::error::Result;
use crate::index::columns::picks::Pick;
use crate::index::columns::texts::Texts;

/// The number of runs of similar size that are merged together.
const FAN_IN: usize = 4;
/// The number of rows from which a run is not merged any more, which bounds the duration of a merge.
const MAX_MERGE_ROWS: usize = 1 << 21;

/// A run that can be merged: of events, changes or item updates.
pub trait MergeableRun: Sized {
    /// The maximum number of rows that are merged at once; larger merges are left to `compaction`. Lower in tests, which have few rows.
    const MAX_INLINE_ROWS: usize = if cfg!(test) { 12 } else { 1 << 14 };

    /// Returns the number of rows.
    fn rows(&self) -> usize;
    /// Merges runs into one. No row may be in two of them.
    fn merge(runs: &[Arc<Self>], texts: &Texts) -> Result<Self>;
}

/// Adds a run and merges the last runs if that is due and quick.
pub fn push<R: MergeableRun>(runs: &mut Vec<Arc<R>>, run: R, texts: &Texts) -> Result<()> {
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

/// Returns the runs whose merge is due but too large to be done at once.
pub fn deferred_merge<R: MergeableRun>(runs: &[Arc<R>]) -> Option<Range<usize>> {
    let ends = (FAN_IN..=runs.len()).rev();
    ends.into_iter().find_map(|end| Some(merge_start(&runs[..end])?..end))
}

/// Returns the index of the first run to merge with all later ones, if a merge is due.
///
/// Keeps runs few and copies each row a logarithmic number of times. Runs are ordered roughly from the largest to the smallest.
fn merge_start<R: MergeableRun>(runs: &[Arc<R>]) -> Option<usize> {
    let (mut from, mut total) = (runs.len(), 0);
    while from > 0 && (total == 0 || runs[from - 1].rows() <= total.min(MAX_MERGE_ROWS)) {
        from -= 1;
        total += runs[from].rows();
    }
    (runs.len() - from >= FAN_IN).then_some(from)
}

/// Returns the number of rows of all runs.
pub fn count_rows<R: MergeableRun>(runs: &[Arc<R>]) -> usize {
    runs.iter().map(|run| run.rows()).sum()
}

/// Merges sorted runs: returns the keys and the rows they come from. `order` compares rows with equal keys.
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
