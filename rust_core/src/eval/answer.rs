//! What a plan evaluated to.

use std::sync::Arc;

use roaring::RoaringTreemap;

use super::kernels::bits::Bits;
use super::members::{Block, Members};
use super::program::BoundRoot;
use super::query::Query;
use super::task::Task;
use crate::error::{Error, Result};
use crate::index::view::Epoch;

/// What a plan evaluated to, at one version of the index.
pub struct Answer {
    pub epoch: Epoch,
    /// Number of people whose first record occurred before the as-of.
    pub universe: u64,
    pub roots: Vec<RootAnswer>,
    /// Whether it was counted what is unknown, and what each clause comes to.
    pub counted: bool,
    pub microseconds: u64,
}

pub struct RootAnswer {
    pub people: Members,
    pub matched: u64,
    /// 0 where that was not counted.
    pub unknown: u64,
    /// (true, unknown) of each top-level clause; none where they were not counted.
    pub clauses: Vec<(u64, u64)>,
}

pub struct BlockAnswer {
    pub universe: u64,
    pub roots: Vec<BlockRoot>,
    /// By clause of the program: (true, unknown).
    pub clauses: Vec<(u64, u64)>,
}

pub struct BlockRoot {
    block: Option<Arc<Block>>,
    unknown: u64,
}

impl BlockRoot {
    pub fn new(task: Task, matched: Bits, unknown: u64) -> BlockRoot {
        BlockRoot {
            block: Block::of(task.partition.number, task.first, matched),
            unknown,
        }
    }

    /// Memory that it holds until the whole answer is dropped.
    pub fn bytes(&self) -> u64 {
        let members = self.block.as_ref().map_or(0, |block| block.bytes());
        (size_of::<BlockRoot>() + members) as u64
    }
}

impl Answer {
    /// `blocks`: in order of the people.
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

    /// `Error::Invalid` for a number that the plan has no root of.
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

    fn add(&mut self, root: BlockRoot) {
        self.matched += root.block.as_ref().map_or(0, |block| block.count());
        self.people.extend(root.block);
        self.unknown += root.unknown;
    }

    /// Of members that were found before.
    pub fn held(people: Members, matched: u64) -> RootAnswer {
        RootAnswer {
            people,
            matched,
            ..RootAnswer::none(Vec::new())
        }
    }

    /// The members as a set.
    pub fn members(&self) -> RoaringTreemap {
        self.people.set()
    }
}
