//! The dictionary of a workspace: maps each short text, after NFKC normalisation, to a code.
//!
//! Codes are assigned in order of arrival and never change, so equal texts have equal codes everywhere.

use std::sync::Arc;

use crate::storage::buffer::Buffer;
use hashbrown::HashTable;
use parking_lot::RwLock;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfkc_quick};
use xxhash_rust::xxh3::xxh3_64;

/// A view of the dictionary, cheap to clone.
///
/// Clones share one hash table. A view ignores codes beyond its own length, so the writer adds texts without copying the table.
#[derive(Clone, Default)]
pub struct Texts {
    /// All chunks but the last hold exactly `CHUNK` texts. A chunk that another clone holds is copied before it grows.
    chunks: Vec<Arc<TextColumn>>,
    len: u32,
    /// The number of codes whose texts were removed.
    removed: u32,
    codes: Arc<RwLock<HashTable<u32>>>,
}

/// The bytes that replace a removed text. They are not valid UTF-8, so they equal no text.
pub const REMOVED: [u8; 1] = [0xff];

const CHUNK: usize = 1 << 12;

impl Texts {
    /// A code that stands for no text.
    pub const NONE: u32 = u32::MAX;

    /// Returns the text of a code; empty if it was removed.
    pub fn get(&self, code: u32) -> &str {
        // Only complete UTF-8 texts are added, so the bytes are valid.
        std::str::from_utf8(self.bytes(code)).unwrap_or_default()
    }

    /// Returns the bytes of a code: `REMOVED` if its text was removed, empty if the code is not in this dictionary.
    pub fn bytes(&self, code: u32) -> &[u8] {
        let chunk = self.chunks.get(code as usize / CHUNK);
        let text = chunk.filter(|chunk| code as usize % CHUNK < chunk.len());
        text.map_or(&[], |chunk| chunk.get(code as usize % CHUNK))
    }

    /// Returns the code of a normalised text, if it has one.
    pub fn code(&self, text: &str) -> Option<u32> {
        let is_text = |&code: &u32| code < self.len && self.bytes(code) == text.as_bytes();
        self.codes.read().find(xxh3_64(text.as_bytes()), is_text).copied()
    }

    pub fn len(&self) -> usize {
        self.len as usize
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Returns the code of a text after normalisation, and assigns one if the text is new.
    pub fn intern(&mut self, text: &str) -> u32 {
        let text = normalise(text);
        if let Some(code) = self.code(&text) {
            return code;
        }
        let code = self.push(&text);
        self.ensure_own_table();
        let hash = |&code: &u32| xxh3_64(self.bytes(code));
        self.codes.write().insert_unique(hash(&code), code, hash);
        code
    }

    fn push(&mut self, text: &str) -> u32 {
        self.push_bytes(text.as_bytes())
    }

    fn push_bytes(&mut self, text: &[u8]) -> u32 {
        let code = self.len;
        if (code as usize).is_multiple_of(CHUNK) {
            self.chunks.push(Arc::default());
        }
        if let Some(chunk) = self.chunks.last_mut() {
            Arc::make_mut(chunk).push(text);
        }
        self.len += 1;
        code
    }

    /// Assigns a code without a text, in place of a removed one, so that later codes stay the same.
    pub fn push_removed(&mut self) {
        self.push_bytes(&REMOVED);
        self.removed += 1;
    }

    fn is_removed(&self, code: u32) -> bool {
        self.bytes(code) == REMOVED
    }

    /// Builds a separate table if another clone has already assigned the newest code to another text.
    fn ensure_own_table(&mut self) {
        let last = self.len - 1;
        if self.codes.read().len() == (last - self.removed) as usize {
            return;
        }
        self.codes = self.build_table(last);
    }

    /// Builds the table of the first `codes` codes.
    fn build_table(&self, codes: u32) -> Arc<RwLock<HashTable<u32>>> {
        let hash = |&code: &u32| xxh3_64(self.bytes(code));
        let mut table = HashTable::with_capacity(codes as usize);
        for code in (0..codes).filter(|&code| !self.is_removed(code)) {
            table.insert_unique(hash(&code), code, hash);
        }
        Arc::new(RwLock::new(table))
    }

    /// Removes the texts of all unused codes; `is_used` is indexed by code.
    pub fn retain_texts(&mut self, is_used: &[bool]) {
        for (at, chunk) in self.chunks.iter_mut().enumerate() {
            let is_used = &is_used[at * CHUNK..];
            if (0..chunk.len()).all(|row| is_used[row] || chunk.get(row) == REMOVED) {
                continue;
            }
            let mut kept = TextColumn::default();
            (0..chunk.len()).for_each(|row| kept.push(if is_used[row] { chunk.get(row) } else { &REMOVED }));
            *chunk = Arc::new(kept);
        }
        self.removed = (0..self.len).filter(|&code| self.is_removed(code)).count() as u32;
        self.codes = self.build_table(self.len);
    }

    pub fn bytes_in_memory(&self) -> usize {
        let chunks = self.chunks.iter().map(|chunk| chunk.bytes_in_memory());
        chunks.sum::<usize>() + 5 * self.codes.read().capacity()
    }
}

/// Normalises a text to NFKC; borrows it if it is normalised already.
pub fn normalise(text: &str) -> std::borrow::Cow<'_, str> {
    if text.is_ascii() || is_nfkc_quick(text.chars()) == IsNormalized::Yes {
        return text.into();
    }
    text.nfkc().collect::<String>().into()
}

