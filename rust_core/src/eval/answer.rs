//! What a plan evaluated to.

use roaring::{RoaringBitmap, RoaringTreemap};

use super::bits::Bits;
use super::program::{BoundRoot, Program};
use super::task::Task;
use crate::error::{Error, Result};
use crate::index::view::{Epoch, person_of};
use crate::wire_set;

/// What a plan evaluated to, at one version of the index.
pub struct Answer {
    pub epoch: Epoch,
    /// Number of people whose first record occurred before the as-of.
    pub universe: u64,
    pub roots: Vec<RootAnswer>,
    pub microseconds: u64,
}

/// The members are kept block by block as they were found; a set is made of them when it is asked for.
pub struct RootAnswer {
    blocks: Vec<Members>,
    pub matched: u64,
    pub unknown: u64,
    /// (true, unknown) of each top-level clause.
    pub clauses: Vec<(u64, u64)>,
}

/// Of one block.
struct Members {
    partition: u32,
    first: u32,
    rows: Rows,
}

enum Rows {
    Few(Vec<u16>),
    Many(Bits),
}

impl Rows {
    fn of(rows: Bits, count: u64) -> Rows {
        match count < FEW {
            true => Rows::Few(rows.rows().map(|row| row as u16).collect()),
            false => Rows::Many(rows),
        }
    }
}

/// As many rows take as much room one by one as a bit for each row of a block.
const FEW: u64 = 1 << 12;

pub struct BlockAnswer {
    pub universe: u64,
    pub roots: Vec<BlockRoot>,
    /// By clause of the program: (true, unknown).
    pub clauses: Vec<(u64, u64)>,
}

pub struct BlockRoot {
    members: Option<Members>,
    matched: u64,
    unknown: u64,
}

impl BlockRoot {
    pub fn new(task: Task, matched: Bits, unknown: u64) -> BlockRoot {
        let count = matched.count();
        let members = (count > 0).then(|| Members {
            partition: task.partition.number,
            first: task.first,
            rows: Rows::of(matched, count),
        });
        BlockRoot {
            members,
            matched: count,
            unknown,
        }
    }

    /// Memory that it holds until the whole answer is dropped.
    pub fn bytes(&self) -> u64 {
        let members = self.members.as_ref().map_or(0, |members| match &members.rows {
            Rows::Few(rows) => size_of_val(&rows[..]),
            Rows::Many(rows) => rows.bytes(),
        });
        (size_of::<BlockRoot>() + members) as u64
    }
}

impl Answer {
    /// `blocks`: in order of the people.
    pub(super) fn new(epoch: Epoch, program: &Program, blocks: Vec<BlockAnswer>) -> Answer {
        let of_clause = |clause: usize| {
            let counts = blocks.iter().map(|block| block.clauses[clause]);
            counts.fold((0, 0), |total, counts| (total.0 + counts.0, total.1 + counts.1))
        };
        let clauses: Vec<(u64, u64)> = (0..program.clauses.len()).map(of_clause).collect();
        let empty = |root: &BoundRoot| RootAnswer::none(root.clauses.iter().map(|&clause| clauses[clause]).collect());
        let mut answer = Answer {
            epoch,
            universe: blocks.iter().map(|block| block.universe).sum(),
            roots: program.roots.iter().map(empty).collect(),
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
            blocks: Vec::new(),
            matched: 0,
            unknown: 0,
            clauses,
        }
    }

    fn add(&mut self, block: BlockRoot) {
        self.blocks.extend(block.members);
        self.matched += block.matched;
        self.unknown += block.unknown;
    }

    /// The members as a set.
    pub fn members(&self) -> RoaringTreemap {
        let partitions = self.blocks.chunk_by(|a, b| a.partition == b.partition);
        let set = |blocks: &[Members]| {
            let mut set = RoaringBitmap::new();
            blocks.iter().for_each(|block| set |= block.set());
            (blocks[0].partition, set)
        };
        RoaringTreemap::from_bitmaps(partitions.map(set))
    }

