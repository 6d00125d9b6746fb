//! Counts the distinct values of each person's events.

use crate::error::Result;
use crate::eval::kernels::bits::Bits;
use crate::eval::kernels::column::Column;
use crate::eval::kernels::groups::GroupBuilder;
use crate::eval::kernels::interner::Interner;
use crate::eval::operators::batch::Batch;
use crate::index::summaries::counts::EventCounts;

/// Pairs of person and interned value.
#[derive(Default)]
pub struct PersonValues {
    persons: Vec<u16>,
    numbers: Vec<u32>,
}

impl PersonValues {
    #[inline]
    pub fn push(&mut self, person: usize, number: u32) {
        self.persons.push(person as u16);
        self.numbers.push(number);
    }

    pub fn extend(&mut self, persons: &[u16], numbers: &[u32]) {
        self.persons.extend_from_slice(persons);
        self.numbers.extend_from_slice(numbers);
    }

    pub fn last(&self) -> Option<(usize, u32)> {
        Some((usize::from(*self.persons.last()?), *self.numbers.last()?))
    }

    pub fn bytes(&self) -> usize {
        size_of_val(&self.persons[..]) + size_of_val(&self.numbers[..])
    }

    /// Counts the distinct values of each person.
    pub fn distinct(&self, people: usize) -> EventCounts {
        // For each person, the count and the last value plus one. Both are in one cache line, so an event misses once.
        let mut state = vec![(0u32, 0u32); people];
        self.by_number(|number, person| {
            let (count, last) = &mut state[usize::from(person)];
            *count += u32::from(*last != number + 1);
            *last = number + 1;
        });
        EventCounts::of(state.iter().map(|&(count, _)| count))
    }

    /// Calls `call` with (value, person) grouped by value; values are renumbered from 0.
    fn by_number(&self, mut call: impl FnMut(u32, u16)) {
        let Some((least, most)) = bounds(&self.numbers) else {
            return;
        };
        let span = (most - least) as usize + 1;
        let pairs = self.numbers.iter().zip(&self.persons);
        if span > SPARSE * self.numbers.len() {
            let mut pairs: Vec<(u32, u16)> = pairs.map(|(&number, &person)| (number, person)).collect();
            pairs.sort_unstable();
            let each = pairs.chunk_by(|a, b| a.0 == b.0).zip(0..);
            return each.for_each(|(pairs, number)| pairs.iter().for_each(|&(_, person)| call(number, person)));
        }
        let mut counts = vec![0; span];
        self.numbers
            .iter()
            .for_each(|number| counts[(number - least) as usize] += 1);
        let mut builder = GroupBuilder::new(counts, 0);
        pairs.for_each(|(number, &person)| builder.put((number - least) as usize, person));
        builder.finish().each(|number, persons| {
            persons.iter().for_each(|&person| call(number as u32, person));
        });
    }
}

/// Returns the least and the greatest number.
fn bounds(numbers: &[u32]) -> Option<(u32, u32)> {
    let wider = |(least, most): (u32, u32), &number: &u32| (least.min(number), most.max(number));
    (!numbers.is_empty()).then(|| numbers.iter().fold((u32::MAX, 0), wider))
}

/// If the range of numbers is more than this many times their count, they are sorted instead of counted.
const SPARSE: usize = 4;

#[derive(Default)]
pub struct Distinct {
    pairs_seen: PersonValues,
    numbers: Interner,
}

impl Distinct {
    pub fn add(&mut self, batch: &Batch, mask: Option<&Bits>, value: &Column) -> Result<()> {
        let numbers = self.numbers.intern_column(value)?;
        match mask {
            None => self.pairs_seen.extend(batch.persons(), &numbers),
            Some(mask) => batch.each(Some(mask), |row, person| self.pairs_seen.push(person, numbers[row])),
        }
        Ok(())
    }

    pub fn bytes(&self) -> usize {
        self.pairs_seen.bytes()
    }

    pub fn finish(self, people: usize) -> EventCounts {
        self.pairs_seen.distinct(people)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(crate::testing::cases(256))]

        #[test]
        fn distinct_counts_each_value_of_a_person_once(
            pairs in prop::collection::vec((0..9usize, prop_oneof![0..5u32, any::<u32>()]), 0..80)
        ) {
            let mut pairs_seen = PersonValues::default();
            pairs.iter().for_each(|&(person, number)| pairs_seen.push(person, number));
            let of = |person: usize| pairs.iter().filter(move |pair| pair.0 == person).map(|pair| pair.1);
            let expected = (0..9).map(|person| of(person).collect::<BTreeSet<u32>>().len() as u32);
            prop_assert_eq!(pairs_seen.distinct(9).all(), expected.collect::<Vec<_>>());
        }
    }
}
