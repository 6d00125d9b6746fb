//! Evaluates a sequence of two steps without further constraints.
//!
//! Reads the window slice by slice and keeps only the latest first step of each person.

use super::roles::{assign_roles, each, each_person};
use crate::error::Result;
use crate::eval::evaluator::{Evaluator, Scope};
use crate::eval::kernels::bits::Bits;
use crate::eval::program::{Gap, Role, Sequence};
use crate::eval::task::Task;
use crate::index::view::DAY_MS;

/// The maximum number of slices of a window.
const SLICES: i64 = 1000;
const NEVER: i64 = i64::MIN;
/// A longer gap makes no difference: days have 32 bits.
const LONGEST_GAP: i64 = 1 << 60;

/// Returns the people with a first step and a later second step within `gap.most` ms.
///
/// The least gap is 1 ms, so if any first step before a second one matches, the latest one does.
pub fn funnel<'a, P: Scope<'a>>(
    people: &Evaluator<'a, P>,
    task: Task<'a>,
    sequence: &'a Sequence,
    gap: Gap,
) -> Result<Bits> {
    let mut funnel = Funnel::new(gap, people.rows());
    let earliest = people.query.version.earliest_ms.unwrap_or(sequence.to);
    for (from, to) in slices(sequence.from.max(earliest), sequence.to) {
        let role_batches = assign_roles(people, task, sequence, from, to)?;
        funnel.begin_slice(from);
        each_person(&role_batches, Role::Step(0), |person| funnel.mark_first(person));
        each(&role_batches, Role::Step(1), |person, time, _| {
            funnel.add_second(person, time)
        });
        each(&role_batches, Role::Step(0), |person, time, _| {
            funnel.add_first(person, time)
        });
        funnel.end_slice();
    }
    Ok(Bits::from_words(funnel.happened, people.rows()))
}

/// A person and the time since the start of the slice (less than 4,000 years), ordered by both.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct PersonTime(u64);

impl PersonTime {
    const TIME: u32 = 47;

    fn of(person: usize, since: i64) -> PersonTime {
        PersonTime((person as u64) << PersonTime::TIME | since as u64)
    }

    fn person(self) -> usize {
        (self.0 >> PersonTime::TIME) as usize
    }

    fn since(self) -> i64 {
        (self.0 & ((1 << PersonTime::TIME) - 1)) as i64
    }
}

/// The state of a two-step sequence for all people of a block.
///
/// For each slice, callers mark all first steps, then add the second steps, then the first steps; the order within each is arbitrary.
/// Few people have both steps in one slice for the first time: only their events are sorted, and the other loops have no branch
/// that depends on the data.
struct Funnel {
    /// The most milliseconds between the steps.
    most: i64,
    /// The start of the slice.
    from: i64,
    /// The latest first step of each person before the slice, or in it once added.
    last: Vec<i64>,
    /// The people for whom the sequence happened, one bit each.
    happened: Vec<u64>,
    /// The people with a first step in the slice, and those of them with both steps in it, one bit each.
    begun: Vec<u64>,
    both: Vec<u64>,
    firsts: StepList,
    seconds: StepList,
}

/// A list of steps that grows without branches.
#[derive(Default)]
struct StepList {
    steps: Vec<PersonTime>,
    taken: usize,
}

impl StepList {
    #[inline]
    fn put(&mut self, step: PersonTime, taken: bool) {
        if self.taken == self.steps.len() {
            self.steps.resize(2 * self.taken + 64, PersonTime(0));
        }
        self.steps[self.taken] = step;
        self.taken += usize::from(taken);
    }

    /// Sorts the steps by person and time, and empties the list.
    fn take_sorted(&mut self) -> &[PersonTime] {
        let steps = &mut self.steps[..std::mem::take(&mut self.taken)];
        if !steps.is_sorted() {
            steps.sort_unstable();
        }
        steps
    }
}

impl Funnel {
    fn new(gap: Gap, people: usize) -> Funnel {
        let none = vec![0; people.div_ceil(64)];
        Funnel {
            most: gap.most.min(LONGEST_GAP),
            from: 0,
            last: vec![NEVER; people],
            happened: none.clone(),
            begun: none.clone(),
            both: none,
            firsts: StepList::default(),
            seconds: StepList::default(),
        }
    }

    fn begin_slice(&mut self, from: i64) {
        self.from = from;
        self.begun.fill(0);
        self.both.fill(0);
    }

