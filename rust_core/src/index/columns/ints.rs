//! Columns of integers with frame-of-reference compression.

use std::borrow::Cow;
use std::ops::Range;

use crate::storage::buffer::Buffer;

/// A column of integers: row i is `base + step * codes[i]`.
#[derive(Clone, Debug)]
pub struct Ints {
    base: i64,
    step: i64,
    codes: Codes,
}

/// The offsets from the base, in the narrowest width that fits.
#[derive(Clone, Debug)]
pub enum Codes {
    /// The number of rows, all equal to `base`.
    Same(usize),
    Byte(Buffer<u8>),
    Short(Buffer<u16>),
    Word(Buffer<u32>),
    /// The rows themselves, with `base` 0 and `step` 1.
    Wide(Buffer<i64>),
}

/// The common divisors to try: whole units and hundredths of a number in millionths, and seconds in milliseconds.
const STEPS: [u64; 3] = [1_000_000, 10_000, 1_000];

impl Default for Ints {
    fn default() -> Self {
        Ints::wide(Vec::new())
    }
}

impl FromIterator<i64> for Ints {
    fn from_iter<I: IntoIterator<Item = i64>>(rows: I) -> Ints {
        Ints::packed(rows.into_iter().collect())
    }
}

/// Matches on the width: one arm for equal rows, one for wide rows, and one expanded for each narrow width.
macro_rules! narrow {
    ($codes:expr, $same:pat => $one:expr, $wide:pat => $whole:expr, $narrow:ident => $each:expr) => {
        match $codes {
            Codes::Same($same) => $one,
            Codes::Wide($wide) => $whole,
            Codes::Byte($narrow) => $each,
            Codes::Short($narrow) => $each,
            Codes::Word($narrow) => $each,
        }
    };
}

impl Ints {
    fn wide(rows: Vec<i64>) -> Ints {
        Ints {
            base: 0,
            step: 1,
            codes: Codes::Wide(rows.into()),
        }
    }

    /// Encodes rows in the narrowest width that holds them.
    pub fn packed(rows: Vec<i64>) -> Ints {
        let (Some(&base), Some(&last)) = (rows.iter().min(), rows.iter().max()) else {
            return Ints::default();
        };
        let over = |row: i64| row.wrapping_sub(base) as u64;
        if last == base {
            return Ints {
                base,
                step: 1,
                codes: Codes::Same(rows.len()),
            };
        }
        let fits = |step: u64| rows.iter().all(|&row| over(row).is_multiple_of(step));
        let step = match over(last) <= u64::from(u8::MAX) {
            true => 1,
            false => STEPS.into_iter().find(|&step| fits(step)).unwrap_or(1),
        };
        let code = |row: &i64| over(*row) / step;
        let codes = match code(&last) {
            most if most <= u8::MAX.into() => Codes::Byte(rows.iter().map(|row| code(row) as u8).collect()),
            most if most <= u16::MAX.into() => Codes::Short(rows.iter().map(|row| code(row) as u16).collect()),
            most if most <= u32::MAX.into() => Codes::Word(rows.iter().map(|row| code(row) as u32).collect()),
            _ => return Ints::wide(rows),
        };
        Ints {
            base,
            step: step as i64,
            codes,
        }
    }

    pub fn len(&self) -> usize {
        narrow!(&self.codes, rows => *rows, rows => rows.len(), codes => codes.len())
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the number of a row.
    #[inline]
    pub fn get(&self, row: usize) -> i64 {
        narrow!(
            &self.codes,
            _ => self.base,
            rows => rows[row],
            codes => self.base.wrapping_add(self.step.wrapping_mul(i64::from(codes[row])))
        )
    }

    /// Returns the rows of a range, converted.
    pub fn map<T: Clone>(&self, rows: Range<usize>, convert: impl Fn(i64) -> T) -> Vec<T> {
        let (base, step) = (self.base, self.step);
        narrow!(
            &self.codes,
            _ => vec![convert(base); rows.len()],
            wide => wide[rows].iter().map(|&row| convert(row)).collect(),
            codes => codes[rows].iter().map(|&code| convert(base.wrapping_add(step.wrapping_mul(i64::from(code))))).collect()
        )
    }

    /// Returns the rows of a range; borrowed if the column is wide.
    pub fn widened(&self, rows: Range<usize>) -> Cow<'_, [i64]> {
        match &self.codes {
            Codes::Wide(wide) => wide[rows].into(),
            _ => self.map(rows, |row| row).into(),
        }
    }

