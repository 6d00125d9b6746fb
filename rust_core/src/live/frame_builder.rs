//! Cuts the moves of a step into frames of the membership log.

use roaring::{RoaringBitmap, RoaringTreemap};

use super::frame::{BlockId, MembershipFrame, SegmentMoves};
use super::memberships::SegmentMembers;
use crate::error::{Error, Result};
use crate::eval::Moves;
use crate::index::view::BLOCK;

/// The number of moves after which a frame ends, so that no frame is large.
const MAX_MOVES: usize = 1 << 19;

/// Builds the frames of one step.
pub struct FrameBuilder {
    finished: Vec<MembershipFrame>,
    open: MembershipFrame,
    /// The number of moves in the open frame.
    moved: usize,
}

impl FrameBuilder {
    /// Starts the first frame; every frame gets the epoch and as-of of `empty`.
    pub fn new(empty: MembershipFrame) -> FrameBuilder {
        FrameBuilder {
            finished: Vec::new(),
            open: empty,
            moved: 0,
        }
    }

    /// Adds the moves of a segment in order of the blocks; they may be empty if only the version of its rule changes.
    pub fn add(
        &mut self,
        name: &str,
        version: u32,
        current: &SegmentMembers,
        moves: &[(BlockId, Moves)],
    ) -> Result<()> {
        let (mut from, mut count, mut digest) = (0, current.count, current.digest);
        while from == 0 || from < moves.len() {
            let moved = |moves: &Moves| moves.entered.len() + moves.left.len();
            let mut to = from;
            while to < moves.len() && self.moved < MAX_MOVES {
                self.moved += moved(&moves[to].1);
                to += 1;
            }
            let entered = set(&moves[from..to], |moves| &moves.entered)?;
            let left = set(&moves[from..to], |moves| &moves.left)?;
            (count, digest) = SegmentMembers::after(count, digest, &entered, &left);
            self.open.segments.push(SegmentMoves {
                segment: name.to_owned(),
                version,
                entered,
                left,
                count,
                digest,
            });
            if self.moved >= MAX_MOVES {
                self.end_frame();
            }
            if to == moves.len() {
                break;
            }
            from = to;
        }
        Ok(())
    }

    /// Ends the open frame and starts the next one.
    fn end_frame(&mut self) {
        let next = MembershipFrame {
            segments: Vec::new(),
            ..self.open
        };
        self.finished.push(std::mem::replace(&mut self.open, next));
        self.moved = 0;
    }

    /// Marks the last frame as complete and returns all frames, encoded.
    pub fn finish(mut self) -> Result<Vec<Vec<u8>>> {
        if !self.open.segments.is_empty() {
            self.end_frame();
        }
        if let Some(last) = self.finished.last_mut() {
            last.complete = true;
        }
        self.finished.iter().map(MembershipFrame::encode).collect()
    }
}

/// Collects people of ordered blocks into a set. Returns Invalid if the blocks are out of order.
fn set(moves: &[(BlockId, Moves)], rows: impl Fn(&Moves) -> &[u16]) -> Result<RoaringTreemap> {
    let mut partitions = Vec::new();
    for blocks in moves.chunk_by(|((a, _), _), ((b, _), _)| a == b) {
        let ordinals = blocks.iter().flat_map(|((_, block), moves)| {
            let row = move |&row: &u16| block * BLOCK + u32::from(row);
            rows(moves).iter().map(row)
        });
        let set = RoaringBitmap::from_sorted_iter(ordinals);
        let set = set.map_err(|_| Error::Invalid("blocks of a step are out of order".into()))?;
        partitions.push((blocks[0].0.0, set));
    }
    Ok(RoaringTreemap::from_bitmaps(partitions))
}