    #[inline]
    fn mark_first(&mut self, person: usize) {
        self.begun[person / 64] |= 1 << (person % 64);
    }

    #[inline]
    fn add_second(&mut self, person: usize, time: i64) {
        let (word, bit) = (person / 64, person % 64);
        let follows = self.last[person] >= time - self.most;
        self.happened[word] |= u64::from(follows) << bit;
        let both = (self.begun[word] & !self.happened[word]) >> bit & 1;
        self.both[word] |= both << bit;
        self.seconds.put(PersonTime::of(person, time - self.from), both == 1);
    }

    #[inline]
    fn add_first(&mut self, person: usize, time: i64) {
        let both = self.both[person / 64] >> (person % 64) & 1;
        self.firsts.put(PersonTime::of(person, time - self.from), both == 1);
        self.last[person] = self.last[person].max(time);
    }

    /// Matches the steps of people with both steps in the slice.
    fn end_slice(&mut self) {
        let (firsts, mut passed) = (self.firsts.take_sorted(), 0);
        for second in self.seconds.take_sorted() {
            passed += firsts[passed..].iter().take_while(|first| *first < second).count();
            let before = firsts[..passed]
                .last()
                .filter(|first| first.person() == second.person());
            if before.is_some_and(|first| first.since() >= second.since() - self.most) {
                self.happened[second.person() / 64] |= 1 << (second.person() % 64);
            }
        }
    }
}

/// Splits a window into slices of whole UTC days, except at its ends.
fn slices(from: i64, to: i64) -> impl Iterator<Item = (i64, i64)> {
    let first = from.div_euclid(DAY_MS);
    let days = (to.div_euclid(DAY_MS) - first).max(0) / SLICES + 1;
    let starts = (first..).step_by(days as usize).map(|day| day.saturating_mul(DAY_MS));
    let bounds = starts.map(move |start| (start.max(from), start.saturating_add(days * DAY_MS).min(to)));
    bounds.take_while(|&(from, to)| from < to)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Returns the events from `from` up to but not including `to`.
    fn within(of: &[(usize, i64)], from: i64, to: i64) -> impl Iterator<Item = (usize, i64)> {
        of.iter().copied().filter(move |(_, time)| (from..to).contains(time))
    }

    fn events() -> impl Strategy<Value = Vec<(usize, i64)>> {
        proptest::collection::vec((60..70usize, 0..40i64), 0..30)
    }

    proptest! {
        #![proptest_config(crate::testing::cases(256))]

        #[test]
        fn funnel_finds_people_with_a_second_step_after_a_first_one(firsts in events(), seconds in events(), length in 1..41usize, most in prop_oneof![1..40i64, Just(i64::MAX)]) {
            let mut funnel = Funnel::new(Gap { least: 1, most }, 70);
            for from in (0..40).step_by(length) {
                let to = from + length as i64;
                funnel.begin_slice(from);
                within(&firsts, from, to).for_each(|(person, _)| funnel.mark_first(person));
                within(&seconds, from, to).for_each(|(person, time)| funnel.add_second(person, time));
                within(&firsts, from, to).for_each(|(person, time)| funnel.add_first(person, time));
                funnel.end_slice();
            }
            let follows = |person: usize| {
                let of = |events: &[(usize, i64)]| -> Vec<i64> {
                    events.iter().filter(|event| event.0 == person).map(|event| event.1).collect()
                };
                let (firsts, seconds) = (of(&firsts), of(&seconds));
                seconds.iter().any(|second| firsts.iter().any(|first| (1..=most).contains(&(second - first))))
            };
            let happened = Bits::from_words(funnel.happened, 70);
            for person in 60..70 {
                prop_assert_eq!(happened.get(person), follows(person), "{}", person);
            }
        }

        #[test]
        fn slices_cover_the_window_without_overlap(from in -1e15 as i64..1e15 as i64, length in 0..1e15 as i64) {
            let found: Vec<(i64, i64)> = slices(from, from + length).collect();
            prop_assert!(found.len() as i64 <= SLICES + 2);
            prop_assert_eq!(found.first().map(|first| first.0), (length > 0).then_some(from));
            prop_assert_eq!(found.last().map(|last| last.1), (length > 0).then_some(from + length));
            prop_assert!(found.windows(2).all(|two| two[0].1 == two[1].0));
        }
    }
}
