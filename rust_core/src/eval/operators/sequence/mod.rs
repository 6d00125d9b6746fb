//! Evaluates sequences: finds the people of a block with events that match all steps in order.
//!
//! Only the events of people with an event for each step are gathered.

pub mod chain;
pub mod funnel;
pub mod roles;

use crate::error::Result;
use crate::eval::evaluator::{Evaluator, Scope};
use crate::eval::kernels::bits::Bits;
use crate::eval::kernels::groups::GroupBuilder;
use crate::eval::program::{Role, Sequence};
use crate::eval::task::Task;
use chain::{Chain, RoleEvent};
use funnel::funnel;
use roles::{RoleBatch, assign_roles, count_events, each, each_person};

/// Returns the people for whom the sequence happened.
pub fn sequence<'a, P: Scope<'a>>(people: &Evaluator<'a, P>, task: Task<'a>, sequence: &'a Sequence) -> Result<Bits> {
    if let Some(gap) = sequence.plain_gap() {
        return funnel(people, task, sequence, gap);
    }
    let role_batches = assign_roles(people, task, sequence, sequence.from, sequence.to)?;
    // Each event has a value, a time and, if gathered, a `RoleEvent`.
    people
        .scope
        .reserve(count_events(&role_batches) * (size_of::<u32>() + size_of::<i64>() + size_of::<RoleEvent>()))?;
    let candidates = with_all_steps(&role_batches, sequence, people.rows());
    Ok(if candidates.is_none() {
        candidates
    } else {
        match_chains(&role_batches, &candidates, sequence)
    })
}

/// Returns the people with an event for each step.
fn with_all_steps(role_batches: &[RoleBatch], sequence: &Sequence, people: usize) -> Bits {
    let mut candidates = Bits::all(people);
    for step in 0..=sequence.gaps.len() {
        let mut has = Bits::none(people);
        each_person(role_batches, Role::Step(step as u8), |person| has.set(person));
        candidates = candidates.and(&has);
    }
    candidates
}

/// Counts the events of these roles of each candidate.
fn counts(role_batches: &[RoleBatch], candidates: &Bits, roles: impl IntoIterator<Item = Role>) -> Vec<u32> {
    let mut counts = vec![0; candidates.len()];
    for role in roles {
        each_person(role_batches, role, |person| {
            counts[person] += u32::from(candidates.get(person))
        });
    }
    counts
}

/// Evaluates any sequence, person by person.
fn match_chains(role_batches: &[RoleBatch], candidates: &Bits, sequence: &Sequence) -> Bits {
    let roles = sequence.roles();
    let counts = counts(role_batches, candidates, roles.iter().copied());
    let nothing = RoleEvent {
        value: 0,
        role: Role::Step(0),
        time: 0,
    };
    let mut events = GroupBuilder::new(counts, nothing);
    for &role in &roles {
        each(role_batches, role, |person, time, value| {
            if candidates.get(person) {
                events.put(person, RoleEvent { value, role, time });
            }
        });
    }
    let mut happened = Bits::none(candidates.len());
    let mut chain = Chain::default();
    events.finish().each(|person, events| {
        if chain.matches(&sequence.gaps, events) {
            happened.set(person);
        }
    });
    happened
}
