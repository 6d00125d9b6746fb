//! The number of events of each person of a block.

use crate::index::partitioning::BLOCK;
use crate::storage::buffer::Buffer;

/// Event counts of the people of a block.
///
/// One byte per person keeps the counts of a block in the processor's caches; few people exceed it.
#[derive(Clone, Default)]
pub struct EventCounts {
    people: usize,
    /// Counts modulo 256. At least `people` entries; a full block while events are counted, so that no index is out of bounds.
    low: Buffer<u8>,
    /// People whose count passed a multiple of 256, once for each multiple.
    overflows: Buffer<u16>,
}

impl EventCounts {
    /// Creates counts of zero.
    pub fn new(people: usize) -> EventCounts {
        EventCounts {
            people,
            low: vec![0; BLOCK as usize].into(),
            overflows: Buffer::default(),
        }
    }

    /// Builds counts from the number of events of each person.
    pub fn of(all: impl ExactSizeIterator<Item = u32>) -> EventCounts {
        let (mut low, mut overflows) = (Vec::with_capacity(all.len()), Vec::new());
        for (person, count) in all.enumerate() {
            low.push(count as u8);
            overflows.extend((0..count / 256).map(|_| person as u16));
        }
        EventCounts::of_parts(low.into(), overflows.into())
    }

    /// Builds counts from the parts that `parts` returns.
    pub fn of_parts(low: Buffer<u8>, overflows: Buffer<u16>) -> EventCounts {
        EventCounts {
            people: low.len(),
            low,
            overflows,
        }
    }

    /// Returns (low, overflows), the arguments of `of_parts`.
    pub fn parts(&self) -> (&[u8], &[u16]) {
        (&self.low[..self.people], &self.overflows)
    }

    /// Returns the number of people.
    pub fn people(&self) -> usize {
        self.people
    }

    /// Grows to `people` people.
    pub fn widen(&mut self, people: usize) {
        if people > self.people {
            self.people = people;
            let low = self.low.to_mut();
            low.resize(low.len().max(people), 0);
        }
    }

    /// Returns a function that counts an event of a person.
    pub fn counter(&mut self) -> impl FnMut(u16) {
        let (low, overflows) = (self.low.to_mut(), self.overflows.to_mut());
        low.resize(BLOCK as usize, 0);
        let Some(low) = low.first_chunk_mut::<{ BLOCK as usize }>() else {
            unreachable!("it was just made so long")
        };
        move |person| {
            let low = &mut low[usize::from(person)];
            *low = low.wrapping_add(1);
            if *low == 0 {
                overflows.push(person);
            }
        }
    }

    /// Adds the counts of `others`, who are the first of these people or all of them.
    pub fn add(&mut self, others: &EventCounts) {
        let (more, more_overflows) = others.parts();
        let (low, overflows) = (self.low.to_mut(), self.overflows.to_mut());
        overflows.extend_from_slice(more_overflows);
        let chunks = low.chunks_mut(CHUNK_PEOPLE).zip(more.chunks(CHUNK_PEOPLE));
        for (from, (low, more)) in (0_usize..).step_by(CHUNK_PEOPLE).zip(chunks) {
            let mut has_overflow = false;
            for (low, &more) in low.iter_mut().zip(more) {
                *low = low.wrapping_add(more);
                has_overflow |= *low < more;
            }
            if has_overflow {
                let pairs = low.iter().zip(more).zip(from..);
                overflows.extend(
                    pairs
                        .filter(|((low, more), _)| low < more)
                        .map(|(_, person)| person as u16),
                );
            }
        }
    }

    /// Returns the counts of some people, given in ascending order.
    pub fn pick(&self, people: &[u16]) -> EventCounts {
        let (low, overflows) = self.parts();
        let of = |&person: &u16| low.get(usize::from(person)).copied().unwrap_or(0);
        let overflows = overflows.iter().filter_map(|person| people.binary_search(person).ok());
        EventCounts::of_parts(people.iter().map(of).collect(), overflows.map(|at| at as u16).collect())
    }

    /// Returns the number of events of each person.
    pub fn all(&self) -> Vec<u32> {
        let (low, overflows) = self.parts();
        let mut all: Vec<u32> = low.iter().map(|&low| low.into()).collect();
        overflows.iter().for_each(|&person| all[usize::from(person)] += 256);
        all
    }

    pub fn bytes_in_memory(&self) -> usize {
        self.low.bytes_in_memory() + self.overflows.bytes_in_memory()
    }
}

/// The number of people tested for overflow at once, because overflows are rare.
const CHUNK_PEOPLE: usize = 256;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn events() -> impl Strategy<Value = Vec<(u16, u32)>> {
        let person = prop_oneof![0..9u16, 250..260u16, 65_530..=65_535u16];
        prop::collection::vec((person, 1..400u32), 0..12)
    }

    fn counted(people: usize, events: &[(u16, u32)]) -> (EventCounts, Vec<u32>) {
        let (mut counts, mut expected) = (EventCounts::new(people), vec![0; people]);
        let mut count = counts.counter();
        for &(person, times) in events.iter().filter(|event| usize::from(event.0) < people) {
            (0..times).for_each(|_| count(person));
            expected[usize::from(person)] += times;
        }
        drop(count);
        (counts, expected)
    }

    proptest! {
        #![proptest_config(crate::testing::cases(64))]

        #[test]
        fn counts_exceed_one_byte_and_add_up(
            one in events(), other in events(), people in prop::sample::select(vec![7usize, 257, 65_536]), fewer in 0..3usize
        ) {
            let ((mut counts, mut expected), (others, of_others)) = (counted(people, &one), counted(people - fewer, &other));
            prop_assert_eq!(counts.all(), expected.clone());
            prop_assert_eq!(EventCounts::of(expected.iter().copied()).all(), expected.clone());
            let (low, overflows) = counts.parts();
            prop_assert_eq!(EventCounts::of_parts(low.to_vec().into(), overflows.to_vec().into()).all(), expected.clone());
            counts.add(&others);
            expected.iter_mut().zip(&of_others).for_each(|(count, more)| *count += more);
            prop_assert_eq!(counts.all(), expected.clone());
            let mut few: Vec<u16> = one.iter().chain(&other).map(|event| event.0).filter(|&person| usize::from(person) < people).collect();
            few.sort_unstable();
            few.dedup();
            let of_few: Vec<u32> = few.iter().map(|&person| expected[usize::from(person)]).collect();
            prop_assert_eq!(counts.pick(&few).all(), of_few);
        }
    }
}
