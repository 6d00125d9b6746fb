//! Columns of sets of text codes.

use std::borrow::Cow;
use std::ops::Range;

use super::bits::Bits;
use super::range_masks::mask;

/// A set of text codes for each row.
#[derive(Clone, Debug)]
pub enum Sets<'a> {
    /// The set of row i is `codes[ends[i - 1]..ends[i]]`; the first starts at `start`.
    Rows {
        start: u32,
        ends: Cow<'a, [u32]>,
        codes: Cow<'a, [u32]>,
    },
    /// For each code, the rows whose set contains it.
    Flags(Vec<(u32, Bits)>),
}

impl<'a> Sets<'a> {
    /// Reads a range of rows of a stored column; rows that it lacks are empty.
    pub fn slice(ends: &'a [u32], codes: &'a [u32], rows: Range<usize>) -> Sets<'a> {
        let first = rows.start.min(ends.len());
        let start = first.checked_sub(1).map_or(0, |before| ends[before]);
        let ends = match ends.get(rows.clone()) {
            Some(ends) => ends.into(),
            None => {
                let mut copy = ends[first..].to_vec();
                let last = copy.last().copied().unwrap_or(start);
                copy.resize(rows.len(), last);
                copy.into()
            }
        };
        Sets::Rows {
            start,
            ends,
            codes: codes.into(),
        }
    }

    pub fn into_owned(self) -> Sets<'static> {
        match self {
            Sets::Rows { start, ends, codes } => Sets::Rows {
                start,
                ends: ends.into_owned().into(),
                codes: codes.into_owned().into(),
            },
            Sets::Flags(flags) => Sets::Flags(flags),
        }
    }

    /// Returns the bytes that the sets own; data borrowed from the index is not counted.
    pub fn bytes(&self) -> usize {
        match self {
            Sets::Rows { ends, codes, .. } => [ends, codes]
                .map(|list| match list {
                    Cow::Borrowed(_) => 0,
                    Cow::Owned(list) => size_of_val(&list[..]),
                })
                .iter()
                .sum(),
            Sets::Flags(flags) => flags.iter().map(|(_, rows)| rows.bytes()).sum(),
        }
    }

    /// Returns the codes of one row, in no order.
    pub fn of_row(&self, row: usize) -> Vec<u32> {
        let mut codes = Vec::new();
        self.copy(row, &mut codes);
        codes
    }

    fn copy(&self, row: usize, into: &mut Vec<u32>) {
        match self {
            Sets::Rows { .. } => into.extend_from_slice(self.row(row)),
            Sets::Flags(flags) => into.extend(flags.iter().filter(|(_, rows)| rows.get(row)).map(|(code, _)| code)),
        }
    }

    fn row(&self, row: usize) -> &[u32] {
        match self {
            Sets::Rows { start, ends, codes } => {
                let from = row.checked_sub(1).map_or(*start, |before| ends[before]);
                &codes[from as usize..ends[row] as usize]
            }
            Sets::Flags(_) => &[],
        }
    }

    /// Gathers sets: for each row, `pick` returns (source, row of the source).
    pub fn gather(
        len: usize,
        sources: &[Option<&Sets<'_>>],
        pick: impl Fn(usize) -> Option<(usize, usize)>,
    ) -> Sets<'static> {
        let (mut ends, mut codes) = (Vec::with_capacity(len), Vec::new());
        for row in 0..len {
            if let Some((source, row)) = pick(row)
                && let Some(sets) = sources[source]
            {
                sets.copy(row, &mut codes);
            }
            ends.push(codes.len() as u32);
        }
        Sets::Rows {
            start: 0,
            ends: ends.into(),
            codes: codes.into(),
        }
    }

    /// Returns the rows whose set contains the code that `wanted` returns for the row.
    pub fn rows_containing(&self, len: usize, wanted: impl Fn(usize) -> u32) -> Bits {
        match self {
            Sets::Rows { .. } => Bits::from_fn(len, |row| self.row(row).contains(&wanted(row))),
            Sets::Flags(flags) => Bits::from_fn(len, |row| {
                let code = wanted(row);
                flags.iter().any(|(other, rows)| *other == code && rows.get(row))
            }),
        }
    }

    /// Returns the rows whose set contains one of the codes.
    pub fn rows_containing_any(&self, len: usize, wanted: &[u32]) -> Bits {
        match self {
            Sets::Rows { start, ends, codes } => {
                let elements = ends.last().map_or(0..0, |&end| *start as usize..end as usize);
                let mut hits = Bits::none(elements.len());
                for &code in wanted {
                    hits.or_assign(&mask(&codes[elements.clone()], elements.len(), |other| other == code));
                }
                with_hits(len, *start, ends, &hits)
            }
            Sets::Flags(flags) => {
                let mut found = Bits::none(len);
                let matching = flags.iter().filter(|(code, _)| wanted.contains(code));
                matching.for_each(|(_, rows)| found.or_assign(rows));
                found
            }
        }
    }
}

/// Returns the rows with an element that is a hit.
fn with_hits(len: usize, start: u32, ends: &[u32], hits: &Bits) -> Bits {
    if hits.is_none() {
        return Bits::none(len);
    }
    let words = hits.words();
    let word = |index: usize| words.get(index).copied().unwrap_or(0);
    let mut from = 0;
    Bits::from_fn(len, |row| {
        let first = std::mem::replace(&mut from, (ends[row] - start) as usize);
        let elements = from - first;
        if elements > 64 {
            return (first..from).any(|element| hits.get(element));
        }
        // Reads the 64 elements from the first on without a branch that depends on the data.
        let (index, shift) = (first / 64, first % 64);
        let window = word(index) >> shift | word(index + 1) << 1 << (63 - shift);
        window & !(u64::MAX.checked_shl(elements as u32).unwrap_or(0)) != 0
    })
}

#[cfg(test)]
mod tests {
    use proptest::collection::{btree_set, vec};
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(crate::testing::cases(256))]

        #[test]
        fn slice_reads_rows_and_pads_with_empty_sets(
            rows in vec(prop_oneof![btree_set(0u32..6, 0..4), btree_set(0u32..99, 0..99)], 0..20), from in 0usize..25, len in 0usize..25,
        ) {
            let (mut ends, mut codes) = (Vec::new(), Vec::new());
            for row in &rows {
                codes.extend(row);
                ends.push(codes.len() as u32);
            }
            let sets = Sets::slice(&ends, &codes, from..from + len);
            for code in 0..6 {
                let expected = Bits::from_fn(len, |row| rows.get(from + row).is_some_and(|row| row.contains(&code)));
                prop_assert_eq!(sets.rows_containing_any(len, &[code]), expected);
            }
            let expected = Bits::from_fn(len, |row| rows.get(from + row).is_some_and(|row| row.contains(&1) || row.contains(&4)));
            prop_assert_eq!(sets.rows_containing_any(len, &[1, 4]), expected);
        }
    }
}
