//! Which of a block's events may play which part of a sequence.

use std::borrow::Cow;

use crate::error::Result;
use crate::eval::evaluator::{Evaluator, Scope};
use crate::eval::kernels::bits::Bits;
use crate::eval::kernels::interner::Interner;
use crate::eval::operators::batch::{Batch, batches};
use crate::eval::operators::scan::EventRows;
use crate::eval::program::{Part, Sequence};
use crate::eval::task::Task;

/// A batch, and which of its events may play which part.
pub struct RoleBatch<'a> {
    event_type: &'a str,
    batch: Batch<'a>,
    parts: Vec<(Part, Option<Bits>)>,
    /// By row, where the events of a sequence have a value in common: equal values have equal numbers.
    values: Option<Vec<u32>>,
}

/// Of events in a part of the sequence's window.
pub fn assign_roles<'a, P: Scope<'a>>(
    people: &Evaluator<'a, P>,
    task: Task<'a>,
    sequence: &'a Sequence,
    from: i64,
    to: i64,
) -> Result<Vec<RoleBatch<'a>>> {
    let mut numbers = Interner::default();
    let mut role_batches = Vec::new();
    for (event_type, parts) in &sequence.types {
        let Some(events) = task.partition.events.get(event_type) else {
            continue;
        };
        for batch in batches(events, &events.runs, task, from, to)? {
            people
                .touched
                .add(batch.len(), batch.len() * (size_of::<u16>() + size_of::<u32>()));
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
            let values = value.map(|value| numbers.of(&value).map(Cow::into_owned)).transpose()?;
            role_batches.push(RoleBatch {
                event_type,
                batch,
                parts,
                values,
            });
        }
    }
    Ok(role_batches)
}

/// How many events there are, whatever part they play.
pub fn events(role_batches: &[RoleBatch]) -> usize {
    role_batches.iter().map(|role_batch| role_batch.batch.len()).sum()
}

/// The batches with events that may play the part, and which.
fn playing<'c, 'a>(
    role_batches: &'c [RoleBatch<'a>],
    wanted: Part,
) -> impl Iterator<Item = (&'c RoleBatch<'a>, Option<&'c Bits>)> {
    role_batches.iter().flat_map(move |role_batch| {
        let parts = role_batch.parts.iter().filter(move |(part, _)| *part == wanted);
        parts.map(move |(_, mask)| (role_batch, mask.as_ref()))
    })
}

/// Calls with the person of every event that may play the part.
#[inline]
pub fn each_person(role_batches: &[RoleBatch], part: Part, mut call: impl FnMut(usize)) {
    for (role_batch, mask) in playing(role_batches, part) {
        role_batch.batch.each(mask, |_, person| call(person));
    }
}

/// Calls with (person, time, number of the value) of every event that may play the part.
#[inline]
pub fn each(role_batches: &[RoleBatch], part: Part, mut call: impl FnMut(usize, i64, u32)) {
    for (role_batch, mask) in playing(role_batches, part) {
        match role_batch.values.as_deref() {
            None => role_batch
                .batch
                .each_time(mask, |_, person, time| call(person, time, 0)),
            Some(values) => role_batch
                .batch
                .each_time(mask, |row, person, time| call(person, time, values[row])),
        }
    }
}

/// Calls with (batch, row there, time, event type, number of the value) of every event that may play the part.
pub fn each_event<'a>(
    role_batches: &[RoleBatch<'a>],
    part: Part,
    mut call: impl FnMut(&Batch<'a>, usize, i64, &'a str, u32),
) {
    for (role_batch, mask) in playing(role_batches, part) {
        let RoleBatch {
            event_type,
            batch,
            values,
            ..
        } = role_batch;
        batch.each_time(mask, |row, _, time| {
            let value = values.as_ref().map_or(0, |values| values[row]);
            call(batch, row, time, event_type, value);
        });
    }
}
