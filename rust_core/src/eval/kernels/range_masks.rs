//! Computes masks of rows from numbers in their stored encoding.

use std::borrow::Cow;
use std::ops::Range;

use super::bits::{Bits, Tri};
use super::simd_loops::{convert, fill_mask};
use crate::index::columns::flags::Flags;
use crate::index::columns::ints::{Codes, Ints};
use crate::index::view::{Column, Values};

/// Returns the rows whose value satisfies the predicate; rows beyond the values do not.
pub fn mask<T: Copy>(values: &[T], len: usize, predicate: impl Fn(T) -> bool) -> Bits {
    let mut words = vec![0; len.div_ceil(64)];
    fill_mask(values, &predicate, &mut words);
    Bits::from_words(words, len)
}

/// Returns the rows with `low <= value <= high`; rows beyond the column are not set.
pub fn between(ints: &Ints, rows: Range<usize>, low: i64, high: i64) -> Bits {
    let existing = rows.start.min(ints.len())..rows.end.min(ints.len());
    let (base, step, codes) = ints.parts();
    if let Codes::Wide(values) = codes {
        return mask(&values[existing], rows.len(), |value| (low <= value) & (value <= high));
    }
    let (low, high) = (i128::from(low) - i128::from(base), i128::from(high) - i128::from(base));
    let step = i128::from(step);
    // Converts the bounds to codes: the smallest code that is at least `low`, the largest that is at most `high`.
    let (low, high) = ((low.max(0) + step - 1) / step, high.div_euclid(step));
    if low > high {
        return Bits::none(rows.len());
    }
    /// Computes `code - low <= high - low` in the type of the codes.
    macro_rules! within {
        ($codes:expr, $code:ty) => {{
            let most = i128::from(<$code>::MAX);
            if low > most {
                return Bits::none(rows.len());
            }
            let (low, high) = (low as $code, high.min(most) as $code);
            mask(&$codes[existing], rows.len(), |code: $code| {
                code.wrapping_sub(low) <= high - low
            })
        }};
    }
    match codes {
        Codes::Same(_) if low == 0 => Bits::first(existing.len(), rows.len()),
        Codes::Same(_) | Codes::Wide(_) => Bits::none(rows.len()),
        Codes::Byte(codes) => within!(codes, u8),
        Codes::Short(codes) => within!(codes, u16),
        Codes::Word(codes) => within!(codes, u32),
    }
}

/// Like `between`, for a stored column with unknowns; returns `None` if it does not contain numbers or codes.
pub fn between_values(values: &Values, rows: Range<usize>, low: i64, high: i64) -> Option<Tri> {
    let known = Bits::slice(&values.known, rows.clone());
    let predicate = match &values.data {
        Column::Ints(_, ints) => between(ints, rows, low, high),
        Column::Flags(flags) if !flags.are_sets() => flagged(flags, rows, |code| (low..=high).contains(&code.into())),
        _ => return None,
    };
    Some(Tri::of(predicate, &known))
}

/// Returns the rows that have one of the wanted texts; rows beyond the column have none.
pub fn flagged(flags: &Flags, rows: Range<usize>, wanted: impl Fn(u32) -> bool) -> Bits {
    let mut found = Bits::none(rows.len());
    let wanted = flags.iter().filter(|&(code, _)| wanted(code));
    wanted.for_each(|(_, words)| found.or_assign(&Bits::slice(words, rows.clone())));
    found
}

/// Decodes the numbers of existing rows; borrows them if they are stored in 64 bits.
pub fn numbers(ints: &Ints, rows: Range<usize>) -> Cow<'_, [i64]> {
    let (base, step, codes) = ints.parts();
    let number = |code: i64| base.wrapping_add(step.wrapping_mul(code));
    match codes {
        Codes::Same(_) => vec![base; rows.len()].into(),
        Codes::Byte(codes) => converted(&codes[rows], |code| number(code.into())).into(),
        Codes::Short(codes) => converted(&codes[rows], |code| number(code.into())).into(),
        Codes::Word(codes) => converted(&codes[rows], |code| number(code.into())).into(),
        Codes::Wide(numbers) => numbers[rows].into(),
    }
}

