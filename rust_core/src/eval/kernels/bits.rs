//! Bit vectors over rows, and three-valued conditions as pairs of bit vectors.

use std::borrow::Cow;
use std::ops::Range;

use super::simd_loops::{self, count_ones};

/// One bit for each row; bits beyond `len` are 0. No words means that all bits are 0, so an empty result costs nothing.
#[derive(Clone, Debug)]
pub struct Bits {
    words: Vec<u64>,
    len: usize,
}

impl Bits {
    /// Returns a bit vector without set bits.
    pub fn none(len: usize) -> Bits {
        Bits { words: Vec::new(), len }
    }

    /// Returns a bit vector with all bits set.
    pub fn all(len: usize) -> Bits {
        let mut bits = Bits {
            words: vec![u64::MAX; len.div_ceil(64)],
            len,
        };
        bits.trim();
        bits
    }

    /// Takes the bits from words; rows beyond them are 0.
    pub fn from_words(mut words: Vec<u64>, len: usize) -> Bits {
        words.resize(len.div_ceil(64), 0);
        let mut bits = Bits { words, len };
        bits.trim();
        bits
    }

    /// Copies bits and reuses the memory of `words`.
    pub fn copy(other: &Bits, mut words: Vec<u64>) -> Bits {
        words.clone_from(&other.words);
        Bits { words, len: other.len }
    }

    /// Returns the words; none if no bit is set.
    pub fn into_words(mut self) -> Vec<u64> {
        if self.is_none() {
            self.words.clear();
        }
        self.words
    }

    /// Sets the first `set` of `len` rows.
    pub fn first(set: usize, len: usize) -> Bits {
        Bits::from_words(Bits::all(set).words, len)
    }

    /// Sets the rows for which the function returns true.
    #[inline]
    pub fn from_fn(len: usize, mut holds: impl FnMut(usize) -> bool) -> Bits {
        let mut words = Vec::with_capacity(len.div_ceil(64));
        for start in (0..len).step_by(64) {
            let mut word = 0;
            for row in start..(start + 64).min(len) {
                word |= u64::from(holds(row)) << (row - start);
            }
            words.push(word);
        }
        Bits { words, len }
    }

    /// Copies rows of a longer mask; words that it lacks are 0.
    pub fn slice(words: &[u64], rows: Range<usize>) -> Bits {
        let (first, shift) = (rows.start / 64, rows.start % 64);
        let word = |index: usize| words.get(index).copied().unwrap_or(0);
        let joined = |index: usize| match shift {
            0 => word(first + index),
            _ => word(first + index) >> shift | word(first + index + 1) << (64 - shift),
        };
        let mut bits = Bits {
            words: (0..rows.len().div_ceil(64)).map(joined).collect(),
            len: rows.len(),
        };
        bits.trim();
        bits
    }

    /// Copies the bits of the given rows, in their order.
    pub fn pick(&self, rows: &[u16]) -> Bits {
        Bits::from_fn(rows.len(), |at| self.get(rows[at].into()))
    }

    fn trim(&mut self) {
        if let (Some(last), 1..) = (self.words.last_mut(), self.len % 64) {
            *last &= (1 << (self.len % 64)) - 1;
        }
    }

    pub fn len(&self) -> usize {
        self.len
    }

    /// Returns the memory of the words.
    pub fn bytes(&self) -> usize {
        8 * self.words.len()
    }

    pub fn words(&self) -> &[u64] {
        &self.words
    }

    #[inline]
    pub fn get(&self, row: usize) -> bool {
        self.words.get(row / 64).is_some_and(|word| word >> (row % 64) & 1 == 1)
    }

    #[inline]
    pub fn set(&mut self, row: usize) {
        if self.words.is_empty() {
            self.words.resize(self.len.div_ceil(64), 0);
        }
        self.words[row / 64] |= 1 << (row % 64);
    }

    pub fn clear(&mut self, row: usize) {
        if let Some(word) = self.words.get_mut(row / 64) {
            *word &= !(1 << (row % 64));
        }
    }

    /// Returns the number of set rows.
    pub fn count(&self) -> u64 {
        count_ones(&self.words)
    }

