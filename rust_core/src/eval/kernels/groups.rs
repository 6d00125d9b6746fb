//! Values brought together by person.

/// Person i's values are `values[ends[i - 1]..ends[i]]`.
pub struct Groups<T> {
    ends: Vec<u32>,
    values: Vec<T>,
}

impl<T: Copy> Groups<T> {
    /// Counts, then files: persons are few and dense, so nothing is sorted. The order of one person's values is kept.
    pub fn of(pairs: &[(u32, T)], people: usize) -> Groups<T> {
        let mut counts = vec![0u32; people];
        for &(person, _) in pairs {
            counts[person as usize] += 1;
        }
        let mut filing = Filing {
            places: starts(counts),
            values: pairs.iter().map(|&(_, value)| value).collect(),
        };
        for &(person, value) in pairs {
            filing.put(person as usize, value);
        }
        filing.done()
    }

    /// Calls with each person who has values.
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

/// Values that are brought together as they come, by persons of whom it is known how many each has.
pub struct Filing<T> {
    /// Where each person's next value goes.
    places: Vec<u32>,
    values: Vec<T>,
}

impl<T: Copy> Filing<T> {
    /// `counts`: by person; as many values must be put. `filler` is anything.
    pub fn new(counts: Vec<u32>, filler: T) -> Filing<T> {
        let total = counts.iter().map(|&count| count as usize).sum();
        Filing {
            places: starts(counts),
            values: vec![filler; total],
        }
    }

    #[inline]
    pub fn put(&mut self, person: usize, value: T) {
        let place = &mut self.places[person];
        self.values[*place as usize] = value;
        *place += 1;
    }

    /// Each person's place has moved from its start to its end.
    pub fn done(self) -> Groups<T> {
        Groups {
            ends: self.places,
            values: self.values,
        }
    }
}

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
        fn every_value_is_with_its_person_in_order(pairs in proptest::collection::vec((0u32..9, any::<u8>()), 0..60)) {
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
