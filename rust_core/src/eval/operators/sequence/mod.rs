//! Sequences: a block's people for whom some choice of events fits all steps. Only the events of those are gathered who have an
//! event of every step.

pub mod chain;
pub mod funnel;
pub mod roles;

use crate::error::Result;
use crate::eval::evaluator::{Evaluator, Scope};
use crate::eval::kernels::bits::Bits;
use crate::eval::kernels::groups::Filing;
use crate::eval::program::{Part, Sequence};
use crate::eval::task::Task;
use chain::{Chain, Moment};
use funnel::funnel;
use roles::{RoleBatch, assign_roles, each, each_person, events};

pub fn sequence<'a, P: Scope<'a>>(people: &Evaluator<'a, P>, task: Task<'a>, sequence: &'a Sequence) -> Result<Bits> {
    if let Some(gap) = sequence.plain_gap() {
        return funnel(people, task, sequence, gap);
    }
    let role_batches = assign_roles(people, task, sequence, sequence.from, sequence.to)?;
    // Of an event its value, its time and, where it is gathered, its moment.
    people
        .scope
        .hold(events(&role_batches) * (size_of::<u32>() + size_of::<i64>() + size_of::<Moment>()))?;
    let able = able(&role_batches, sequence, people.rows());
    Ok(if able.is_none() {
        able
    } else {
        chained(&role_batches, &able, sequence)
    })
}

/// The people with an event of every step.
fn able(role_batches: &[RoleBatch], sequence: &Sequence, people: usize) -> Bits {
    let mut able = Bits::all(people);
    for step in 0..=sequence.gaps.len() {
        let mut has = Bits::none(people);
        each_person(role_batches, Part::Step(step as u8), |person| has.set(person));
        able = able.and(&has);
    }
    able
}

/// How many events of these parts each of those people has.
fn counts(role_batches: &[RoleBatch], able: &Bits, parts: impl IntoIterator<Item = Part>) -> Vec<u32> {
    let mut counts = vec![0; able.len()];
    for part in parts {
        each_person(role_batches, part, |person| {
            counts[person] += u32::from(able.get(person))
        });
    }
    counts
}

/// Any sequence, person by person.
fn chained(role_batches: &[RoleBatch], able: &Bits, sequence: &Sequence) -> Bits {
    let parts = sequence.parts();
    let counts = counts(role_batches, able, parts.iter().copied());
    let nothing = Moment {
        value: 0,
        part: Part::Step(0),
        time: 0,
    };
    let mut moments = Filing::new(counts, nothing);
    for &part in &parts {
        each(role_batches, part, |person, time, value| {
            if able.get(person) {
                moments.put(person, Moment { value, part, time });
            }
        });
    }
    let mut happened = Bits::none(able.len());
    let mut chain = Chain::default();
    moments.done().each(|person, moments| {
        if chain.fits(&sequence.gaps, moments) {
            happened.set(person);
        }
    });
    happened
}
