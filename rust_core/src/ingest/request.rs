//! Reads IngestRequest messages and writes IngestResponse messages.

use crate::error::{Error, Result};
use crate::proto::frame::Reject;
use crate::proto::wire::{Reader, put_bytes, put_number};

const MAX_REQUEST: usize = 64 << 20;
/// The most records of a request. If all are rejected, their reasons still fit the response and the dead letters.
const MAX_RECORDS: usize = 100_000;

pub struct Request<'a> {
    /// The encoded Record messages.
    pub records: Vec<&'a [u8]>,
    pub sequence: u64,
}

pub struct Counts {
    pub accepted: usize,
    pub duplicates: usize,
    pub raw_offset: u64,
}

impl<'a> Request<'a> {
    pub fn decode(bytes: &'a [u8]) -> Result<Self> {
        if bytes.len() > MAX_REQUEST {
            return Err(Error::Invalid(format!(
                "the request has {} bytes; send at most {MAX_REQUEST} at a time",
                bytes.len()
            )));
        }
        let request = Self::read(bytes).map_err(not_a_request)?;
        if request.records.len() > MAX_RECORDS {
            return Err(Error::Invalid(format!(
                "the request has {} records; send at most {MAX_RECORDS} at a time",
                request.records.len()
            )));
        }
        Ok(request)
    }

    fn read(bytes: &'a [u8]) -> Result<Self> {
        let (mut records, mut sequence) = (Vec::new(), 0);
        let mut reader = Reader::new(bytes);
        while let Some((field, wire)) = reader.field()? {
            match field {
                2 => records.push(wire.bytes()?),
                3 => sequence = wire.number()?,
                _ => {}
            }
        }
        Ok(Request { records, sequence })
    }
}

fn not_a_request(error: Error) -> Error {
    Error::Invalid(format!(
        "the request is not a valid IngestRequest: {error}; send it with a client generated from the protos"
    ))
}

pub fn response(sequence: u64, counts: &Counts, rejects: &[Reject]) -> Vec<u8> {
    let (mut out, mut body) = (Vec::new(), Vec::new());
    put_number(&mut out, 1, sequence);
    put_number(&mut out, 2, counts.accepted as u64);
    put_number(&mut out, 3, counts.duplicates as u64);
    for reject in rejects {
        body.clear();
        reject.put_reason(&mut body);
        put_bytes(&mut out, 4, &body);
    }
    put_number(&mut out, 5, counts.raw_offset);
    out
}

/// Returns field 1 of a message, or '' if it is absent. Reads no further fields.
pub fn peek_workspace(bytes: &[u8]) -> Result<&str> {
    workspace(bytes).map_err(not_a_request)
}

fn workspace(bytes: &[u8]) -> Result<&str> {
    let mut reader = Reader::new(bytes);
    while let Some((field, wire)) = reader.field()? {
        if field == 1 {
            return wire.text();
        }
    }
    Ok("")
}
