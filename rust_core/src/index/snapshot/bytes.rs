//! Plain values and arrays to little-endian bytes and back; arrays are copied whole.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use bytemuck::Pod;
use crc32fast::Hasher;

#[cfg(target_endian = "big")]
compile_error!("snapshots are copied to and from memory and are little-endian");

/// Writes to a file, and keeps its length, its checksum and the first error.
pub struct Out {
    file: BufWriter<File>,
    length: u64,
    crc32: Hasher,
    outcome: io::Result<()>,
}

/// Reads what `Out` wrote. Every error is a sentence about the contents.
pub struct In<'a>(pub &'a [u8]);

pub type Read<T> = std::result::Result<T, String>;

impl Out {
    pub fn create(path: &Path) -> io::Result<Out> {
        let file = BufWriter::with_capacity(1 << 20, File::create(path)?);
        Ok(Out {
            file,
            length: 0,
            crc32: Hasher::new(),
            outcome: Ok(()),
        })
    }

    /// Length and CRC-32, once the file is durable.
    pub fn finish(mut self) -> io::Result<(u64, u32)> {
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

    pub fn many<T: Pod>(&mut self, values: &[T]) {
        self.one(values.len() as u64);
        self.bytes(bytemuck::cast_slice(values));
    }

    pub fn text(&mut self, text: &str) {
        self.many(text.as_bytes());
    }
}

impl<'a> In<'a> {
    fn take(&mut self, length: usize) -> Read<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(length).ok_or("ends too early")?;
        self.0 = rest;
        Ok(head)
    }

    pub fn one<T: Pod>(&mut self) -> Read<T> {
        Ok(bytemuck::pod_read_unaligned(self.take(size_of::<T>())?))
    }

    pub fn length(&mut self) -> Read<usize> {
        usize::try_from(self.one::<u64>()?).map_err(|_| "a length is too large".into())
    }

    pub fn many<T: Pod>(&mut self) -> Read<Vec<T>> {
        let length = self.length()?;
        let size = length.checked_mul(size_of::<T>()).ok_or("a length is too large")?;
        let bytes = self.take(size)?;
        let mut values = vec![T::zeroed(); length];
        bytemuck::cast_slice_mut(&mut values).copy_from_slice(bytes);
        Ok(values)
    }

    pub fn text(&mut self) -> Read<String> {
        String::from_utf8(self.many()?).map_err(|_| "a text is not valid UTF-8".into())
    }

    /// `length` times what `read` reads.
    pub fn list<T>(&mut self, mut read: impl FnMut(&mut Self) -> Read<T>) -> Read<Vec<T>> {
        let length = self.length()?;
        (0..length).map(|_| read(self)).collect()
    }
}
