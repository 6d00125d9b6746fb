//! The single writer of a log, with group commit: appends write under a lock and wait outside it. The first waiter that finds no
//! fsync in progress syncs everything written so far.

use std::fs::{File, TryLockError};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use parking_lot::{Condvar, Mutex, MutexGuard};

use super::marker::{self, Mark};
use super::replacement;
use super::segment::{self, FRAME_HEADER, Found, HEADER, MAX_FRAME, Window, corrupt};
use crate::error::{Error, Result};
use crate::storage::durable::sync_folder;

/// The writer of a log folder.
pub struct Writer {
    folder: PathBuf,
    segment_bytes: u64,
    state: Mutex<WriterState>,
    /// Signalled when an fsync ends and when the log is closed.
    changed: Condvar,
}

struct WriterState {
    file: Arc<File>,
    marker: File,
    /// The locked file while this process may write; `None` once closed.
    lock: Option<File>,
    /// The end of all written frames.
    written: Mark,
    /// The end of all durable frames.
    durable: Mark,
    /// The appends since the last fsync began.
    group: Arc<CommitGroup>,
    /// Whether an fsync is in progress.
    is_syncing: bool,
    /// Whether a failed write could not be undone, so that the contents of the disk are unknown.
    is_broken: bool,
}

/// Appends that share an fsync. Set when it ends: `None` if they are durable, else the operating system's error code.
#[derive(Default)]
struct CommitGroup(OnceLock<Option<i32>>);

impl Writer {
    /// Opens a folder for writing: takes the lock, removes leftovers and recovers the last segment.
    pub fn open(folder: &Path, segment_bytes: u64) -> Result<Writer> {
        make_folder(folder)?;
        let lock = lock(folder)?;
        let path = marker::path(folder);
        let marker = open_file(&path)?;
        replacement::sweep(folder)?;
        let (file, end) = recover(folder, Mark::read(&marker))?;
        end.write(&marker)
            .and_then(|()| marker.sync_all())
            .map_err(Error::io(&path))?;
        sync_folder(folder)?;
        Ok(Writer {
            folder: folder.to_owned(),
            segment_bytes,
            state: Mutex::new(WriterState {
                file: Arc::new(file),
                marker,
                lock: Some(lock),
                written: end,
                durable: end,
                group: Arc::default(),
                is_syncing: false,
                is_broken: false,
            }),
            changed: Condvar::new(),
        })
    }

    /// Returns the durable end.
    pub fn end(&self) -> u64 {
        self.state.lock().durable.end
    }

    /// Waits until frame `offset` is durable, the log is closed or the deadline passes; returns whether it is durable.
    pub fn wait(&self, offset: u64, deadline: Instant) -> bool {
        let mut state = self.state.lock();
        while state.durable.end <= offset && state.lock.is_some() {
            if self.changed.wait_until(&mut state, deadline).timed_out() {
                break;
            }
        }
        state.durable.end > offset
    }

    /// Releases the lock and wakes all waiters.
    pub fn close(&self) {
        self.state.lock().lock = None;
        self.changed.notify_all();
    }

    /// Appends a frame and returns its offset once it is durable.
    pub fn append(&self, frame: &[u8]) -> Result<u64> {
        check_length(frame)?;
        let mut state = self.state.lock();
        self.roll_if_full(&mut state, frame.len() as u64)?;
        let path = segment::path(&self.folder, state.written.segment);
        let offset = state.write(frame).map_err(Error::io(&path))?;
        let group = state.group.clone();
        match self.wait_for_commit(state, &group) {
            None => Ok(offset),
            Some(code) => Err(Error::io(path)(std::io::Error::from_raw_os_error(code))),
        }
    }

    /// Starts the next segment if the frame does not fit the current one.
    fn roll_if_full(&self, state: &mut MutexGuard<WriterState>, length: u64) -> Result<()> {
        self.roll_if(state, |written| {
            written.position + FRAME_HEADER + length > self.segment_bytes
        })
    }

    /// Starts a new segment if the current one holds frames before `offset`, since frames of sealed segments are never written in place.
    ///
    /// Returns Invalid if these frames are not all durable.
    pub fn seal(&self, offset: u64) -> Result<()> {
        let mut state = self.state.lock();
        if offset > state.durable.end {
            return Err(Error::Invalid(format!(
                "{}: the log has {} frames; offset {offset} is beyond its end",
                self.folder.display(),
                state.durable.end
            )));
        }
        self.roll_if(&mut state, |written| written.segment < offset)
    }

