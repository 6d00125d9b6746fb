//! The durable end of the log: a small file that the writer overwrites after each fsync and that followers read.
//!
//! The file is not synced itself. After a power cut it may lag behind but never runs ahead; the writer corrects it when it opens.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::Mutex;

use crate::error::{Error, Result};

const BYTES: usize = 32;

/// An end of the log: the offset of the next frame, and its segment and byte position.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Mark {
    /// The offset of the next frame.
    pub end: u64,
    /// The first offset of the segment that will hold it.
    pub segment: u64,
    /// Its byte position in the segment file.
    pub position: u64,
}

/// Returns the path of the marker file.
pub fn path(folder: &Path) -> PathBuf {
    folder.join("COMMITTED")
}

impl Mark {
    fn encode(self) -> [u8; BYTES] {
        let mut bytes = [0; BYTES];
        bytes[..8].copy_from_slice(&self.end.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.segment.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.position.to_le_bytes());
        let check = crc32fast::hash(&bytes[..24]);
        bytes[24..28].copy_from_slice(&check.to_le_bytes());
        bytes
    }

    fn decode(bytes: &[u8; BYTES]) -> Option<Mark> {
        let (words, _) = bytes.as_chunks::<8>();
        let number = |at: usize| u64::from_le_bytes(words[at]);
        (number(3) == u64::from(crc32fast::hash(&bytes[..24]))).then(|| Mark {
            end: number(0),
            segment: number(1),
            position: number(2),
        })
    }

    /// Writes the marker.
    pub fn write(self, file: &File) -> std::io::Result<()> {
        file.write_all_at(&self.encode(), 0)
    }

    /// Reads the marker; `None` before the first write and in the middle of one.
    pub fn read(file: &File) -> Option<Mark> {
        let mut bytes = [0; BYTES];
        file.read_exact_at(&mut bytes, 0).ok()?;
        Mark::decode(&bytes)
    }
}

/// The view of a process that only reads.
pub struct Follower {
    path: PathBuf,
    /// The marker file, once it exists.
    file: Mutex<Option<File>>,
    /// The highest end that was read.
    seen: AtomicU64,
    closed: AtomicBool,
}

impl Follower {
    pub fn new(folder: &Path) -> Self {
        Follower {
            path: path(folder),
            file: Mutex::new(None),
            seen: AtomicU64::new(0),
            closed: AtomicBool::new(false),
        }
    }

    /// Returns the durable end. It never decreases; a marker that is being written counts as unchanged.
    pub fn end(&self) -> Result<u64> {
        let mut file = self.file.lock();
        if file.is_none() {
            *file = match File::open(&self.path) {
                Ok(file) => Some(file),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
                Err(error) => return Err(Error::io(&self.path)(error)),
            };
        }
        let end = file.as_ref().and_then(Mark::read).map_or(0, |mark| mark.end);
        Ok(self.seen.fetch_max(end, Ordering::Relaxed).max(end))
    }

    /// Ends waits; reading still works.
    pub fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
    }

    /// Returns whether `close` was called.
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }
}
