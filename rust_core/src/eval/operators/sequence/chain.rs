//! Whether some choice among one person's events fits a sequence. Beside sorting, a step takes time in proportion to its events.

use crate::eval::program::{Gap, Part};

/// An event that may play a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// The number of the value that the events have in common.
    pub value: u32,
    pub part: Part,
    pub time: i64,
}

/// Times at which the steps so far can be done, and those of the next; kept from person to person.
#[derive(Default)]
pub struct Chain {
    reached: Vec<i64>,
    next: Vec<i64>,
}

impl Chain {
    /// Sorts the moments. `gaps`: those between the steps.
    pub fn fits(&mut self, gaps: &[Gap], moments: &mut [Moment]) -> bool {
        if !moments.is_sorted() {
            moments.sort_unstable();
        }
        let mut alike = moments.chunk_by(|a, b| a.value == b.value);
        alike.any(|moments| moments.len() > gaps.len() && self.fits_alike(gaps, moments))
    }

    fn fits_alike(&mut self, gaps: &[Gap], moments: &[Moment]) -> bool {
        self.reached.clear();
        self.reached
            .extend(playing(moments, Part::Step(0)).iter().map(|step| step.time));
        for (step, gap) in (0..).zip(gaps) {
            let without = playing(moments, Part::Without(step));
            self.follow(*gap, without, playing(moments, Part::Step(step + 1)));
        }
        // After the last step nothing forbidden happens: the later it is, the better.
        let broken = playing(moments, Part::Without(gaps.len() as u8)).last();
        let last = self.reached.last();
        last.is_some_and(|&last| broken.is_none_or(|broken| broken.time <= last))
    }

    /// From the times of one step to those of the next that follow one of them. All times ascend.
    fn follow(&mut self, gap: Gap, without: &[Moment], steps: &[Moment]) {
        let (mut early, mut passed) = (0, 0);
        self.next.clear();
        for &Moment { time, .. } in steps {
            let leaves = |&&before: &&i64| gap.leaves(before, time);
            early += self.reached[early..].iter().take_while(leaves).count();
            passed += without[passed..].iter().take_while(|other| other.time < time).count();
            let broken = without[..passed].last();
            // Of the steps that are early enough the latest serves if any does.
            let serves = |&before: &i64| gap.reaches(before, time) && broken.is_none_or(|broken| broken.time <= before);
            if self.reached[..early].last().is_some_and(serves) {
                self.next.push(time);
            }
        }
        std::mem::swap(&mut self.reached, &mut self.next);
    }
}

/// Of moments of one value, those of one part, by time.
fn playing(moments: &[Moment], part: Part) -> &[Moment] {
    let from = moments.partition_point(|moment| moment.part < part);
    let to = moments.partition_point(|moment| moment.part <= part);
    &moments[from..to]
}
