//! Texts, or sets of them, as one bit a row and text where there are few: a question about some of the texts reads no others.

use super::cells::{Cell, Scalar};
use crate::storage::buffer::Buffer;

#[derive(Clone, Debug)]
pub struct Flags {
    /// Whether a row is a set of texts, and not one of them.
    pub(super) sets: bool,
    pub(super) rows: usize,
    /// Ascending.
    pub(super) codes: Buffer<u32>,
    /// Text by text, as many words for each: bit i is row i's.
    pub(super) words: Buffer<u64>,
}

const MAX_TEXTS: usize = if cfg!(test) { 2 } else { 8 };
const MAX_SET_TEXTS: usize = if cfg!(test) { 4 } else { 32 };

impl Flags {
    pub fn of_parts(sets: bool, rows: usize, codes: Buffer<u32>, words: Buffer<u64>) -> Flags {
        Flags {
            sets,
            rows,
            codes,
            words,
        }
    }

    /// (sets, rows, codes, words): what `of_parts` takes.
    pub fn parts(&self) -> (bool, usize, &[u32], &[u64]) {
        (self.sets, self.rows, &self.codes, &self.words)
    }

    pub fn are_valid(&self) -> bool {
        let words = self.codes.len().checked_mul(self.stride());
        self.codes.is_sorted_by(|a, b| a < b) && words == Some(self.words.len())
    }

    pub fn rows(&self) -> usize {
        self.rows
    }

    pub fn are_sets(&self) -> bool {
        self.sets
    }

    /// Whether codes in bytes, or lists, would take less room.
    pub fn has_too_many_texts(&self) -> bool {
        self.codes.len() > if self.sets { MAX_SET_TEXTS } else { MAX_TEXTS }
    }

    pub(super) fn stride(&self) -> usize {
        self.rows.div_ceil(64)
    }

    /// The texts, ascending, with the rows that have them.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &[u64])> {
        // Without rows there are no words either, but no chunk may be empty.
        self.codes.iter().copied().zip(self.words.chunks(self.stride().max(1)))
    }

    /// The texts that some row has.
    pub fn used_texts(&self) -> impl Iterator<Item = u32> {
        let used = self.iter().filter(|(_, words)| words.iter().any(|&word| word != 0));
        used.map(|(code, _)| code)
    }

    /// A row's texts, ascending.
    pub(super) fn of_row(&self, row: usize) -> impl Iterator<Item = u32> {
        let held = self
            .iter()
            .filter(move |(_, words)| words[row / 64] >> (row % 64) & 1 == 1);
        held.map(|(code, _)| code)
    }

    /// Of a known row.
    pub fn cell(&self, row: usize) -> Cell {
        match self.sets {
            true => Cell::Set(self.of_row(row).collect()),
            false => self
                .of_row(row)
                .next()
                .map_or(Cell::Unknown, |code| Cell::One(Scalar::Text(code))),
        }
    }

    /// By row; anything for one without a text.
    pub fn codes(&self) -> Vec<u32> {
        let mut codes = vec![self.codes.first().copied().unwrap_or(0); self.rows];
        for (code, words) in self.iter() {
            for (at, &word) in words.iter().enumerate() {
                let mut rest = word;
                while rest != 0 {
                    let row = at * 64 + rest.trailing_zeros() as usize;
                    if let Some(held) = codes.get_mut(row) {
                        *held = code;
                    }
                    rest &= rest - 1;
                }
            }
        }
        codes
    }

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
