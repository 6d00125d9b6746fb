//! The dictionary of a workspace: every short text as a code, after NFKC. Codes are handed out in order of arrival and never change,
//! so equal texts have equal codes everywhere.

use std::collections::HashMap;
use std::sync::Arc;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfkc_quick};

/// An immutable view of the dictionary; cheap to clone.
#[derive(Clone, Default)]
pub struct Texts {
    /// All but the last chunk hold exactly `CHUNK` texts.
    chunks: Vec<Arc<Vec<Box<str>>>>,
    codes: Arc<HashMap<Box<str>, u32>>,
}

const CHUNK: usize = 1 << 14;

impl Texts {
    /// The code of no text.
    pub const NONE: u32 = u32::MAX;

    /// The text of a code that this dictionary gave.
    pub fn get(&self, code: u32) -> &str {
        &self.chunks[code as usize / CHUNK][code as usize % CHUNK]
    }

    /// The code of a text (already after NFKC), if it has one.
    pub fn code(&self, text: &str) -> Option<u32> {
        self.codes.get(text).copied()
    }

    pub fn len(&self) -> usize {
        self.codes.len()
    }

    pub fn is_empty(&self) -> bool {
        self.codes.is_empty()
    }

    /// The code of a text after NFKC, given now if it is new.
    pub fn intern(&mut self, text: &str) -> u32 {
        let text = normalise(text);
        if let Some(&code) = self.codes.get(text.as_ref()) {
            return code;
        }
        let code = self.codes.len() as u32;
        if code as usize % CHUNK == 0 {
            self.chunks.push(Arc::default());
        }
        if let Some(chunk) = self.chunks.last_mut() {
            Arc::make_mut(chunk).push(text.as_ref().into());
        }
        Arc::make_mut(&mut self.codes).insert(text.as_ref().into(), code);
        code
    }
}

/// NFKC, without a copy where the text already is.
pub fn normalise(text: &str) -> std::borrow::Cow<'_, str> {
    if text.is_ascii() || is_nfkc_quick(text.chars()) == IsNormalized::Yes {
        return text.into();
    }
    text.nfkc().collect::<String>().into()
}
