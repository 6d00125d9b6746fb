//! How many different values each person's events have.

use super::batch::Batch;
use super::bits::Bits;
use super::column::Column;
use super::counts::Counts;
use super::numbers::Numbers;
use crate::error::Result;
use crate::index::view::BLOCK;

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

    pub fn reserve(&mut self, more: usize) {
        self.persons.reserve(more);
        self.numbers.reserve(more);
    }

    pub fn last(&self) -> Option<(usize, u32)> {
        Some((usize::from(*self.persons.last()?), *self.numbers.last()?))
    }

    pub fn bytes(&self) -> usize {
        size_of_val(&self.persons[..]) + size_of_val(&self.numbers[..])
    }

    /// Different ones of each person.
    pub fn distinct(&self, people: usize) -> Counts {
        let least = self.numbers.iter().copied().min().unwrap_or(0);
        let most = self.numbers.iter().copied().max().unwrap_or(0);
        let span = (most - least) as usize + 1;
        if span > SPARSE * self.numbers.len() {
            return Counts::of(self.by_person(people, |number| number, different));
        }
        // By number: one more than the person who had it last.
        let mut met = vec![0u32; span];
        let mut person = 0;
        let new = |numbers: &mut [u32]| {
            person += 1;
            numbers
                .iter()
                .filter(|&&number| std::mem::replace(&mut met[number as usize], person) != person)
                .count() as u32
        };
        Counts::of(self.by_person(people, |number| number - least, new))
    }

    /// Brings each person's numbers together, by counting and then filing them, and calls with them.
    fn by_person(
        &self,
        people: usize,
        convert: impl Fn(u32) -> u32,
        mut call: impl FnMut(&mut [u32]) -> u32,
    ) -> impl ExactSizeIterator<Item = u32> {
        let mut ends = vec![0u32; BLOCK as usize];
        for &person in &self.persons {
            ends[usize::from(person)] += 1;
        }
        let mut start = 0;
        for end in &mut ends {
            start += std::mem::replace(end, start);
        }
        let mut filed = vec![0; self.numbers.len()];
        for (&person, &number) in self.persons.iter().zip(&self.numbers) {
            let place = &mut ends[usize::from(person)];
            filed[*place as usize] = convert(number);
            *place += 1;
        }
        // Each person's place has moved from its start to its end.
        ends.truncate(people);
        let mut from = 0;
        ends.into_iter().map(move |end| {
            let from = std::mem::replace(&mut from, end as usize);
            call(&mut filed[from..end as usize])
        })
    }
}

/// With more numbers than so many for each value, there is no table of them.
const SPARSE: usize = 4;

fn different(numbers: &mut [u32]) -> u32 {
    numbers.sort_unstable();
    let others = numbers.windows(2).filter(|pair| pair[0] != pair[1]).count();
    others as u32 + u32::from(!numbers.is_empty())
}

#[derive(Default)]
pub struct Distinct {
    seen: Seen,
    numbers: Numbers,
}

impl Distinct {
    pub fn add(&mut self, batch: &Batch, mask: Option<&Bits>, value: &Column) -> Result<()> {
        let numbers = self.numbers.of(value)?;
        self.seen.reserve(batch.len());
        batch.each(mask, |row, person| self.seen.push(person, numbers[row]));
        Ok(())
    }

    pub fn bytes(&self) -> usize {
        self.seen.bytes()
    }

    pub fn finish(self, people: usize) -> Counts {
        self.seen.distinct(people)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
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
