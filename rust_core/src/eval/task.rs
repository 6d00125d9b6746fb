//! The blocks that an evaluation goes through.

use std::ops::Range;

use crate::index::view::{BLOCK, Partition, Version};

/// A block to evaluate.
#[derive(Clone, Copy)]
pub struct Task<'a> {
    pub partition: &'a Partition,
    pub number: usize,
    pub first: u32,
    /// The block's rows that are asked, ascending; `None` for all.
    pub chosen: Option<&'a [u16]>,
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
            chosen: None,
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

    /// How many people are asked.
    pub fn people(&self) -> usize {
        self.chosen.map_or(self.ordinals().len(), <[u16]>::len)
    }

    /// The ordinal of one of them.
    pub fn ordinal(&self, asked: usize) -> u32 {
        self.first + self.chosen.map_or(asked as u32, |rows| rows[asked].into())
    }
}
