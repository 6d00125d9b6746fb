//! The members of each segment: a fold of the membership log.

use std::collections::BTreeMap;

use roaring::RoaringTreemap;
use xxhash_rust::xxh3::xxh3_64;

use super::frame::{MembershipFrame, SegmentMoves};
use crate::error::{Error, Result};
use crate::eval::Members;
use crate::proto::wire::{Reader, put_bytes, put_fixed64, put_number};
use crate::storage::checksum::{append_checksum, verified};

/// The members of all segments at an offset of the membership log.
#[derive(Default)]
pub struct Memberships {
    /// The offset of the next frame of the membership log.
    pub offset: u64,
    /// The raw offset and as-of (ms since the epoch) of the last frame. A step never goes back behind them.
    pub reached: Option<(u64, i64)>,
    /// Segments by name.
    pub segments: BTreeMap<String, SegmentMembers>,
}

/// The members of one segment.
#[derive(Clone, Default)]
pub struct SegmentMembers {
    /// The version of the rule that determined the members.
    pub version: u32,
    pub members: Members,
    pub count: u64,
    /// The digest of the members: the XOR of `digest_of` each, independent of their order. It lets readers of the log detect a missed frame.
    pub digest: u64,
}

/// A segment that has not been evaluated yet.
static EMPTY: SegmentMembers = SegmentMembers {
    version: 0,
    members: Members::NONE,
    count: 0,
    digest: 0,
};

/// Returns the XXH3-64 hash (seed 0) of a OneID as 8 little-endian bytes.
fn digest_of(person: u64) -> u64 {
    xxh3_64(&person.to_le_bytes())
}

impl SegmentMembers {
    /// Returns the count and the digest after moves.
    pub fn after(count: u64, digest: u64, entered: &RoaringTreemap, left: &RoaringTreemap) -> (u64, u64) {
        let moved = entered.iter().chain(left).map(digest_of);
        let count = (count + entered.len()).saturating_sub(left.len());
        (count, moved.fold(digest, |digest, moved| digest ^ moved))
    }

    /// Applies moves. Returns Invalid if the resulting count or digest differs; then the segment must be discarded.
    fn apply(&mut self, moves: &SegmentMoves) -> Result<()> {
        (self.count, self.digest) = SegmentMembers::after(self.count, self.digest, &moves.entered, &moves.left);
        if (self.count, self.digest) != (moves.count, moves.digest) {
            return Err(Error::Invalid(format!(
                "the changes of {} do not fit its members: they belong to another log",
                moves.segment
            )));
        }
        for ((partition, block), moves) in moves.blocks() {
            self.members.apply(partition, block, &moves);
        }
        self.version = moves.version;
        Ok(())
    }
}

impl Memberships {
    /// Returns the members of a segment; empty if it is unknown.
    pub fn segment(&self, name: &str) -> &SegmentMembers {
        self.segments.get(name).unwrap_or(&EMPTY)
    }

    /// Applies a frame of the membership log.
    ///
    /// Returns Invalid if the frame is not the next one, is malformed, or does not fit the current members; then nothing changes.
    pub fn fold(&mut self, offset: u64, bytes: &[u8]) -> Result<()> {
        let refused = |detail: String| Error::Invalid(format!("membership frame {offset}: {detail}"));
        if offset != self.offset {
            return Err(refused(format!(
                "out of order; the next frame to fold has offset {}",
                self.offset
            )));
        }
        let frame = MembershipFrame::decode(bytes).map_err(|error| refused(error.to_string()))?;
        let mut changed = BTreeMap::new();
        for moves in &frame.segments {
            let current = self.segments.get(&moves.segment).cloned().unwrap_or_default();
            let segment: &mut SegmentMembers = changed.entry(moves.segment.clone()).or_insert(current);
            segment.apply(moves).map_err(|error| refused(error.to_string()))?;
        }
        self.segments.extend(changed);
        self.reached = Some((frame.epoch.raw_offset, frame.as_of_ms));
        self.offset += 1;
        Ok(())
    }

    /// Encodes all memberships, followed by their XXH3-64 checksum.
    pub fn encode(&self) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        put_number(&mut out, 1, self.offset);
        if let Some((raw_offset, as_of_ms)) = self.reached {
            put_number(&mut out, 3, raw_offset);
            put_fixed64(&mut out, 4, as_of_ms as u64);
        }
        for (name, segment) in &self.segments {
            let whole = SegmentMoves {
                segment: name.clone(),
                version: segment.version,
                entered: segment.members.set(),
                left: RoaringTreemap::new(),
                count: segment.count,
                digest: segment.digest,
            };
            put_bytes(&mut out, 2, &whole.encode()?);
        }
        append_checksum(&mut out);
        Ok(out)
    }

    /// Decodes memberships. Returns Invalid if they are damaged.
    pub fn decode(bytes: &[u8]) -> Result<Memberships> {
        let whole = verified(bytes).ok_or_else(|| Error::Invalid("its checksum does not match".into()))?;
        let (mut reader, mut memberships, mut raw_offset) = (Reader::new(whole), Memberships::default(), 0);
        while let Some((field, wire)) = reader.field()? {
            match field {
                1 => memberships.offset = wire.number()?,
                3 => raw_offset = wire.number()?,
                4 => memberships.reached = Some((raw_offset, wire.fixed()? as i64)),
                2 => {
                    let moves = SegmentMoves::decode(wire.bytes()?)?;
                    let mut segment = SegmentMembers::default();
                    segment.apply(&moves)?;
                    memberships.segments.insert(moves.segment, segment);
                }
                _ => {}
            }
        }
        if memberships.offset == u64::MAX {
            return Err(Error::Invalid("its offset is out of range".into()));
        }
        Ok(memberships)
    }
}
