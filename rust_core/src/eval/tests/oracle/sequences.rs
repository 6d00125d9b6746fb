//! Evaluates a sequence by a search over all assignments of events to its steps.

use super::{Oracle, OracleValue};
use crate::eval::tests::world::{Event, Person};
use crate::plan::{Cond, EventFilter, Expr, SequenceStep};

/// A `sequence` node and the person whose events it reads.
pub(super) struct Sequence<'s, 'w> {
    oracle: &'s Oracle<'w>,
    person: &'s Person,
    pub steps: &'s [SequenceStep],
    /// The value that all events of an assignment share.
    pub by: Option<&'s Expr>,
    window: (Option<i64>, i64),
}

impl Oracle<'_> {
    pub(super) fn sequence(&self, cond: &Cond, person: &Person) -> bool {
        Sequence::new(self, cond, person).is_assignable(0, None, None)
    }
}

impl<'s, 'w> Sequence<'s, 'w> {
    /// Panics if the condition is not a sequence.
    pub fn new(oracle: &'s Oracle<'w>, cond: &'s Cond, person: &'s Person) -> Sequence<'s, 'w> {
        let Cond::Sequence { steps, by, from, to } = cond else {
            panic!("the condition is not a sequence")
        };
        Sequence {
            oracle,
            person,
            steps,
            by: by.as_ref(),
            window: oracle.window(*from, *to),
        }
    }

    pub fn matching(&self, filters: &[EventFilter]) -> Vec<&'s Event> {
        self.oracle.matching(filters, self.window, self.person)
    }

    /// Returns the value that the events of an assignment share; `None` if it is unknown or none is required.
    pub fn shared_value(&self, event: &Event) -> Option<OracleValue> {
        self.oracle.value_of_event(self.by?, self.person, event)
    }

    /// Returns whether the steps from index `step` on can be assigned after `previous`, the event of the step before.
    fn is_assignable(&self, step: usize, previous: Option<&Event>, value: Option<&OracleValue>) -> bool {
        let Some(current) = self.steps.get(step) else {
            return previous.is_some_and(|last| !self.has_forbidden_event(step - 1, last, i64::MAX, value));
        };
        self.matching(&current.events).into_iter().any(|event| {
            let own = self.shared_value(event);
            if self.by.is_some() && (own.is_none() || value.is_some_and(|value| own.as_ref() != Some(value))) {
                return false;
            }
            previous.is_none_or(|previous| {
                let gap = event.time - previous.time;
                gap > 0
                    && current.after.is_none_or(|after| gap >= after as i64)
                    && current.within.is_none_or(|within| gap <= within as i64)
                    && !self.has_forbidden_event(step - 1, previous, event.time, value)
            }) && self.is_assignable(step + 1, Some(event), own.as_ref())
        })
    }

    /// Returns whether an event that a step forbids lies strictly between the event of that step and `until`.
    fn has_forbidden_event(&self, step: usize, after: &Event, until: i64, value: Option<&OracleValue>) -> bool {
        self.matching(&self.steps[step].without).into_iter().any(|event| {
            let shares_value = self.by.is_none() || self.shared_value(event).as_ref() == value;
            shares_value && after.time < event.time && event.time < until
        })
    }
}
