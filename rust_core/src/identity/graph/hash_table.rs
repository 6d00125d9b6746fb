//! A hash table of element numbers. An entry has eight bytes: the element and half of its hash. A search rarely compares a wrong
//! element, and growing the table reads no element.

use hashbrown::HashTable;

/// Maps hashes to elements, which are numbers below `u32::MAX` that the caller can compare.
#[derive(Default)]
pub struct Table {
    entries: HashTable<Entry>,
}

#[derive(Clone, Copy)]
struct Entry {
    /// The upper half of the element's hash.
    tag: u32,
    element: u32,
}

impl Table {
    /// Returns the element with this hash for which `is_same` returns true.
    pub fn find(&self, hash: u64, is_same: impl Fn(u32) -> bool) -> Option<u32> {
        let tag = (hash >> 32) as u32;
        let found = self
            .entries
            .find(spread(tag), |entry| entry.tag == tag && is_same(entry.element));
        found.map(|entry| entry.element)
    }

    /// Adds an element that is not in the table.
    pub fn insert(&mut self, hash: u64, element: u32) {
        let tag = (hash >> 32) as u32;
        let entry = Entry { tag, element };
        self.entries
            .insert_unique(spread(tag), entry, |entry| spread(entry.tag));
    }
}

/// Spreads a tag over 64 bits: hashbrown uses the lowest and the seven highest bits.
fn spread(tag: u32) -> u64 {
    u64::from(tag).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(crate::testing::cases(256))]

        #[test]
        fn find_returns_what_was_inserted(
            hashes in prop::collection::vec(prop_oneof![any::<u64>(), 0u64..4, (0u64..4).prop_map(|n| n << 32), Just(u64::MAX)], 0..300),
            absent: u64,
        ) {
            let mut table = Table::default();
            let mut expected: HashMap<u64, u32> = HashMap::new();
            for (element, &hash) in hashes.iter().enumerate() {
                let known = table.find(hash, |element| hashes[element as usize] == hash);
                prop_assert_eq!(known, expected.get(&hash).copied());
                if known.is_none() {
                    table.insert(hash, element as u32);
                    expected.insert(hash, element as u32);
                }
            }
            for (&hash, &element) in &expected {
                prop_assert_eq!(table.find(hash, |element| hashes[element as usize] == hash), Some(element));
            }
            prop_assert_eq!(table.find(absent, |_| false), None);
        }
    }
}
