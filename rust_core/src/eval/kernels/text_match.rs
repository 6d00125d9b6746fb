//! Tests of texts, answered once a distinct text.

use std::sync::atomic::{AtomicU8, Ordering};

use regex::Regex;

use crate::index::columns::texts::{Texts, normalise};
use crate::plan::TextTest;

/// What is asked of a text, the pattern compiled.
#[derive(Clone, Debug)]
pub struct Test {
    kind: TextTest,
    value: String,
    pattern: Option<Regex>,
}

impl PartialEq for Test {
    fn eq(&self, other: &Test) -> bool {
        self.kind == other.kind && self.value == other.value
    }
}

impl Eq for Test {}

impl std::hash::Hash for Test {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        (self.kind, &self.value).hash(state);
    }
}

/// Bytes of a compiled pattern: beyond them it is refused.
const PATTERN_LIMIT: usize = 1 << 20;

impl Test {
    /// The error is the reason why the pattern cannot be used.
    pub fn new(kind: TextTest, value: &str) -> Result<Test, String> {
        if kind != TextTest::Matches {
            return Ok(Test {
                kind,
                value: normalise(value).into_owned(),
                pattern: None,
            });
        }
        let pattern = regex::RegexBuilder::new(value)
            .size_limit(PATTERN_LIMIT)
            .dfa_size_limit(PATTERN_LIMIT)
            .build()
            .map_err(|error| reason_of(&error))?;
        Ok(Test {
            kind,
            value: value.to_string(),
            pattern: Some(pattern),
        })
    }

    /// Of a text after NFKC.
    pub fn holds(&self, text: &str) -> bool {
        match self.kind {
            TextTest::Contains => text.contains(&self.value),
            TextTest::StartsWith => text.starts_with(&self.value),
            TextTest::EndsWith => text.ends_with(&self.value),
            TextTest::Matches => self.pattern.as_ref().is_some_and(|pattern| pattern.is_match(text)),
        }
    }
}

/// Why a pattern does not compile, without the pattern itself: the message of a syntax error shows it above its last line.
fn reason_of(error: &regex::Error) -> String {
    let message = error.to_string();
    match message.rsplit_once("\nerror: ") {
        Some((_, reason)) => reason.to_string(),
        None => message,
    }
}

/// The answers of a test by code, found when first asked for.
pub struct Memo<'a> {
    test: &'a Test,
    texts: &'a Texts,
    extra: &'a [String],
    extra_from: u32,
    answers: Vec<AtomicU8>,
}

const NO: u8 = 1;
const YES: u8 = 2;

impl<'a> Memo<'a> {
    pub fn new(test: &'a Test, texts: &'a Texts, extra: &'a [String], extra_from: u32) -> Memo<'a> {
        let answers = std::iter::repeat_with(AtomicU8::default).take(texts.len()).collect();
        Memo {
            test,
            texts,
            extra,
            extra_from,
            answers,
        }
    }

    pub fn holds(&self, code: u32) -> bool {
        let Some(answer) = self.answers.get(code as usize) else {
            let extra = code
                .checked_sub(self.extra_from)
                .and_then(|index| self.extra.get(index as usize));
            return extra.is_some_and(|text| self.test.holds(text));
        };
        match answer.load(Ordering::Relaxed) {
            NO => false,
            YES => true,
            // Two threads may both ask; they find the same.
            _ => {
                let holds = self.test.holds(self.texts.get(code));
                answer.store(if holds { YES } else { NO }, Ordering::Relaxed);
                holds
            }
        }
    }
}
