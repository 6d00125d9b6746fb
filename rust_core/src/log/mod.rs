//! A durable, ordered log of frames in a folder: segment files of checksummed frames, a marker that says how far they are
//! durable, and a lock for the one process that writes. Any number of processes follow, and see only durable frames.

mod marker;
mod reader;
mod replacement;
mod segment;
#[cfg(test)]
pub(crate) mod tests;
mod writer;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::error::{Error, Result};
use marker::Follower;
use reader::SegmentReader;
use writer::Writer;

/// A segment is closed when the next frame would make it larger.
const SEGMENT_BYTES: u64 = 64 << 20;
/// How often a follower looks whether there is more: well below the time that a person notices, cheap enough to do for ever.
const POLL: Duration = Duration::from_millis(3);

/// One partition of a log. Shared between threads by `Arc`.
pub struct LocalLog {
    folder: PathBuf,
    role: Role,
    segments: SegmentReader,
    /// Held while frames are replaced.
    replacing: Mutex<()>,
}

enum Role {
    Writer(Writer),
    Follower(Follower),
}

impl LocalLog {
    /// Opens for writing, makes the folder if it is missing and cuts a torn tail.
    ///
    /// Locked if another handle writes, Corrupt for damage elsewhere, Unsupported for another version's files.
    pub fn create(folder: &Path) -> Result<LocalLog> {
        Self::create_sized(folder, SEGMENT_BYTES)
    }

    fn create_sized(folder: &Path, segment_bytes: u64) -> Result<LocalLog> {
        let writer = Writer::open(folder, segment_bytes)?;
        Ok(Self::with(folder, Role::Writer(writer)))
    }

    /// Opens for reading, also while another process writes, and before the folder exists.
    pub fn follow(folder: &Path) -> LocalLog {
        Self::with(folder, Role::Follower(Follower::new(folder)))
    }

    fn with(folder: &Path, role: Role) -> LocalLog {
        LocalLog {
            folder: folder.to_owned(),
            role,
            segments: SegmentReader::new(folder),
            replacing: Mutex::default(),
        }
    }

    /// The frame's offset, once it is durable. Concurrent appends share one fsync.
    ///
    /// Invalid from a follower, after `close`, and for a frame that is empty or over 256 MiB. Io leaves the log as it was.
    pub fn append(&self, frame: &[u8]) -> Result<u64> {
        self.writer()?.append(frame)
    }

    /// Puts frames in the place of those with their offsets, which ascend. When it returns, the former ones are no longer in the folder;
    /// interrupted, it has replaced all of a segment's or none. Readers may see old and new ones meanwhile.
    ///
    /// Invalid from a follower, after `close`, for offsets beyond the end or out of order, and for a frame that is empty or over 256 MiB.
    pub fn replace(&self, frames: &[(u64, &[u8])]) -> Result<()> {
        let Some(&(last, _)) = frames.last() else { return Ok(()) };
        if !frames.is_sorted_by(|one, other| one.0 < other.0) {
            return Err(Error::Invalid(
                "frames are replaced in the order of their offsets".into(),
            ));
        }
        let writer = self.writer()?;
        frames.iter().try_for_each(|(_, frame)| writer::check_length(frame))?;
        writer.seal(last + 1)?;
        let _guard = self.replacing.lock();
        replacement::replace(&self.folder, frames)
    }

    /// Frames from `offset` on: at least one where there is one, up to `max_bytes` together. Corrupt, naming file and byte.
    pub fn read(&self, offset: u64, max_bytes: usize) -> Result<Vec<(u64, Vec<u8>)>> {
        self.segments.read(offset, self.end()?, max_bytes)
    }

    /// Offset of the next frame: how many are durable.
    pub fn end(&self) -> Result<u64> {
        match &self.role {
            Role::Writer(writer) => Ok(writer.end()),
            Role::Follower(follower) => follower.end(),
        }
    }

    /// Blocks until `end() > offset`, the log is closed or the time is over; whether there is more.
    pub fn wait(&self, offset: u64, timeout: Duration) -> Result<bool> {
        let deadline = Instant::now() + timeout;
        let follower = match &self.role {
            Role::Writer(writer) => return Ok(writer.wait(offset, deadline)),
            Role::Follower(follower) => follower,
        };
        loop {
            if follower.end()? > offset {
                return Ok(true);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || follower.is_closed() {
                return Ok(false);
            }
            std::thread::sleep(left.min(POLL));
        }
    }

    /// Bytes of all segment files.
    pub fn bytes_on_disk(&self) -> Result<u64> {
        let mut bytes = 0;
        for first in segment::list(&self.folder)? {
            let path = segment::path(&self.folder, first);
            bytes += std::fs::metadata(&path).map_err(Error::io(&path))?.len();
        }
        Ok(bytes)
    }

    /// Lets another process write, ends waits and refuses appends. Reading still works.
    pub fn close(&self) {
        match &self.role {
            Role::Writer(writer) => writer.close(),
            Role::Follower(follower) => follower.close(),
        }
    }

    fn writer(&self) -> Result<&Writer> {
        match &self.role {
            Role::Writer(writer) => Ok(writer),
            Role::Follower(_) => Err(Error::Invalid(format!(
                "{}: opened for reading; open it with create to write",
                self.folder.display()
            ))),
        }
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }
}
