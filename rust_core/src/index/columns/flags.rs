//! A bitmap encoding for columns with few distinct texts: one bit per row and text.
//!
//! A condition on some texts reads only their bitmaps.

use super::cells::{Cell, Scalar};
use crate::storage::buffer::Buffer;

/// A column of texts, or of sets of texts, as one bitmap per distinct text.
#[derive(Clone, Debug)]
pub struct Flags {
    /// Whether a row holds a set of texts rather than a single text.
    pub(super) sets: bool,
    pub(super) rows: usize,
    /// The distinct text codes, ascending.
    pub(super) codes: Buffer<u32>,
    /// One bitmap of `stride()` words per text, in the order of `codes`; bit i belongs to row i.
    pub(super) words: Buffer<u64>,
}

/// The maximum number of distinct texts in a column of single texts (lower in tests, to reach the limit).
const MAX_TEXTS: usize = if cfg!(test) { 2 } else { 8 };
/// The maximum number of distinct texts in a column of sets.
const MAX_SET_TEXTS: usize = if cfg!(test) { 4 } else { 32 };

impl Flags {
    /// Builds a column from the parts that `parts` returns.
    pub fn of_parts(sets: bool, rows: usize, codes: Buffer<u32>, words: Buffer<u64>) -> Flags {
        Flags {
            sets,
            rows,
            codes,
            words,
        }
    }

    /// Returns (sets, rows, codes, words), the arguments of `of_parts`.
    pub fn parts(&self) -> (bool, usize, &[u32], &[u64]) {
        (self.sets, self.rows, &self.codes, &self.words)
    }

    /// Returns whether the codes ascend and the bitmaps have the right length.
    pub fn are_valid(&self) -> bool {
        let words = self.codes.len().checked_mul(self.stride());
        self.codes.is_sorted_by(|a, b| a < b) && words == Some(self.words.len())
    }

    /// Returns the number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Returns whether rows hold sets of texts.
    pub fn are_sets(&self) -> bool {
        self.sets
    }

    /// Returns whether a plain column would take less memory.
    pub fn has_too_many_texts(&self) -> bool {
        self.codes.len() > if self.sets { MAX_SET_TEXTS } else { MAX_TEXTS }
    }

    /// Returns the number of words per bitmap.
    pub(super) fn stride(&self) -> usize {
        self.rows.div_ceil(64)
    }

    /// Iterates over the texts, ascending, with their bitmaps.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &[u64])> {
        // A chunk size of 0 would panic, even where there are no words.
        self.codes.iter().copied().zip(self.words.chunks(self.stride().max(1)))
    }

    /// Iterates over the texts that some row holds.
    pub fn used_texts(&self) -> impl Iterator<Item = u32> {
        let used = self.iter().filter(|(_, words)| words.iter().any(|&word| word != 0));
        used.map(|(code, _)| code)
    }

    /// Iterates over the texts of a row, ascending.
    pub(super) fn of_row(&self, row: usize) -> impl Iterator<Item = u32> {
        let texts = self
            .iter()
            .filter(move |(_, words)| words[row / 64] >> (row % 64) & 1 == 1);
        texts.map(|(code, _)| code)
    }

    /// Returns the value of a known row.
    pub fn cell(&self, row: usize) -> Cell {
        match self.sets {
            true => Cell::Set(self.of_row(row).collect()),
            false => self
                .of_row(row)
                .next()
                .map_or(Cell::Unknown, |code| Cell::One(Scalar::Text(code))),
        }
    }

    /// Returns the text code of each row; rows without a text get an arbitrary code.
    pub fn codes(&self) -> Vec<u32> {
        let mut codes = vec![self.codes.first().copied().unwrap_or(0); self.rows];
        for (code, words) in self.iter() {
            for (at, &word) in words.iter().enumerate() {
                let mut rest = word;
                while rest != 0 {
                    let row = at * 64 + rest.trailing_zeros() as usize;
                    if let Some(slot) = codes.get_mut(row) {
                        *slot = code;
                    }
                    rest &= rest - 1;
                }
            }
        }
        codes
    }

    /// Appends rows without texts until there are `rows` rows.
    pub fn pad(&mut self, rows: usize) {
        let (before, after) = (self.stride(), rows.div_ceil(64));
        if before < after {
            let mut words = vec![0; self.codes.len() * after];
            let rows_of = self.words.chunks(before.max(1)).zip(words.chunks_mut(after));
            rows_of.for_each(|(from, to)| to[..before].copy_from_slice(from));
            self.words = words.into();
        }
        self.rows = self.rows.max(rows);
    }

    /// Adds texts to a row.
    pub(super) fn set(&mut self, row: usize, texts: &[u32]) {
        let stride = self.stride();
        for &code in texts {
            let at = self.codes.binary_search(&code).unwrap_or_else(|at| {
                self.codes.to_mut().insert(at, code);
                let none = std::iter::repeat_n(0, stride);
                self.words.to_mut().splice(at * stride..at * stride, none);
                at
            });
            self.words.to_mut()[at * stride + row / 64] |= 1 << (row % 64);
        }
    }

    pub fn bytes_in_memory(&self) -> usize {
        self.codes.bytes_in_memory() + self.words.bytes_in_memory()
    }
}