    /// Starts the next segment if `is_due` holds for the written end; a segment has at least one frame.
    fn roll_if(&self, state: &mut MutexGuard<WriterState>, is_due: impl Fn(&Mark) -> bool) -> Result<()> {
        loop {
            self.check_open(state)?;
            if !is_due(&state.written) || state.written.position == HEADER {
                return Ok(());
            }
            if state.is_syncing {
                self.changed.wait(state);
                continue;
            }
            // A segment is durable before the next one exists, so only the last one can have a torn tail.
            let outcome = state.file.sync_data();
            let (group, end) = (std::mem::take(&mut state.group), state.written);
            let synced = state.finish_sync(&group, end, outcome);
            self.changed.notify_all();
            let path = segment::path(&self.folder, end.end);
            synced.map_err(Error::io(segment::path(&self.folder, end.segment)))?;
            let created = new_segment(&self.folder, end.end);
            if created.is_err() {
                // A partial file would hide the frames that still go to the current segment.
                state.is_broken = std::fs::remove_file(&path).is_err() && path.exists();
            }
            state.file = Arc::new(created.map_err(Error::io(path))?);
            state.written = Mark {
                end: end.end,
                segment: end.end,
                position: HEADER,
            };
            state.durable = state.written;
        }
    }

    /// Returns an error if the log is closed or in an unknown state.
    fn check_open(&self, state: &WriterState) -> Result<()> {
        if state.lock.is_none() {
            return Err(Error::Invalid(format!("{}: the log is closed", self.folder.display())));
        }
        if state.is_broken {
            let source =
                std::io::Error::other("an earlier write failed and could not be undone; restart to recover the log");
            return Err(Error::io(&self.folder)(source));
        }
        Ok(())
    }

    /// Waits until the group is durable or has failed; runs the fsync itself if nobody does. Returns the error code of a failure.
    fn wait_for_commit(&self, mut state: MutexGuard<WriterState>, group: &CommitGroup) -> Option<i32> {
        loop {
            if let Some(outcome) = group.0.get() {
                return *outcome;
            }
            if state.is_syncing {
                self.changed.wait(&mut state);
                continue;
            }
            state.is_syncing = true;
            let (group_to_sync, end, file) = (std::mem::take(&mut state.group), state.written, state.file.clone());
            let outcome = MutexGuard::unlocked(&mut state, || file.sync_data());
            state.is_syncing = false;
            // The group receives the error.
            let _ = state.finish_sync(&group_to_sync, end, outcome);
            self.changed.notify_all();
        }
    }
}

impl WriterState {
    /// Writes a frame, not yet durable, and returns its offset.
    fn write(&mut self, frame: &[u8]) -> std::io::Result<u64> {
        let Mark { end, position, .. } = self.written;
        let header = segment::frame_header(end, frame);
        let outcome = self
            .file
            .write_all_at(&header, position)
            .and_then(|()| self.file.write_all_at(frame, position + FRAME_HEADER));
        if let Err(error) = outcome {
            // If this fails too, the next frame overwrites the remains, and no reader accepts them.
            let _ = self.file.set_len(position);
            return Err(error);
        }
        self.written.position += FRAME_HEADER + frame.len() as u64;
        self.written.end += 1;
        Ok(end)
    }

    /// Completes an fsync of everything before `end`. After a failed one the contents of the disk are unknown, so all frames that are not
    /// durable are discarded and their appenders get the error.
    fn finish_sync(&mut self, group: &CommitGroup, end: Mark, outcome: std::io::Result<()>) -> std::io::Result<()> {
        let outcome = outcome.and_then(|()| end.write(&self.marker));
        let code = outcome
            .as_ref()
            .err()
            .map(|error| error.raw_os_error().unwrap_or_default());
        if code.is_none() {
            self.durable = end;
        } else {
            self.is_broken = self.file.set_len(self.durable.position).is_err();
            self.written = self.durable;
            let _ = std::mem::take(&mut self.group).0.set(code);
        }
        let _ = group.0.set(code);
        outcome
    }
}

/// Returns Invalid if a frame is empty or too large.
pub fn check_length(frame: &[u8]) -> Result<()> {
    match frame.len() {
        1..=MAX_FRAME => Ok(()),
        other => Err(Error::Invalid(format!(
            "a frame must have between 1 and {MAX_FRAME} bytes, not {other}"
        ))),
    }
}

/// Creates the folder durably.
fn make_folder(folder: &Path) -> Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    std::fs::create_dir_all(folder).map_err(Error::io(folder))?;
    folder.parent().map_or(Ok(()), sync_folder)
}

/// Locks the folder for writing. Returns Locked if another handle holds the lock.
fn lock(folder: &Path) -> Result<File> {
    let path = folder.join("LOCK");
    let file = open_file(&path)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::Locked {
            path: folder.to_owned(),
        }),
        Err(TryLockError::Error(error)) => Err(Error::io(path)(error)),
    }
}

