//! Decides whether the events of one person match a sequence. Apart from sorting, each step takes time linear in its events.

use crate::eval::program::{Gap, Role};

/// An event in one of its roles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RoleEvent {
    /// The interned value that all events of the sequence must share.
    pub value: u32,
    pub role: Role,
    pub time: i64,
}

/// The times at which the steps so far can be completed, and those of the next step. The buffers are reused for each person.
#[derive(Default)]
pub struct Chain {
    reached: Vec<i64>,
    next: Vec<i64>,
}

impl Chain {
    /// Returns whether the events match steps with these gaps between them. Sorts the events.
    pub fn matches(&mut self, gaps: &[Gap], events: &mut [RoleEvent]) -> bool {
        if !events.is_sorted() {
            events.sort_unstable();
        }
        let mut groups = events.chunk_by(|a, b| a.value == b.value);
        groups.any(|events| events.len() > gaps.len() && self.matches_with_one_value(gaps, events))
    }

    fn matches_with_one_value(&mut self, gaps: &[Gap], events: &[RoleEvent]) -> bool {
        self.reached.clear();
        self.reached
            .extend(with_role(events, Role::Step(0)).iter().map(|step| step.time));
        for (step, gap) in (0..).zip(gaps) {
            let without = with_role(events, Role::Without(step));
            self.advance(*gap, without, with_role(events, Role::Step(step + 1)));
        }
        // No forbidden event may follow the last step, so the latest completion is the best.
        let broken = with_role(events, Role::Without(gaps.len() as u8)).last();
        let last = self.reached.last();
        last.is_some_and(|&last| broken.is_none_or(|broken| broken.time <= last))
    }

    /// Computes the times at which the next step can be completed after the current one. All times ascend.
    fn advance(&mut self, gap: Gap, without: &[RoleEvent], steps: &[RoleEvent]) {
        let (mut early, mut passed) = (0, 0);
        self.next.clear();
        for &RoleEvent { time, .. } in steps {
            let leaves = |&&before: &&i64| gap.is_long_enough(before, time);
            early += self.reached[early..].iter().take_while(leaves).count();
            passed += without[passed..].iter().take_while(|other| other.time < time).count();
            let broken = without[..passed].last();
            // If any early enough step matches, the latest one does.
            let serves =
                |&before: &i64| gap.is_short_enough(before, time) && broken.is_none_or(|broken| broken.time <= before);
            if self.reached[..early].last().is_some_and(serves) {
                self.next.push(time);
            }
        }
        std::mem::swap(&mut self.reached, &mut self.next);
    }
}

/// Returns the events of one role, by time. The events have one value.
fn with_role(events: &[RoleEvent], role: Role) -> &[RoleEvent] {
    let from = events.partition_point(|moment| moment.role < role);
    let to = events.partition_point(|moment| moment.role <= role);
    &events[from..to]
}