/// Decodes the text codes of existing rows.
pub fn codes(ints: &Ints, rows: Range<usize>) -> Vec<u32> {
    let (base, step, codes) = ints.parts();
    // Nothing is lost: a code has 32 bits.
    let (base, step) = (base as u32, step as u32);
    let code = |code: u32| base.wrapping_add(step.wrapping_mul(code));
    match codes {
        Codes::Same(_) => vec![base; rows.len()],
        Codes::Byte(codes) => converted(&codes[rows], |existing| code(existing.into())),
        Codes::Short(codes) => converted(&codes[rows], |existing| code(existing.into())),
        Codes::Word(codes) => converted(&codes[rows], code),
        Codes::Wide(codes) => converted(&codes[rows], |existing| existing as u32),
    }
}

fn converted<T: Copy, U: Copy + Default>(values: &[T], one: impl Fn(T) -> U) -> Vec<U> {
    let mut converted = Vec::with_capacity(values.len());
    // Converts chunk by chunk in a buffer, so that the result is written to memory once.
    let mut buffer = [U::default(); CHUNK];
    for values in values.chunks(CHUNK) {
        let buffer = &mut buffer[..values.len()];
        convert(values, &one, buffer);
        converted.extend_from_slice(buffer);
    }
    converted
}

const CHUNK: usize = 512;

/// Returns the bytes of a stored row.
pub fn width(ints: &Ints) -> usize {
    match ints.parts().2 {
        Codes::Same(_) => 0,
        Codes::Byte(_) => 1,
        Codes::Short(_) => 2,
        Codes::Word(_) => 4,
        Codes::Wide(_) => 8,
    }
}

/// Returns the bytes that reading this many rows of a column touches, including the known bits.
pub fn bytes(values: &Values, rows: usize) -> usize {
    let width = match &values.data {
        Column::Bool(_) => 1,
        Column::Ints(_, ints) => width(ints),
        // One bit for the text and one for known.
        Column::Flags(_) => return rows / 4,
        // Lists: their ends, and the average number of elements.
        Column::Set { ends, codes } => 4 + 4 * codes.len() / ends.len().max(1),
        Column::Map { ends, entries } => 4 + size_of_val(&entries[..]) / ends.len().max(1),
        Column::Point(_) => 16,
    };
    rows * width + rows / 8
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ints() -> impl Strategy<Value = Vec<i64>> {
        let steps = prop::sample::select(vec![1i64, 10_000, 1_000_000]);
        let most = prop::sample::select(vec![0i64, 3, 200, 60_000, 1 << 30, i64::MAX / 2]);
        (prop::collection::vec(any::<i64>(), 0..300), any::<i32>(), steps, most).prop_map(|(rows, base, step, most)| {
            let row = |row: i64| i64::from(base).saturating_add(row.rem_euclid(most.max(1)).saturating_mul(step));
            rows.into_iter().map(row).collect()
        })
    }

    proptest! {
        #![proptest_config(crate::testing::cases(256))]

        #[test]
        fn between_finds_the_rows_in_a_range(
            values in ints(), from in 0..300usize, more in 0..100usize, a in any::<prop::sample::Index>(), b in any::<prop::sample::Index>(), by in -2..3i64
        ) {
            let (from, len) = (from.min(values.len()), values.len().saturating_sub(from) + more);
            let bound = |index: prop::sample::Index| match values.is_empty() {
                true => 0,
                false => values[index.index(values.len())].saturating_add(by),
            };
            let (low, high) = (bound(a), bound(b));
            let packed = Ints::packed(values.clone());
            let value = |row: usize| values.get(from + row).copied();
            let expected = Bits::from_fn(len, |row| value(row).is_some_and(|value| low <= value && value <= high));
            prop_assert_eq!(between(&packed, from..from + len, low, high), expected);
            prop_assert_eq!(&*numbers(&packed, from..values.len()), &values[from..]);
            let codes: Vec<i64> = values.iter().map(|&value| i64::from(value as u32)).collect();
            let expected: Vec<u32> = codes[from..].iter().map(|&code| code as u32).collect();
            prop_assert_eq!(super::codes(&Ints::packed(codes.clone()), from..codes.len()), expected);
        }
    }
}
