//! Resolves losers of merges to the people they were merged into, taking splits into account.

use std::collections::BTreeMap;

use hashbrown::HashMap;

use crate::error::{Error, Result};
use crate::index::partitioning::{ordinal_of, partition_of};
use crate::proto::frame::Split;

/// Maps each loser of a merge to its winner.
#[derive(Default)]
pub struct Aliases(HashMap<u64, u64>);

impl Aliases {
    /// Records a merge. Ignores one that would form a cycle, which an inconsistent log may contain.
    pub fn merge(&mut self, loser: u64, winner: u64) {
        let winner = self.resolve(winner);
        if winner != loser {
            self.0.insert(loser, winner);
        }
    }

    /// Assigns everybody merged into the split person to one of the two sides.
    pub fn split(&mut self, split: &Split) {
        let from = self.resolve(split.from);
        for person in self.group_of(from) {
            let target = if split.aliases.contains(&person) {
                split.to
            } else {
                from
            };
            if person != target {
                self.0.insert(person, target);
            }
        }
        self.0.remove(&split.to);
    }

    /// Returns the person into whom a person was finally merged.
    pub fn resolve(&self, person: u64) -> u64 {
        let mut person = person;
        while let Some(&winner) = self.0.get(&person) {
            person = winner;
        }
        person
    }

    /// Returns a person's final winner and everybody merged into it.
    pub fn group_of(&self, person: u64) -> Vec<u64> {
        let winner = self.resolve(person);
        let losers = self.0.keys().copied().filter(|&loser| self.resolve(loser) == winner);
        losers.chain([winner]).collect()
    }

    /// Records a merge and returns its final winner. Returns Invalid if the loser is already merged.
    pub fn add(&mut self, winner: u64, loser: u64) -> Result<u64> {
        let winner = self.resolve(winner);
        if winner == loser || self.0.insert(loser, winner).is_some() {
            return Err(Error::Invalid(format!(
                "person {loser} cannot be merged into {winner}: it is already merged"
            )));
        }
        Ok(winner)
    }

    /// Returns (loser's ordinal, final winner) by the loser's partition number, ascending.
    pub fn by_partition(&self) -> BTreeMap<u32, Vec<(u32, u64)>> {
        let mut partitions: BTreeMap<u32, Vec<(u32, u64)>> = BTreeMap::new();
        for &loser in self.0.keys() {
            let merges = partitions.entry(partition_of(loser)).or_default();
            merges.push((ordinal_of(loser), self.resolve(loser)));
        }
        partitions.values_mut().for_each(|merges| merges.sort_unstable());
        partitions
    }
}
