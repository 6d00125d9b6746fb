//! The idempotency keys of at least the last thirty days. The newest are in a table in memory, the others in sealed generations, so
//! memory is bounded.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::generation::{Generation, Key, KeyHash, Summary};
use super::merging::{BackgroundMerge, Merged};
use crate::error::{Error, Result};

/// The most keys in memory: a full table of 2^20 buckets, 25 MB.
#[cfg(not(test))]
const ACTIVE: usize = (1 << 20) / 8 * 7;
#[cfg(test)]
const ACTIVE: usize = 100;
/// How long keys are kept at least, in ms.
pub const KEPT_MS: i64 = 30 * 24 * 60 * 60 * 1000;

pub struct Keys {
    folder: PathBuf,
    active: HashMap<Key, u64, KeyHash>,
    /// When the newest active key arrived, in ms since the epoch.
    newest_ms: i64,
    /// The generations with their numbers, oldest first.
    generations: Vec<(u64, Arc<Generation>)>,
    merge: BackgroundMerge,
}

impl Keys {
    /// Opens the generations of a folder; returns `Error::Corrupt` if one is damaged.
    pub fn open(folder: &Path) -> Result<Keys> {
        std::fs::create_dir_all(folder).map_err(Error::io(folder))?;
        let mut generations = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(Error::io(folder))? {
            let path = entry.map_err(Error::io(folder))?.path();
            let number = path.file_stem().and_then(|stem| stem.to_str()?.parse().ok());
            match (path.extension().and_then(|extension| extension.to_str()), number) {
                (Some("keys"), Some(number)) => generations.push((number, Arc::new(Generation::open(path)?))),
                // A kill interrupted the sealing; the log still has these keys.
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
            merge: BackgroundMerge::default(),
        })
    }

    /// Returns the raw offset from which the log must be folded, and the schema at this offset.
    pub fn covered(&self) -> (u64, &[u8]) {
        let newest = self.generations.last();
        newest.map_or((0, &[]), |(_, generation)| {
            (generation.summary.covers, &generation.summary.schema)
        })
    }

    /// Returns the content hash of each known key.
    pub fn look_up(&self, keys: &[Key]) -> Result<Vec<Option<u64>>> {
        let mut found: Vec<Option<u64>> = keys.iter().map(|key| self.active.get(key).copied()).collect();
        // Generation by generation, so that the processor overlaps the filters' cache misses.
        for (_, generation) in self.generations.iter().rev() {
            for (key, found) in keys.iter().zip(&mut found) {
                if found.is_none() && generation.may_contain(*key) {
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

    /// Moves the active keys to a new generation and removes expired generations. Changes nothing if it fails.
    pub fn seal(&mut self, covers: u64, schema: &[u8], now_ms: i64) -> Result<()> {
        let mut entries: Vec<(Key, u64)> = self.active.iter().map(|(key, contents)| (*key, *contents)).collect();
        entries.sort_unstable();
        let number = self.generations.last().map_or(1, |(number, _)| number + 1);
        let summary = Summary {
            covers,
            newest_ms: self.newest_ms,
            schema: schema.to_vec(),
            ..Summary::default()
        };
        let most = entries.len();
        let generation = Generation::create(self.file(number), entries.into_iter().map(Ok), most, summary)?;
        self.generations.push((number, Arc::new(generation)));
        self.active.clear();
        self.newest_ms = i64::MIN;
        self.install_merged()?;
        self.remove_expired(now_ms.saturating_sub(KEPT_MS))?;
        let folder = self.folder.clone();
        self.merge
            .begin(&self.generations, ACTIVE, |number| file(&folder, number));
        Ok(())
    }

    fn file(&self, number: u64) -> PathBuf {
        file(&self.folder, number)
    }

    /// Replaces generations by the one that they were merged into. It reuses the file of the newest of them.
    fn install_merged(&mut self) -> Result<()> {
        let Some(Merged { numbers, generation }) = self.merge.finished() else {
            return Ok(());
        };
        let (Some(&last), generation) = (numbers.last(), Arc::new(generation)) else {
            return Ok(());
        };
        match self.generations.iter_mut().find(|(number, _)| *number == last) {
            Some((_, held)) => *held = generation,
            // The merged generations expired meanwhile.
            None => drop(generation.remove()),
        }
        let replaced = |number: &u64| *number != last && numbers.contains(number);
        for (_, held) in self.generations.iter().filter(|(number, _)| replaced(number)) {
            held.remove()?;
        }
        self.generations.retain(|(number, _)| !replaced(number));
        Ok(())
    }

    /// Removes expired generations. The newest one stays, because it records the offset that it covers.
    fn remove_expired(&mut self, than_ms: i64) -> Result<()> {
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

fn file(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:08}.keys"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use xxhash_rust::xxh3::xxh3_128;

    use super::*;
    use crate::ingest::merging::FAN_IN;

    fn key(number: u32) -> Key {
        let hash = xxh3_128(&number.to_le_bytes());
        Key {
            high: (hash >> 64) as u64,
            low: hash as u64,
        }
    }

    fn check(keys: &Keys, known: &HashMap<u32, u64>) {
        let numbers: Vec<u32> = (0..4_000).collect();
        let asked: Vec<Key> = numbers.iter().map(|&number| key(number)).collect();
        let expected: Vec<Option<u64>> = numbers.iter().map(|number| known.get(number).copied()).collect();
        assert_eq!(keys.look_up(&asked).unwrap(), expected);
    }

    proptest! {
        #![proptest_config(crate::testing::cases(12))]

        /// `waits` tells whether to wait for a merge before the next generation is sealed.
        #[test]
        fn merging_generations_keeps_the_first_contents_of_each_key(
            rounds in prop::collection::vec((prop::collection::vec(0..4_000u32, 100..140), any::<bool>()), 1..40),
        ) {
            let folder = tempfile::tempdir().unwrap();
            let mut keys = Keys::open(folder.path()).unwrap();
            let mut known: HashMap<u32, u64> = HashMap::new();
            for (round, (numbers, waits)) in (0..).zip(&rounds) {
                for &number in numbers {
                    let asked = key(number);
                    if keys.look_up(&[asked]).unwrap()[0].is_none() {
                        keys.insert(asked, round, 0);
                        known.entry(number).or_insert(round);
                    }
                }
                keys.seal(round + 1, b"schema", 0).unwrap();
                if *waits {
                    keys.merge.wait();
                }
                check(&keys, &known);
            }
            let covered = keys.covered().0;
            drop(keys);
            let again = Keys::open(folder.path()).unwrap();
            check(&again, &known);
            prop_assert_eq!(again.covered().0, covered);
        }
    }

    #[test]
    fn generations_are_merged_and_expire() {
        let folder = tempfile::tempdir().unwrap();
        let mut keys = Keys::open(folder.path()).unwrap();
        for round in 0..60u32 {
            for number in round * 100..(round + 1) * 100 {
                keys.insert(key(number), 1, i64::from(round));
            }
            keys.seal(u64::from(round), b"", i64::from(round)).unwrap();
            keys.merge.wait();
        }
        assert!(keys.generations.len() <= 4 * FAN_IN, "{}", keys.generations.len());
        keys.seal(60, b"", KEPT_MS + 60).unwrap();
        assert_eq!(keys.generations.len(), 1);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
