//! The plain sequence of two steps: a few days at a time, so that nothing but each person's last first step is kept.

use super::roles::{assign_roles, each, each_person};
use crate::error::Result;
use crate::eval::evaluator::{Evaluator, Scope};
use crate::eval::kernels::bits::Bits;
use crate::eval::program::{Gap, Part, Sequence};
use crate::eval::task::Task;
use crate::index::view::DAY_MS;

/// Stretches of days that a window is cut into.
const STRETCHES: i64 = 1000;
const NEVER: i64 = i64::MIN;
/// A gap that is as good as any longer one: days are numbers of 32 bits.
const LONGEST: i64 = 1 << 60;

/// `gap` has no least but being later: so of the first steps before a second one the last serves if any does.
pub fn funnel<'a, P: Scope<'a>>(
    people: &Evaluator<'a, P>,
    task: Task<'a>,
    sequence: &'a Sequence,
    gap: Gap,
) -> Result<Bits> {
    let mut funnel = Funnel::new(gap, people.rows());
    let earliest = people.query.version.earliest_ms.unwrap_or(sequence.to);
    for (from, to) in stretches(sequence.from.max(earliest), sequence.to) {
        let role_batches = assign_roles(people, task, sequence, from, to)?;
        funnel.begin(from);
        each_person(&role_batches, Part::Step(0), |person| funnel.announce(person));
        each(&role_batches, Part::Step(1), |person, time, _| {
            funnel.second(person, time)
        });
        each(&role_batches, Part::Step(0), |person, time, _| {
            funnel.first(person, time)
        });
        funnel.end();
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

/// Most people have not both steps in one stretch, or have had both before; the others are looked at apart, and the rest takes no
/// unforeseeable turns.
/// Of each stretch all first steps are announced, then the second ones come, then the first ones; the order of each is of no meaning.
struct Funnel {
    /// Most milliseconds between the steps.
    most: i64,
    /// Where the stretch begins.
    from: i64,
    /// By person: the last first step before the stretch; that and more of who has come since.
    last: Vec<i64>,
    /// One bit a person.
    happened: Vec<u64>,
    /// One bit a person: those with a first step in the stretch, those of them who may have both by it.
    begun: Vec<u64>,
    both: Vec<u64>,
    firsts: Steps,
    seconds: Steps,
}

/// Some of the steps that come.
#[derive(Default)]
struct Steps {
    steps: Vec<Step>,
    taken: usize,
}

impl Steps {
    #[inline]
    fn put(&mut self, step: Step, taken: bool) {
        if self.taken == self.steps.len() {
            self.steps.resize(2 * self.taken + 64, Step(0));
        }
        self.steps[self.taken] = step;
        self.taken += usize::from(taken);
    }

    /// Those taken, by person and time; then there are none.
    fn sorted(&mut self) -> &[Step] {
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
            most: gap.most.min(LONGEST),
            from: 0,
            last: vec![NEVER; people],
            happened: none.clone(),
            begun: none.clone(),
            both: none,
            firsts: Steps::default(),
            seconds: Steps::default(),
        }
    }

    fn begin(&mut self, from: i64) {
        self.from = from;
        self.begun.fill(0);
        self.both.fill(0);
    }

    #[inline]
    fn announce(&mut self, person: usize) {
        self.begun[person / 64] |= 1 << (person % 64);
    }

    #[inline]
    fn second(&mut self, person: usize, time: i64) {
        let (word, bit) = (person / 64, person % 64);
        let follows = self.last[person] >= time - self.most;
        self.happened[word] |= u64::from(follows) << bit;
        let both = (self.begun[word] & !self.happened[word]) >> bit & 1;
        self.both[word] |= both << bit;
        self.seconds.put(Step::of(person, time - self.from), both == 1);
    }

    #[inline]
    fn first(&mut self, person: usize, time: i64) {
        let both = self.both[person / 64] >> (person % 64) & 1;
        self.firsts.put(Step::of(person, time - self.from), both == 1);
        self.last[person] = self.last[person].max(time);
    }

    /// Of people with both steps in the stretch.
    fn end(&mut self) {
        let (firsts, mut passed) = (self.firsts.sorted(), 0);
        for second in self.seconds.sorted() {
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

    /// Of those between `from` and `to`.
    fn within(of: &[(usize, i64)], from: i64, to: i64) -> impl Iterator<Item = (usize, i64)> {
        of.iter().copied().filter(move |(_, time)| (from..to).contains(time))
    }

    fn events() -> impl Strategy<Value = Vec<(usize, i64)>> {
        proptest::collection::vec((60..70usize, 0..40i64), 0..30)
    }

    proptest! {
        #![proptest_config(crate::testing::cases(256))]

        #[test]
        fn a_second_step_follows_a_first_one(firsts in events(), seconds in events(), length in 1..41usize, most in prop_oneof![1..40i64, Just(i64::MAX)]) {
            let mut funnel = Funnel::new(Gap { least: 1, most }, 70);
            for from in (0..40).step_by(length) {
                let to = from + length as i64;
                funnel.begin(from);
                within(&firsts, from, to).for_each(|(person, _)| funnel.announce(person));
                within(&seconds, from, to).for_each(|(person, time)| funnel.second(person, time));
                within(&firsts, from, to).for_each(|(person, time)| funnel.first(person, time));
                funnel.end();
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
