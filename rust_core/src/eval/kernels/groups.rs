//! Groups values by person.

/// Values grouped by person: those of person i are `values[ends[i - 1]..ends[i]]`.
pub struct Groups<T> {
    ends: Vec<u32>,
    values: Vec<T>,
}

impl<T: Copy> Groups<T> {
    /// Groups pairs of (person, value) by a counting sort. The order of each person's values is kept.
    pub fn of(pairs: &[(u32, T)], people: usize) -> Groups<T> {
        let mut counts = vec![0u32; people];
        for &(person, _) in pairs {
            counts[person as usize] += 1;
        }
        let mut builder = GroupBuilder {
            positions: starts(counts),
            values: pairs.iter().map(|&(_, value)| value).collect(),
        };
        for &(person, value) in pairs {
            builder.put(person as usize, value);
        }
        builder.finish()
    }

    /// Calls `call` with each person who has values.
    pub fn each(&mut self, mut call: impl FnMut(usize, &mut [T])) {
        let mut start = 0;
        for (person, &end) in self.ends.iter().enumerate() {
            if start < end {
                call(person, &mut self.values[start as usize..end as usize]);
            }
            start = end;
        }
    }
}

/// Builds groups whose sizes are known in advance.
pub struct GroupBuilder<T> {
    /// The position of each person's next value.
    positions: Vec<u32>,
    values: Vec<T>,
}

impl<T: Copy> GroupBuilder<T> {
    /// `counts` is the number of values that will be put for each person. The filler is overwritten.
    pub fn new(counts: Vec<u32>, filler: T) -> GroupBuilder<T> {
        let total = counts.iter().map(|&count| count as usize).sum();
        GroupBuilder {
            positions: starts(counts),
            values: vec![filler; total],
        }
    }

    #[inline]
    pub fn put(&mut self, person: usize, value: T) {
        let position = &mut self.positions[person];
        self.values[*position as usize] = value;
        *position += 1;
    }

    /// Returns the groups: each person's position has moved from the start to the end of the group.
    pub fn finish(self) -> Groups<T> {
        Groups {
            ends: self.positions,
            values: self.values,
        }
    }
}

/// Replaces counts by start positions.
fn starts(mut counts: Vec<u32>) -> Vec<u32> {
    let mut start = 0;
    for count in &mut counts {
        start += std::mem::replace(count, start);
    }
    counts
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(crate::testing::cases(256))]

        #[test]
        fn groups_keep_all_values_in_order(pairs in proptest::collection::vec((0u32..9, any::<u8>()), 0..60)) {
            let mut expected: BTreeMap<usize, Vec<u8>> = BTreeMap::new();
            for &(person, value) in &pairs {
                expected.entry(person as usize).or_default().push(value);
            }
            let mut found = BTreeMap::new();
            let mut groups = Groups::of(&pairs, 9);
            groups.each(|person, values| {
                found.insert(person, values.to_vec());
            });
            prop_assert_eq!(&found, &expected);
        }
    }
}
