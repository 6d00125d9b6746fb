//! Frames of the membership log (`MembershipFrame` of tagging.proto): the people who enter and leave segments.

use std::collections::BTreeMap;

use roaring::RoaringTreemap;

use crate::audience::roaring_set;
use crate::error::{Error, Result};
use crate::eval::Moves;
use crate::index::view::{BLOCK, Epoch};
use crate::proto::wire::{Reader, Wire, put_bytes, put_fixed64, put_number, put_text};

/// A block: (partition number, block number within the partition).
pub type BlockId = (u32, u32);

/// One frame of the membership log.
#[derive(Debug, Default, PartialEq)]
pub struct MembershipFrame {
    /// The epoch and as-of that the memberships reflect once the step is complete.
    pub epoch: Epoch,
    pub as_of_ms: i64,
    pub segments: Vec<SegmentMoves>,
    /// Whether this is the last frame of a step.
    pub complete: bool,
}

/// The moves of one segment; afterwards it has `count` members with this digest.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SegmentMoves {
    pub segment: String,
    pub version: u32,
    pub entered: RoaringTreemap,
    pub left: RoaringTreemap,
    pub count: u64,
    pub digest: u64,
}

impl MembershipFrame {
    /// Encodes the frame.
    pub fn encode(&self) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        put_number(&mut out, 1, self.epoch.raw_offset);
        put_number(&mut out, 2, self.epoch.received_at_ms as u64);
        put_number(&mut out, 3, self.as_of_ms as u64);
        for segment in &self.segments {
            put_bytes(&mut out, 4, &segment.encode()?);
        }
        put_number(&mut out, 5, u64::from(self.complete));
        Ok(out)
    }

    /// Decodes a frame. Returns Invalid if it is malformed.
    pub fn decode(bytes: &[u8]) -> Result<MembershipFrame> {
        let (mut reader, mut frame) = (Reader::new(bytes), MembershipFrame::default());
        while let Some((field, wire)) = reader.field()? {
            match field {
                1 => frame.epoch.raw_offset = wire.number()?,
                2 => frame.epoch.received_at_ms = wire.number()? as i64,
                3 => frame.as_of_ms = wire.number()? as i64,
                4 => frame.segments.push(SegmentMoves::decode(wire.bytes()?)?),
                5 => frame.complete = wire.number()? != 0,
                _ => {}
            }
        }
        Ok(frame)
    }
}

impl SegmentMoves {
    /// Encodes the moves.
    pub fn encode(&self) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        put_text(&mut out, 1, &self.segment);
        put_number(&mut out, 2, u64::from(self.version));
        for (field, people) in [(3, &self.entered), (4, &self.left)] {
            if !people.is_empty() {
                put_bytes(&mut out, field, &roaring_set::encode(people)?);
            }
        }
        put_number(&mut out, 5, self.count);
        put_fixed64(&mut out, 6, self.digest);
        Ok(out)
    }

    /// Decodes moves. Returns Invalid if they are malformed.
    pub fn decode(bytes: &[u8]) -> Result<SegmentMoves> {
        let (mut reader, mut moves) = (Reader::new(bytes), SegmentMoves::default());
        let version = |wire: Wire| {
            u32::try_from(wire.number()?).map_err(|_| Error::Invalid("the version exceeds 32 bits".into()))
        };
        while let Some((field, wire)) = reader.field()? {
            match field {
                1 => moves.segment = wire.text()?.to_owned(),
                2 => moves.version = version(wire)?,
                3 => moves.entered = roaring_set::decode(wire.bytes()?)?,
                4 => moves.left = roaring_set::decode(wire.bytes()?)?,
                5 => moves.count = wire.number()?,
                6 => moves.digest = wire.fixed()?,
                _ => {}
            }
        }
        Ok(moves)
    }

    /// Groups the moves by block.
    pub fn blocks(&self) -> BTreeMap<BlockId, Moves> {
        let mut blocks: BTreeMap<BlockId, Moves> = BTreeMap::new();
        let block_of = |person: u64| ((person >> 32) as u32, person as u32 / BLOCK);
        for person in &self.entered {
            blocks.entry(block_of(person)).or_default().entered.push(person as u16);
        }
        for person in &self.left {
            blocks.entry(block_of(person)).or_default().left.push(person as u16);
        }
        blocks
    }
}
