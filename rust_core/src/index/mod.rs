//! The index of one workspace: people, events and catalogs, folded from its resolved log into immutable versions.

pub mod columns;
mod digest;
mod erasure;
mod fold;
pub mod history;
pub mod partitioning;
pub(crate) mod person;
pub mod runs;
mod schema;
mod snapshot;
pub mod summaries;
#[cfg(test)]
pub(crate) mod tests;
pub mod view;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};

use self::erasure::purge;
use self::fold::apply;
use self::fold::batch::FrameBatch;
use self::runs::compaction::Compaction;
use self::snapshot::Snapshots;
use self::summaries::firsts::FirstInstants;
use self::view::Version;
use crate::error::{Error, Result};

/// The index of one workspace. Readers take a version and keep it; one writer at a time folds frames and publishes the next version.
pub struct Index {
    published: RwLock<Published>,
    /// Locked while frames are folded.
    writer: Mutex<Compaction>,
    /// `None` in a follower, which writes no snapshots.
    snapshots: Option<Mutex<Snapshots>>,
    /// The past versions requested most recently, so that the pages of one list share a version.
    past_versions: Mutex<Vec<PastVersion>>,
}

/// A version as it was known at a raw offset.
struct PastVersion {
    raw_offset: u64,
    version: Arc<Version>,
}

/// The maximum number of cached past versions.
const MAX_PAST_VERSIONS: usize = 2;

/// The version that readers see, and how far the log is folded into it.
#[derive(Clone)]
struct Published {
    version: Arc<Version>,
    /// The resolved offset of the next frame to fold.
    offset: u64,
}

impl Index {
    /// Opens the newest snapshot in `folder`, or an empty index if there is none.
    ///
    /// Returns Corrupt, naming the file, if the snapshot is damaged (damage to a large run is found when the run is first read), and
    /// Unsupported if another version of the format wrote it.
    pub fn open(folder: &Path) -> Result<Index> {
        let (snapshots, version, offset) = Snapshots::open(folder)?;
        Ok(Index::of(version, offset, Some(Mutex::new(snapshots))))
    }

    /// Opens the newest snapshot for reading while another process owns the folder. Nothing is written there, and `snapshot` is rejected.
    pub fn follow(folder: &Path) -> Result<Index> {
        let (version, offset) = Snapshots::follow(folder)?;
        Ok(Index::of(version, offset, None))
    }

    fn of(version: Version, offset: u64, snapshots: Option<Mutex<Snapshots>>) -> Index {
        let published = Published {
            version: Arc::new(version),
            offset,
        };
        Index {
            published: RwLock::new(published),
            writer: Mutex::default(),
            snapshots,
            past_versions: Mutex::default(),
        }
    }

    /// Returns the current version.
    pub fn version(&self) -> Arc<Version> {
        self.published.read().version.clone()
    }

    /// Returns the version that was current when the raw log was folded up to an offset; `None` stands for the current version.
    ///
    /// Returns Invalid if the log is not folded that far, and Corrupt if a file is damaged.
    pub fn known_at(&self, raw_offset: Option<u64>) -> Result<Arc<Version>> {
        let Some(raw_offset) = raw_offset else {
            return Ok(self.version());
        };
        // Locked throughout, so that no version is built twice and no stale version is cached after an erasure.
        let mut past_versions = self.past_versions.lock();
        let now = self.version();
        let epoch = now.epoch.raw_offset;
        if raw_offset == epoch {
            return Ok(now);
        }
        if raw_offset > epoch {
            return Err(Error::Invalid(format!(
                "known at {raw_offset}: the raw log is folded up to offset {epoch} so far; ask for no more than that, or wait for it"
            )));
        }
        let cached = past_versions.iter().position(|past| past.raw_offset == raw_offset);
        let version = match cached {
            Some(at) => past_versions.remove(at).version,
            None => now.known_at(raw_offset)?,
        };
        past_versions.truncate(MAX_PAST_VERSIONS - 1);
        let past = PastVersion {
            raw_offset,
            version: version.clone(),
        };
        past_versions.insert(0, past);
        Ok(version)
    }

    /// Returns the resolved offset of the next frame to fold.
    pub fn offset(&self) -> u64 {
        self.published.read().offset
    }

