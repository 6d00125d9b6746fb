//! Merges generations of keys in the background, so that a lookup reads few filters.

use std::path::PathBuf;
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};

use super::generation::{Entry, Generation, Key, Summary};
use crate::error::Result;

/// The number of generations of similar size that are merged into one.
pub const FAN_IN: usize = if cfg!(test) { 3 } else { 8 };
/// The most keys of a merged generation. Larger ones would delay the expiry of old keys.
const LARGEST: u64 = if cfg!(test) { 2_000 } else { 1 << 26 };

/// The merge that is running, if any.
#[derive(Default)]
pub struct BackgroundMerge(Option<JoinHandle<Result<Merged>>>);

/// A merged generation and the numbers of the generations that it replaces.
pub struct Merged {
    pub numbers: Vec<u64>,
    pub generation: Generation,
}

impl BackgroundMerge {
    /// Returns the merged generation if the merge is done. A failed merge is started again later.
    pub fn finished(&mut self) -> Option<Merged> {
        let done = self.0.take_if(|merge| merge.is_finished())?;
        done.join().ok()?.ok()
    }

    /// Starts to merge the oldest generations that are due, unless a merge is running.
    ///
    /// `file` returns the path of a generation. `full` is the number of keys of a generation that is not merged yet.
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
        // Overwrites the newest of them; the older ones can be removed afterwards.
        let path = file(numbers[FAN_IN - 1]);
        let merge = move || {
            let generation = merge(&sources, path)?;
            Ok(Merged { numbers, generation })
        };
        self.0 = Builder::new().name("keys".into()).spawn(merge).ok();
    }
}

#[cfg(test)]
impl BackgroundMerge {
    pub fn wait(&self) {
        while self.0.as_ref().is_some_and(|merge| !merge.is_finished()) {
            std::thread::yield_now();
        }
    }
}

impl Drop for BackgroundMerge {
    fn drop(&mut self) {
        if let Some(merge) = self.0.take() {
            let _ = merge.join();
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
            // Errors sort before all keys.
            let (_, source) = next.min_by_key(|(rank, _)| *rank)?;
            match source.next()? {
                // The entry of the older generation wins.
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
