//! The format of a segment file, little-endian: a header (magic with version, offset of the first frame), then frames.
//!
//! A frame is a header (length, CRC32 of length, offset and payload, offset) and its payload. The file is named by the offset of its
//! first frame.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// The first bytes of a segment file; the last of them is the version.
const MAGIC: [u8; 8] = *b"QYLOG\0\0\x01";
/// The size of the file header in bytes.
pub const HEADER: u64 = 16;
/// The size of a frame header in bytes.
pub const FRAME_HEADER: u64 = 16;
/// The maximum size of a payload in bytes.
pub const MAX_FRAME: usize = 256 << 20;
/// The maximum offset; it leaves room to count on without overflow.
const MAX_OFFSET: u64 = i64::MAX as u64;
/// The number of bytes that are read ahead.
const WINDOW: usize = 256 << 10;

/// Returns the path of the segment whose first frame has offset `first`.
pub fn path(folder: &Path, first: u64) -> PathBuf {
    folder.join(format!("{first:020}.log"))
}

/// Lists the first offsets of all segments, ascending; empty if the folder does not exist. Returns Corrupt for an impossible offset.
pub fn list(folder: &Path) -> Result<Vec<u64>> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(Error::io(folder))?,
    };
    let mut firsts = Vec::new();
    for entry in entries {
        let name = entry.map_err(Error::io(folder))?.file_name();
        let first = name.to_str().and_then(|name| name.strip_suffix(".log"));
        firsts.extend(first.and_then(|first| first.parse::<u64>().ok()));
    }
    firsts.sort_unstable();
    match firsts.last() {
        Some(&last) if last > MAX_OFFSET => Err(corrupt(&path(folder, last), "its offset is out of range".into())),
        _ => Ok(firsts),
    }
}

/// Encodes the header of a segment.
pub fn header(first: u64) -> [u8; HEADER as usize] {
    let mut header = [0; HEADER as usize];
    header[..8].copy_from_slice(&MAGIC);
    header[8..].copy_from_slice(&first.to_le_bytes());
    header
}

/// Checks the header of a segment. Returns Unsupported for a file of another version, and Corrupt for anything else.
pub fn check_header(found: &[u8], first: u64, path: &Path) -> Result<()> {
    if found == header(first) {
        return Ok(());
    }
    if found.len() >= 8 && found[..7] == MAGIC[..7] && found[7] != MAGIC[7] {
        return Err(Error::Unsupported(format!(
            "{}: written by another version of quanyu (log format {}, this one reads {}); use that version or another data folder",
            path.display(),
            found[7],
            MAGIC[7]
        )));
    }
    Err(corrupt(path, "its header does not belong to this segment".into()))
}

/// Builds a Corrupt error.
pub fn corrupt(path: &Path, detail: String) -> Error {
    Error::Corrupt {
        path: path.to_owned(),
        detail,
    }
}

/// Encodes the header of a frame.
pub fn frame_header(offset: u64, payload: &[u8]) -> [u8; FRAME_HEADER as usize] {
    let length = payload.len() as u32;
    let mut header = [0; FRAME_HEADER as usize];
    header[..4].copy_from_slice(&length.to_le_bytes());
    header[4..8].copy_from_slice(&checksum(length, offset, payload).to_le_bytes());
    header[8..].copy_from_slice(&offset.to_le_bytes());
    header
}

fn checksum(length: u32, offset: u64, payload: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(&length.to_le_bytes());
    crc.update(&offset.to_le_bytes());
    crc.update(payload);
    crc.finalize()
}

/// The result of reading a frame.
pub enum Found<'a> {
    Frame(&'a [u8]),
    /// The file ends before the frame begins or ends.
    Torn,
    /// The bytes are not the expected frame, and why.
    Damaged(&'static str),
}

/// A buffered part of a file that moves along as frames are read.
pub struct Window<'f> {
    file: &'f File,
    path: &'f Path,
    start: u64,
    bytes: Vec<u8>,
}

impl<'f> Window<'f> {
    pub fn new(file: &'f File, path: &'f Path) -> Self {
        Window {
            file,
            path,
            start: 0,
            bytes: Vec::new(),
        }
    }

    /// Returns `length` bytes at position `at`, or fewer at the end of the file.
    pub fn bytes(&mut self, at: u64, length: usize) -> Result<&[u8]> {
        let inside = at >= self.start && at + length as u64 <= self.start + self.bytes.len() as u64;
        if !inside {
            self.load(at, length.max(WINDOW))?;
        }
        let from = (at - self.start) as usize;
        let to = self.bytes.len().min(from + length);
        Ok(&self.bytes[from..to])
    }

    fn load(&mut self, at: u64, length: usize) -> Result<()> {
        self.start = at;
        self.bytes.resize(length, 0);
        let mut filled = 0;
        while filled < length {
            let read = self.file.read_at(&mut self.bytes[filled..], at + filled as u64);
            match read {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::io(self.path)(error)),
            }
        }
        self.bytes.truncate(filled);
        Ok(())
    }

    /// Reads the payload length of frame `offset` at `position`; the payload is not read.
    pub fn length(&mut self, position: u64, offset: u64) -> Result<std::result::Result<usize, Found<'static>>> {
        let header: [u8; FRAME_HEADER as usize] = match self.bytes(position, FRAME_HEADER as usize)?.try_into() {
            Ok(header) => header,
            Err(_) => return Ok(Err(Found::Torn)),
        };
        let length = u32_at(&header, 0) as usize;
        if length == 0 || length > MAX_FRAME {
            return Ok(Err(Found::Damaged("its length is out of range")));
        }
        if header[8..] != offset.to_le_bytes() {
            return Ok(Err(Found::Damaged("its header has another offset")));
        }
        Ok(Ok(length))
    }

    /// Reads frame `offset` at `position` and verifies its checksum.
    pub fn frame(&mut self, position: u64, offset: u64) -> Result<Found<'_>> {
        let length = match self.length(position, offset)? {
            Ok(length) => length,
            Err(found) => return Ok(found),
        };
        let whole = FRAME_HEADER as usize + length;
        let bytes = self.bytes(position, whole)?;
        if bytes.len() < whole {
            return Ok(Found::Torn);
        }
        let (header, payload) = bytes.split_at(FRAME_HEADER as usize);
        if u32_at(header, 4) != checksum(length as u32, offset, payload) {
            return Ok(Found::Damaged("its checksum does not match"));
        }
        Ok(Found::Frame(payload))
    }
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}
