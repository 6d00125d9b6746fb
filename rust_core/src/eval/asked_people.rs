//! Some people, grouped by the blocks in which they are.

use std::collections::BTreeMap;

use super::blocks::Wanted;
use crate::index::view::{BLOCK, Version, ordinal_of, partition_of};

/// The blocks of those people whom the version has, each of them once.
pub struct AskedPeople {
    blocks: Vec<Wanted>,
}

impl AskedPeople {
    pub fn of(version: &Version, persons: &[u64]) -> AskedPeople {
        let mut by_block: BTreeMap<(u32, u32), Vec<u16>> = BTreeMap::new();
        for &person in persons {
            let (partition, ordinal) = (partition_of(person), ordinal_of(person));
            let held = version.partitions.get(&partition);
            if held.is_some_and(|held| ordinal < held.people) {
                let rows = by_block.entry((partition, ordinal / BLOCK)).or_default();
                rows.push((ordinal % BLOCK) as u16);
            }
        }
        let blocks = by_block.into_iter().map(|((partition, block), mut rows)| {
            rows.sort_unstable();
            rows.dedup();
            let rows = Some(rows);
            Wanted { partition, block, rows }
        });
        AskedPeople {
            blocks: blocks.collect(),
        }
    }

    pub fn blocks(&self) -> &[Wanted] {
        &self.blocks
    }

    /// A person's block among these and place among those of it that are asked; `None` for who is not there.
    pub fn place(&self, person: u64) -> Option<(usize, usize)> {
        let place = (partition_of(person), ordinal_of(person) / BLOCK);
        let of_block = |wanted: &Wanted| (wanted.partition, wanted.block);
        let block = self.blocks.binary_search_by_key(&place, of_block).ok()?;
        let row = (ordinal_of(person) % BLOCK) as u16;
        let asked = self.blocks[block].rows.as_ref()?.binary_search(&row).ok()?;
        Some((block, asked))
    }
}
