//! The blocks that an evaluation reads.

use std::ops::Range;

use crate::index::view::{BLOCK, Partition, Version};

/// A block to evaluate, or selected rows of it.
#[derive(Clone, Copy)]
pub struct Task<'a> {
    pub partition: &'a Partition,
    /// The position of the block among all blocks of the version.
    pub number: usize,
    /// The ordinal of the first person of the block.
    pub first: u32,
    /// Ascending rows of the block to evaluate; `None` selects all.
    pub selected: Option<&'a [u16]>,
}

/// Returns a task for each block of each partition, in order of the people.
pub fn tasks(version: &Version) -> Vec<Task<'_>> {
    let blocks = version.partitions.values().flat_map(|partition| {
        let firsts = (0..partition.people).step_by(BLOCK as usize);
        firsts.map(move |first| (partition.as_ref(), first))
    });
    let numbered = blocks.enumerate();
    numbered
        .map(|(number, (partition, first))| Task {
            partition,
            number,
            first,
            selected: None,
        })
        .collect()
}

impl Task<'_> {
    /// Returns the ordinals of all people of the block.
    pub fn ordinals(&self) -> Range<u32> {
        self.first..self.partition.people.min(self.first + BLOCK)
    }

    /// Returns the number of the block in its partition.
    pub fn block(&self) -> u32 {
        self.first / BLOCK
    }

    /// Returns the number of rows to evaluate.
    pub fn people(&self) -> usize {
        self.selected.map_or(self.ordinals().len(), <[u16]>::len)
    }

    /// Returns the ordinal of the person at a position among the rows to evaluate.
    pub fn ordinal(&self, position: usize) -> u32 {
        self.first + self.selected.map_or(position as u32, |rows| rows[position].into())
    }
}