    /// Returns whether there are no words; then no bit is set.
    fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Returns whether no row is set.
    pub fn is_none(&self) -> bool {
        self.words.iter().all(|&word| word == 0)
    }

    /// Returns whether all rows are set.
    pub fn is_all(&self) -> bool {
        self.count() == self.len as u64
    }

    fn zip(&self, other: &Bits, join: impl Fn(u64, u64) -> u64) -> Bits {
        let words = self.words.iter().zip(&other.words).map(|(&a, &b)| join(a, b));
        Bits {
            words: words.collect(),
            len: self.len,
        }
    }

    /// Returns the rows that are set in both.
    pub fn and(&self, other: &Bits) -> Bits {
        match self.words.is_empty() || other.words.is_empty() {
            true => Bits::none(self.len),
            false => self.zip(other, |a, b| a & b),
        }
    }

    /// Returns the rows that are set in one of them.
    pub fn or(&self, other: &Bits) -> Bits {
        match (self.words.is_empty(), other.words.is_empty()) {
            (true, _) => other.clone(),
            (_, true) => self.clone(),
            _ => self.zip(other, |a, b| a | b),
        }
    }

    /// Like `and`, in place.
    pub fn and_assign(&mut self, other: &Bits) {
        match other.words.is_empty() {
            true => self.words.clear(),
            false => simd_loops::and(&mut self.words, &other.words),
        }
    }

    /// Like `or`, in place.
    pub fn or_assign(&mut self, other: &Bits) {
        match self.words.is_empty() {
            true => self.words.clone_from(&other.words),
            false => simd_loops::or(&mut self.words, &other.words),
        }
    }

    /// Counts the rows that are set in both.
    pub fn count_common(&self, other: &Bits) -> u64 {
        simd_loops::count_common_ones(&self.words, &other.words)
    }

    /// Returns one word for each 64 rows, even if all are 0.
    fn all_words(&self) -> Cow<'_, [u64]> {
        match self.words.is_empty() {
            true => vec![0; self.len.div_ceil(64)].into(),
            false => (&self.words).into(),
        }
    }

    /// Returns the rows that are set here but not in `other`.
    pub fn and_not(&self, other: &Bits) -> Bits {
        match self.words.is_empty() || other.words.is_empty() {
            true => self.clone(),
            false => self.zip(other, |a, b| a & !b),
        }
    }

    pub fn not(&self) -> Bits {
        if self.words.is_empty() {
            return Bits::all(self.len);
        }
        let mut bits = Bits {
            words: self.words.iter().map(|word| !word).collect(),
            len: self.len,
        };
        bits.trim();
        bits
    }

    /// Calls `call` with each set row, ascending.
    #[inline]
    pub fn each(&self, mut call: impl FnMut(usize)) {
        for (index, &word) in self.words.iter().enumerate() {
            let mut rest = word;
            while rest != 0 {
                call(index * 64 + rest.trailing_zeros() as usize);
                rest &= rest - 1;
            }
        }
    }

    /// Returns the set rows, ascending.
    #[inline]
    pub fn rows(&self) -> impl Iterator<Item = usize> {
        self.words.iter().enumerate().flat_map(|(index, &word)| {
            let mut rest = word;
            std::iter::from_fn(move || {
                let bit = (rest != 0).then(|| rest.trailing_zeros() as usize)?;
                rest &= rest - 1;
                Some(index * 64 + bit)
            })
        })
    }
}

impl PartialEq for Bits {
    fn eq(&self, other: &Bits) -> bool {
        let is_equal = match (self.words.is_empty(), other.words.is_empty()) {
            (true, _) => other.is_none(),
            (_, true) => self.is_none(),
            _ => self.words == other.words,
        };
        self.len == other.len && is_equal
    }
}

impl Eq for Bits {}

/// The three-valued result of a condition over rows. The two bit vectors are disjoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tri {
    /// Rows for which the condition is true.
    pub t: Bits,
    /// Rows for which the condition is unknown.
    pub u: Bits,
}

