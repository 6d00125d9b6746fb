//! How many events each person has.

use super::batch::Batch;
use super::bits::Bits;
use super::kernel::mask;
use crate::index::view::BLOCK;

/// A byte a person, so that a block's counts stay in the processor's near caches. Few people have more events than it holds.
#[derive(Clone)]
pub struct Counts {
    people: usize,
    /// Modulo 256. As many as a block has rows, so that no row lies outside.
    low: Box<[u8; BLOCK as usize]>,
    /// Who came to a multiple of 256, as often.
    full: Vec<u16>,
}

impl Counts {
    pub fn new(people: usize) -> Counts {
        Counts {
            people,
            low: Box::new([0; BLOCK as usize]),
            full: Vec::new(),
        }
    }

    /// By person.
    pub fn of(all: impl ExactSizeIterator<Item = u32>) -> Counts {
        let mut counts = Counts::new(all.len());
        for (person, count) in all.enumerate() {
            counts.low[person] = count as u8;
            counts.full.extend((0..count / 256).map(|_| person as u16));
        }
        counts
    }

    /// Takes the events of the mask; all without one.
    pub fn add(&mut self, batch: &Batch, mask: Option<&Bits>) {
        let persons = batch.persons();
        match mask {
            None => persons.iter().for_each(|&person| self.count(person)),
            Some(mask) => mask.each(|row| self.count(persons[row])),
        }
    }

    #[inline]
    fn count(&mut self, person: u16) {
        let low = &mut self.low[usize::from(person)];
        *low = low.wrapping_add(1);
        if *low == 0 {
            self.full.push(person);
        }
    }

    /// By person.
    pub fn all(&self) -> Vec<u32> {
        let mut all: Vec<u32> = self.low[..self.people].iter().map(|&low| low.into()).collect();
        self.full.iter().for_each(|&person| all[usize::from(person)] += 256);
        all
    }

    /// Whose count lies between two, both of them in.
    pub fn between(&self, low: i64, high: i64) -> Bits {
        if low > high || high < 0 {
            return Bits::none(self.people);
        }
        let counts = &self.low[..self.people];
        let mut found = match u8::try_from(low.max(0)) {
            Ok(low) => {
                let high = u8::try_from(high).unwrap_or(u8::MAX);
                mask(counts, self.people, |count| count.wrapping_sub(low) <= high - low)
            }
            Err(_) => Bits::none(self.people),
        };
        if !self.full.is_empty() {
            let all = self.all();
            for person in self.full.iter().map(|&person| usize::from(person)) {
                match (low..=high).contains(&all[person].into()) {
                    true => found.set(person),
                    false => found.clear(person),
                }
            }
        }
        found
    }

    pub fn bytes(&self) -> usize {
        size_of_val(&*self.low) + size_of_val(&self.full[..])
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn they_are_counted_and_compared_beyond_a_byte(
            events in prop::collection::vec((0..9u16, 1..300usize), 0..20), low in -2..700i64, span in -2..600i64
        ) {
            let (mut counts, mut expected) = (Counts::new(7), [0u32; 7]);
            for (person, times) in events.into_iter().filter(|&(person, _)| person < 7) {
                (0..times).for_each(|_| counts.count(person));
                expected[usize::from(person)] += times as u32;
            }
            prop_assert_eq!(counts.all(), expected.to_vec());
            let high = low + span;
            let found = Bits::from_fn(7, |person| (low..=high).contains(&expected[person].into()));
            prop_assert_eq!(counts.between(low, high), found);
        }
    }
}
