//! The events of one person on which a condition rests.

mod assignment;
mod event_sets;
mod found_event;

pub use found_event::Event;

use assignment::assign;
use event_sets::{EventReads, read_of};
use found_event::FoundEvent;

use super::asked_people::AskedPeople;
use super::bind::Binder;
use super::blocks::over_blocks;
use super::evaluator::Evaluator;
use super::limits::Limits;
use super::people::People;
use crate::error::Result;
use crate::index::view::Version;
use crate::plan::Plan;

/// What a root of a plan rests on, of one person. The root's population does not matter.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Witnesses {
    /// How many events count for some count, aggregate or recency of the condition.
    pub count: usize,
    /// The newest of them, newest first.
    pub newest: Vec<Event>,
    pub oldest: Option<Event>,
    /// One for each sequence of the condition, in its order.
    pub sequences: Vec<Assignment>,
}

/// Events that fit the first steps of a sequence.
#[derive(Clone, Debug, PartialEq)]
pub struct Assignment {
    /// How many of the first steps fit; where it is not all of them, what is forbidden after the last one is allowed.
    pub steps: usize,
    /// One event a step, oldest first. Empty where only events older than the newest `MOST_TRIED` of a step fit.
    pub events: Vec<Event>,
}

/// Root by root: the events that its condition counts, of which up to `newest` are given. Segments, earlier instants, populations and
/// tiers of tags inside the condition are left out. Nothing of who is not in the universe.
///
/// `Error::Invalid` names the node of the plan that is wrong; `Error::OverBudget` and `Error::Cancelled` beyond the limits.
pub fn witnesses(
    version: &Version,
    plan: &[u8],
    person: u64,
    newest: usize,
    limits: &Limits,
) -> Result<Vec<Witnesses>> {
    let plan = Plan::parse(plan)?;
    let mut binder = Binder::new(version, plan.as_of);
    let roots = plan.roots.iter().enumerate();
    let reads = roots.map(|(index, root)| read_of(&mut binder, root, index));
    let reads: Vec<EventReads> = reads.collect::<Result<_>>()?;
    let program = binder.program;
    let asked = AskedPeople::of(version, &[person]);
    let mut found = over_blocks(version, &program, asked.blocks(), limits, |_, people| {
        // One person is asked, so there is one row.
        if !people.scope.universe.get(0) {
            return Ok(None);
        }
        let of_root = |reads| of_root(&people, reads, newest);
        reads.iter().map(of_root).collect::<Result<Vec<_>>>().map(Some)
    })?;
    let nothing = || reads.iter().map(|_| Witnesses::default()).collect();
    Ok(found.pop().flatten().unwrap_or_else(nothing))
}

fn of_root<'a>(people: &Evaluator<'a, People<'a>>, reads: &EventReads, newest: usize) -> Result<Witnesses> {
    let mut counted: Vec<FoundEvent> = Vec::new();
    for set in &reads.sets {
        counted.extend(set.events(people)?);
    }
    counted.sort_unstable_by(|a, b| b.place().cmp(&a.place()));
    counted.dedup_by(|a, b| a.place() == b.place());
    let version = people.query.version;
    let event = |found: &FoundEvent| found.event(version);
    let assignments = reads.sequences.iter().map(|&sequence| assign(people, sequence));
    Ok(Witnesses {
        count: counted.len(),
        newest: counted.iter().take(newest).map(event).collect(),
        oldest: counted.last().map(event),
        sequences: assignments.collect::<Result<_>>()?,
    })
}
