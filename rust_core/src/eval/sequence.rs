//! Sequences: a block's people for whom some choice of events fits all steps. Only the events of those are gathered who have an
//! event of every step.

use std::rc::Rc;

use super::batch::{Batch, batches};
use super::bits::Bits;
use super::chain::{Moment, fits};
use super::chosen::{Key, Keys};
use super::column::Column;
use super::groups::Groups;
use super::people::People;
use super::program::{Gap, Part, Sequence};
use super::scan::EventRows;
use super::vector::Eval;
use crate::error::Result;

pub fn sequence<'a>(people: &Eval<'a, People<'a>>, sequence: &'a Sequence) -> Result<Bits> {
    let casts = cast(people, sequence)?;
    let able = able(&casts, sequence, people.rows());
    if able.is_none() {
        return Ok(able);
    }
    match sequence.gaps.as_slice() {
        [gap] if sequence.is_plain() => Ok(funnel(&casts, &able, *gap)),
        gaps => chained(&casts, &able, gaps),
    }
}

/// A batch, and which of its events may play which part.
struct Cast<'a> {
    batch: Batch<'a>,
    parts: Vec<(Part, Option<Bits>)>,
    /// What all events of a sequence have in common.
    value: Option<Rc<Column<'a>>>,
}

fn cast<'a>(people: &Eval<'a, People<'a>>, sequence: &'a Sequence) -> Result<Vec<Cast<'a>>> {
    let task = people.scope.task;
    let mut casts = Vec::new();
    for (event_type, parts) in &sequence.types {
        let Some(events) = task.partition.events.get(event_type) else {
            continue;
        };
        for batch in batches(events, task.ordinals(), sequence.from, sequence.to) {
            let eval = EventRows::of(people, event_type, &batch);
            let value = sequence.by.map(|by| eval.expr(by)).transpose()?;
            let parts = parts.iter().map(|&(part, filter)| {
                let fitting = eval.fitting(filter, sequence.from, sequence.to)?;
                // An event without the value plays no part.
                let known = value.as_ref().map(|value| &value.known);
                let both = match (fitting, known) {
                    (Some(fitting), Some(known)) => Some(fitting.and(known)),
                    (fitting, known) => fitting.or_else(|| known.cloned()),
                };
                Ok((part, both))
            });
            let parts = parts.collect::<Result<_>>()?;
            drop(eval);
            casts.push(Cast { batch, parts, value });
        }
    }
    Ok(casts)
}

impl Cast<'_> {
    fn playing(&self, wanted: Part) -> impl Iterator<Item = Option<&Bits>> {
        let parts = self.parts.iter().filter(move |(part, _)| *part == wanted);
        parts.map(|(_, mask)| mask.as_ref())
    }
}

/// Calls with (person, time) of every event that may play the part.
fn each(casts: &[Cast], part: Part, mut call: impl FnMut(usize, i64)) {
    for cast in casts {
        for mask in cast.playing(part) {
            cast.batch
                .each(mask, |_, person, run, row| call(person, run.times[row]));
        }
    }
}

/// The people with an event of every step.
fn able(casts: &[Cast], sequence: &Sequence, people: usize) -> Bits {
    let mut able = Bits::all(people);
    for step in 0..=sequence.gaps.len() {
        let mut has = Bits::none(people);
        each(casts, Part::Step(step as u8), |person, _| has.set(person));
        able = able.and(&has);
    }
    able
}

/// Two steps and nothing else: of the first ones that are early enough the latest serves if any does.
fn funnel(casts: &[Cast], able: &Bits, gap: Gap) -> Bits {
    let mut firsts: Vec<(u32, i64)> = Vec::new();
    each(casts, Part::Step(0), |person, time| {
        if able.get(person) {
            firsts.push((person as u32, time));
        }
    });
    let mut firsts = Groups::of(&firsts, able.len());
    firsts.each(|_, times| times.sort_unstable());
    let mut happened = Bits::none(able.len());
    each(casts, Part::Step(1), |person, time| {
        let early = firsts.of_person(person);
        let early = &early[..early.partition_point(|&first| gap.leaves(first, time))];
        if early.last().is_some_and(|&first| gap.reaches(first, time)) {
            happened.set(person);
        }
    });
    happened
}

/// Any sequence, person by person.
fn chained(casts: &[Cast], able: &Bits, gaps: &[Gap]) -> Result<Bits> {
    let mut values = Keys::default();
    let mut moments: Vec<(u32, Moment)> = Vec::new();
    for cast in casts {
        for &(part, ref mask) in &cast.parts {
            let mut take = |person: u32, value: Key, time: i64| {
                if able.get(person as usize) {
                    moments.push((person, Moment { value, part, time }));
                }
            };
            let (batch, mask) = (&cast.batch, mask.as_ref());
            match &cast.value {
                None => batch.each(mask, |_, person, run, row| {
                    take(person as u32, Key::Whole(0), run.times[row])
                }),
                Some(value) => values.each(batch, mask, value, |row, person, value| {
                    let (run, row) = batch.event(row);
                    take(person, value, run.times[row]);
                })?,
            }
        }
    }
    let mut happened = Bits::none(able.len());
    Groups::of(&moments, able.len()).each(|person, moments| {
        if fits(gaps, moments) {
            happened.set(person);
        }
    });
    Ok(happened)
}
