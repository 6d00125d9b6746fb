//! The keys of what was received in the last thirty days at least: the newest in a table in memory, the others in sealed
//! generations, so that memory stays bounded however much arrives.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::generation::{Generation, Key, KeyHash};
use crate::error::{Error, Result};

/// A full table of 2^20 buckets: 25 MB.
#[cfg(not(test))]
const ACTIVE: usize = (1 << 20) / 8 * 7;
#[cfg(test)]
const ACTIVE: usize = 100;
pub const KEPT_MS: i64 = 30 * 24 * 60 * 60 * 1000;

pub struct Keys {
    folder: PathBuf,
    active: HashMap<Key, u64, KeyHash>,
    /// Arrival of the newest active key.
    newest_ms: i64,
    /// Oldest first, each with its number.
    generations: Vec<(u64, Generation)>,
}

impl Keys {
    /// Corrupt if a generation is damaged.
    pub fn open(folder: &Path) -> Result<Keys> {
        std::fs::create_dir_all(folder).map_err(Error::io(folder))?;
        let mut generations = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(Error::io(folder))? {
            let path = entry.map_err(Error::io(folder))?.path();
            let number = path.file_stem().and_then(|stem| stem.to_str()?.parse().ok());
            match (path.extension().and_then(|extension| extension.to_str()), number) {
                (Some("keys"), Some(number)) => generations.push((number, Generation::open(path)?)),
                // Left by a kill in the middle of sealing; the log still holds all of it.
                (Some("new"), Some(_)) => std::fs::remove_file(&path).map_err(Error::io(&path))?,
                _ => {}
            }
        }
        generations.sort_unstable_by_key(|(number, _)| *number);
        Ok(Keys {
            folder: folder.to_owned(),
            active: HashMap::default(),
            newest_ms: i64::MIN,
            generations,
        })
    }

    /// The raw offset up to which nothing need be folded again, and the schema there.
    pub fn covered(&self) -> (u64, &[u8]) {
        let newest = self.generations.last();
        newest.map_or((0, &[]), |(_, generation)| {
            (generation.summary.covers, &generation.summary.schema)
        })
    }

    /// The contents under each key, where it is known.
    pub fn look_up(&self, keys: &[Key]) -> Result<Vec<Option<u64>>> {
        let mut found: Vec<Option<u64>> = keys.iter().map(|key| self.active.get(key).copied()).collect();
        // Generation by generation, so that the processor overlaps the filters' cache misses.
        for (_, generation) in self.generations.iter().rev() {
            for (key, found) in keys.iter().zip(&mut found) {
                if found.is_none() && generation.may_hold(*key) {
                    *found = generation.find(*key)?;
                }
            }
        }
        Ok(found)
    }

    pub fn insert(&mut self, key: Key, contents: u64, received_at_ms: i64) {
        self.active.entry(key).or_insert(contents);
        self.newest_ms = self.newest_ms.max(received_at_ms);
    }

    pub fn is_full(&self) -> bool {
        self.active.len() >= ACTIVE
    }

    /// Moves the active keys to a generation of their own and drops those that are older than need be kept. If it fails, nothing
    /// has changed.
    pub fn seal(&mut self, covers: u64, schema: &[u8], now_ms: i64) -> Result<()> {
        let mut entries: Vec<(Key, u64)> = self.active.iter().map(|(key, contents)| (*key, *contents)).collect();
        entries.sort_unstable();
        let number = self.generations.last().map_or(1, |(number, _)| number + 1);
        let path = self.folder.join(format!("{number:08}.keys"));
        let generation = Generation::create(path, &entries, covers, self.newest_ms, schema)?;
        self.generations.push((number, generation));
        self.active.clear();
        self.newest_ms = i64::MIN;
        self.drop_older(now_ms.saturating_sub(KEPT_MS))
    }

    /// The newest stays in any case: it says what need not be folded again.
    fn drop_older(&mut self, than_ms: i64) -> Result<()> {
        let Some((_, others)) = self.generations.split_last() else {
            return Ok(());
        };
        let old: Vec<u64> = others
            .iter()
            .filter(|(_, generation)| generation.summary.newest_ms < than_ms)
            .map(|(number, generation)| generation.remove().map(|()| *number))
            .collect::<Result<_>>()?;
        self.generations.retain(|(number, _)| !old.contains(number));
        Ok(())
    }
}