impl Tri {
    /// Returns a condition that is never unknown.
    pub fn known(t: Bits) -> Tri {
        let u = Bits::none(t.len());
        Tri { t, u }
    }

    /// Returns a condition that is `t` where `known` is set, and unknown elsewhere.
    pub fn of(mut t: Bits, known: &Bits) -> Tri {
        if known.is_all() {
            return Tri::known(t);
        }
        t.and_assign(known);
        Tri { t, u: known.not() }
    }

    pub fn bytes(&self) -> usize {
        self.t.bytes() + self.u.bytes()
    }

    pub fn not(&self) -> Tri {
        Tri {
            t: if self.u.is_empty() {
                self.t.not()
            } else {
                self.t.or(&self.u).not()
            },
            u: self.u.clone(),
        }
    }

    /// Combines with Kleene's `and`, in place.
    pub fn and_assign(&mut self, other: &Tri) {
        if self.u.is_empty() && other.u.is_empty() {
            return self.t.and_assign(&other.t);
        }
        self.join(other, simd_loops::kleene_and);
    }

    /// Combines with Kleene's `or`, in place.
    pub fn or_assign(&mut self, other: &Tri) {
        if self.u.is_empty() && other.u.is_empty() {
            return self.t.or_assign(&other.t);
        }
        self.join(other, simd_loops::kleene_or);
    }

    fn join(&mut self, other: &Tri, join: Join) {
        for bits in [&mut self.t, &mut self.u] {
            bits.words.resize(bits.len.div_ceil(64), 0);
        }
        join(
            &mut self.t.words,
            &mut self.u.words,
            &other.t.all_words(),
            &other.u.all_words(),
        );
    }
}

/// Combines (true, unknown) words with those of another condition.
type Join = fn(&mut [u64], &mut [u64], &[u64], &[u64]);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bits(rows: &[bool]) -> Bits {
        Bits::from_fn(rows.len(), |row| rows[row])
    }

    fn tri(rows: &[Option<bool>]) -> Tri {
        Tri {
            t: Bits::from_fn(rows.len(), |row| rows[row] == Some(true)),
            u: Bits::from_fn(rows.len(), |row| rows[row].is_none()),
        }
    }

    proptest! {
        #![proptest_config(crate::testing::cases(256))]

        #[test]
        fn slice_copies_a_range_of_rows(rows in proptest::collection::vec(any::<bool>(), 0..300), a in 0usize..300, b in 0usize..300) {
            let (from, to) = (a.min(b).min(rows.len()), a.max(b).min(rows.len()));
            prop_assert_eq!(Bits::slice(bits(&rows).words(), from..to), bits(&rows[from..to]));
        }

        #[test]
        fn rows_returns_the_set_bits(rows in proptest::collection::vec(any::<bool>(), 0..300)) {
            let expected: Vec<usize> = (0..rows.len()).filter(|&row| rows[row]).collect();
            prop_assert_eq!(bits(&rows).count(), expected.len() as u64);
            prop_assert_eq!(bits(&rows).rows().collect::<Vec<_>>(), expected);
        }

        #[test]
        fn keep_add_and_not_follow_kleene_logic(pairs in proptest::collection::vec((any::<Option<bool>>(), any::<Option<bool>>()), 0..150)) {
            let (a, b): (Vec<_>, Vec<_>) = pairs.iter().copied().unzip();
            let and = |(x, y): &(Option<bool>, Option<bool>)| match (x, y) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            };
            let not = |x: Option<bool>| x.map(|x| !x);
            let conjunction: Vec<_> = pairs.iter().map(and).collect();
            let disjunction: Vec<_> = pairs.iter().map(|&(x, y)| not(and(&(not(x), not(y))))).collect();
            let (mut both, mut either) = (tri(&a), tri(&a));
            both.and_assign(&tri(&b));
            either.or_assign(&tri(&b));
            prop_assert_eq!(both, tri(&conjunction));
            prop_assert_eq!(either, tri(&disjunction));
            prop_assert_eq!(tri(&a).not(), tri(&a.iter().map(|&x| not(x)).collect::<Vec<_>>()));
        }
    }
}
