//! The result of evaluating a plan.

use std::sync::Arc;

use roaring::RoaringTreemap;

use super::kernels::bits::Bits;
use super::members::{Block, Members};
use super::program::BoundRoot;
use super::query::Query;
use super::task::Task;
use crate::error::{Error, Result};
use crate::index::view::Epoch;

/// The result of evaluating a plan at one version of the index.
pub struct Answer {
    pub epoch: Epoch,
    /// The number of people whose first record occurred before the as-of.
    pub universe: u64,
    pub roots: Vec<RootAnswer>,
    /// True if unknowns and clauses were counted.
    pub counted: bool,
    pub microseconds: u64,
}

/// The members of one root.
pub struct RootAnswer {
    pub people: Members,
    pub matched: u64,
    /// 0 if unknowns were not counted.
    pub unknown: u64,
    /// The (true, unknown) counts of each top-level clause; empty if they were not counted.
    pub clauses: Vec<(u64, u64)>,
}

/// The result of evaluating a plan in one block.
pub struct BlockAnswer {
    pub universe: u64,
    pub roots: Vec<BlockRootAnswer>,
    /// The (true, unknown) counts of each clause of the program.
    pub clauses: Vec<(u64, u64)>,
}

/// The members of one root in one block.
pub struct BlockRootAnswer {
    block: Option<Arc<Block>>,
    unknown: u64,
}

impl BlockRootAnswer {
    pub fn new(task: Task, matched: Bits, unknown: u64) -> BlockRootAnswer {
        BlockRootAnswer {
            block: Block::of(task.partition.number, task.first, matched),
            unknown,
        }
    }

    /// Returns the memory that the root occupies until the answer is dropped.
    pub fn bytes(&self) -> u64 {
        let members = self.block.as_ref().map_or(0, |block| block.bytes());
        (size_of::<BlockRootAnswer>() + members) as u64
    }
}

impl Answer {
    /// Combines the answers of all blocks, which are in order of the people.
    pub(super) fn new(query: &Query, blocks: Vec<BlockAnswer>) -> Answer {
        let program = query.program;
        let of_clause = |clause: usize| {
            let counts = blocks.iter().map(|block| block.clauses[clause]);
            counts.fold((0, 0), |total, counts| (total.0 + counts.0, total.1 + counts.1))
        };
        let clauses: Vec<(u64, u64)> = (0..program.clauses.len())
            .filter(|_| query.counts)
            .map(of_clause)
            .collect();
        let of_root = |root: &BoundRoot| {
            root.clauses
                .iter()
                .filter_map(|&clause| clauses.get(clause).copied())
                .collect()
        };
        let empty = |root: &BoundRoot| RootAnswer::none(of_root(root));
        let mut answer = Answer {
            epoch: query.version.epoch,
            universe: blocks.iter().map(|block| block.universe).sum(),
            roots: program.roots.iter().map(empty).collect(),
            counted: query.counts,
            microseconds: 0,
        };
        for block in blocks {
            for (root, block) in answer.roots.iter_mut().zip(block.roots) {
                root.add(block);
            }
        }
        answer
    }

    /// Returns a root; `Error::Invalid` if the plan has no root with this number.
    pub fn root(&self, number: usize) -> Result<&RootAnswer> {
        self.roots
            .get(number)
            .ok_or_else(|| Error::Invalid(format!("the plan has no root {number}")))
    }
}

impl RootAnswer {
    fn none(clauses: Vec<(u64, u64)>) -> RootAnswer {
        RootAnswer {
            people: Members::default(),
            matched: 0,
            unknown: 0,
            clauses,
        }
    }

    fn add(&mut self, root: BlockRootAnswer) {
        self.matched += root.block.as_ref().map_or(0, |block| block.count());
        self.people.extend(root.block);
        self.unknown += root.unknown;
    }

    /// Returns an answer of members that are known already.
    pub fn of_members(people: Members, matched: u64) -> RootAnswer {
        RootAnswer {
            people,
            matched,
            ..RootAnswer::none(Vec::new())
        }
    }

    /// Returns the members as a Roaring set.
    pub fn members(&self) -> RoaringTreemap {
        self.people.set()
    }
}
