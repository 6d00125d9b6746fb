//! The frames of the logs (`quanyu.api.event.v1` log.proto). Records stay encoded, so that stages copy them without decoding.

mod change;

use std::borrow::Cow;

pub use change::{Change, IdentityChange, Split};

use prost::Message;

use super::redaction::Redaction;
use super::wire::{Reader, Wire, put_bytes, put_number, put_text, put_varint};
use crate::error::{Error, Result};

/// A frame of the raw log.
#[derive(Debug, Default, PartialEq)]
pub struct RawFrame<'a> {
    pub received_at_ms: i64,
    /// The encoded Record messages.
    pub records: Vec<&'a [u8]>,
    /// An encoded Schema message to merge into the schema.
    pub schema: Option<&'a [u8]>,
    /// An encoded Decision message.
    pub decision: Option<&'a [u8]>,
    /// The redactions of records that belonged to erased people or named them.
    pub redactions: Vec<Redaction>,
}

/// A frame of the resolved log.
#[derive(Debug, Default, PartialEq)]
pub struct ResolvedFrame<'a> {
    pub raw_offset: u64,
    pub received_at_ms: i64,
    pub changes: Vec<IdentityChange>,
    /// The person of each record, or 0.
    pub persons: Vec<u64>,
    /// The node that attributes each record to its person, numbered from 1, or 0.
    pub nodes: Vec<u32>,
    pub records: Vec<&'a [u8]>,
    pub schema: Option<&'a [u8]>,
}

/// A frame of the dead-letter log.
#[derive(Debug, Default, PartialEq)]
pub struct RejectFrame<'a> {
    pub received_at_ms: i64,
    pub rejects: Vec<Reject<'a>>,
}

#[derive(Debug, Default, PartialEq)]
pub struct Reject<'a> {
    /// The position in the request.
    pub index: u32,
    pub reason: Cow<'a, str>,
    pub field: Cow<'a, str>,
    pub message: Cow<'a, str>,
    /// The record as received.
    pub record: &'a [u8],
}

impl<'a> RawFrame<'a> {
    pub fn decode(bytes: &'a [u8]) -> Result<Self> {
        let mut frame = RawFrame::default();
        let mut reader = Reader::new(bytes);
        while let Some((field, wire)) = reader.field()? {
            match field {
                1 => frame.received_at_ms = wire.number()? as i64,
                2 => frame.records.push(wire.bytes()?),
                3 => frame.schema = Some(wire.bytes()?),
                4 => frame.decision = Some(wire.bytes()?),
                5 => frame
                    .redactions
                    .push(Redaction::decode(wire.bytes()?).map_err(Error::malformed)?),
                _ => {}
            }
        }
        Ok(frame)
    }

    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(room(&self.records, 0));
        put_number(&mut out, 1, self.received_at_ms as u64);
        put_all(&mut out, 2, &self.records);
        put_message(&mut out, 3, self.schema);
        put_message(&mut out, 4, self.decision);
        for redaction in &self.redactions {
            put_bytes(&mut out, 5, &redaction.encode_to_vec());
        }
        out
    }
}

impl<'a> ResolvedFrame<'a> {
    /// Decodes a frame; returns `Error::Invalid` if it is malformed or the numbers of persons and records differ.
    pub fn decode(bytes: &'a [u8]) -> Result<Self> {
        let mut frame = ResolvedFrame::default();
        let mut reader = Reader::new(bytes);
        while let Some((field, wire)) = reader.field()? {
            match field {
                1 => frame.raw_offset = wire.number()?,
                2 => frame.received_at_ms = wire.number()? as i64,
                3 => frame.changes.push(IdentityChange::decode(wire.bytes()?)?),
                4 => take_persons(&mut frame.persons, wire)?,
                5 => frame.records.push(wire.bytes()?),
                6 => frame.schema = Some(wire.bytes()?),
                7 => take_nodes(&mut frame.nodes, wire)?,
                _ => {}
            }
        }
        let (persons, nodes, records) = (frame.persons.len(), frame.nodes.len(), frame.records.len());
        if persons != records || ![0, records].contains(&nodes) {
            return Err(Error::Invalid(format!(
                "a resolved frame has {persons} persons and {nodes} nodes for {records} records"
            )));
        }
        frame.nodes.resize(records, 0);
        Ok(frame)
    }

    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(room(&self.records, 12) + self.changes.len() * 32);
        put_number(&mut out, 1, self.raw_offset);
        put_number(&mut out, 2, self.received_at_ms as u64);
        for change in &self.changes {
            put_bytes(&mut out, 3, &change.encode());
        }
        put_persons(&mut out, 4, &self.persons);
        put_all(&mut out, 5, &self.records);
        put_message(&mut out, 6, self.schema);
        if self.nodes.iter().any(|&node| node != 0) {
            put_nodes(&mut out, 7, &self.nodes);
        }
        out
    }
}

