//! The blocks that an evaluation goes through.

use std::ops::Range;

use crate::index::view::{BLOCK, Partition, Version};

/// A block to evaluate.
#[derive(Clone, Copy)]
pub struct Task<'a> {
    pub partition: &'a Partition,
    pub number: usize,
    pub first: u32,
}

/// Every block of every partition, in order of the people.
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
        })
        .collect()
}

impl Task<'_> {
    pub fn ordinals(&self) -> Range<u32> {
        self.first..self.partition.people.min(self.first + BLOCK)
    }

    /// Which of the partition's blocks it is.
    pub fn block(&self) -> u32 {
        self.first / BLOCK
    }

    /// The block's rows in columns by ordinal.
    pub fn range(&self) -> Range<usize> {
        let ordinals = self.ordinals();
        ordinals.start as usize..ordinals.end as usize
    }
}
