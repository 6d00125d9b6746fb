//! Selects the events of a person that a plan reads, and aggregates them.

use super::aggregate::aggregate;
use super::{Oracle, OracleValue, Row};
use crate::eval::tests::world::{Event, Person};
use crate::plan::{EventFilter, EventQuery, Expr, Function, Moment};

impl Oracle<'_> {
    /// Returns the events of a query in order of (occurred_at, source, id).
    pub fn events<'p>(&self, query: &EventQuery, person: &'p Person) -> Vec<&'p Event> {
        self.matching(&query.steps, self.window(query.from, query.to), person)
    }

    /// Returns the bounds of a window as instants.
    pub fn window(&self, from: Option<Moment>, to: Moment) -> (Option<i64>, i64) {
        let resolve = |moment: Moment| moment.resolve(self.plan_as_of);
        (from.map(resolve), resolve(to))
    }

    /// Returns the events in a window that match one of the filters, in order of (occurred_at, source, id).
    pub fn matching<'p>(
        &self,
        filters: &[EventFilter],
        (from, to): (Option<i64>, i64),
        person: &'p Person,
    ) -> Vec<&'p Event> {
        let matches = |event: &&Event| {
            let filter = filters.iter().find(|filter| filter.event_type == event.kind);
            from.is_none_or(|from| from <= event.time)
                && event.time < to
                && filter.is_some_and(|filter| {
                    let row = Row::of_event(person, event);
                    let condition = filter.filter.as_ref();
                    condition.is_none_or(|condition| self.cond(condition, row) == Some(true))
                })
        };
        let mut events: Vec<&Event> = person.events.iter().filter(matches).collect();
        events.sort_by(|a, b| (a.time, a.source, &a.id).cmp(&(b.time, b.source, &b.id)));
        events
    }

    /// Aggregates the known values of the events of a query; without an expression, the value of an event is its time.
    pub(super) fn aggregate(
        &self,
        function: Function,
        query: &EventQuery,
        value: Option<&Expr>,
        day_starts: Option<&[i64]>,
        person: &Person,
    ) -> Option<OracleValue> {
        let time_and_value = |event: &Event| match value {
            Some(value) => Some((event.time, self.value_of_event(value, person, event)?)),
            None => Some((event.time, OracleValue::Int(event.time))),
        };
        let events = self.events(query, person).into_iter();
        let known: Vec<(i64, OracleValue)> = events.filter_map(time_and_value).collect();
        aggregate(function, &known, day_starts)
    }
}