    /// Applies frames, given with their resolved offsets, in order and publishes one version.
    ///
    /// Returns Invalid if an offset is not the next one or a frame is malformed, and Corrupt if a file is damaged; then nothing is applied.
    pub fn fold(&self, frames: &[(u64, &[u8])]) -> Result<()> {
        let mut compaction = self.writer.lock();
        let mut offset = self.offset();
        let mut version = Version::clone(&self.version());
        compaction.finish(&mut version)?;
        let (mut batch, mut erases) = (FrameBatch::new(&version), false);
        for &(at, bytes) in frames {
            if at != offset {
                return Err(Error::Invalid(format!(
                    "resolved frame {at}: out of order; the next frame to fold has offset {offset}"
                )));
            }
            batch.add_frame(bytes).map_err(|error| match error {
                Error::Invalid(message) => Error::Invalid(format!("resolved frame {at}: {message}")),
                other => other,
            })?;
            offset += 1;
            erases |= !batch.newly_erased.is_empty();
            if batch.split.is_some() {
                version = apply(version, batch)?;
                batch = FrameBatch::new(&version);
            }
        }
        let version = Arc::new(apply(version, batch)?);
        compaction.begin(&version);
        *self.published.write() = Published { version, offset };
        if erases {
            self.past_versions.lock().clear();
        }
        Ok(())
    }

    /// Removes one part of the stored data of erased people; returns false if nothing is left to remove.
    ///
    /// The data leaves the folder with the next snapshot. Returns Corrupt if a file is damaged; then nothing is removed.
    pub fn purge(&self) -> Result<bool> {
        let _writer = self.writer.lock();
        let Published { version, offset } = self.published.read().clone();
        if version.erased.is_purged() {
            return Ok(false);
        }
        let Some(version) = purge::purge(&version)? else {
            return Ok(false);
        };
        let version = Arc::new(version);
        *self.published.write() = Published { version, offset };
        self.past_versions.lock().clear();
        Ok(true)
    }

    /// Writes a snapshot of the current version, atomically: the previous snapshot stays in place until the new one is complete.
    pub fn snapshot(&self) -> Result<()> {
        let Some(snapshots) = &self.snapshots else {
            return Err(Error::Invalid(
                "an index opened with `follow` cannot write snapshots".into(),
            ));
        };
        let mut snapshots = snapshots.lock();
        let Published { version, offset } = self.published.read().clone();
        let mapped = snapshots.write(&version, offset)?;
        // Readers see the same contents, but runs that now have files no longer need memory of their own.
        let _writer = self.writer.lock();
        let current = self.version();
        self.published.write().version = Arc::new(snapshots.exchange(&current, &mapped));
        Ok(())
    }
}

impl Version {
    /// Returns the names of all known channels, ascending.
    pub fn channels(&self) -> Vec<String> {
        let channels = self.partitions.values().flat_map(|partition| partition.channels.keys());
        let codes: BTreeSet<u32> = channels.copied().collect();
        let names: BTreeSet<&str> = codes.into_iter().map(|code| self.texts.get(code)).collect();
        names.into_iter().map(str::to_owned).collect()
    }

    /// Returns the number of people, events, catalog items and partitions, and the bytes of memory in use.
    pub fn statistics(&self) -> BTreeMap<&'static str, u64> {
        let partitions = || self.partitions.values();
        let persons = partitions().map(|partition| partition.first_record.count());
        let events = partitions()
            .flat_map(|partition| partition.events.values())
            .map(|events| events.counted_rows());
        let items = self.catalogs.values().map(|items| items.rows.len());
        let bytes = partitions().map(|partition| partition.bytes_in_memory()).sum::<usize>()
            + self
                .catalogs
                .values()
                .map(|items| items.bytes_in_memory())
                .sum::<usize>()
            + self.texts.bytes_in_memory()
            + self.history.bytes_in_memory();
        BTreeMap::from([
            ("persons", persons.sum::<u64>()),
            ("events", events.sum::<usize>() as u64),
            ("catalog_items", items.sum::<usize>() as u64),
            ("partitions", self.partitions.len() as u64),
            ("bytes", bytes as u64),
        ])
    }
}

impl view::Partition {
    fn bytes_in_memory(&self) -> usize {
        let firsts = self
            .channels
            .values()
            .chain([&self.first_record])
            .map(FirstInstants::bytes_in_memory);
        let derived = self.events.values();
        let derived = derived.map(|events| events.spans.bytes_in_memory() + events.totals.bytes_in_memory());
        let runs = self.events.values().flat_map(|events| &events.runs);
        let attributes = self.attributes.values().map(|attribute| attribute.bytes_in_memory());
        firsts.sum::<usize>()
            + self.split_history.bytes_in_memory()
            + derived.sum::<usize>()
            + runs.map(|run| run.bytes_in_memory()).sum::<usize>()
            + attributes.sum::<usize>()
    }
}