fn open_file(path: &Path) -> Result<File> {
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(false);
    options.open(path).map_err(Error::io(path))
}

/// Creates an empty segment file durably.
fn new_segment(folder: &Path, first: u64) -> std::io::Result<File> {
    let mut options = File::options();
    let file = options.read(true).write(true).create(true).truncate(true);
    let file = file.open(segment::path(folder, first))?;
    file.write_all_at(&segment::header(first), 0)?;
    file.sync_all()?;
    File::open(folder)?.sync_all()?;
    Ok(file)
}

/// Opens the last segment, cuts its torn tail, and makes the rest durable.
fn recover(folder: &Path, durable: Option<Mark>) -> Result<(File, Mark)> {
    let durable = durable.unwrap_or_default();
    let first = segment::list(folder)?.last().copied().unwrap_or(0);
    let path = segment::path(folder, first);
    if durable.segment > first {
        return Err(corrupt(
            &segment::path(folder, durable.segment),
            "the file is missing".into(),
        ));
    }
    let length = std::fs::metadata(&path).map_or(0, |found| found.len());
    if length < HEADER {
        if durable.segment == first && durable.end > first {
            return Err(corrupt(&path, "the file is missing or truncated".into()));
        }
        let file = new_segment(folder, first).map_err(Error::io(&path))?;
        let end = Mark {
            end: first,
            segment: first,
            position: HEADER,
        };
        return Ok((file, end));
    }
    let file = open_file(&path)?;
    let end = scan(&file, &path, first, durable)?;
    file.set_len(end.position)
        .and_then(|()| file.sync_all())
        .map_err(Error::io(&path))?;
    Ok((file, end))
}

/// Returns the end of the last complete frame. Anything after it is a torn tail, or damage if it was durable.
fn scan(file: &File, path: &Path, first: u64, durable: Mark) -> Result<Mark> {
    let mut window = Window::new(file, path);
    segment::check_header(window.bytes(0, HEADER as usize)?, first, path)?;
    let mut end = Mark {
        end: first,
        segment: first,
        position: HEADER,
    };
    loop {
        let why = match window.frame(end.position, end.end)? {
            Found::Frame(payload) => {
                end.position += FRAME_HEADER + payload.len() as u64;
                end.end += 1;
                continue;
            }
            Found::Torn => "the file ends before it does",
            Found::Damaged(why) => why,
        };
        if durable.segment == first && end.end < durable.end {
            return Err(corrupt(
                path,
                format!("frame {} at byte {}: {why}", end.end, end.position),
            ));
        }
        return Ok(end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_only(folder: &Path, name: &str) -> File {
        File::open(folder.join(name)).unwrap()
    }

    #[test]
    fn a_failed_write_leaves_the_log_usable() {
        let folder = tempfile::tempdir().unwrap();
        let writer = Writer::open(folder.path(), 1 << 20).unwrap();
        writer.append(b"first").unwrap();
        let unwritable = Arc::new(read_only(folder.path(), "00000000000000000000.log"));
        let good = std::mem::replace(&mut writer.state.lock().file, unwritable);
        assert!(matches!(writer.append(b"lost"), Err(Error::Io { .. })));
        writer.state.lock().file = good;
        assert_eq!(writer.append(b"second").unwrap(), 1);
        drop(writer);
        assert_eq!(Writer::open(folder.path(), 1 << 20).unwrap().end(), 2);
    }

    #[test]
    fn a_failed_sync_rolls_back_its_frames() {
        let folder = tempfile::tempdir().unwrap();
        let writer = Writer::open(folder.path(), 1 << 20).unwrap();
        writer.append(b"first").unwrap();
        let good = std::mem::replace(&mut writer.state.lock().marker, read_only(folder.path(), "COMMITTED"));
        assert!(matches!(writer.append(b"lost"), Err(Error::Io { .. })));
        assert_eq!(writer.end(), 1);
        writer.state.lock().marker = good;
        assert_eq!(writer.append(b"second").unwrap(), 1);
        drop(writer);
        assert_eq!(Writer::open(folder.path(), 1 << 20).unwrap().end(), 2);
    }

    #[test]
    fn a_failed_segment_creation_is_retried() {
        let folder = tempfile::tempdir().unwrap();
        let writer = Writer::open(folder.path(), 64).unwrap();
        writer.append(&[1; 40]).unwrap();
        let obstacle = segment::path(folder.path(), 1);
        std::fs::create_dir(&obstacle).unwrap();
        assert!(matches!(writer.append(&[2; 40]), Err(Error::Io { .. })));
        std::fs::remove_dir(&obstacle).unwrap();
        writer.state.lock().is_broken = false;
        assert_eq!(writer.append(&[2; 40]).unwrap(), 1);
    }
}
