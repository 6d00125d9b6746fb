//! Who is asked again for which segment.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use super::affected_rows::{AffectedRows, Step};
use super::dependencies::Dependency;
use super::frame::BlockId;
use super::memberships::{Memberships, SegmentMembers};
use super::{Rule, Rules};
use crate::eval::Wanted;
use crate::index::view::{BLOCK, Version};
use crate::plan::Root;

/// Of more people than these in a block everybody is asked: looking up their events one by one takes longer than reading all then.
const MAX_ROWS: usize = if cfg!(test) { 2 } else { 1 << 6 };
/// So many segments at most are asked anew at once where others need not be, which would wait for all of them.
pub const MAX_FULL: usize = if cfg!(test) { 3 } else { 250 };

/// Of one block.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    Nobody,
    /// Those who are touched there.
    Affected,
    Everybody,
}

/// A segment that is asked again.
pub struct DueSegment<'a> {
    pub name: &'a str,
    pub rule: &'a Rule,
    pub root: &'a Root,
    pub segment: &'a SegmentMembers,
    /// By block, as in `Touched::places`.
    pub scopes: Vec<Scope>,
}

/// Whom what has happened between two questions may concern.
pub struct AffectedBlocks<'a> {
    /// Every block of the later version, in order.
    pub block_ids: Vec<BlockId>,
    dependencies: BTreeMap<&'a Dependency, usize>,
    blocks: Vec<BlockChanges>,
}

#[derive(Default)]
struct BlockChanges {
    /// By the numbers of the senses.
    some_rows: BitSet,
    all_rows: BitSet,
    /// Whom those of `some` concern, ascending; `None` for so many that everybody is asked.
    rows: Option<Vec<u16>>,
}

/// Numbers, one bit each.
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
    /// Without an earlier question nobody is touched: every rule is asked anew then.
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
        let mut scopes: Vec<Scope> = scopes.collect();
        if rule.dependencies.ranks && scopes.iter().any(|scope| *scope != Scope::Nobody) {
            scopes.fill(Scope::Everybody);
        }
        Some(DueSegment {
            name,
            rule,
            root: rule.root.as_ref()?,
            segment: memberships.segment(name),
            scopes,
        })
    }

    /// Who is to be asked for some segments; a block in which some ask of everybody and others of few is there twice.
    pub fn wanted(&self, due: &[&DueSegment]) -> Vec<Wanted> {
        let mut wanted = Vec::new();
        for (at, (&(partition, block), changes)) in self.block_ids.iter().zip(&self.blocks).enumerate() {
            let needs = |scope: Scope| due.iter().any(|due| due.scopes[at] == scope);
            if needs(Scope::Everybody) {
                let rows = None;
                wanted.push(Wanted { partition, block, rows });
            }
            if needs(Scope::Affected) {
                let rows = changes.rows.clone();
                wanted.push(Wanted { partition, block, rows });
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
                    // Of far too many it is not found out how many people they are.
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

    fn scope(&self, needs_full: bool, dependencies: &BitSet) -> Scope {
        match self.some_rows.intersects(dependencies) {
            _ if needs_full || self.all_rows.intersects(dependencies) => Scope::Everybody,
            true if self.rows.is_none() => Scope::Everybody,
            true => Scope::Affected,
            false => Scope::Nobody,
        }
    }
}

fn block_ids(version: &Version) -> Vec<BlockId> {
    let of = |partition: u32, people: u32| (0..people.div_ceil(BLOCK)).map(move |block| (partition, block));
    let partitions = version.partitions.values();
    partitions
        .flat_map(|partition| of(partition.number, partition.people))
        .collect()
}
