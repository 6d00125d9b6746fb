//! Finds the people of a block with an event in a window from their first and last event days alone.

use std::ops::RangeInclusive;

use crate::error::Result;
use crate::eval::kernels::bits::Bits;
use crate::eval::kernels::range_masks::mask;
use crate::eval::program::Scan;
use crate::eval::task::Task;
use crate::index::summaries::spans::{BlockSpans, NO_LAST, code_of, days_of};
use crate::index::view::{Events, day_of};

/// Returns the people with an event of the scan.
///
/// Returns `None` if only the events can answer: there is a filter, or the block has events both before and after the window.
pub fn exists(task: Task, scan: &Scan) -> Result<Option<Bits>> {
    let mut found = Bits::none(task.people());
    for (event_type, filter) in &scan.steps {
        if filter.is_some() {
            return Ok(None);
        }
        if let Some(events) = task.partition.events.get(event_type) {
            let Some(matching) = with_event_of_type(events, task, scan.from, scan.to)? else {
                return Ok(None);
            };
            found = found.or(&matching);
        }
    }
    Ok(Some(found))
}

/// Returns the people with an event of one type from `from` up to but not including `to`.
fn with_event_of_type(events: &Events, task: Task, from: i64, to: i64) -> Result<Option<Bits>> {
    let len = task.people();
    let Some(span) = events.spans.of_block(task.block()) else {
        return Ok(Some(Bits::none(len)));
    };
    if from >= to || to <= span.from || span.to < from {
        return Ok(Some(Bits::none(len)));
    }
    Ok(match (from <= span.from, span.to < to) {
        (true, true) => Some(by_last_day(span, task, |last| last != NO_LAST)),
        (false, true) => {
            let code = code_of(day_of(from));
            let edge = by_last_day(span, task, |last| last == code);
            let on_edge = by_event_time(events, task, &edge, days_of(code), |time| from <= time)?;
            Some(by_last_day(span, task, |last| last > code).or(&on_edge))
        }
        (true, false) => {
            let code = code_of(day_of(to - 1));
            let edge = by_first_day(span, task, |first| first == code);
            let on_edge = by_event_time(events, task, &edge, days_of(code), |time| time < to)?;
            Some(by_first_day(span, task, |first| first < code).or(&on_edge))
        }
        (false, false) => None,
    })
}

/// Returns the people of the task whose last day satisfies the predicate.
fn by_last_day(span: &BlockSpans, task: Task, predicate: impl Fn(u16) -> bool + Copy) -> Bits {
    let (days, changed) = span.days();
    let changed = changed.iter().map(|changed| (changed.row, changed.last));
    match task.selected {
        None => by_day(&days.lasts, changed, task.people(), predicate),
        Some(rows) => Bits::from_fn(rows.len(), |position| predicate(span.of_row(rows[position].into()).1)),
    }
}

/// Returns the people of the task whose first day satisfies the predicate.
fn by_first_day(span: &BlockSpans, task: Task, predicate: impl Fn(u16) -> bool + Copy) -> Bits {
    let (days, changed) = span.days();
    let changed = changed.iter().map(|changed| (changed.row, changed.first));
    match task.selected {
        None => by_day(&days.firsts, changed, task.people(), predicate),
        Some(rows) => Bits::from_fn(rows.len(), |position| predicate(span.of_row(rows[position].into()).0)),
    }
}

/// Returns the rows whose day satisfies the predicate. `changed` overrides the days of some rows.
fn by_day(
    days: &[u16],
    changed: impl Iterator<Item = (u16, u16)>,
    len: usize,
    predicate: impl Fn(u16) -> bool + Copy,
) -> Bits {
    // The predicate is passed by value: behind a reference the compiler does not inline it into the loop.
    let mut found = mask(&days[..len.min(days.len())], len, predicate);
    for (row, day) in changed {
        match predicate(day) {
            true => found.set(row.into()),
            false => found.clear(row.into()),
        }
    }
    found
}

/// Returns the candidates with an event on these days whose time satisfies the predicate.
fn by_event_time(
    events: &Events,
    task: Task,
    candidates: &Bits,
    days: RangeInclusive<i32>,
    predicate: impl Fn(i64) -> bool,
) -> Result<Bits> {
    let mut found = Bits::none(candidates.len());
    if candidates.is_none() {
        return Ok(found);
    }
    for run in &events.runs {
        for cell in run.cells_of(task.block(), days.clone()) {
            run.check()?;
            let start = run.start_of(cell);
            let mut test = |person: usize, row: usize| {
                if predicate(start + i64::from(run.times[row])) {
                    found.set(person);
                }
            };
            match task.selected {
                None => run
                    .rows_of(cell..cell + 1)
                    .map(|row| (usize::from(run.persons[row]), row))
                    .filter(|&(person, _)| candidates.get(person))
                    .for_each(|(person, row)| test(person, row)),
                Some(rows) => {
                    candidates.each(|position| run.rows_in(cell, rows[position]).for_each(|row| test(position, row)))
                }
            }
        }
    }
    Ok(found)
}
