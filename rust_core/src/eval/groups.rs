//! Values brought together by person.

/// Person i's values are `values[ends[i - 1]..ends[i]]`.
pub struct Groups<T> {
    ends: Vec<u32>,
    values: Vec<T>,
}

impl<T: Copy> Groups<T> {
    /// Counts, then files: persons are few and dense, so nothing is sorted. The order of one person's values is kept.
    pub fn of(pairs: &[(u32, T)], people: usize) -> Groups<T> {
        let mut ends = vec![0u32; people + 1];
        for &(person, _) in pairs {
            ends[person as usize + 1] += 1;
        }
        for person in 0..people {
            ends[person + 1] += ends[person];
        }
        // Each person's start moves to its end as values are filed.
        let mut values: Vec<T> = pairs.iter().map(|&(_, value)| value).collect();
        for &(person, value) in pairs {
            let place = &mut ends[person as usize];
            values[*place as usize] = value;
            *place += 1;
        }
        ends.truncate(people);
        Groups { ends, values }
    }

    pub fn of_person(&self, person: usize) -> &[T] {
        let start = person.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.values[start as usize..self.ends[person] as usize]
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
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
            for person in 0..9 {
                prop_assert_eq!(groups.of_person(person), expected.get(&person).map_or(&[][..], Vec::as_slice));
            }
        }
    }
}
