//! Whether some choice among one person's events fits a sequence: each step takes time in proportion to its own events.

use super::chosen::Key;
use super::program::{Gap, Part};

/// An event that may play a part; of the same value where a sequence asks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    pub value: Key,
    pub part: Part,
    pub time: i64,
}

/// Sorts the moments. `gaps`: those between the steps.
pub fn fits(gaps: &[Gap], moments: &mut [Moment]) -> bool {
    moments.sort_unstable();
    let mut alike = moments.chunk_by(|a, b| a.value == b.value);
    alike.any(|moments| fits_alike(gaps, moments))
}

fn fits_alike(gaps: &[Gap], moments: &[Moment]) -> bool {
    let mut reached: Vec<i64> = playing(moments, Part::Step(0)).iter().map(|step| step.time).collect();
    for (step, gap) in (0..).zip(gaps) {
        let without = playing(moments, Part::Without(step));
        reached = followed(&reached, *gap, without, playing(moments, Part::Step(step + 1)));
    }
    // After the last step nothing forbidden happens: the later it is, the better.
    let broken = playing(moments, Part::Without(gaps.len() as u8)).last();
    let last = reached.last();
    last.is_some_and(|&last| broken.is_none_or(|broken| broken.time <= last))
}

/// Of moments of one value, those of one part, by time.
fn playing(moments: &[Moment], part: Part) -> &[Moment] {
    let from = moments.partition_point(|moment| moment.part < part);
    let to = moments.partition_point(|moment| moment.part <= part);
    &moments[from..to]
}

/// The times at which the next step follows one that was reached. All times ascend.
fn followed(reached: &[i64], gap: Gap, without: &[Moment], next: &[Moment]) -> Vec<i64> {
    let (mut early, mut passed) = (0, 0);
    let times = next.iter().map(|moment| moment.time);
    let follows = |&time: &i64| {
        early += reached[early..]
            .iter()
            .take_while(|&&before| gap.leaves(before, time))
            .count();
        passed += without[passed..].iter().take_while(|moment| moment.time < time).count();
        let broken = without[..passed].last();
        // Of the steps that are early enough the latest serves if any does.
        reached[..early]
            .last()
            .is_some_and(|&before| gap.reaches(before, time) && broken.is_none_or(|broken| broken.time <= before))
    };
    times.filter(follows).collect()
}