/// A column of texts without a dictionary, for texts that rarely repeat. Row i is `bytes[ends[i - 1]..ends[i]]`.
#[derive(Clone, Default)]
pub struct TextColumn {
    pub ends: Buffer<u32>,
    pub bytes: Buffer<u8>,
}

impl TextColumn {
    /// Returns the bytes of a row.
    pub fn get(&self, row: usize) -> &[u8] {
        let from = if row == 0 { 0 } else { self.ends[row - 1] as usize };
        &self.bytes[from..self.ends[row] as usize]
    }

    pub fn bytes_in_memory(&self) -> usize {
        self.ends.bytes_in_memory() + self.bytes.bytes_in_memory()
    }

    /// Appends a row.
    pub fn push(&mut self, text: &[u8]) {
        self.bytes.to_mut().extend_from_slice(text);
        self.ends.to_mut().push(self.bytes.len() as u32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(crate::testing::cases(256))]

        #[test]
        fn texts_and_codes_map_to_each_other(words in prop::collection::vec("\\PC{0,4}", 0..200)) {
            let mut texts = Texts::default();
            for word in &words {
                let code = texts.intern(word);
                prop_assert!(texts.get(code) == normalise(word));
                prop_assert_eq!(texts.code(&normalise(word)), Some(code));
                prop_assert_eq!(texts.intern(word), code);
            }
            let distinct: std::collections::HashSet<_> = words.iter().map(|word| normalise(word)).collect();
            prop_assert_eq!(texts.len(), distinct.len());
        }

        #[test]
        fn diverging_clones_do_not_share_codes(
            shared in prop::collection::vec("[a-c]{0,2}", 0..9),
            left in prop::collection::vec("[a-e]{0,2}", 0..9),
            right in prop::collection::vec("[a-e]{0,2}", 0..9),
        ) {
            let mut one = Texts::default();
            for word in &shared {
                one.intern(word);
            }
            let (before, mut other) = (one.clone(), one.clone());
            for (word, rival) in left.iter().zip(&right) {
                let (code, rival_code) = (one.intern(word), other.intern(rival));
                prop_assert_eq!(one.get(code), word);
                prop_assert_eq!(other.get(rival_code), rival);
            }
            for word in left.iter().chain(&right) {
                prop_assert_eq!(before.code(word).is_some(), shared.contains(word));
            }
        }
    }
}
