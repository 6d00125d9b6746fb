//! The set of erased people. They are excluded from every answer at once; their data in runs and in the dictionary is purged later.

use std::collections::BTreeMap;

use roaring::RoaringBitmap;

use crate::index::partitioning::{ordinal_of, partition_of};

/// The erased people, and where data of theirs may still be stored.
#[derive(Clone, Default)]
pub struct ErasedPeople {
    /// All erased ordinals by partition number. Entries are never removed, since ordinals are never reused.
    pub people: BTreeMap<u32, RoaringBitmap>,
    /// The erased ordinals whose rows runs may still hold, by partition number.
    pub in_runs: BTreeMap<u32, RoaringBitmap>,
    /// Whether the dictionary may still hold texts of erased people.
    pub in_texts: bool,
    /// The number of purges so far; it tells apart snapshots of one offset.
    pub purges: u64,
}

impl ErasedPeople {
    /// Returns whether a person was erased.
    pub fn contains(&self, person: u64) -> bool {
        let of_partition = self.people.get(&partition_of(person));
        of_partition.is_some_and(|people| people.contains(ordinal_of(person)))
    }

    /// Marks a person as erased.
    pub fn add(&mut self, person: u64) {
        for people in [&mut self.people, &mut self.in_runs] {
            people
                .entry(partition_of(person))
                .or_default()
                .insert(ordinal_of(person));
        }
        self.in_texts = true;
    }

    /// Returns whether no data of erased people is left.
    pub fn is_purged(&self) -> bool {
        self.in_runs.is_empty() && !self.in_texts
    }
}