    /// Finds the rows of a range whose numbers lie between `low` and `high`, both inclusive.
    pub fn rows_between(&self, rows: Range<usize>, low: i64, high: i64) -> Vec<usize> {
        let over = |number: i64| i128::from(number) - i128::from(self.base);
        let step = i128::from(self.step);
        let (least, most) = (
            (over(low) + step - 1).div_euclid(step).max(0),
            over(high).div_euclid(step),
        );
        let (least, most) = match u64::try_from(least) {
            Ok(least) if most >= 0 => (least, most as u64),
            _ => (1, 0),
        };
        narrow!(
            &self.codes,
            _ => if least == 0 && low <= high { rows.collect() } else { Vec::new() },
            wide => rows_where(&wide[rows.clone()], rows.start, |row| (low <= row) & (row <= high)),
            codes => rows_where(&codes[rows.clone()], rows.start, |code| (least <= u64::from(code)) & (u64::from(code) <= most))
        )
    }

    /// Iterates over all rows.
    pub fn iter(&self) -> impl Iterator<Item = i64> {
        (0..self.len()).map(|row| self.get(row))
    }

    /// Takes all rows out and leaves the column empty.
    fn take_rows(&mut self) -> Vec<i64> {
        let packed = std::mem::take(self);
        match packed.codes {
            Codes::Wide(rows) => rows.into_vec(),
            _ => packed.widened(0..packed.len()).into_owned(),
        }
    }

    /// Appends a row. The column stays wide until it is packed again.
    pub fn push(&mut self, row: i64) {
        match &mut self.codes {
            Codes::Wide(rows) => rows.to_mut().push(row),
            _ => {
                let mut rows = self.take_rows();
                rows.push(row);
                *self = Ints::wide(rows);
            }
        }
    }

    /// Grows to `len` rows; new rows are 0 or whatever is cheapest.
    pub fn pad(&mut self, len: usize) {
        narrow!(
            &mut self.codes,
            rows => *rows = len.max(*rows),
            rows => rows.to_mut().resize(len, 0),
            codes => codes.to_mut().resize(len, 0)
        );
    }

    /// Overwrites rows, given as (row, number), and packs the column again if a number does not fit its width.
    pub fn set(&mut self, rows: &[(usize, i64)]) {
        if rows.iter().all(|&(_, value)| self.code(value).is_some()) {
            for &(row, value) in rows {
                let code = self.code(value).unwrap_or(0);
                narrow!(&mut self.codes, _ => {}, wide => wide.to_mut()[row] = value, codes => codes.to_mut()[row] = code as _);
            }
            return;
        }
        let mut wide = self.take_rows();
        rows.iter().for_each(|&(row, value)| wide[row] = value);
        *self = Ints::packed(wide);
    }

    /// Returns the code of a number, if the current width can hold it.
    fn code(&self, value: i64) -> Option<u64> {
        let most = match &self.codes {
            Codes::Wide(_) => return Some(0),
            Codes::Same(_) => 0,
            Codes::Byte(_) => u8::MAX.into(),
            Codes::Short(_) => u16::MAX.into(),
            Codes::Word(_) => u32::MAX.into(),
        };
        let over = value.checked_sub(self.base).and_then(|over| u64::try_from(over).ok())?;
        let step = self.step as u64;
        (over.is_multiple_of(step) && over / step <= most).then_some(over / step)
    }

    /// Gathers the picked rows; a pick without a source gets an arbitrary number of the others.
    pub fn gather<'a>(column: impl Fn(u32) -> Option<&'a Ints>, picks: &[(u32, u32)]) -> Ints {
        let row = |&(source, row): &(u32, u32)| column(source).map(|column| column.get(row as usize));
        let filler = picks.iter().find_map(row).unwrap_or(0);
        Ints::packed(picks.iter().map(|pick| row(pick).unwrap_or(filler)).collect())
    }

    pub fn bytes_in_memory(&self) -> usize {
        narrow!(&self.codes, _ => 0, rows => rows.bytes_in_memory(), codes => codes.bytes_in_memory())
    }

    /// Returns (base, step, codes), the arguments of `of_parts`.
    pub fn parts(&self) -> (i64, i64, &Codes) {
        (self.base, self.step, &self.codes)
    }

    /// Builds a column from the parts that `parts` returns.
    pub fn of_parts(base: i64, step: i64, codes: Codes) -> Ints {
        Ints { base, step, codes }
    }
}

