//! Text tests, evaluated once for each distinct text.

use std::sync::atomic::{AtomicU8, Ordering};

use regex::Regex;

use crate::index::columns::texts::{Texts, normalise};
use crate::plan::TextTest;

/// A test of a text, with the compiled pattern.
#[derive(Clone, Debug)]
pub struct TextMatcher {
    kind: TextTest,
    value: String,
    pattern: Option<Regex>,
}

impl PartialEq for TextMatcher {
    fn eq(&self, other: &TextMatcher) -> bool {
        self.kind == other.kind && self.value == other.value
    }
}

impl Eq for TextMatcher {}

impl std::hash::Hash for TextMatcher {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        (self.kind, &self.value).hash(state);
    }
}

/// The most bytes of a compiled pattern; larger patterns are rejected.
const PATTERN_LIMIT: usize = 1 << 20;

impl TextMatcher {
    /// Compiles a test; returns the reason as the error if the pattern is invalid or too large.
    pub fn new(kind: TextTest, value: &str) -> Result<TextMatcher, String> {
        if kind != TextTest::Matches {
            return Ok(TextMatcher {
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
        Ok(TextMatcher {
            kind,
            value: value.to_string(),
            pattern: Some(pattern),
        })
    }

    /// Returns whether a text passes the test; the text must be in NFKC.
    pub fn matches(&self, text: &str) -> bool {
        match self.kind {
            TextTest::Contains => text.contains(&self.value),
            TextTest::StartsWith => text.starts_with(&self.value),
            TextTest::EndsWith => text.ends_with(&self.value),
            TextTest::Matches => self.pattern.as_ref().is_some_and(|pattern| pattern.is_match(text)),
        }
    }
}

/// Returns why a pattern does not compile, without the pattern, which a syntax error shows above its last line.
fn reason_of(error: &regex::Error) -> String {
    let message = error.to_string();
    match message.rsplit_once("\nerror: ") {
        Some((_, reason)) => reason.to_string(),
        None => message,
    }
}

/// Caches the results of a matcher by text code. Each result is computed when it is first needed.
pub struct MatchCache<'a> {
    matcher: &'a TextMatcher,
    texts: &'a Texts,
    plan_texts: &'a [String],
    first_plan_code: u32,
    results: Vec<AtomicU8>,
}

// The cached results; 0 means not computed yet.
const NO: u8 = 1;
const YES: u8 = 2;

impl<'a> MatchCache<'a> {
    pub fn new(
        matcher: &'a TextMatcher,
        texts: &'a Texts,
        plan_texts: &'a [String],
        first_plan_code: u32,
    ) -> MatchCache<'a> {
        let results = std::iter::repeat_with(AtomicU8::default).take(texts.len()).collect();
        MatchCache {
            matcher,
            texts,
            plan_texts,
            first_plan_code,
            results,
        }
    }

    /// Returns whether the text with this code passes the test.
    pub fn matches(&self, code: u32) -> bool {
        let Some(result) = self.results.get(code as usize) else {
            let text = code
                .checked_sub(self.first_plan_code)
                .and_then(|index| self.plan_texts.get(index as usize));
            return text.is_some_and(|text| self.matcher.matches(text));
        };
        match result.load(Ordering::Relaxed) {
            NO => false,
            YES => true,
            // Two threads may compute the same result.
            _ => {
                let matches = self.matcher.matches(self.texts.get(code));
                result.store(if matches { YES } else { NO }, Ordering::Relaxed);
                matches
            }
        }
    }
}
