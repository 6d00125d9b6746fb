//! Generations of keys merged to larger ones beside the work, so that few filters are asked for a key.

use std::path::PathBuf;
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};

use super::generation::{Entry, Generation, Key, Summary};
use crate::error::Result;

/// So many of like size are merged to one.
pub const FAN_IN: usize = if cfg!(test) { 3 } else { 8 };
/// No larger one is made, so that what is old can go.
const LARGEST: u64 = if cfg!(test) { 2_000 } else { 1 << 26 };

/// At most one at a time.
#[derive(Default)]
pub struct Merging(Option<JoinHandle<Result<Merged>>>);

/// What takes the place of generations of these numbers.
pub struct Merged {
    pub numbers: Vec<u64>,
    pub generation: Generation,
}

impl Merging {
    /// What was merged since, if it is ready. A merging that failed is begun again some time.
    pub fn finished(&mut self) -> Option<Merged> {
        let done = self.0.take_if(|merging| merging.is_finished())?;
        done.join().ok()?.ok()
    }

    /// Begins with the oldest that are due, unless one is under way. `file` is that of a generation's number. `full`: keys of one that
    /// was not merged.
    pub fn begin(&mut self, generations: &[(u64, Arc<Generation>)], full: usize, file: impl Fn(u64) -> PathBuf) {
        if self.0.is_some() {
            return;
        }
        let level = |generation: &Generation| (generation.summary.count / full as u64).max(1).ilog(FAN_IN as u64);
        let is_due = |group: &&[(u64, Arc<Generation>)]| {
            let same = group
                .iter()
                .all(|(_, generation)| level(generation) == level(&group[0].1));
            same && group
                .iter()
                .map(|(_, generation)| generation.summary.count)
                .sum::<u64>()
                <= LARGEST
        };
        let Some(group) = generations.windows(FAN_IN).find(is_due) else {
            return;
        };
        let numbers: Vec<u64> = group.iter().map(|(number, _)| *number).collect();
        let sources: Vec<Arc<Generation>> = group.iter().map(|(_, generation)| generation.clone()).collect();
        // Written over the newest of them: those before it may go once it is there.
        let path = file(numbers[FAN_IN - 1]);
        let merge = move || {
            let generation = merge(&sources, path)?;
            Ok(Merged { numbers, generation })
        };
        self.0 = Builder::new().name("keys".into()).spawn(merge).ok();
    }
}

#[cfg(test)]
impl Merging {
    pub fn wait(&self) {
        while self.0.as_ref().is_some_and(|merging| !merging.is_finished()) {
            std::thread::yield_now();
        }
    }
}

impl Drop for Merging {
    fn drop(&mut self) {
        if let Some(merging) = self.0.take() {
            let _ = merging.join();
        }
    }
}

fn merge(sources: &[Arc<Generation>], path: PathBuf) -> Result<Generation> {
    let mut entries: Vec<_> = sources.iter().map(|source| source.entries().peekable()).collect();
    let mut last: Option<Key> = None;
    let merged = std::iter::from_fn(|| {
        loop {
            let next = entries.iter_mut().filter_map(|source| {
                let rank = source.peek()?.as_ref().ok().map(|(key, _)| *key);
                Some((rank, source))
            });
            // An error comes before every key.
            let (_, source) = next.min_by_key(|(rank, _)| *rank)?;
            match source.next()? {
                // Of two the one of the older generation came first.
                Ok((key, _)) if last == Some(key) => {}
                Ok((key, contents)) => {
                    last = Some(key);
                    return Some(Ok::<Entry, _>((key, contents)));
                }
                Err(error) => return Some(Err(error)),
            }
        }
    });
    let newest = sources.last().map(|source| &source.summary);
    let summary = Summary {
        covers: newest.map_or(0, |summary| summary.covers),
        newest_ms: sources
            .iter()
            .map(|source| source.summary.newest_ms)
            .max()
            .unwrap_or(i64::MIN),
        schema: newest.map_or_else(Vec::new, |summary| summary.schema.clone()),
        ..Summary::default()
    };
    let most = sources.iter().map(|source| source.summary.count as usize).sum();
    Generation::create(path, merged, most, summary)
}