    /// Members in the 64-bit Roaring portable format.
    pub fn roaring(&self) -> Result<Vec<u8>> {
        wire_set::encode(&self.members())
    }

    /// Members greater than `after`, ascending.
    pub fn page(&self, after: u64, limit: usize) -> Vec<u64> {
        let last = |block: &Members| person_of(block.partition, block.first) | 0xFFFF;
        let from = self.blocks.partition_point(|block| last(block) <= after);
        let members = self.blocks[from..].iter().flat_map(Members::persons);
        members.filter(|&person| person > after).take(limit).collect()
    }

    pub fn contains(&self, person: u64) -> bool {
        let first = |block: &Members| person_of(block.partition, block.first);
        let after = self.blocks.partition_point(|block| first(block) <= person);
        let block = after.checked_sub(1).map(|at| &self.blocks[at]);
        block.is_some_and(|block| block.contains(person - first(block)))
    }
}

impl Members {
    fn set(&self) -> RoaringBitmap {
        match &self.rows {
            Rows::Few(rows) => rows.iter().map(|&row| self.first + u32::from(row)).collect(),
            Rows::Many(bits) => {
                let bytes: Vec<u8> = bits.words().iter().flat_map(|word| word.to_le_bytes()).collect();
                RoaringBitmap::from_lsb0_bytes(self.first, &bytes)
            }
        }
    }

    fn persons(&self) -> Box<dyn Iterator<Item = u64> + '_> {
        let first = person_of(self.partition, self.first);
        match &self.rows {
            Rows::Few(rows) => Box::new(rows.iter().map(move |&row| first + u64::from(row))),
            Rows::Many(bits) => Box::new(bits.rows().map(move |row| first + row as u64)),
        }
    }

    fn contains(&self, row: u64) -> bool {
        match (&self.rows, u16::try_from(row)) {
            (Rows::Few(rows), Ok(row)) => rows.binary_search(&row).is_ok(),
            (Rows::Many(bits), Ok(row)) => bits.get(row.into()),
            (_, Err(_)) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::index::view::BLOCK;

    /// By block of a partition: every which row is a member, from which on.
    type Block = (u32, u32, usize, usize);

    fn answer(blocks: &BTreeSet<Block>) -> (RootAnswer, BTreeSet<u64>) {
        let (mut root, mut expected) = (RootAnswer::none(vec![]), BTreeSet::new());
        for &(partition, block, every, from) in blocks {
            let first = block * BLOCK;
            let rows = Bits::from_fn(BLOCK as usize, |row| row >= from && row % every == 0);
            expected.extend(rows.rows().map(|row| person_of(partition, first) + row as u64));
            let count = rows.count();
            let rows = Rows::of(rows, count);
            root.blocks.push(Members { partition, first, rows });
        }
        (root, expected)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20))]

        #[test]
        fn few_and_many_members_are_the_same_to_who_asks(
            blocks in prop::collection::btree_map((1..3u32, 0..3u32), (prop::sample::select(vec![1usize, 7, 15, 16, 17, 900]), 0..65_000usize), 1..5),
            asked in prop::collection::vec((1..3u32, 0..3 * BLOCK), 1..50),
            limit in 0..99_999usize,
        ) {
            let blocks = blocks.iter().map(|(&(partition, block), &(every, from))| (partition, block, every, from)).collect();
            let (root, expected) = answer(&blocks);
            prop_assert!(root.members().iter().eq(expected.iter().copied()));
            for (partition, ordinal) in asked {
                let person = person_of(partition, ordinal);
                prop_assert_eq!(root.contains(person), expected.contains(&person));
                let page: Vec<u64> = expected.range(person + 1..).take(limit).copied().collect();
                prop_assert_eq!(root.page(person, limit), page);
            }
        }
    }
}
