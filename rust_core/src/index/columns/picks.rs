//! Gathers rows from slices and from concatenated lists.

use std::ops::Range;

/// The source of a gathered row: (column, row in that column).
pub type Pick = (u32, u32);
/// The pick that yields an unknown row.
pub const NO_ROW: Pick = (u32::MAX, 0);

/// Gathers elements of slices; a pick without a source yields the default.
pub fn gather_fixed<'a, T: Copy + Default + 'a>(picks: &[Pick], slice: impl Fn(u32) -> Option<&'a [T]>) -> Vec<T> {
    let element = |&(source, row): &Pick| slice(source).map_or_else(T::default, |slice| slice[row as usize]);
    picks.iter().map(element).collect()
}

/// Gathers lists; returns the ends of the lists and their concatenated elements.
pub fn gather_lists<'a, T: Copy + 'a>(
    picks: &[Pick],
    column: impl Fn(u32) -> Option<(&'a [u32], &'a [T])>,
) -> (Vec<u32>, Vec<T>) {
    let list = |&(source, row): &Pick| {
        let (ends, elements) = column(source)?;
        Some(&elements[span(ends, row as usize)])
    };
    let capacity = picks.iter().filter_map(list).map(<[T]>::len).sum();
    let (mut ends, mut elements) = (Vec::with_capacity(picks.len()), Vec::with_capacity(capacity));
    for pick in picks {
        elements.extend_from_slice(list(pick).unwrap_or_default());
        ends.push(elements.len() as u32);
    }
    (ends, elements)
}

/// Replaces some lists of a column of lists: each pick is (row here, row of the other lists), ascending by the first.
pub fn patch_lists<T: Copy>(
    ends: &mut Vec<u32>,
    elements: &mut Vec<T>,
    picks: &[(u32, u32)],
    (other_ends, other): (&[u32], &[T]),
) {
    let (old_ends, old) = (std::mem::take(ends), std::mem::take(elements));
    let capacity = picks.iter().map(|&(_, source)| span(other_ends, source as usize).len());
    elements.reserve_exact(old.len() + capacity.sum::<usize>());
    ends.reserve_exact(old_ends.len());
    let keep = |rows: Range<usize>, ends: &mut Vec<u32>, elements: &mut Vec<T>| {
        let start = |row: usize| row.checked_sub(1).map_or(0, |before| old_ends[before]);
        let (from, to) = (start(rows.start), start(rows.end));
        let moved_by = (elements.len() as u32).wrapping_sub(from);
        ends.extend(old_ends[rows].iter().map(|end| end.wrapping_add(moved_by)));
        elements.extend_from_slice(&old[from as usize..to as usize]);
    };
    let mut next = 0;
    for &(row, source) in picks {
        keep(next..row as usize, ends, elements);
        elements.extend_from_slice(&other[span(other_ends, source as usize)]);
        ends.push(elements.len() as u32);
        next = row as usize + 1;
    }
    keep(next..old_ends.len(), ends, elements);
}

/// Returns the range of the elements of a row in a column of lists.
pub fn span(ends: &[u32], row: usize) -> Range<usize> {
    let from = if row == 0 { 0 } else { ends[row - 1] as usize };
    from..ends[row] as usize
}
