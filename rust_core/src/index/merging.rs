//! Logs of sorted runs: when runs are merged, and in what order their rows come together.

use std::cmp::Ordering;
use std::sync::Arc;

use super::picks::Pick;
use crate::error::Result;

/// As many runs of like size are merged at once.
const FAN_IN: usize = 4;
/// A run of so many rows is merged no more, so that no merge takes long.
const SEALED: usize = 1 << 21;

/// Adds a run of new rows, and merges so that there are few runs and each row is copied a logarithmic number of times. The largest
/// come first, roughly.
pub fn add<R>(
    runs: &mut Vec<Arc<R>>,
    run: R,
    len: impl Fn(&R) -> usize,
    merge: impl FnOnce(&[Arc<R>]) -> Result<R>,
) -> Result<()> {
    let mut from = runs.len();
    let mut total = len(&run);
    runs.push(Arc::new(run));
    while from > 0 && len(&runs[from - 1]) <= total.min(SEALED) {
        from -= 1;
        total += len(&runs[from]);
    }
    if runs.len() - from >= FAN_IN {
        let merged = merge(&runs[from..])?;
        runs.truncate(from);
        runs.push(Arc::new(merged));
    }
    Ok(())
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
