//! Counts the events of each person.

use crate::eval::kernels::bits::Bits;
use crate::eval::kernels::range_masks::mask;
use crate::eval::operators::batch::Batch;
use crate::index::summaries::counts::EventCounts;

impl EventCounts {
    /// Counts the events of a batch in the mask; `None` selects all.
    pub fn count_batch(&mut self, batch: &Batch, mask: Option<&Bits>) {
        let (persons, mut count) = (batch.persons(), self.counter());
        match mask {
            None => persons.iter().for_each(|&person| count(person)),
            Some(mask) => mask.each(|row| count(persons[row])),
        }
    }

    /// Returns the people whose count is in an inclusive range.
    pub fn between(&self, low: i64, high: i64) -> Bits {
        let people = self.people();
        if low > high || high < 0 {
            return Bits::none(people);
        }
        let (counts, full) = self.parts();
        let mut found = match u8::try_from(low.max(0)) {
            Ok(low) => {
                let high = u8::try_from(high).unwrap_or(u8::MAX);
                mask(counts, people, |count| count.wrapping_sub(low) <= high - low)
            }
            Err(_) => Bits::none(people),
        };
        if !full.is_empty() {
            let all = self.all();
            for person in full.iter().map(|&person| usize::from(person)) {
                match (low..=high).contains(&all[person].into()) {
                    true => found.set(person),
                    false => found.clear(person),
                }
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(crate::testing::cases(256))]

        #[test]
        fn between_compares_counts_beyond_a_byte(
            all in prop::collection::vec(prop_oneof![0..3u32, 250..260u32, 500..1_000u32], 0..9), low in -2..700i64, span in -2..600i64
        ) {
            let high = low + span;
            let found = Bits::from_fn(all.len(), |person| (low..=high).contains(&all[person].into()));
            prop_assert_eq!(EventCounts::of(all.into_iter()).between(low, high), found);
        }
    }
}
