//! People who are to be forgotten. Nobody is told anything of them from the version on that knows it, whatever is asked about; what runs
//! and the dictionary still hold of them is purged afterwards, part by part.

use std::collections::BTreeMap;

use roaring::RoaringBitmap;

use crate::index::partitioning::{ordinal_of, partition_of};

#[derive(Clone, Default)]
pub struct ErasedPeople {
    /// By partition. For ever: ordinals are not given again.
    pub people: BTreeMap<u32, RoaringBitmap>,
    /// Those of them of whom runs may still hold something.
    pub in_runs: BTreeMap<u32, RoaringBitmap>,
    /// Whether the dictionary may still hold texts of theirs.
    pub in_texts: bool,
    /// How often something was purged.
    pub purges: u64,
}

impl ErasedPeople {
    pub fn contains(&self, person: u64) -> bool {
        let of_partition = self.people.get(&partition_of(person));
        of_partition.is_some_and(|people| people.contains(ordinal_of(person)))
    }

    pub fn add(&mut self, person: u64) {
        for people in [&mut self.people, &mut self.in_runs] {
            people
                .entry(partition_of(person))
                .or_default()
                .insert(ordinal_of(person));
        }
        self.in_texts = true;
    }

    pub fn is_purged(&self) -> bool {
        self.in_runs.is_empty() && !self.in_texts
    }
}
