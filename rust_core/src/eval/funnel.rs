//! The plain sequence of two steps: a few days at a time, so that nothing but each person's last first step is kept.

use super::bits::Bits;
use super::cast::{cast, each};
use super::program::{Gap, Part, Sequence};
use super::task::Task;
use super::vector::{Eval, Scope};
use crate::error::Result;
use crate::index::view::DAY_MS;

/// Stretches of days that a window is cut into.
const STRETCHES: i64 = 1000;
const NEVER: i64 = i64::MIN;

/// `gap` has no least but being later: so of the first steps before a second one the last serves if any does.
pub fn funnel<'a, P: Scope<'a>>(
    people: &Eval<'a, P>,
    task: Task<'a>,
    sequence: &'a Sequence,
    gap: Gap,
) -> Result<Bits> {
    let mut funnel = Funnel::new(gap, people.rows());
    let (mut firsts, mut seconds) = (Vec::new(), Vec::new());
    let earliest = people.query.version.earliest_ms.unwrap_or(sequence.to);
    for (from, to) in stretches(sequence.from.max(earliest), sequence.to) {
        let casts = cast(people, task, sequence, from, to)?;
        for (part, steps) in [(Part::Step(0), &mut firsts), (Part::Step(1), &mut seconds)] {
            steps.clear();
            each(&casts, part, |person, time, _| {
                steps.push(Step::of(person, time - from))
            });
            if !steps.is_sorted() {
                steps.sort_unstable();
            }
        }
        funnel.stretch(from, &firsts, &seconds);
    }
    Ok(Bits::from_words(funnel.happened, people.rows()))
}

/// A person and the time since the beginning of the stretch (less than 4,000 years), ordered by both.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Step(u64);

impl Step {
    const TIME: u32 = 47;

    fn of(person: usize, since: i64) -> Step {
        Step((person as u64) << Step::TIME | since as u64)
    }

    fn person(self) -> usize {
        (self.0 >> Step::TIME) as usize
    }

    fn since(self) -> i64 {
        (self.0 & ((1 << Step::TIME) - 1)) as i64
    }
}

/// Most people have not both steps in one stretch, so those who have are looked at apart: the rest takes no unforeseeable turns.
struct Funnel {
    gap: Gap,
    /// By person: the last first step before the stretch.
    last: Vec<i64>,
    /// One bit a person.
    happened: Vec<u64>,
    /// One bit a person: those with a first step in the stretch.
    begun: Vec<u64>,
    both: Vec<Step>,
}

impl Funnel {
    fn new(gap: Gap, people: usize) -> Funnel {
        let none = vec![0; people.div_ceil(64)];
        Funnel {
            gap,
            last: vec![NEVER; people],
            happened: none.clone(),
            begun: none,
            both: Vec::new(),
        }
    }

    fn stretch(&mut self, from: i64, firsts: &[Step], seconds: &[Step]) {
        for first in firsts {
            self.begun[first.person() / 64] |= 1 << (first.person() % 64);
        }
        self.both.clear();
        for &second in seconds {
            let (word, bit) = (second.person() / 64, second.person() % 64);
            let last = self.last[second.person()];
            let follows = (last != NEVER) & self.gap.reaches(last, from + second.since());
            self.happened[word] |= u64::from(follows) << bit;
            if self.begun[word] >> bit & 1 == 1 {
                self.both.push(second);
            }
        }
        self.within(firsts);
        for first in firsts {
            self.last[first.person()] = from + first.since();
            self.begun[first.person() / 64] = 0;
        }
    }

    /// Of people with both steps in the stretch.
    fn within(&mut self, firsts: &[Step]) {
        let mut passed = 0;
        for second in &self.both {
            passed += firsts[passed..].iter().take_while(|first| *first < second).count();
            let before = firsts[..passed]
                .last()
                .filter(|first| first.person() == second.person());
            if before.is_some_and(|first| self.gap.reaches(first.since(), second.since())) {
                self.happened[second.person() / 64] |= 1 << (second.person() % 64);
            }
        }
    }
}

/// Whole UTC days but for the ends, as events are filed.
fn stretches(from: i64, to: i64) -> impl Iterator<Item = (i64, i64)> {
    let first = from.div_euclid(DAY_MS);
    let days = (to.div_euclid(DAY_MS) - first).max(0) / STRETCHES + 1;
    let starts = (first..).step_by(days as usize).map(|day| day.saturating_mul(DAY_MS));
    let bounds = starts.map(move |start| (start.max(from), start.saturating_add(days * DAY_MS).min(to)));
    bounds.take_while(|&(from, to)| from < to)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Of those between `from` and `to`, in order.
    fn steps(of: &[(usize, i64)], from: i64, to: i64) -> Vec<Step> {
        let within = of.iter().filter(|(_, time)| (from..to).contains(time));
        let mut steps: Vec<Step> = within.map(|&(person, time)| Step::of(person, time - from)).collect();
        steps.sort_unstable();
        steps
    }

    fn events() -> impl Strategy<Value = Vec<(usize, i64)>> {
        proptest::collection::vec((60..70usize, 0..40i64), 0..30)
    }

    proptest! {
        #[test]
        fn a_second_step_follows_a_first_one(firsts in events(), seconds in events(), length in 1..41usize, most in 1..40i64) {
            let mut funnel = Funnel::new(Gap { least: 1, most }, 70);
            for from in (0..40).step_by(length) {
                let to = from + length as i64;
                funnel.stretch(from, &steps(&firsts, from, to), &steps(&seconds, from, to));
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
        fn stretches_cover_the_window_and_nothing_twice(from in -1e15 as i64..1e15 as i64, length in 0..1e15 as i64) {
            let found: Vec<(i64, i64)> = stretches(from, from + length).collect();
            prop_assert!(found.len() as i64 <= STRETCHES + 2);
            prop_assert_eq!(found.first().map(|first| first.0), (length > 0).then_some(from));
            prop_assert_eq!(found.last().map(|last| last.1), (length > 0).then_some(from + length));
            prop_assert!(found.windows(2).all(|two| two[0].1 == two[1].0));
        }
    }
}
