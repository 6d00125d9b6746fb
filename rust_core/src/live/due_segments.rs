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
const FEW: usize = if cfg!(test) { 2 } else { 1 << 6 };
/// So many segments at most are asked anew at once where others need not be, which would wait for all of them.
pub const ANEW: usize = if cfg!(test) { 3 } else { 250 };

/// Of one block.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Who {
    Nobody,
    /// Those who are touched there.
    Touched,
    Everybody,
}

/// A segment that is asked again.
pub struct Due<'a> {
    pub name: &'a str,
    pub rule: &'a Rule,
    pub root: &'a Root,
    pub segment: &'a SegmentMembers,
    /// By block, as in `Touched::places`.
    pub who: Vec<Who>,
}

/// Whom what has happened between two questions may concern.
pub struct Touched<'a> {
    /// Every block of the later version, in order.
    pub places: Vec<BlockId>,
    dependencies: BTreeMap<&'a Dependency, usize>,
    blocks: Vec<Block>,
}

#[derive(Default)]
struct Block {
    /// By the numbers of the senses.
    some: Set,
    everybody: Set,
    /// Whom those of `some` concern, ascending; `None` for so many that everybody is asked.
    rows: Option<Vec<u16>>,
}

/// Numbers, one bit each.
#[derive(Clone, Default)]
struct Set(Vec<u64>);

impl Set {
    fn add(&mut self, number: usize) {
        self.0.resize(self.0.len().max(number / 64 + 1), 0);
        self.0[number / 64] |= 1 << (number % 64);
    }

    fn meets(&self, other: &Set) -> bool {
        self.0.iter().zip(&other.0).any(|(a, b)| a & b != 0)
    }
}

impl<'a> Touched<'a> {
    /// Without an earlier question nobody is touched: every rule is asked anew then.
    pub fn of(rules: &'a Rules, version: &Version, step: Option<&Step>) -> Touched<'a> {
        let places = places(version);
        let dependencies: BTreeSet<&Dependency> = rules.of.values().flat_map(|rule| &rule.dependencies.of).collect();
        let dependencies: BTreeMap<&Dependency, usize> = dependencies.into_iter().zip(0..).collect();
        let affected_rows: Vec<Vec<AffectedRows>> = step.map_or_else(Vec::new, |step| {
            let dependencies: Vec<&&Dependency> = dependencies.keys().collect();
            dependencies
                .into_par_iter()
                .map(|dependency| step.affected_rows(dependency))
                .collect()
        });
        let block = |at: usize| Block::of(affected_rows.iter().map(|of_sense| &of_sense[at]));
        let blocks = (0..places.len()).into_par_iter().map(block).collect();
        Touched {
            places,
            dependencies,
            blocks,
        }
    }

    pub fn due(&self, name: &'a str, rule: &'a Rule, memberships: &'a Memberships) -> Option<Due<'a>> {
        let mut dependencies = Set::default();
        rule.dependencies
            .of
            .iter()
            .for_each(|dependency| dependencies.add(self.dependencies[dependency]));
        let who = self.blocks.iter().map(|block| block.who(rule.anew, &dependencies));
        let mut who: Vec<Who> = who.collect();
        if rule.dependencies.ranks && who.iter().any(|who| *who != Who::Nobody) {
            who.fill(Who::Everybody);
        }
        Some(Due {
            name,
            rule,
            root: rule.root.as_ref()?,
            segment: memberships.segment(name),
            who,
        })
    }

    /// Who is to be asked for some segments; a block in which some ask of everybody and others of few is there twice.
    pub fn wanted(&self, due: &[&Due]) -> Vec<Wanted> {
        let mut wanted = Vec::new();
        for (at, (&(partition, block), touched)) in self.places.iter().zip(&self.blocks).enumerate() {
            let asks = |who: Who| due.iter().any(|due| due.who[at] == who);
            if asks(Who::Everybody) {
                let rows = None;
                wanted.push(Wanted { partition, block, rows });
            }
            if asks(Who::Touched) {
                let rows = touched.rows.clone();
                wanted.push(Wanted { partition, block, rows });
            }
        }
        wanted
    }
}

impl Block {
    fn of<'c>(affected_rows: impl Iterator<Item = &'c AffectedRows>) -> Block {
        let mut block = Block::default();
        let mut touched = Vec::new();
        for (number, affected) in affected_rows.enumerate() {
            match affected {
                AffectedRows::All => block.everybody.add(number),
                AffectedRows::Rows(rows) if rows.is_empty() => {}
                AffectedRows::Rows(rows) => {
                    block.some.add(number);
                    // Of far too many it is not found out how many people they are.
                    if touched.len() <= 4 * FEW {
                        touched.extend(rows);
                    }
                }
            }
        }
        if touched.len() <= 4 * FEW {
            touched.sort_unstable();
            touched.dedup();
            block.rows = (touched.len() <= FEW).then_some(touched);
        }
        block
    }

    fn who(&self, anew: bool, dependencies: &Set) -> Who {
        match self.some.meets(dependencies) {
            _ if anew || self.everybody.meets(dependencies) => Who::Everybody,
            true if self.rows.is_none() => Who::Everybody,
            true => Who::Touched,
            false => Who::Nobody,
        }
    }
}

fn places(version: &Version) -> Vec<BlockId> {
    let of = |partition: u32, people: u32| (0..people.div_ceil(BLOCK)).map(move |block| (partition, block));
    let partitions = version.partitions.values();
    partitions
        .flat_map(|partition| of(partition.number, partition.people))
        .collect()
}
