//! Selects the events of a person that a plan reads, and aggregates them.

use super::aggregate::aggregate;
use super::{Naive, Row, V};
use crate::eval::tests::world::{Event, Person};
use crate::plan::{EventFilter, EventQuery, Expr, Function, Moment};

impl Naive<'_> {
    pub fn events<'p>(&self, events: &EventQuery, person: &'p Person) -> Vec<&'p Event> {
        self.matching(&events.steps, self.window(events.from, events.to), person)
    }

    pub fn window(&self, from: Option<Moment>, to: Moment) -> (Option<i64>, i64) {
        let resolve = |moment: Moment| moment.resolve(self.asked_at);
        (from.map(resolve), resolve(to))
    }

    /// In order of (occurred_at, source, id).
    pub fn matching<'p>(
        &self,
        steps: &[EventFilter],
        (from, to): (Option<i64>, i64),
        person: &'p Person,
    ) -> Vec<&'p Event> {
        let fits = |event: &&Event| {
            let step = steps.iter().find(|step| step.event_type == event.kind);
            from.is_none_or(|from| from <= event.time)
                && event.time < to
                && step.is_some_and(|step| {
                    let row = Row {
                        person,
                        event: Some(event),
                    };
                    step.filter
                        .as_ref()
                        .is_none_or(|filter| self.cond(filter, row) == Some(true))
                })
        };
        let mut events: Vec<&Event> = person.events.iter().filter(fits).collect();
        events.sort_by(|a, b| (a.time, a.source, &a.id).cmp(&(b.time, b.source, &b.id)));
        events
    }

    pub fn aggregate(
        &self,
        function: Function,
        events: &EventQuery,
        value: Option<&Expr>,
        day_starts: Option<&[i64]>,
        person: &Person,
    ) -> Option<V> {
        let events = self.events(events, person);
        let read = |event: &&Event| match value {
            Some(value) => self
                .expr(
                    value,
                    Row {
                        person,
                        event: Some(event),
                    },
                )
                .map(|value| (event.time, value)),
            None => Some((event.time, V::Int(event.time))),
        };
        let known: Vec<(i64, V)> = events.iter().filter_map(read).collect();
        aggregate(function, &known, day_starts)
    }
}
