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
    let mut happened = Bits::none(people.rows());
    let mut last = vec![NEVER; people.rows()];
    let (mut firsts, mut seconds) = (Vec::new(), Vec::new());
    let earliest = people.query.version.earliest_ms.unwrap_or(sequence.to);
    for (from, to) in stretches(sequence.from.max(earliest), sequence.to) {
        let casts = cast(people, task, sequence, from, to)?;
        for (part, steps) in [(Part::Step(0), &mut firsts), (Part::Step(1), &mut seconds)] {
            steps.clear();
            each(&casts, part, |person, time, _| steps.push((person, time)));
            if !steps.is_sorted() {
                steps.sort_unstable();
            }
        }
        let mut passed = 0;
        for second @ &(person, time) in &seconds {
            while passed < firsts.len() && firsts[passed] < *second {
                last[firsts[passed].0] = firsts[passed].1;
                passed += 1;
            }
            if last[person] != NEVER && gap.reaches(last[person], time) {
                happened.set(person);
            }
        }
        firsts[passed..].iter().for_each(|&(person, time)| last[person] = time);
    }
    Ok(happened)
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

    proptest! {
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