impl<'a> RejectFrame<'a> {
    pub fn decode(bytes: &'a [u8]) -> Result<Self> {
        let mut frame = RejectFrame::default();
        let mut reader = Reader::new(bytes);
        while let Some((field, wire)) = reader.field()? {
            match field {
                1 => frame.received_at_ms = wire.number()? as i64,
                2 => frame.rejects.push(Reject::decode(wire.bytes()?)?),
                _ => {}
            }
        }
        Ok(frame)
    }

    pub fn encode(&self) -> Vec<u8> {
        let (mut out, mut body) = (Vec::new(), Vec::new());
        put_number(&mut out, 1, self.received_at_ms as u64);
        for reject in &self.rejects {
            body.clear();
            reject.put_reason(&mut body);
            put_bytes(&mut body, 5, reject.record);
            put_bytes(&mut out, 2, &body);
        }
        out
    }
}

impl<'a> Reject<'a> {
    fn decode(bytes: &'a [u8]) -> Result<Self> {
        let mut reject = Reject::default();
        let mut reader = Reader::new(bytes);
        while let Some((field, wire)) = reader.field()? {
            match field {
                1 => reject.index = wire.number()? as u32,
                2 => reject.reason = wire.text()?.into(),
                3 => reject.field = wire.text()?.into(),
                4 => reject.message = wire.text()?.into(),
                5 => reject.record = wire.bytes()?,
                _ => {}
            }
        }
        Ok(reject)
    }

    /// Writes the fields 1 to 4, which Reject and RejectedRecord share.
    pub fn put_reason(&self, out: &mut Vec<u8>) {
        put_number(out, 1, u64::from(self.index));
        put_text(out, 2, &self.reason);
        put_text(out, 3, &self.field);
        put_text(out, 4, &self.message);
    }
}

/// Reads a repeated field, packed or not.
fn take_persons(persons: &mut Vec<u64>, wire: Wire) -> Result<()> {
    let Wire::Bytes(packed) = wire else {
        persons.push(wire.fixed()?);
        return Ok(());
    };
    let (whole, rest) = packed.as_chunks::<8>();
    if !rest.is_empty() {
        return Err(Error::Invalid("malformed message: packed persons".into()));
    }
    persons.extend(whole.iter().map(|bytes| u64::from_le_bytes(*bytes)));
    Ok(())
}

/// Reads a repeated field, packed or not.
fn take_nodes(nodes: &mut Vec<u32>, wire: Wire) -> Result<()> {
    let mut take = |number: u64| {
        let node = u32::try_from(number).map_err(|_| Error::Invalid("malformed message: a node".into()))?;
        nodes.push(node);
        Ok(())
    };
    let Wire::Bytes(packed) = wire else {
        return take(wire.number()?);
    };
    let mut reader = Reader::new(packed);
    while let Some(number) = reader.next_varint()? {
        take(number)?;
    }
    Ok(())
}

fn put_persons(out: &mut Vec<u8>, field: u32, persons: &[u64]) {
    if !persons.is_empty() {
        put_varint(out, u64::from(field) << 3 | 2);
        put_varint(out, persons.len() as u64 * 8);
        out.extend(persons.iter().flat_map(|person| person.to_le_bytes()));
    }
}

