//! Decides which segments are evaluated again, and for which rows.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use super::affected_rows::{AffectedRows, Step};
use super::dependencies::Dependency;
use super::frame::BlockId;
use super::memberships::{Memberships, SegmentMembers};
use super::{Rule, Rules};
use crate::eval::BlockSelection;
use crate::index::view::{BLOCK, Version};
use crate::plan::Root;

/// The number of affected people above which a whole block is evaluated: looking up more people one by one takes longer.
const MAX_ROWS: usize = if cfg!(test) { 2 } else { 1 << 6 };
/// The maximum number of segments that one step evaluates for all people while others are up to date, which would otherwise wait.
pub const MAX_FULL: usize = if cfg!(test) { 3 } else { 250 };

/// The rows of a block for which a segment is evaluated.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum RowScope {
    /// No row.
    Nobody,
    /// The affected rows of the block.
    Affected,
    /// All rows.
    Everybody,
}

/// A segment that is evaluated in this step.
pub struct DueSegment<'a> {
    pub name: &'a str,
    pub rule: &'a Rule,
    pub root: &'a Root,
    pub segment: &'a SegmentMembers,
    /// The scope of each block, in the order of `AffectedBlocks::block_ids`.
    pub scopes: Vec<RowScope>,
}

/// The blocks of a version with the rows that the step affects.
pub struct AffectedBlocks<'a> {
    /// All blocks of the later version, in order.
    pub block_ids: Vec<BlockId>,
    /// The number of each dependency, used in the bit sets.
    dependencies: BTreeMap<&'a Dependency, usize>,
    blocks: Vec<BlockChanges>,
}

/// What a step changes in one block.
#[derive(Default)]
struct BlockChanges {
    /// Dependencies that affect some rows, by number.
    some_rows: BitSet,
    /// Dependencies that affect all rows, by number.
    all_rows: BitSet,
    /// The rows affected by `some_rows`, ascending; `None` if they are too many to list.
    rows: Option<Vec<u16>>,
}

/// A set of small numbers, one bit each.
#[derive(Clone, Default)]
struct BitSet(Vec<u64>);

impl BitSet {
    fn add(&mut self, number: usize) {
        self.0.resize(self.0.len().max(number / 64 + 1), 0);
        self.0[number / 64] |= 1 << (number % 64);
    }

    fn intersects(&self, other: &BitSet) -> bool {
        self.0.iter().zip(&other.0).any(|(a, b)| a & b != 0)
    }
}

impl<'a> AffectedBlocks<'a> {
    /// Computes the affected rows. Without an earlier evaluation no row is affected, since every rule is then evaluated in full.
    pub fn of(rules: &'a Rules, version: &Version, step: Option<&Step>) -> AffectedBlocks<'a> {
        let block_ids = block_ids(version);
        let dependencies: BTreeSet<&Dependency> = rules
            .by_name
            .values()
            .flat_map(|rule| &rule.dependencies.inputs)
            .collect();
        let dependencies: BTreeMap<&Dependency, usize> = dependencies.into_iter().zip(0..).collect();
        let affected_rows: Vec<Vec<AffectedRows>> = step.map_or_else(Vec::new, |step| {
            let dependencies: Vec<&&Dependency> = dependencies.keys().collect();
            dependencies
                .into_par_iter()
                .map(|dependency| step.affected_rows(dependency))
                .collect()
        });
        let block = |at: usize| BlockChanges::of(affected_rows.iter().map(|of_dependency| &of_dependency[at]));
        let blocks = (0..block_ids.len()).into_par_iter().map(block).collect();
        AffectedBlocks {
            block_ids,
            dependencies,
            blocks,
        }
    }

    /// Returns the segment with its scopes; `None` if its rule does not compile.
    pub fn due(&self, name: &'a str, rule: &'a Rule, memberships: &'a Memberships) -> Option<DueSegment<'a>> {
        let mut dependencies = BitSet::default();
        rule.dependencies
            .inputs
            .iter()
            .for_each(|dependency| dependencies.add(self.dependencies[dependency]));
        let scopes = self
            .blocks
            .iter()
            .map(|block| block.scope(rule.needs_full, &dependencies));
        let mut scopes: Vec<RowScope> = scopes.collect();
        if rule.dependencies.ranks && scopes.iter().any(|scope| *scope != RowScope::Nobody) {
            scopes.fill(RowScope::Everybody);
        }
        Some(DueSegment {
            name,
            rule,
            root: rule.root.as_ref()?,
            segment: memberships.segment(name),
            scopes,
        })
    }

    /// Returns the blocks and rows to evaluate for segments. A block appears twice if some segments need all of its rows and others few.
    pub fn wanted(&self, due: &[&DueSegment]) -> Vec<BlockSelection> {
        let mut wanted = Vec::new();
        for (at, (&(partition, block), changes)) in self.block_ids.iter().zip(&self.blocks).enumerate() {
            let needs = |scope: RowScope| due.iter().any(|due| due.scopes[at] == scope);
            if needs(RowScope::Everybody) {
                let rows = None;
                wanted.push(BlockSelection { partition, block, rows });
            }
            if needs(RowScope::Affected) {
                let rows = changes.rows.clone();
                wanted.push(BlockSelection { partition, block, rows });
            }
        }
        wanted
    }
}

impl BlockChanges {
    fn of<'c>(affected_rows: impl Iterator<Item = &'c AffectedRows>) -> BlockChanges {
        let mut block = BlockChanges::default();
        let mut rows_to_evaluate = Vec::new();
        for (number, affected) in affected_rows.enumerate() {
            match affected {
                AffectedRows::All => block.all_rows.add(number),
                AffectedRows::Rows(rows) if rows.is_empty() => {}
                AffectedRows::Rows(rows) => {
                    block.some_rows.add(number);
                    // Beyond this many rows, duplicates are not removed: the whole block is evaluated.
                    if rows_to_evaluate.len() <= 4 * MAX_ROWS {
                        rows_to_evaluate.extend(rows);
                    }
                }
            }
        }
        if rows_to_evaluate.len() <= 4 * MAX_ROWS {
            rows_to_evaluate.sort_unstable();
            rows_to_evaluate.dedup();
            block.rows = (rows_to_evaluate.len() <= MAX_ROWS).then_some(rows_to_evaluate);
        }
        block
    }

    /// Returns the rows to evaluate for a rule with these dependencies.
    fn scope(&self, needs_full: bool, dependencies: &BitSet) -> RowScope {
        match self.some_rows.intersects(dependencies) {
            _ if needs_full || self.all_rows.intersects(dependencies) => RowScope::Everybody,
            true if self.rows.is_none() => RowScope::Everybody,
            true => RowScope::Affected,
            false => RowScope::Nobody,
        }
    }
}

/// Lists all blocks of a version, in order.
fn block_ids(version: &Version) -> Vec<BlockId> {
    let of = |partition: u32, people: u32| (0..people.div_ceil(BLOCK)).map(move |block| (partition, block));
    let partitions = version.partitions.values();
    partitions
        .flat_map(|partition| of(partition.number, partition.people))
        .collect()
}
