//! The manifest of a snapshot, which names the files that make it up.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The resolved offset and the number of purges, which together determine the contents of a version.
#[derive(Clone, Copy, Default, PartialEq)]
pub struct SnapshotState {
    pub offset: u64,
    pub purges: u64,
}

/// Formats the state as in file names.
impl std::fmt::Display for SnapshotState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.offset, self.purges)
    }
}

/// The manifest. Its file holds the CRC-32 in hexadecimal, a line break, and the JSON.
#[derive(Serialize, Deserialize)]
pub struct Manifest {
    pub format: u32,
    /// The resolved offset of the next frame to fold.
    pub offset: u64,
    /// One past the last raw offset folded.
    pub raw_offset: u64,
    /// The latest instant at which a folded frame was received, in ms since the epoch.
    pub received_at_ms: i64,
    /// The instant of the first event, in ms since the epoch.
    pub earliest_ms: Option<i64>,
    /// The file of texts, schema, catalogs, history and erased people.
    pub workspace: FileEntry,
    pub partitions: BTreeMap<u32, Files>,
}

/// The files of a partition.
#[derive(Clone, Serialize, Deserialize)]
pub struct Files {
    pub head: FileEntry,
    /// The large runs of events, in the order that the head expects.
    pub events: Vec<FileEntry>,
    /// The large runs of changes, in the order that the head expects.
    pub changes: Vec<FileEntry>,
}

/// A file that a manifest names.
#[derive(Clone, Serialize, Deserialize)]
pub struct FileEntry {
    pub name: String,
    pub bytes: u64,
    pub crc32: u32,
}

impl Manifest {
    /// Returns the names of all files.
    pub fn names(&self) -> Vec<&str> {
        let files = self.partitions.values();
        let entries = files.flat_map(|files| files.events.iter().chain(&files.changes).chain([&files.head]));
        let entries = entries.chain([&self.workspace]);
        entries.map(|entry| entry.name.as_str()).collect()
    }
}
