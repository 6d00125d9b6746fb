//! Reads and writes the protobuf wire format without copies or intermediate objects: the path of each event must not allocate for
//! each field. Rarely used messages use prost. Source: the protobuf encoding specification.

use crate::error::{Error, Result};

/// The encoded value of a field.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Wire<'a> {
    Varint(u64),
    Fixed64(u64),
    Bytes(&'a [u8]),
    Fixed32(u32),
}

/// Reads the fields of one message in order.
#[derive(Clone, Copy)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

fn malformed(what: &str) -> Error {
    Error::Invalid(format!("malformed message: {what}"))
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Reader { rest: bytes }
    }

    /// Returns the number and value of the next field; `None` at the end.
    #[inline]
    pub fn field(&mut self) -> Result<Option<(u32, Wire<'a>)>> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let key = self.varint()?;
        let number = u32::try_from(key >> 3).map_err(|_| malformed("field number"))?;
        if number == 0 {
            return Err(malformed("field number 0"));
        }
        let value = match key & 7 {
            0 => Wire::Varint(self.varint()?),
            1 => Wire::Fixed64(u64::from_le_bytes(self.array()?)),
            2 => {
                let length = self.varint()?;
                Wire::Bytes(self.take(length)?)
            }
            5 => Wire::Fixed32(u32::from_le_bytes(self.array()?)),
            kind => return Err(malformed(&format!("wire type {kind}"))),
        };
        Ok(Some((number, value)))
    }

    /// Returns the next number of a packed field; `None` at the end.
    pub fn next_varint(&mut self) -> Result<Option<u64>> {
        match self.rest {
            [] => Ok(None),
            _ => self.varint().map(Some),
        }
    }

    #[inline]
    fn varint(&mut self) -> Result<u64> {
        // Nearly all keys and lengths are one byte.
        if let [byte @ 0..0x80, rest @ ..] = self.rest {
            self.rest = rest;
            return Ok(u64::from(*byte));
        }
        self.long_varint()
    }

    fn long_varint(&mut self) -> Result<u64> {
        let mut value = 0u64;
        for (i, &byte) in self.rest.iter().take(10).enumerate() {
            value |= u64::from(byte & 0x7f) << (7 * i);
            if byte < 0x80 {
                self.rest = &self.rest[i + 1..];
                return Ok(value);
            }
        }
        Err(malformed("truncated number"))
    }

    #[inline]
    fn take(&mut self, length: u64) -> Result<&'a [u8]> {
        if length > self.rest.len() as u64 {
            return Err(malformed("truncated field"));
        }
        let (head, rest) = self.rest.split_at(length as usize);
        self.rest = rest;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        self.take(N as u64)?
            .try_into()
            .map_err(|_| malformed("truncated field"))
    }
}

impl<'a> Wire<'a> {
    /// Writes the field unchanged.
    pub fn put(self, out: &mut Vec<u8>, field: u32) {
        match self {
            Wire::Bytes(bytes) => put_bytes(out, field, bytes),
            Wire::Fixed64(number) => put_fixed64(out, field, number),
            Wire::Varint(number) => {
                put_varint(out, u64::from(field) << 3);
                put_varint(out, number);
            }
            Wire::Fixed32(number) => {
                put_varint(out, u64::from(field) << 3 | 5);
                out.extend_from_slice(&number.to_le_bytes());
            }
        }
    }

    #[inline]
    pub fn bytes(self) -> Result<&'a [u8]> {
        match self {
            Wire::Bytes(bytes) => Ok(bytes),
            other => Err(malformed(&format!("expected bytes, found {other:?}"))),
        }
    }

    #[inline]
    pub fn text(self) -> Result<&'a str> {
        std::str::from_utf8(self.bytes()?).map_err(|_| malformed("a text is not valid UTF-8"))
    }

    pub fn number(self) -> Result<u64> {
        match self {
            Wire::Varint(number) => Ok(number),
            other => Err(malformed(&format!("expected a number, found {other:?}"))),
        }
    }

    /// Returns a `fixed64`, or the bits of a `double`.
    pub fn fixed(self) -> Result<u64> {
        match self {
            Wire::Fixed64(number) => Ok(number),
            other => Err(malformed(&format!("expected 64 bits, found {other:?}"))),
        }
    }
}

pub fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Writes a varint field; omits the default 0.
pub fn put_number(out: &mut Vec<u8>, field: u32, value: u64) {
    if value != 0 {
        put_varint(out, u64::from(field) << 3);
        put_varint(out, value);
    }
}

pub fn put_fixed64(out: &mut Vec<u8>, field: u32, value: u64) {
    put_varint(out, u64::from(field) << 3 | 1);
    out.extend_from_slice(&value.to_le_bytes());
}

/// Writes a length-delimited field even if it is empty (an element of a repeated field, or a present message).
pub fn put_bytes(out: &mut Vec<u8>, field: u32, value: &[u8]) {
    put_varint(out, u64::from(field) << 3 | 2);
    put_varint(out, value.len() as u64);
    out.extend_from_slice(value);
}

/// Writes a text field; omits the default ''.
pub fn put_text(out: &mut Vec<u8>, field: u32, value: &str) {
    if !value.is_empty() {
        put_bytes(out, field, value.as_bytes());
    }
}
