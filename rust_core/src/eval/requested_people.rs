//! Groups requested people by block.

use std::collections::BTreeMap;

use super::blocks::BlockSelection;
use crate::index::view::{BLOCK, Version, ordinal_of, partition_of};

/// The blocks that contain the requested people, with their rows. People who are not in the index are absent.
pub struct RequestedPeople {
    blocks: Vec<BlockSelection>,
}

impl RequestedPeople {
    /// Groups people by block. Duplicates count once.
    pub fn of(version: &Version, persons: &[u64]) -> RequestedPeople {
        let mut by_block: BTreeMap<(u32, u32), Vec<u16>> = BTreeMap::new();
        for &person in persons {
            let (partition, ordinal) = (partition_of(person), ordinal_of(person));
            let stored = version.partitions.get(&partition);
            if stored.is_some_and(|stored| ordinal < stored.people) {
                let rows = by_block.entry((partition, ordinal / BLOCK)).or_default();
                rows.push((ordinal % BLOCK) as u16);
            }
        }
        let blocks = by_block.into_iter().map(|((partition, block), mut rows)| {
            rows.sort_unstable();
            rows.dedup();
            let rows = Some(rows);
            BlockSelection { partition, block, rows }
        });
        RequestedPeople {
            blocks: blocks.collect(),
        }
    }

    pub fn blocks(&self) -> &[BlockSelection] {
        &self.blocks
    }

    /// Returns (position of the block, position among its requested rows) of a person; `None` if the person is not in the index.
    pub fn position(&self, person: u64) -> Option<(usize, usize)> {
        let key = (partition_of(person), ordinal_of(person) / BLOCK);
        let of_block = |selection: &BlockSelection| (selection.partition, selection.block);
        let block = self.blocks.binary_search_by_key(&key, of_block).ok()?;
        let row = (ordinal_of(person) % BLOCK) as u16;
        let position = self.blocks[block].rows.as_ref()?.binary_search(&row).ok()?;
        Some((block, position))
    }
}
