//! Encodes numbers as varints and texts with their length first, and ends the file with a checksum (see `checksum`).

use std::fs::File;
use std::io::{self, Write};

use xxhash_rust::xxh3::Xxh3;

use crate::proto::wire::put_varint;

/// Bytes that are buffered before a write.
const BUFFER_BYTES: usize = 1 << 20;

/// Writes values to a file and computes the checksum.
pub struct Writer<'a> {
    file: &'a mut File,
    digest: Xxh3,
    buffer: Vec<u8>,
}

impl<'a> Writer<'a> {
    pub fn new(file: &'a mut File) -> Self {
        Writer {
            file,
            digest: Xxh3::new(),
            buffer: Vec::new(),
        }
    }

    pub fn bytes(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    pub fn number(&mut self, value: u64) {
        put_varint(&mut self.buffer, value);
    }

    pub fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.bytes(text.as_bytes());
    }

    pub fn texts(&mut self, texts: &[Box<str>]) {
        self.number(texts.len() as u64);
        texts.iter().for_each(|text| self.text(text));
    }

    /// Writes the buffer to the file if it is large. Call it between elements to bound memory.
    pub fn spill(&mut self) -> io::Result<()> {
        if self.buffer.len() > BUFFER_BYTES {
            self.flush()
        } else {
            Ok(())
        }
    }

    /// Writes the checksum of everything before it.
    pub fn finish(mut self) -> io::Result<()> {
        self.flush()?;
        self.file.write_all(&self.digest.digest().to_le_bytes())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.digest.update(&self.buffer);
        self.file.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }
}

/// The result of decoding; the error describes the contents.
pub type Decoded<T> = std::result::Result<T, &'static str>;

/// Reads values from the body of a file that `Writer` wrote.
pub struct Cursor<'a> {
    pub rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub fn number(&mut self) -> Decoded<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let (&byte, rest) = self.rest.split_first().ok_or("truncated")?;
            self.rest = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err("a number is too long")
    }

    pub fn small(&mut self) -> Decoded<u32> {
        u32::try_from(self.number()?).map_err(|_| "a number is too large")
    }

    /// Reads a number below `end`.
    pub fn index(&mut self, end: usize) -> Decoded<u32> {
        self.small().and_then(|index| {
            if (index as usize) < end {
                Ok(index)
            } else {
                Err("a reference is out of range")
            }
        })
    }

    pub fn text(&mut self) -> Decoded<&'a str> {
        let length = self.number()?;
        if length > self.rest.len() as u64 {
            return Err("truncated");
        }
        let (text, rest) = self.rest.split_at(length as usize);
        self.rest = rest;
        std::str::from_utf8(text).map_err(|_| "a text is not valid UTF-8")
    }
}
