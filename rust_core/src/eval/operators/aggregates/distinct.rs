//! How many different values each person's events have.

use crate::error::Result;
use crate::eval::kernels::bits::Bits;
use crate::eval::kernels::column::Column;
use crate::eval::kernels::groups::Filing;
use crate::eval::kernels::interner::Interner;
use crate::eval::operators::batch::Batch;
use crate::index::summaries::counts::EventCounts;

/// Values as numbers, by which they are told apart, and whose they are.
#[derive(Default)]
pub struct Seen {
    persons: Vec<u16>,
    numbers: Vec<u32>,
}

impl Seen {
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

    /// Different ones of each person.
    pub fn distinct(&self, people: usize) -> EventCounts {
        // By person: how many, and one more than the last of them. One place, so that an event waits for one.
        let mut met = vec![(0u32, 0u32); people];
        self.by_number(|number, person| {
            let (count, last) = &mut met[usize::from(person)];
            *count += u32::from(*last != number + 1);
            *last = number + 1;
        });
        EventCounts::of(met.iter().map(|&(count, _)| count))
    }

    /// Calls with everybody of a number, one number after the other, counted from 0: what is read of each lies together.
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
        let mut filing = Filing::new(counts, 0);
        pairs.for_each(|(number, &person)| filing.put((number - least) as usize, person));
        filing.done().each(|number, persons| {
            persons.iter().for_each(|&person| call(number as u32, person));
        });
    }
}

/// The least and the greatest, many at a time.
fn bounds(numbers: &[u32]) -> Option<(u32, u32)> {
    let wider = |(least, most): (u32, u32), &number: &u32| (least.min(number), most.max(number));
    (!numbers.is_empty()).then(|| numbers.iter().fold((u32::MAX, 0), wider))
}

/// With more numbers than so many for each value, they are not counted one by one.
const SPARSE: usize = 4;

#[derive(Default)]
pub struct Distinct {
    seen: Seen,
    numbers: Interner,
}

impl Distinct {
    pub fn add(&mut self, batch: &Batch, mask: Option<&Bits>, value: &Column) -> Result<()> {
        let numbers = self.numbers.of(value)?;
        match mask {
            None => self.seen.extend(batch.persons(), &numbers),
            Some(mask) => batch.each(Some(mask), |row, person| self.seen.push(person, numbers[row])),
        }
        Ok(())
    }

    pub fn bytes(&self) -> usize {
        self.seen.bytes()
    }

    pub fn finish(self, people: usize) -> EventCounts {
        self.seen.distinct(people)
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
        fn the_different_numbers_of_each_person_are_counted(
            pairs in prop::collection::vec((0..9usize, prop_oneof![0..5u32, any::<u32>()]), 0..80)
        ) {
            let mut seen = Seen::default();
            pairs.iter().for_each(|&(person, number)| seen.push(person, number));
            let of = |person: usize| pairs.iter().filter(move |pair| pair.0 == person).map(|pair| pair.1);
            let expected = (0..9).map(|person| of(person).collect::<BTreeSet<u32>>().len() as u32);
            prop_assert_eq!(seen.distinct(9).all(), expected.collect::<Vec<_>>());
        }
    }
}
