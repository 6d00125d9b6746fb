//! A durable, ordered log of frames in a folder: segment files of checksummed frames, a marker of the durable end, and a lock for the
//! single writing process. Any number of processes follow the log and see only durable frames.

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

/// A segment ends before the frame that would make it larger than this.
const SEGMENT_BYTES: u64 = 64 << 20;
/// How often a follower looks for new frames: too fast for people to notice, and cheap enough to repeat for ever.
const POLL: Duration = Duration::from_millis(3);

/// A log. Threads share it by `Arc`.
pub struct LocalLog {
    folder: PathBuf,
    role: Role,
    segments: SegmentReader,
    /// Locked while frames are replaced.
    replacing: Mutex<()>,
}

enum Role {
    Writer(Writer),
    Follower(Follower),
}

impl LocalLog {
    /// Opens the log for writing, creates the folder if it is missing, and removes a torn tail.
    ///
    /// Returns Locked if another handle writes, Corrupt for damage elsewhere, and Unsupported for files of another version.
    pub fn create(folder: &Path) -> Result<LocalLog> {
        Self::create_sized(folder, SEGMENT_BYTES)
    }

    fn create_sized(folder: &Path, segment_bytes: u64) -> Result<LocalLog> {
        let writer = Writer::open(folder, segment_bytes)?;
        Ok(Self::with(folder, Role::Writer(writer)))
    }

    /// Opens the log for reading, even while another process writes and before the folder exists.
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

    /// Appends a frame and returns its offset once it is durable. Concurrent appends share one fsync.
    ///
    /// Returns Invalid from a follower, after `close`, and for a frame that is empty or over 256 MiB. Io leaves the log unchanged.
    pub fn append(&self, frame: &[u8]) -> Result<u64> {
        self.writer()?.append(frame)
    }

    /// Replaces frames, given with ascending offsets. On return, the old frames are no longer in the folder.
    ///
    /// If interrupted, all or none of a segment's frames are replaced. Readers may see old and new frames meanwhile. Returns Invalid from
    /// a follower, after `close`, for offsets beyond the end or out of order, and for a frame that is empty or over 256 MiB.
    pub fn replace(&self, frames: &[(u64, &[u8])]) -> Result<()> {
        let Some(&(last, _)) = frames.last() else { return Ok(()) };
        if !frames.is_sorted_by(|one, other| one.0 < other.0) {
            return Err(Error::Invalid("frames to replace must have ascending offsets".into()));
        }
        let writer = self.writer()?;
        frames.iter().try_for_each(|(_, frame)| writer::check_length(frame))?;
        writer.seal(last + 1)?;
        let _guard = self.replacing.lock();
        replacement::replace(&self.folder, frames)
    }

    /// Returns frames from `offset` on: at least one if there is one, and at most `max_bytes` together.
    ///
    /// Returns Corrupt, naming file and byte.
    pub fn read(&self, offset: u64, max_bytes: usize) -> Result<Vec<(u64, Vec<u8>)>> {
        self.segments.read(offset, self.end()?, max_bytes)
    }

    /// Returns the offset of the next frame, which is the number of durable frames.
    pub fn end(&self) -> Result<u64> {
        match &self.role {
            Role::Writer(writer) => Ok(writer.end()),
            Role::Follower(follower) => follower.end(),
        }
    }

    /// Waits until `end() > offset`, the log is closed or the time is over; returns whether there are more frames.
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

    /// Returns the size of all segment files in bytes.
    pub fn bytes_on_disk(&self) -> Result<u64> {
        let mut bytes = 0;
        for first in segment::list(&self.folder)? {
            let path = segment::path(&self.folder, first);
            bytes += std::fs::metadata(&path).map_err(Error::io(&path))?.len();
        }
        Ok(bytes)
    }

    /// Releases the write lock, ends waits and rejects further appends. Reading still works.
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
                "{}: the log is opened for reading; open it with `create` to write",
                self.folder.display()
            ))),
        }
    }

    /// Returns the folder of the log.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}
