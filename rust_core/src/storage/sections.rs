//! Plain values and arrays to little-endian bytes and back. Arrays lie at multiples of their alignment, and are read where they lie
//! in the mapped file.

use std::fs::{self, File};
use std::io::{self, BufWriter, ErrorKind, Read as _, Write};
use std::path::Path;
use std::sync::Arc;

use bytemuck::{CheckedBitPattern, NoUninit, Pod};
use crc32fast::Hasher;

use super::buffer::{Buffer, MappedFile};

#[cfg(target_endian = "big")]
compile_error!("snapshots are copied to and from memory and are little-endian");

/// What arrays are aligned to: no element needs more.
const ALIGNMENT: usize = 8;
/// Bytes read or written at once.
const ROOM: usize = 1 << 20;

/// Writes to a file, and keeps its length, its checksum and the first error.
pub struct Out {
    file: BufWriter<File>,
    length: u64,
    crc32: Hasher,
    outcome: io::Result<()>,
}

/// Reads what `Out` wrote. Every error is a sentence about the contents.
pub struct In<'a> {
    file: &'a Arc<MappedFile>,
    at: usize,
}

pub type Read<T> = std::result::Result<T, String>;

/// Length and CRC-32 of a file.
pub type Seal = (u64, u32);

/// Of the file as it is on disk, without mapping it.
pub fn seal_of(mut file: &File) -> io::Result<Seal> {
    let (mut length, mut crc32, mut room) = (0, Hasher::new(), vec![0; ROOM]);
    loop {
        match file.read(&mut room) {
            Ok(0) => return Ok((length, crc32.finalize())),
            Ok(read) => {
                length += read as u64;
                crc32.update(&room[..read]);
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

pub trait Stored: Sized {
    fn put(&self, out: &mut Out);
    fn get(input: &mut In<'_>) -> Read<Self>;
}

impl Out {
    /// A new file: one of that name that is still mapped keeps its contents.
    pub fn create(path: &Path) -> io::Result<Out> {
        if let Err(error) = fs::remove_file(path)
            && error.kind() != ErrorKind::NotFound
        {
            return Err(error);
        }
        let file = BufWriter::with_capacity(ROOM, File::create_new(path)?);
        Ok(Out {
            file,
            length: 0,
            crc32: Hasher::new(),
            outcome: Ok(()),
        })
    }

    /// The seal, once the file is durable.
    pub fn finish(mut self) -> io::Result<Seal> {
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

/// From a place in a file to the next that is aligned.
fn padding(at: usize) -> usize {
    at.next_multiple_of(ALIGNMENT) - at
}

impl<'a> In<'a> {
    pub fn of(file: &'a Arc<MappedFile>) -> In<'a> {
        In { file, at: 0 }
    }

    /// Whether all was read.
    pub fn is_at_end(&self) -> bool {
        self.at == self.file.len()
    }

    pub fn one<T: Pod>(&mut self) -> Read<T> {
        let bytes = self.file[self.at..].get(..size_of::<T>()).ok_or("ends too early")?;
        self.at += bytes.len();
        Ok(bytemuck::pod_read_unaligned(bytes))
    }

    pub fn length(&mut self) -> Read<usize> {
        usize::try_from(self.one::<u64>()?).map_err(|_| "a length is too large".into())
    }

    pub fn many<T: CheckedBitPattern>(&mut self) -> Read<Buffer<T>> {
        let length = self.length()?;
        let from = self.at + padding(self.at);
        let size = length.checked_mul(size_of::<T>());
        let to = size
            .and_then(|size| from.checked_add(size))
            .ok_or("a length is too large")?;
        let buffer = Buffer::mapped(self.file, from..to).ok_or("an array does not fit where it lies")?;
        self.at = to;
        Ok(buffer)
    }

    pub fn text(&mut self) -> Read<String> {
        String::from_utf8(self.many()?.into_vec()).map_err(|_| "a text is not valid UTF-8".into())
    }

    /// As many as a length says of what `read` reads.
    pub fn list<T>(&mut self, mut read: impl FnMut(&mut Self) -> Read<T>) -> Read<Vec<T>> {
        let length = self.length()?;
        (0..length).map(|_| read(self)).collect()
    }
}
