//! The first instant per person of a partition, such as the first record or the first event in a channel.

use std::borrow::Cow;
use std::sync::Arc;

use crate::index::partitioning::BLOCK;
use crate::storage::buffer::Buffer;

/// First instants by block. People beyond the last block have none.
#[derive(Clone, Default)]
pub struct FirstInstants {
    blocks: Vec<Arc<FirstsBlock>>,
}

/// The first instants of the people of a block.
#[derive(Clone)]
pub struct FirstsBlock {
    /// Instants in ms since the epoch by ordinal within the block; `NEVER` stands for none.
    pub instants: Buffer<i64>,
    /// One bit per person, set if the person has an instant.
    pub present: Buffer<u64>,
    /// An upper bound of all instants of the block; clearing an instant does not lower it.
    pub latest: i64,
}

/// Stands for no instant.
pub const NEVER: i64 = i64::MAX;

impl Default for FirstsBlock {
    fn default() -> Self {
        FirstsBlock {
            instants: Buffer::default(),
            present: Buffer::default(),
            latest: i64::MIN,
        }
    }
}

impl FirstsBlock {
    fn set(&mut self, row: usize, instant: i64) {
        let (instants, present) = (self.instants.to_mut(), self.present.to_mut());
        if instants.len() <= row {
            instants.resize(row + 1, NEVER);
            present.resize(row / 64 + 1, 0);
        }
        instants[row] = instant;
        let bit = 1 << (row % 64);
        if instant == NEVER {
            present[row / 64] &= !bit;
        } else {
            present[row / 64] |= bit;
            self.latest = self.latest.max(instant);
        }
    }
}

impl FirstInstants {
    /// Builds the table from its blocks.
    pub fn of(blocks: Vec<Arc<FirstsBlock>>) -> FirstInstants {
        FirstInstants { blocks }
    }

    /// Returns a person's first instant, or `NEVER`.
    pub fn get(&self, ordinal: u32) -> i64 {
        let block = self.blocks.get((ordinal / BLOCK) as usize);
        let instant = block.and_then(|block| block.instants.get((ordinal % BLOCK) as usize));
        instant.copied().unwrap_or(NEVER)
    }

    /// Lowers a person's first instant to `instant` if that is earlier.
    pub fn note(&mut self, ordinal: u32, instant: i64) {
        if instant < self.get(ordinal) {
            let block = (ordinal / BLOCK) as usize;
            if self.blocks.len() <= block {
                self.blocks.resize_with(block + 1, Arc::default);
            }
            Arc::make_mut(&mut self.blocks[block]).set((ordinal % BLOCK) as usize, instant);
        }
    }

    /// Removes a person's instant.
    pub fn clear(&mut self, ordinal: u32) {
        if self.get(ordinal) != NEVER {
            Arc::make_mut(&mut self.blocks[(ordinal / BLOCK) as usize]).set((ordinal % BLOCK) as usize, NEVER);
        }
    }

    /// Returns the instants of a block by ordinal.
    ///
    /// Also returns one bit per person with an instant before `as_of`, if all instants are before it.
    pub fn of_block(&self, block: u32, as_of: i64) -> Option<(&[i64], Option<&[u64]>)> {
        let block = self.blocks.get(block as usize)?;
        Some((&block.instants, (block.latest < as_of).then_some(&block.present)))
    }

    /// Finds the people of a block for whom the condition "has an instant before the as-of" differs between two states.
    ///
    /// The first state is `before` at `as_of.0`, the second is `self` at `as_of.1`.
    pub fn changed(&self, before: &FirstInstants, block: u32, as_of: (i64, i64)) -> Vec<u16> {
        let is_shared = match (self.blocks.get(block as usize), before.blocks.get(block as usize)) {
            // Blocks are copied on write, so a shared block is unchanged.
            (Some(block), Some(before)) => Arc::ptr_eq(block, before) && (as_of.0 == as_of.1 || block.latest < as_of.0),
            (block, before) => block.is_none() && before.is_none(),
        };
        if is_shared {
            return Vec::new();
        }
        let (old, new) = (
            before.present_before(block, as_of.0),
            self.present_before(block, as_of.1),
        );
        let word = |words: &[u64], at: usize| words.get(at).copied().unwrap_or(0);
        let mut rows = Vec::new();
        for at in 0..old.len().max(new.len()) {
            let mut changed = word(&old, at) ^ word(&new, at);
            while changed != 0 {
                rows.push((64 * at) as u16 + changed.trailing_zeros() as u16);
                changed &= changed - 1;
            }
        }
        rows
    }

    /// Returns one bit per person with an instant before `as_of`.
    fn present_before(&self, block: u32, as_of: i64) -> Cow<'_, [u64]> {
        match self.of_block(block, as_of) {
            None => Vec::new().into(),
            Some((_, Some(present))) => present.into(),
            Some((instants, None)) => {
                let word = |instants: &[i64]| {
                    let bits = instants.iter().rev().map(|&first| u64::from(first < as_of));
                    bits.fold(0, |word, bit| word << 1 | bit)
                };
                instants.chunks(64).map(word).collect()
            }
        }
    }

    /// Returns the number of people who have an instant.
    pub fn count(&self) -> u64 {
        let words = self.blocks.iter().flat_map(|block| &*block.present);
        words.map(|word| u64::from(word.count_ones())).sum()
    }

    /// Returns the blocks.
    pub fn blocks(&self) -> &[Arc<FirstsBlock>] {
        &self.blocks
    }

    pub fn bytes_in_memory(&self) -> usize {
        let blocks = self.blocks.iter();
        blocks
            .map(|block| block.instants.bytes_in_memory() + block.present.bytes_in_memory())
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(crate::testing::cases(256))]

        #[test]
        fn get_returns_the_earliest_instant_since_the_last_clear(operations in prop::collection::vec((0..200_000u32, prop::option::of(-9..9i64)), 0..40), as_of in -9..9i64) {
            let (mut firsts, mut expected) = (FirstInstants::default(), HashMap::new());
            // Few people, so that they meet again.
            for (ordinal, instant) in operations.iter().map(|&(ordinal, instant)| (ordinal / 20_000 * 20_000, instant)) {
                match instant {
                    Some(instant) => {
                        firsts.note(ordinal, instant);
                        let first = expected.entry(ordinal).or_insert(NEVER);
                        *first = instant.min(*first);
                    }
                    None => {
                        firsts.clear(ordinal);
                        expected.remove(&ordinal);
                    }
                }
            }
            prop_assert_eq!(firsts.count(), expected.len() as u64);
            for ordinal in (0..200_000).step_by(20_000) {
                let first = expected.get(&ordinal).copied().unwrap_or(NEVER);
                prop_assert_eq!(firsts.get(ordinal), first);
                let Some((instants, present)) = firsts.of_block(ordinal / BLOCK, as_of) else { continue };
                let row = (ordinal % BLOCK) as usize;
                prop_assert_eq!(instants.get(row).copied().unwrap_or(NEVER), first);
                if let Some(present) = present {
                    let word = present.get(row / 64).copied().unwrap_or(0);
                    prop_assert_eq!(word >> (row % 64) & 1 == 1, first < as_of);
                }
            }
        }
    }
}
