//! The dictionary of a workspace: every short text as a code, after NFKC. Codes are handed out in order of arrival and never change,
//! so equal texts have equal codes everywhere.

use std::sync::Arc;

use crate::storage::buffer::Buffer;
use hashbrown::HashTable;
use parking_lot::RwLock;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfkc_quick};
use xxhash_rust::xxh3::xxh3_64;

/// An immutable view of the dictionary; cheap to clone. Clones share one table of codes: a view ignores the codes that it does not
/// hold, so the writer goes on interning without a copy of the table.
#[derive(Clone, Default)]
pub struct Texts {
    /// All but the last chunk hold exactly `CHUNK` texts; a chunk that a clone still holds is copied before it grows.
    chunks: Vec<Arc<TextColumn>>,
    len: u32,
    /// Codes whose texts are gone.
    removed: u32,
    codes: Arc<RwLock<HashTable<u32>>>,
}

/// What stands where a text is gone: no text, as it is not UTF-8.
pub const REMOVED: [u8; 1] = [0xff];

const CHUNK: usize = 1 << 12;

impl Texts {
    /// The code of no text.
    pub const NONE: u32 = u32::MAX;

    /// The text of a code that this dictionary gave; empty if it is gone.
    pub fn get(&self, code: u32) -> &str {
        // Only whole texts are pushed, so this is the text as it was interned.
        std::str::from_utf8(self.bytes(code)).unwrap_or_default()
    }

    /// `GONE` where there is none any more; nothing for codes that are not of this dictionary, such as `NONE`.
    pub fn bytes(&self, code: u32) -> &[u8] {
        let chunk = self.chunks.get(code as usize / CHUNK);
        let text = chunk.filter(|chunk| code as usize % CHUNK < chunk.len());
        text.map_or(&[], |chunk| chunk.get(code as usize % CHUNK))
    }

    /// The code of a text (already after NFKC), if it has one.
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

    /// The code of a text after NFKC, given now if it is new.
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

    /// A code without a text, after one was dropped: codes stay as they are.
    pub fn push_removed(&mut self) {
        self.push_bytes(&REMOVED);
        self.removed += 1;
    }

    fn is_removed(&self, code: u32) -> bool {
        self.bytes(code) == REMOVED
    }

    /// A table of this view's own, where another clone has already given the last code to some text.
    fn ensure_own_table(&mut self) {
        let last = self.len - 1;
        if self.codes.read().len() == (last - self.removed) as usize {
            return;
        }
        self.codes = self.build_table(last);
    }

    /// Of the first so many codes.
    fn build_table(&self, codes: u32) -> Arc<RwLock<HashTable<u32>>> {
        let hash = |&code: &u32| xxh3_64(self.bytes(code));
        let mut table = HashTable::with_capacity(codes as usize);
        for code in (0..codes).filter(|&code| !self.is_removed(code)) {
            table.insert_unique(hash(&code), code, hash);
        }
        Arc::new(RwLock::new(table))
    }

    /// Drops the texts of all codes but some.
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

/// NFKC, without a copy where the text already is.
pub fn normalise(text: &str) -> std::borrow::Cow<'_, str> {
    if text.is_ascii() || is_nfkc_quick(text.chars()) == IsNormalized::Yes {
        return text.into();
    }
    text.nfkc().collect::<String>().into()
}

/// Texts stored whole, for what is too distinct for a dictionary. Row i is `bytes[ends[i - 1]..ends[i]]`.
#[derive(Clone, Default)]
pub struct TextColumn {
    pub ends: Buffer<u32>,
    pub bytes: Buffer<u8>,
}

impl TextColumn {
    pub fn get(&self, row: usize) -> &[u8] {
        let from = if row == 0 { 0 } else { self.ends[row - 1] as usize };
        &self.bytes[from..self.ends[row] as usize]
    }

    pub fn bytes_in_memory(&self) -> usize {
        self.ends.bytes_in_memory() + self.bytes.bytes_in_memory()
    }

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
