//! Which of a block's events may play which part of a sequence.

use std::collections::HashMap;

use super::batch::{Batch, batches};
use super::bits::Bits;
use super::chosen::{Key, Keys};
use super::column::Column;
use super::program::{Part, Sequence};
use super::scan::EventRows;
use super::task::Task;
use super::vector::{Eval, Scope};
use crate::error::Result;

/// A batch, and which of its events may play which part.
pub struct Cast<'a> {
    batch: Batch<'a>,
    parts: Vec<(Part, Option<Bits>)>,
    /// By row, where the events of a sequence have a value in common: equal values have equal numbers.
    values: Option<Vec<u32>>,
}

/// Of events in a part of the sequence's window.
pub fn cast<'a, P: Scope<'a>>(
    people: &Eval<'a, P>,
    task: Task<'a>,
    sequence: &'a Sequence,
    from: i64,
    to: i64,
) -> Result<Vec<Cast<'a>>> {
    let mut numbers = Numbers::default();
    let mut casts = Vec::new();
    for (event_type, parts) in &sequence.types {
        let Some(events) = task.partition.events.get(event_type) else {
            continue;
        };
        for batch in batches(events, task.block(), from, to)? {
            let eval = EventRows::of(people, event_type, &batch);
            let value = sequence.by.map(|by| eval.expr(by)).transpose()?;
            let parts = parts.iter().map(|&(part, filter)| {
                let fitting = eval.fitting(filter, from, to)?;
                // An event without the value plays no part.
                let known = value.as_ref().map(|value| &value.known);
                let both = match (fitting, known) {
                    (Some(fitting), Some(known)) => Some(fitting.and(known)),
                    (fitting, known) => fitting.or_else(|| known.cloned()),
                };
                Ok((part, both))
            });
            let parts = parts.collect::<Result<_>>()?;
            let values = value.map(|value| numbers.of(&batch, &value)).transpose()?;
            casts.push(Cast { batch, parts, values });
        }
    }
    Ok(casts)
}

/// Numbers of values, the same in all batches.
#[derive(Default)]
struct Numbers {
    keys: Keys,
    numbers: HashMap<Key, u32>,
}

impl Numbers {
    fn of(&mut self, batch: &Batch, value: &Column) -> Result<Vec<u32>> {
        if let Ok(codes) = value.codes() {
            return Ok((0..batch.len()).map(|row| codes.get(row)).collect());
        }
        let mut rows = vec![0; batch.len()];
        self.keys.each(batch, None, value, |row, _, key| {
            let next = self.numbers.len() as u32;
            rows[row] = *self.numbers.entry(key).or_insert(next);
        })?;
        Ok(rows)
    }
}

/// The batches with events that may play the part, and which.
fn playing<'c, 'a>(casts: &'c [Cast<'a>], wanted: Part) -> impl Iterator<Item = (&'c Cast<'a>, Option<&'c Bits>)> {
    casts.iter().flat_map(move |cast| {
        let parts = cast.parts.iter().filter(move |(part, _)| *part == wanted);
        parts.map(move |(_, mask)| (cast, mask.as_ref()))
    })
}

/// Calls with the person of every event that may play the part.
#[inline]
pub fn each_person(casts: &[Cast], part: Part, mut call: impl FnMut(usize)) {
    for (cast, mask) in playing(casts, part) {
        cast.batch.each(mask, |_, person| call(person));
    }
}

/// Calls with (person, time, number of the value) of every event that may play the part.
#[inline]
pub fn each(casts: &[Cast], part: Part, mut call: impl FnMut(usize, i64, u32)) {
    for (cast, mask) in playing(casts, part) {
        let (times, values) = (cast.batch.times(), cast.values.as_deref());
        cast.batch.each(mask, |row, person| {
            call(person, times[row], values.map_or(0, |values| values[row]));
        });
    }
}
