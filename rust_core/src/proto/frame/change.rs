//! The identity changes of a resolved frame.

use super::{put_nodes, put_persons, take_nodes, take_persons};
use crate::error::{Error, Result};
use crate::proto::wire::{Reader, Wire, put_bytes, put_fixed64, put_number};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    Created { person: u64 },
    Merged { winner: u64, loser: u64 },
    Erased { person: u64 },
    Split(Split),
}

/// A split: some nodes of a person belong to another person from now on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Split {
    pub from: u64,
    pub to: u64,
    /// The nodes that move to `to`, numbered from 1, ascending.
    pub nodes: Vec<u32>,
    /// The former persons that become aliases of `to`.
    pub aliases: Vec<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityChange {
    pub sequence: u64,
    pub change: Change,
}

impl IdentityChange {
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let (mut sequence, mut change) = (0, None);
        let mut reader = Reader::new(bytes);
        while let Some((field, wire)) = reader.field()? {
            match field {
                1 => sequence = wire.number()?,
                2 => {
                    let [person, _] = fixed_pair(wire)?;
                    change = Some(Change::Created { person });
                }
                3 => {
                    let [winner, loser] = fixed_pair(wire)?;
                    change = Some(Change::Merged { winner, loser });
                }
                4 => {
                    let [person, _] = fixed_pair(wire)?;
                    change = Some(Change::Erased { person });
                }
                5 => change = Some(Change::Split(Split::decode(wire.bytes()?)?)),
                _ => {}
            }
        }
        let change = change.ok_or_else(|| Error::Unsupported("an identity change of unknown kind".into()))?;
        Ok(IdentityChange { sequence, change })
    }

    pub fn encode(&self) -> Vec<u8> {
        let (mut out, mut body) = (Vec::new(), Vec::new());
        put_number(&mut out, 1, self.sequence);
        let field = match &self.change {
            Change::Created { person } => {
                put_fixed64(&mut body, 1, *person);
                2
            }
            Change::Merged { winner, loser } => {
                put_fixed64(&mut body, 1, *winner);
                put_fixed64(&mut body, 2, *loser);
                3
            }
            Change::Erased { person } => {
                put_fixed64(&mut body, 1, *person);
                4
            }
            Change::Split(split) => {
                split.encode(&mut body);
                5
            }
        };
        put_bytes(&mut out, field, &body);
        out
    }
}

impl Split {
    /// Returns the person that owns the records of `from` that a node attributes.
    pub fn side_of(&self, node: i64) -> u64 {
        let leaves = u32::try_from(node).is_ok_and(|node| self.nodes.binary_search(&node).is_ok());
        if leaves { self.to } else { self.from }
    }

    fn decode(bytes: &[u8]) -> Result<Self> {
        let mut split = Split::default();
        let mut reader = Reader::new(bytes);
        while let Some((field, wire)) = reader.field()? {
            match field {
                1 => split.from = wire.fixed()?,
                2 => split.to = wire.fixed()?,
                3 => take_nodes(&mut split.nodes, wire)?,
                4 => take_persons(&mut split.aliases, wire)?,
                _ => {}
            }
        }
        split.nodes.sort_unstable();
        Ok(split)
    }

    fn encode(&self, out: &mut Vec<u8>) {
        put_fixed64(out, 1, self.from);
        put_fixed64(out, 2, self.to);
        put_nodes(out, 3, &self.nodes);
        put_persons(out, 4, &self.aliases);
    }
}

/// Reads the fields 1 and 2 of a message, both fixed64.
fn fixed_pair(wire: Wire) -> Result<[u64; 2]> {
    let mut pair = [0; 2];
    let mut reader = Reader::new(wire.bytes()?);
    while let Some((field, wire)) = reader.field()? {
        if let 1 | 2 = field {
            pair[field as usize - 1] = wire.fixed()?;
        }
    }
    Ok(pair)
}
