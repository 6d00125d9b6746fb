//! Whether a block's people have some event of a type in a window, from their first and last days where these tell.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use super::bits::Bits;
use super::kernel::mask;
use super::program::Scan;
use super::task::Task;
use crate::error::Result;
use crate::index::spans::{NO_FIRST, NO_LAST, code_of, days_of};
use crate::index::view::{Events, day_of};

/// `None` where only the events themselves tell: there is a filter, or the window has events before and after it.
pub fn some(task: Task, scan: &Scan) -> Result<Option<Bits>> {
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
    let (firsts, lasts) = (asked(&span.firsts, task, NO_FIRST), asked(&span.lasts, task, NO_LAST));
    Ok(match (from <= span.from, span.to < to) {
        (true, true) => Some(mask(&lasts, len, |last| last != NO_LAST)),
        (false, true) => {
            let code = code_of(day_of(from));
            let edge = mask(&lasts, len, |last| last == code);
            let on_edge = exact(events, task, &edge, days_of(code), |time| from <= time)?;
            Some(mask(&lasts, len, |last| last > code).or(&on_edge))
        }
        (true, false) => {
            let code = code_of(day_of(to - 1));
            let edge = mask(&firsts, len, |first| first == code);
            let on_edge = exact(events, task, &edge, days_of(code), |time| time < to)?;
            Some(mask(&firsts, len, |first| first < code).or(&on_edge))
        }
        (false, false) => None,
    })
}

/// The days of those who are asked, as far as the block has any.
fn asked<'a>(days: &'a [u16], task: Task, none: u16) -> Cow<'a, [u16]> {
    match task.chosen {
        None => days[..task.people().min(days.len())].into(),
        Some(rows) => rows
            .iter()
            .map(|&row| *days.get(usize::from(row)).unwrap_or(&none))
            .collect(),
    }
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