fn put_nodes(out: &mut Vec<u8>, field: u32, nodes: &[u32]) {
    let mut packed = Vec::with_capacity(nodes.len() * 4);
    nodes.iter().for_each(|&node| put_varint(&mut packed, node.into()));
    put_bytes(out, field, &packed);
}

fn room(records: &[&[u8]], each: usize) -> usize {
    records.iter().map(|record| record.len() + 6 + each).sum::<usize>() + 32
}

fn put_all(out: &mut Vec<u8>, field: u32, records: &[&[u8]]) {
    for record in records {
        put_bytes(out, field, record);
    }
}

fn put_message(out: &mut Vec<u8>, field: u32, message: Option<&[u8]>) {
    if let Some(message) = message {
        put_bytes(out, field, message);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn records() -> impl Strategy<Value = Vec<(u64, Vec<u8>)>> {
        prop::collection::vec((any::<u64>(), prop::collection::vec(any::<u8>(), 0..40)), 0..20)
    }

    fn change() -> impl Strategy<Value = IdentityChange> {
        let change = prop_oneof![
            any::<u64>().prop_map(|person| Change::Created { person }),
            any::<(u64, u64)>().prop_map(|(winner, loser)| Change::Merged { winner, loser }),
            any::<u64>().prop_map(|person| Change::Erased { person }),
            any::<(u64, u64, Vec<u32>, Vec<u64>)>().prop_map(|(from, to, mut nodes, aliases)| {
                nodes.sort_unstable();
                Change::Split(Split {
                    from,
                    to,
                    nodes,
                    aliases,
                })
            }),
        ];
        (any::<u64>(), change).prop_map(|(sequence, change)| IdentityChange { sequence, change })
    }

    fn redaction() -> impl Strategy<Value = Redaction> {
        any::<(u32, Vec<u32>, u64, u64, bool)>().prop_map(|(record, nodes, key_high, key_low, is_of_erased)| {
            Redaction {
                record,
                nodes,
                key_high,
                key_low,
                is_of_erased,
            }
        })
    }

    proptest! {
        #![proptest_config(crate::testing::cases(256))]

        #[test]
        fn raw_frames_decode_to_what_was_encoded(
            received_at_ms: i64, records in records(), schema: Option<Vec<u8>>, decision: Option<Vec<u8>>,
            redactions in prop::collection::vec(redaction(), 0..4)
        ) {
            let records = records.iter().map(|(_, record)| record.as_slice()).collect();
            let frame = RawFrame { received_at_ms, records, schema: schema.as_deref(), decision: decision.as_deref(), redactions };
            let bytes = frame.encode();
            prop_assert_eq!(RawFrame::decode(&bytes).unwrap(), frame);
        }

        #[test]
        fn resolved_frames_decode_to_what_was_encoded(
            raw_offset: u64, received_at_ms: i64, records in records(), changes in prop::collection::vec(change(), 0..5), node: u32
        ) {
            let persons = records.iter().map(|(person, _)| *person).collect();
            let nodes = records.iter().map(|(person, _)| node.wrapping_mul(*person as u32)).collect();
            let records = records.iter().map(|(_, record)| record.as_slice()).collect();
            let frame = ResolvedFrame { raw_offset, received_at_ms, changes, persons, nodes, records, schema: None };
            let bytes = frame.encode();
            prop_assert_eq!(ResolvedFrame::decode(&bytes).unwrap(), frame);
        }

        #[test]
        fn reject_frames_decode_to_what_was_encoded(received_at_ms: i64, texts in prop::collection::vec(any::<(u32, String, String, Vec<u8>)>(), 0..5)) {
            let rejects = texts.iter().map(|(index, field, message, record)| Reject {
                index: *index, reason: "MISSING_ID".into(), field: field.into(), message: message.into(), record,
            }).collect();
            let frame = RejectFrame { received_at_ms, rejects };
            let bytes = frame.encode();
            prop_assert_eq!(RejectFrame::decode(&bytes).unwrap(), frame);
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes: Vec<u8>) {
            let _ = RawFrame::decode(&bytes);
            let _ = ResolvedFrame::decode(&bytes);
            let _ = RejectFrame::decode(&bytes);
        }
    }
}
