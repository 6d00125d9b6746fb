//! A hash table of numbers: open addressing, eight bytes a slot. Half of the hash stands in the slot, so that a search rarely looks at an
//! element in vain and growing looks at none.

/// `hash >> 32 << 32 | element + 1`; 0 is free.
type Slot = u64;

#[derive(Default)]
pub struct Table {
    slots: Vec<Slot>,
    len: usize,
}

impl Table {
    /// The element with this hash that is the same.
    pub fn find(&self, hash: u64, same: impl Fn(u32) -> bool) -> Option<u32> {
        let tag = hash >> 32;
        let mut at = self.home(tag);
        loop {
            let slot = *self.slots.get(at)?;
            if slot == 0 {
                return None;
            }
            if slot >> 32 == tag && same(slot as u32 - 1) {
                return Some(slot as u32 - 1);
            }
            at = self.after(at);
        }
    }

    /// Adds an element that is not there; below `u32::MAX`.
    pub fn insert(&mut self, hash: u64, element: u32) {
        if (self.len + 1) * 4 > self.slots.len() * 3 {
            self.grow();
        }
        self.put(hash >> 32 << 32 | u64::from(element + 1));
        self.len += 1;
    }

    /// Places rise with tags, so the slots are always nearly sorted and growing goes through memory once.
    fn home(&self, tag: u64) -> usize {
        ((tag * self.slots.len() as u64) >> 32) as usize
    }

    fn after(&self, at: usize) -> usize {
        if at + 1 == self.slots.len() { 0 } else { at + 1 }
    }

    fn put(&mut self, slot: Slot) {
        let mut at = self.home(slot >> 32);
        while self.slots[at] != 0 {
            at = self.after(at);
        }
        self.slots[at] = slot;
    }

    /// By half, so that at least half of the slots are used.
    fn grow(&mut self) {
        let larger = (self.slots.len() * 3 / 2).max(16);
        let old = std::mem::replace(&mut self.slots, vec![0; larger]);
        old.into_iter()
            .filter(|&slot| slot != 0)
            .for_each(|slot| self.put(slot));
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
        fn what_was_put_in_is_found(
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
