//! Reads frames by offset. Each open segment keeps a sparse index, built as it is read.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use super::segment::{self, FRAME_HEADER, Found, HEADER, Window, corrupt};
use crate::error::{Error, Result};

/// The minimum number of bytes between two entries of the sparse index.
const STRIDE: u64 = 64 << 10;

/// Reads frames from all segments of a folder.
pub struct SegmentReader {
    folder: PathBuf,
    /// The segments opened so far, by first offset.
    open: Mutex<BTreeMap<u64, Arc<OpenSegment>>>,
    /// When the folder last changed: seconds and nanoseconds since the epoch.
    changed: Mutex<(i64, i64)>,
}

/// An open segment file.
struct OpenSegment {
    path: PathBuf,
    file: File,
    /// The inode of the open file. A different inode at `path` means that the file was replaced.
    inode: u64,
    /// The sparse index: (offset, byte position), ascending.
    index: Mutex<Vec<(u64, u64)>>,
}

impl SegmentReader {
    pub fn new(folder: &Path) -> Self {
        SegmentReader {
            folder: folder.to_owned(),
            open: Mutex::default(),
            changed: Mutex::default(),
        }
    }

    /// Returns frames from `offset` up to but not including `end`: at least one if there is one, and at most `max_bytes` together.
    pub fn read(&self, offset: u64, end: u64, max_bytes: usize) -> Result<Vec<(u64, Vec<u8>)>> {
        let mut frames = Vec::new();
        let mut remaining = max_bytes;
        let mut next = offset;
        while next < end {
            let (segment, limit) = self.segment_of(next)?;
            let more = segment.read(&mut next, limit.min(end), &mut remaining, &mut frames)?;
            if !more {
                break;
            }
        }
        Ok(frames)
    }

    /// Closes segments whose files were replaced since the folder was last checked; open, they would still occupy the disk.
    fn close_replaced(&self, open: &mut BTreeMap<u64, Arc<OpenSegment>>) -> Result<()> {
        let folder = std::fs::metadata(&self.folder).map_err(Error::io(&self.folder))?;
        let now = (folder.mtime(), folder.mtime_nsec());
        if std::mem::replace(&mut *self.changed.lock(), now) != now {
            open.retain(|_, segment| matches!(segment.is_replaced(), Ok(false)));
        }
        Ok(())
    }

    /// Returns the segment with frame `offset`, and the first offset of the next segment (`u64::MAX` if none is known).
    fn segment_of(&self, offset: u64) -> Result<(Arc<OpenSegment>, u64)> {
        let mut open = self.open.lock();
        // New segments may follow the last open one.
        if open.range(offset + 1..).next().is_none() {
            self.close_replaced(&mut open)?;
            for first in segment::list(&self.folder)? {
                if let std::collections::btree_map::Entry::Vacant(entry) = open.entry(first) {
                    entry.insert(Arc::new(OpenSegment::open(&self.folder, first)?));
                }
            }
        }
        let limit = open.range(offset + 1..).next().map_or(u64::MAX, |(first, _)| *first);
        match open.range_mut(..=offset).next_back() {
            Some((&first, segment)) => {
                if segment.is_replaced()? {
                    *segment = Arc::new(OpenSegment::open(&self.folder, first)?);
                }
                Ok((segment.clone(), limit))
            }
            None => Err(corrupt(
                &segment::path(&self.folder, offset),
                format!("the file with frame {offset} is missing"),
            )),
        }
    }
}

impl OpenSegment {
    fn open(folder: &Path, first: u64) -> Result<OpenSegment> {
        let path = segment::path(folder, first);
        let file = File::open(&path).map_err(Error::io(&path))?;
        let inode = file.metadata().map_err(Error::io(&path))?.ino();
        Ok(OpenSegment {
            path,
            file,
            inode,
            index: Mutex::new(vec![(first, HEADER)]),
        })
    }

    fn is_replaced(&self) -> Result<bool> {
        let now = std::fs::metadata(&self.path).map_err(Error::io(&self.path))?;
        Ok(now.ino() != self.inode)
    }

    /// Adds frames from `next` up to `limit`; returns whether all of them fit into `room` bytes.
    fn read(
        &self,
        next: &mut u64,
        limit: u64,
        remaining: &mut usize,
        frames: &mut Vec<(u64, Vec<u8>)>,
    ) -> Result<bool> {
        let mut window = Window::new(&self.file, &self.path);
        let mut position = self.seek(&mut window, *next)?;
        while *next < limit {
            let payload = match window.frame(position, *next)? {
                Found::Frame(payload) => payload,
                found => return Err(self.damaged(found, *next, position)),
            };
            if !frames.is_empty() && payload.len() > *remaining {
                return Ok(false);
            }
            *remaining = remaining.saturating_sub(payload.len());
            frames.push((*next, payload.to_vec()));
            position += FRAME_HEADER + payload.len() as u64;
            *next += 1;
            self.index_frame(*next, position);
        }
        Ok(true)
    }

    /// Returns the byte position of frame `offset`.
    fn seek(&self, window: &mut Window, offset: u64) -> Result<u64> {
        let (mut at, mut position) = {
            let index = self.index.lock();
            index[index.partition_point(|(first, _)| *first <= offset) - 1]
        };
        if position == HEADER {
            let first = at;
            segment::check_header(window.bytes(0, HEADER as usize)?, first, &self.path)?;
        }
        while at < offset {
            match window.length(position, at)? {
                Ok(length) => position += FRAME_HEADER + length as u64,
                Err(found) => return Err(self.damaged(found, at, position)),
            }
            at += 1;
            self.index_frame(at, position);
        }
        Ok(position)
    }

    /// Adds a frame to the sparse index if it is far enough from the last entry.
    fn index_frame(&self, offset: u64, position: u64) {
        let mut index = self.index.lock();
        if index.last().is_some_and(|(_, last)| position >= last + STRIDE) {
            index.push((offset, position));
        }
    }

    fn damaged(&self, found: Found, offset: u64, position: u64) -> Error {
        let why = match found {
            Found::Damaged(why) => why,
            _ => "the file ends before it",
        };
        corrupt(&self.path, format!("frame {offset} at byte {position}: {why}"))
    }
}
