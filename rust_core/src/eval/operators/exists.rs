//! Whether a block's people have some event of a type in a window, from their first and last days where these tell.

use std::ops::RangeInclusive;

use crate::error::Result;
use crate::eval::kernels::bits::Bits;
use crate::eval::kernels::range_masks::mask;
use crate::eval::program::Scan;
use crate::eval::task::Task;
use crate::index::summaries::spans::{BlockSpans, NO_LAST, code_of, days_of};
use crate::index::view::{Events, day_of};

/// `None` where only the events themselves tell: there is a filter, or the window has events before and after it.
pub fn exists(task: Task, scan: &Scan) -> Result<Option<Bits>> {
    let mut found = Bits::none(task.people());
    for (event_type, filter) in &scan.steps {
        if filter.is_some() {
            return Ok(None);
        }
        if let Some(events) = task.partition.events.get(event_type) {
            let Some(of_type) = of_type(events, task, scan.from, scan.to)? else {
                return Ok(None);
            };
            found = found.or(&of_type);
        }
    }
    Ok(Some(found))
}

fn of_type(events: &Events, task: Task, from: i64, to: i64) -> Result<Option<Bits>> {
    let len = task.people();
    let Some(span) = events.spans.of_block(task.block()) else {
        return Ok(Some(Bits::none(len)));
    };
    if from >= to || to <= span.from || span.to < from {
        return Ok(Some(Bits::none(len)));
    }
    Ok(match (from <= span.from, span.to < to) {
        (true, true) => Some(lasting(span, task, |last| last != NO_LAST)),
        (false, true) => {
            let code = code_of(day_of(from));
            let edge = lasting(span, task, |last| last == code);
            let on_edge = exact(events, task, &edge, days_of(code), |time| from <= time)?;
            Some(lasting(span, task, |last| last > code).or(&on_edge))
        }
        (true, false) => {
            let code = code_of(day_of(to - 1));
            let edge = beginning(span, task, |first| first == code);
            let on_edge = exact(events, task, &edge, days_of(code), |time| time < to)?;
            Some(beginning(span, task, |first| first < code).or(&on_edge))
        }
        (false, false) => None,
    })
}

/// Of those who are asked the ones for whose last day it holds.
fn lasting(span: &BlockSpans, task: Task, holds: impl Fn(u16) -> bool + Copy) -> Bits {
    let (days, changed) = span.days();
    let changed = changed.iter().map(|changed| (changed.row, changed.last));
    match task.chosen {
        None => holding(&days.lasts, changed, task.people(), holds),
        Some(rows) => Bits::from_fn(rows.len(), |asked| holds(span.of_row(rows[asked].into()).1)),
    }
}

/// The same of the first day.
fn beginning(span: &BlockSpans, task: Task, holds: impl Fn(u16) -> bool + Copy) -> Bits {
    let (days, changed) = span.days();
    let changed = changed.iter().map(|changed| (changed.row, changed.first));
    match task.chosen {
        None => holding(&days.firsts, changed, task.people(), holds),
        Some(rows) => Bits::from_fn(rows.len(), |asked| holds(span.of_row(rows[asked].into()).0)),
    }
}

fn holding(
    days: &[u16],
    changed: impl Iterator<Item = (u16, u16)>,
    len: usize,
    holds: impl Fn(u16) -> bool + Copy,
) -> Bits {
    // By value: behind a reference it would not become part of the loop.
    let mut found = mask(&days[..len.min(days.len())], len, holds);
    for (row, day) in changed {
        match holds(day) {
            true => found.set(row.into()),
            false => found.clear(row.into()),
        }
    }
    found
}

/// Those of the candidates with an event on these days for which it holds.
fn exact(
    events: &Events,
    task: Task,
    candidates: &Bits,
    days: RangeInclusive<i32>,
    holds: impl Fn(i64) -> bool,
) -> Result<Bits> {
    let mut found = Bits::none(candidates.len());
    if candidates.is_none() {
        return Ok(found);
    }
    for run in &events.runs {
        for cell in run.cells_of(task.block(), days.clone()) {
            run.check()?;
            let start = run.start_of(cell);
            let mut meet = |person: usize, row: usize| {
                if holds(start + i64::from(run.times[row])) {
                    found.set(person);
                }
            };
            match task.chosen {
                None => run
                    .rows_of(cell..cell + 1)
                    .map(|row| (usize::from(run.persons[row]), row))
                    .filter(|&(person, _)| candidates.get(person))
                    .for_each(|(person, row)| meet(person, row)),
                Some(rows) => candidates.each(|asked| run.rows_in(cell, rows[asked]).for_each(|row| meet(asked, row))),
            }
        }
    }
    Ok(found)
}
