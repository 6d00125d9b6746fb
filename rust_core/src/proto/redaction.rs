//! What was taken out of a record of the raw log because somebody was erased (`quanyu.api.event.v1.Redaction`).

use super::wire::{Reader, Wire, put_bytes, put_fixed64, put_number};
use crate::error::{Error, Result};

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Redaction {
    /// Position among the frame's records.
    pub record: u32,
    /// Of each of its identifiers, in order: one more than the number of the erased identifier that it was, or 0 for one that stands there
    /// as it came.
    pub nodes: Vec<u32>,
    /// 128 bits of a hash of its source and id.
    pub key: [u64; 2],
    /// Whether it was somebody's who was erased, of which only identifiers are left; else it only named one.
    pub is_of_erased: bool,
}

impl Redaction {
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let mut redaction = Redaction::default();
        let mut reader = Reader::new(bytes);
        while let Some((field, wire)) = reader.field()? {
            match field {
                1 => redaction.record = small(wire)?,
                2 => redaction.nodes = nodes(wire.bytes()?)?,
                3 | 4 => redaction.key[field as usize - 3] = wire.fixed()?,
                5 => redaction.is_of_erased = wire.number()? != 0,
                _ => {}
            }
        }
        Ok(redaction)
    }

    pub fn encode(&self) -> Vec<u8> {
        let (mut out, mut packed) = (Vec::new(), Vec::new());
        put_number(&mut out, 1, self.record.into());
        self.nodes
            .iter()
            .for_each(|node| packed.extend_from_slice(&node.to_le_bytes()));
        put_bytes(&mut out, 2, &packed);
        put_fixed64(&mut out, 3, self.key[0]);
        put_fixed64(&mut out, 4, self.key[1]);
        put_number(&mut out, 5, self.is_of_erased.into());
        out
    }
}

/// Packed.
fn nodes(bytes: &[u8]) -> Result<Vec<u32>> {
    match bytes.as_chunks::<4>() {
        (nodes, []) => Ok(nodes.iter().map(|node| u32::from_le_bytes(*node)).collect()),
        _ => Err(Error::Invalid("malformed message: packed nodes".into())),
    }
}

fn small(wire: Wire) -> Result<u32> {
    u32::try_from(wire.number()?).map_err(|_| Error::Invalid("malformed message: a number is too large".into()))
}