/// Returns the positions of the values for which `holds`; `first` is the position of the first value.
///
/// Tests whole chunks at once, because matches are rare.
fn rows_where<T: Copy>(values: &[T], first: usize, holds: impl Fn(T) -> bool) -> Vec<usize> {
    let mut rows = Vec::new();
    for (at, chunk) in (first..).step_by(CHUNK_ROWS).zip(values.chunks(CHUNK_ROWS)) {
        if chunk.iter().fold(false, |any, &value| any | holds(value)) {
            rows.extend(
                (at..)
                    .zip(chunk)
                    .filter(|&(_, &value)| holds(value))
                    .map(|(row, _)| row),
            );
        }
    }
    rows
}

/// The number of rows tested at once.
const CHUNK_ROWS: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rows() -> impl Strategy<Value = Vec<i64>> {
        let near = |base: i64| prop::collection::vec(0..300i64, 0..40).prop_map(move |rows| (base, rows));
        prop_oneof![
            prop::collection::vec(any::<i64>(), 0..9),
            (
                any::<i32>().prop_flat_map(move |base| near(base.into())),
                prop::sample::select(vec![1i64, 7, 1_000, 10_000, 1_000_000])
            )
                .prop_map(|((base, rows), step)| rows.into_iter().map(|row| base + row * step).collect()),
        ]
    }

    proptest! {
        #![proptest_config(crate::testing::cases(256))]

        #[test]
        fn rows_between_returns_exactly_the_rows_in_range(
            rows in rows(), a in any::<prop::sample::Index>(), b in any::<prop::sample::Index>(), by in -2..3i64, cut in any::<prop::sample::Index>()
        ) {
            prop_assume!(!rows.is_empty());
            let (low, high) = (rows[a.index(rows.len())].saturating_add(by), rows[b.index(rows.len())]);
            let cut = cut.index(rows.len() + 1);
            for range in [0..cut, cut..rows.len()] {
                let expected: Vec<usize> = range.clone().filter(|&row| low <= rows[row] && rows[row] <= high).collect();
                prop_assert_eq!(Ints::packed(rows.clone()).rows_between(range, low, high), expected);
            }
        }

        #[test]
        fn packed_columns_return_the_original_rows(rows in rows(), cut in any::<prop::sample::Index>()) {
            let packed = Ints::packed(rows.clone());
            let cut = cut.index(rows.len() + 1);
            prop_assert_eq!(packed.len(), rows.len());
            prop_assert_eq!(packed.iter().collect::<Vec<_>>(), rows.clone());
            prop_assert_eq!(&*packed.widened(cut..rows.len()), &rows[cut..]);
            prop_assert_eq!(packed.map(0..cut, |row| row as u32), rows[..cut].iter().map(|&row| row as u32).collect::<Vec<_>>());
        }

        #[test]
        fn set_changes_only_the_given_rows(
            mut rows in rows(), more in 0..9usize, new in prop::collection::vec((any::<prop::sample::Index>(), rows()), 0..4)
        ) {
            let mut packed = Ints::packed(rows.clone());
            packed.pad(rows.len() + more);
            for (at, values) in new {
                if packed.is_empty() {
                    break;
                }
                let at: Vec<(usize, i64)> = values.into_iter().map(|value| (at.index(packed.len()), value)).collect();
                rows.resize(packed.len(), 0);
                let padded: Vec<i64> = packed.iter().collect();
                packed.set(&at);
                let mut expected = padded;
                at.iter().for_each(|&(row, value)| expected[row] = value);
                prop_assert_eq!(packed.iter().collect::<Vec<_>>(), expected);
            }
        }
    }

    #[test]
    fn prices_in_hundredths_take_two_bytes() {
        let packed: Ints = (0..60_000).map(|cents| 19_990_000 + cents * 10_000).collect();
        assert!(matches!(packed.codes, Codes::Short(_)));
    }
}
