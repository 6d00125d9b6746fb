//! Assigns events to the steps of a sequence, as `Index.witnesses` reports them.

use super::Oracle;
use super::sequences::Sequence;
use crate::eval::tests::world::{Event, Person};
use crate::plan::{Cond, EventFilter};

impl Oracle<'_> {
    /// Assigns one event to each of the first steps of a sequence, for as many steps as possible.
    ///
    /// Returns the event of each assigned step. Panics if the condition is not a sequence.
    pub fn longest_assignment<'s>(&'s self, cond: &'s Cond, person: &'s Person) -> Vec<&'s Event> {
        let sequence = Sequence::new(self, cond, person);
        let mut sizes = (1..=sequence.steps.len()).rev();
        sizes.find_map(|size| sequence.assignment(size)).unwrap_or_default()
    }
}

impl<'s> Sequence<'s, '_> {
    /// Assigns the first `size` steps, from the newest event of the first step that can be continued.
    fn assignment(&self, size: usize) -> Option<Vec<&'s Event>> {
        let mut first = self.candidates(&self.steps[0].events).into_iter().rev();
        first.find_map(|event| self.assignment_from(size, 0, event))
    }

    /// Assigns the steps from `step` on, where `step` has this event; each later step gets its oldest event that can be continued.
    fn assignment_from(&self, size: usize, step: usize, event: &'s Event) -> Option<Vec<&'s Event>> {
        if step + 1 == size {
            let is_complete = size == self.steps.len();
            return (!is_complete || !self.is_broken(step, event, i64::MAX)).then(|| vec![event]);
        }
        let next = self.candidates(&self.steps[step + 1].events).into_iter();
        let rest = next
            .filter(|next| self.can_follow(step, event, next))
            .find_map(|next| self.assignment_from(size, step + 1, next))?;
        Some([vec![event], rest].concat())
    }

    /// Returns the matching events, oldest first, without those whose shared value is required but unknown.
    fn candidates(&self, filters: &[EventFilter]) -> Vec<&'s Event> {
        let mut candidates = self.matching(filters);
        candidates.retain(|event| self.by.is_none() || self.shared_value(event).is_some());
        candidates
    }

    fn can_follow(&self, step: usize, event: &Event, next: &Event) -> bool {
        let (gap, next_step) = (next.time - event.time, &self.steps[step + 1]);
        gap >= 1.max(next_step.after.unwrap_or(0) as i64)
            && next_step.within.is_none_or(|within| gap <= within as i64)
            && self.shared_value(event) == self.shared_value(next)
            && !self.is_broken(step, event, next.time)
    }

    fn is_broken(&self, step: usize, event: &Event, until: i64) -> bool {
        let forbidden = self.candidates(&self.steps[step].without);
        forbidden.iter().any(|other| {
            event.time < other.time && other.time < until && self.shared_value(other) == self.shared_value(event)
        })
    }
}
