//! What a plan evaluated to.

use roaring::{RoaringBitmap, RoaringTreemap};

use super::bits::Bits;
use super::task::Task;
use crate::error::{Error, Result};
use crate::index::view::Epoch;
use crate::wire_set;

/// What a plan evaluated to, at one version of the index.
pub struct Answer {
    pub epoch: Epoch,
    /// Number of people whose first record occurred before the as-of.
    pub universe: u64,
    pub roots: Vec<RootAnswer>,
    pub microseconds: u64,
}

pub struct RootAnswer {
    pub matched: RoaringTreemap,
    pub unknown: u64,
    /// (true, unknown) of each top-level clause.
    pub clauses: Vec<(u64, u64)>,
}

pub struct BlockAnswer {
    pub universe: u64,
    pub roots: Vec<BlockRoot>,
}

pub struct BlockRoot {
    pub matched: Bits,
    pub unknown: u64,
    pub clauses: Vec<(u64, u64)>,
}

impl Answer {
    /// `clauses`: how many each root has.
    pub(super) fn new(epoch: Epoch, clauses: &[usize], tasks: &[Task], blocks: Vec<BlockAnswer>) -> Answer {
        let empty = |&clauses: &usize| RootAnswer {
            matched: RoaringTreemap::new(),
            unknown: 0,
            clauses: vec![(0, 0); clauses],
        };
        let mut answer = Answer {
            epoch,
            universe: 0,
            roots: clauses.iter().map(empty).collect(),
            microseconds: 0,
        };
        // By root: the partition that is being gathered.
        let mut open: Vec<(u32, RoaringBitmap)> = vec![(0, RoaringBitmap::new()); clauses.len()];
        for (task, block) in tasks.iter().zip(blocks) {
            answer.universe += block.universe;
            for ((root, open), block) in answer.roots.iter_mut().zip(&mut open).zip(block.roots) {
                if open.0 != task.partition.number {
                    root.close(std::mem::replace(open, (task.partition.number, RoaringBitmap::new())));
                }
                let bytes: Vec<u8> = block
                    .matched
                    .words()
                    .iter()
                    .flat_map(|word| word.to_le_bytes())
                    .collect();
                open.1 |= RoaringBitmap::from_lsb0_bytes(task.first, &bytes);
                root.count(block.unknown, &block.clauses);
            }
        }
        for (root, open) in answer.roots.iter_mut().zip(open) {
            root.close(open);
        }
        answer
    }

    /// `Error::Invalid` for a number that the plan has no root of.
    pub fn root(&self, number: usize) -> Result<&RootAnswer> {
        self.roots
            .get(number)
            .ok_or_else(|| Error::Invalid(format!("the plan has no root {number}")))
    }
}

impl RootAnswer {
    fn close(&mut self, (partition, people): (u32, RoaringBitmap)) {
        if !people.is_empty() {
            self.matched |= RoaringTreemap::from_bitmaps([(partition, people)]);
        }
    }

    fn count(&mut self, unknown: u64, clauses: &[(u64, u64)]) {
        self.unknown += unknown;
        for (total, (matched, unknown)) in self.clauses.iter_mut().zip(clauses) {
            total.0 += matched;
            total.1 += unknown;
        }
    }

    /// Members in the 64-bit Roaring portable format.
    pub fn roaring(&self) -> Result<Vec<u8>> {
        wire_set::encode(&self.matched)
    }

    /// Members greater than `after`, ascending.
    pub fn page(&self, after: u64, limit: usize) -> Vec<u64> {
        wire_set::page(&self.matched, after, limit)
    }

    pub fn contains(&self, person: u64) -> bool {
        self.matched.contains(person)
    }
}
