//! A split-block Bloom filter over hashes: ten bits for each word, one cache line for each lookup, about 1% false positives.

/// Eight words of 32 bits; an element sets one bit in each.
type FilterBlock = [u32; 8];
const BITS_PER_WORD: usize = 10;
/// Odd multipliers: each selects another five bits of the hash.
const SALTS: FilterBlock = [
    0x9e37_79b1,
    0x85eb_ca77,
    0xc2b2_ae3d,
    0x27d4_eb2f,
    0x1656_67b1,
    0xd6e8_feb9,
    0xa3b1_9535,
    0xff51_afd7,
];

#[derive(Default)]
pub struct Filter {
    blocks: Vec<FilterBlock>,
}

impl Filter {
    /// Returns an empty filter for this many words.
    pub fn new(words: usize) -> Filter {
        let count = (words * BITS_PER_WORD).div_ceil(256).max(1);
        Filter {
            blocks: vec![FilterBlock::default(); count],
        }
    }

    pub fn add(&mut self, word: u64) {
        let at = self.block(word);
        for (held, bit) in self.blocks[at].iter_mut().zip(bits(word)) {
            *held |= bit;
        }
    }

    pub fn may_contain(&self, word: u64) -> bool {
        let Some(block) = self.blocks.get(self.block(word)) else {
            return false;
        };
        block.iter().zip(bits(word)).all(|(held, bit)| held & bit != 0)
    }

    /// The high half chooses the block, the low half the bits.
    fn block(&self, word: u64) -> usize {
        ((word >> 32) as usize * self.blocks.len()) >> 32
    }

    pub fn bytes(&self) -> &[u8] {
        bytemuck::cast_slice(&self.blocks)
    }

    pub fn from_bytes(bytes: &[u8]) -> Filter {
        let (blocks, _) = bytes.as_chunks::<32>();
        Filter {
            blocks: blocks.iter().map(|block| bytemuck::pod_read_unaligned(block)).collect(),
        }
    }
}

fn bits(word: u64) -> FilterBlock {
    SALTS.map(|salt| 1 << ((word as u32).wrapping_mul(salt) >> 27))
}

#[cfg(test)]
mod tests {
    use super::*;
    use xxhash_rust::xxh3::xxh3_64;

    #[test]
    fn there_are_no_false_negatives_and_few_false_positives() {
        let word = |at: u32| xxh3_64(&at.to_le_bytes());
        let mut filter = Filter::new(20_000);
        (0..20_000).for_each(|at| filter.add(word(at)));
        let filter = Filter::from_bytes(filter.bytes());
        assert!((0..20_000).all(|at| filter.may_contain(word(at))));
        let wrong = (20_000..120_000).filter(|at| filter.may_contain(word(*at))).count();
        assert!(wrong < 2_000, "{wrong} of 100,000");
        assert!(!Filter::default().may_contain(1));
    }
}
