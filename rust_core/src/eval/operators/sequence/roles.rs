//! Assigns the events of a block to the roles of a sequence.

use std::borrow::Cow;

use crate::error::Result;
use crate::eval::evaluator::{Evaluator, Scope};
use crate::eval::kernels::bits::Bits;
use crate::eval::kernels::interner::Interner;
use crate::eval::operators::batch::{Batch, batches_in_window};
use crate::eval::operators::scan::EventRows;
use crate::eval::program::{Role, Sequence};
use crate::eval::task::Task;

/// A batch and the events that can have each role.
pub struct RoleBatch<'a> {
    event_type: &'a str,
    batch: Batch<'a>,
    roles: Vec<(Role, Option<Bits>)>,
    /// The interned value of each row, if the events of the sequence must share a value.
    values: Option<Vec<u32>>,
}

/// Returns the batches of events in `from..to`, a role of the window of the sequence.
pub fn assign_roles<'a, P: Scope<'a>>(
    people: &Evaluator<'a, P>,
    task: Task<'a>,
    sequence: &'a Sequence,
    from: i64,
    to: i64,
) -> Result<Vec<RoleBatch<'a>>> {
    let mut numbers = Interner::default();
    let mut role_batches = Vec::new();
    for (event_type, roles) in &sequence.types {
        let Some(events) = task.partition.events.get(event_type) else {
            continue;
        };
        for batch in batches_in_window(events, &events.runs, task, from, to)? {
            people
                .touched
                .add(batch.len(), batch.len() * (size_of::<u16>() + size_of::<u32>()));
            let eval = EventRows::of(people, event_type, &batch);
            let value = sequence.by.map(|by| eval.expr(by)).transpose()?;
            let roles = roles.iter().map(|&(role, filter)| {
                let fitting = eval.matching(filter, from, to)?;
                // An event without the value has no role.
                let known = value.as_ref().map(|value| &value.known);
                let both = match (fitting, known) {
                    (Some(fitting), Some(known)) => Some(fitting.and(known)),
                    (fitting, known) => fitting.or_else(|| known.cloned()),
                };
                Ok((role, both))
            });
            let roles = roles.collect::<Result<_>>()?;
            let values = value
                .map(|value| numbers.intern_column(&value).map(Cow::into_owned))
                .transpose()?;
            role_batches.push(RoleBatch {
                event_type,
                batch,
                roles,
                values,
            });
        }
    }
    Ok(role_batches)
}

/// Returns the number of events.
pub fn count_events(role_batches: &[RoleBatch]) -> usize {
    role_batches.iter().map(|role_batch| role_batch.batch.len()).sum()
}

/// Returns the batches with events that can have the role, and the mask of these events.
fn with_role<'c, 'a>(
    role_batches: &'c [RoleBatch<'a>],
    wanted: Role,
) -> impl Iterator<Item = (&'c RoleBatch<'a>, Option<&'c Bits>)> {
    role_batches.iter().flat_map(move |role_batch| {
        let roles = role_batch.roles.iter().filter(move |(role, _)| *role == wanted);
        roles.map(move |(_, mask)| (role_batch, mask.as_ref()))
    })
}

/// Calls `call` with the person of each event that can have the role.
#[inline]
pub fn each_person(role_batches: &[RoleBatch], role: Role, mut call: impl FnMut(usize)) {
    for (role_batch, mask) in with_role(role_batches, role) {
        role_batch.batch.each(mask, |_, person| call(person));
    }
}

/// Calls `call` with (person, time, interned value) of each event that can have the role.
#[inline]
pub fn each(role_batches: &[RoleBatch], role: Role, mut call: impl FnMut(usize, i64, u32)) {
    for (role_batch, mask) in with_role(role_batches, role) {
        match role_batch.values.as_deref() {
            None => role_batch
                .batch
                .for_each_with_time(mask, |_, person, time| call(person, time, 0)),
            Some(values) => role_batch
                .batch
                .for_each_with_time(mask, |row, person, time| call(person, time, values[row])),
        }
    }
}

/// Calls `call` with (batch, row, time, event type, interned value) of each event that can have the role.
pub fn each_event<'a>(
    role_batches: &[RoleBatch<'a>],
    role: Role,
    mut call: impl FnMut(&Batch<'a>, usize, i64, &'a str, u32),
) {
    for (role_batch, mask) in with_role(role_batches, role) {
        let RoleBatch {
            event_type,
            batch,
            values,
            ..
        } = role_batch;
        batch.for_each_with_time(mask, |row, _, time| {
            let value = values.as_ref().map_or(0, |values| values[row]);
            call(batch, row, time, event_type, value);
        });
    }
}
