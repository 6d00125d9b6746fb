//! Encodes plain values and arrays as little-endian bytes. Arrays are aligned, so that they can be read in the mapped file in place.

use std::fs::{self, File};
use std::io::{self, BufWriter, ErrorKind, Read as _, Write};
use std::path::Path;
use std::sync::Arc;

use bytemuck::{CheckedBitPattern, NoUninit, Pod};
use crc32fast::Hasher;

use super::buffer::{Buffer, MappedFile};

#[cfg(target_endian = "big")]
compile_error!("snapshots are copied to and from memory and are little-endian");

/// The alignment of arrays; no element needs more.
const ALIGNMENT: usize = 8;
/// The number of bytes that are read or written at once.
const BUFFER_BYTES: usize = 1 << 20;

/// Writes values to a file; computes its length and checksum and keeps the first error.
pub struct SectionWriter {
    file: BufWriter<File>,
    length: u64,
    crc32: Hasher,
    outcome: io::Result<()>,
}

/// Reads values that `SectionWriter` wrote. Errors describe the contents.
pub struct SectionReader<'a> {
    file: &'a Arc<MappedFile>,
    at: usize,
}

pub type Decoded<T> = std::result::Result<T, String>;

/// The length and CRC-32 of a file.
pub type LengthAndCrc = (u64, u32);

/// Reads a file without mapping it and returns its length and CRC-32.
pub fn length_and_crc(mut file: &File) -> io::Result<LengthAndCrc> {
    let (mut length, mut crc32, mut buffer) = (0, Hasher::new(), vec![0; BUFFER_BYTES]);
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok((length, crc32.finalize())),
            Ok(read) => {
                length += read as u64;
                crc32.update(&buffer[..read]);
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// A value that a snapshot file contains.
pub trait Stored: Sized {
    fn put(&self, out: &mut SectionWriter);
    fn get(input: &mut SectionReader<'_>) -> Decoded<Self>;
}

impl SectionWriter {
    /// Creates a new file. An old file with this name keeps its contents while it is mapped.
    pub fn create(path: &Path) -> io::Result<SectionWriter> {
        if let Err(error) = fs::remove_file(path)
            && error.kind() != ErrorKind::NotFound
        {
            return Err(error);
        }
        let file = BufWriter::with_capacity(BUFFER_BYTES, File::create_new(path)?);
        Ok(SectionWriter {
            file,
            length: 0,
            crc32: Hasher::new(),
            outcome: Ok(()),
        })
    }

    /// Makes the file durable; returns its length and CRC-32.
    pub fn finish(mut self) -> io::Result<LengthAndCrc> {
        self.outcome?;
        self.file.flush()?;
        self.file.get_ref().sync_all()?;
        Ok((self.length, self.crc32.finalize()))
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.length += bytes.len() as u64;
        self.crc32.update(bytes);
        if self.outcome.is_ok() {
            self.outcome = self.file.write_all(bytes);
        }
    }

    pub fn one<T: Pod>(&mut self, value: T) {
        self.bytes(bytemuck::bytes_of(&value));
    }

    pub fn many<T: NoUninit>(&mut self, values: &[T]) {
        self.one(values.len() as u64);
        self.bytes(&[0; ALIGNMENT][..padding(self.length as usize)]);
        self.bytes(bytemuck::cast_slice(values));
    }

    pub fn text(&mut self, text: &str) {
        self.many(text.as_bytes());
    }

    pub fn list<T: Stored>(&mut self, values: &[T]) {
        self.one(values.len() as u64);
        values.iter().for_each(|value| value.put(self));
    }
}

/// Returns the number of bytes from an offset to the next aligned one.
fn padding(at: usize) -> usize {
    at.next_multiple_of(ALIGNMENT) - at
}

impl<'a> SectionReader<'a> {
    pub fn of(file: &'a Arc<MappedFile>) -> SectionReader<'a> {
        SectionReader { file, at: 0 }
    }

    /// Returns whether all bytes are read.
    pub fn is_at_end(&self) -> bool {
        self.at == self.file.len()
    }

    pub fn one<T: Pod>(&mut self) -> Decoded<T> {
        let bytes = self.file[self.at..].get(..size_of::<T>()).ok_or("ends too early")?;
        self.at += bytes.len();
        Ok(bytemuck::pod_read_unaligned(bytes))
    }

    pub fn length(&mut self) -> Decoded<usize> {
        usize::try_from(self.one::<u64>()?).map_err(|_| "a length is too large".into())
    }

    pub fn many<T: CheckedBitPattern>(&mut self) -> Decoded<Buffer<T>> {
        let length = self.length()?;
        let from = self.at + padding(self.at);
        let size = length.checked_mul(size_of::<T>());
        let to = size
            .and_then(|size| from.checked_add(size))
            .ok_or("a length is too large")?;
        let buffer = Buffer::mapped(self.file, from..to).ok_or("an array is out of range or misaligned")?;
        self.at = to;
        Ok(buffer)
    }

    pub fn text(&mut self) -> Decoded<String> {
        String::from_utf8(self.many()?.into_vec()).map_err(|_| "a text is not valid UTF-8".into())
    }

    /// Reads a length and that many elements with `read`.
    pub fn list<T>(&mut self, mut read: impl FnMut(&mut Self) -> Decoded<T>) -> Decoded<Vec<T>> {
        let length = self.length()?;
        (0..length).map(|_| read(self)).collect()
    }
}
