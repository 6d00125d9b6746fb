//! Rows picked from slices and from lists that lie one behind the other.

use std::ops::Range;

/// Where a gathered row comes from: which of the columns, and its row there. `NOWHERE` gathers an unknown.
pub type Pick = (u32, u32);
pub const NO_ROW: Pick = (u32::MAX, 0);

/// The picked elements of the slices that the sources have; the default where there is none.
pub fn gather_fixed<'a, T: Copy + Default + 'a>(picks: &[Pick], slice: impl Fn(u32) -> Option<&'a [T]>) -> Vec<T> {
    let element = |&(source, row): &Pick| slice(source).map_or_else(T::default, |slice| slice[row as usize]);
    picks.iter().map(element).collect()
}

/// The picked lists of columns of lists: the ends of the lists, and their elements.
pub fn gather_lists<'a, T: Copy + 'a>(
    picks: &[Pick],
    column: impl Fn(u32) -> Option<(&'a [u32], &'a [T])>,
) -> (Vec<u32>, Vec<T>) {
    let list = |&(source, row): &Pick| {
        let (ends, elements) = column(source)?;
        Some(&elements[span(ends, row as usize)])
    };
    let room = picks.iter().filter_map(list).map(<[T]>::len).sum();
    let (mut ends, mut elements) = (Vec::with_capacity(picks.len()), Vec::with_capacity(room));
    for pick in picks {
        elements.extend_from_slice(list(pick).unwrap_or_default());
        ends.push(elements.len() as u32);
    }
    (ends, elements)
}

/// Lists of which some, ascending, are replaced: each of `picks` is a row here and the row of the other lists that goes there.
pub fn patch_lists<T: Copy>(
    ends: &mut Vec<u32>,
    elements: &mut Vec<T>,
    picks: &[(u32, u32)],
    (other_ends, other): (&[u32], &[T]),
) {
    let (old_ends, old) = (std::mem::take(ends), std::mem::take(elements));
    let room = picks.iter().map(|&(_, source)| span(other_ends, source as usize).len());
    elements.reserve_exact(old.len() + room.sum::<usize>());
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

/// Where row `row` of a column of lists lies.
pub fn span(ends: &[u32], row: usize) -> Range<usize> {
    let from = if row == 0 { 0 } else { ends[row - 1] as usize };
    from..ends[row] as usize
}
