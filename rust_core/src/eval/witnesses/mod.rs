//! Finds the events of one person that a condition depends on.

mod assignment;
mod event_sets;
mod found_event;

pub use found_event::Event;

use assignment::assign;
use event_sets::{EventReads, bind_event_reads};
use found_event::FoundEvent;

use super::bind::Binder;
use super::blocks::for_each_block;
use super::evaluator::Evaluator;
use super::limits::Limits;
use super::people::People;
use super::requested_people::RequestedPeople;
use crate::error::Result;
use crate::index::view::Version;
use crate::plan::Plan;

/// The events of one person that a root depends on. The population of the root is ignored.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Witnesses {
    /// The number of events that a count, aggregate or recency of the condition reads.
    pub count: usize,
    /// The newest of them, newest first.
    pub newest: Vec<Event>,
    pub oldest: Option<Event>,
    /// One assignment for each sequence of the condition, in order.
    pub sequences: Vec<Assignment>,
}

/// Events that match the first steps of a sequence.
#[derive(Clone, Debug, PartialEq)]
pub struct Assignment {
    /// The number of first steps that match. If not all match, events that are forbidden after the last one are allowed.
    pub steps: usize,
    /// One event for each step, oldest first. Empty if only events older than the newest `MAX_CANDIDATES` of a step match.
    pub events: Vec<Event>,
}

/// Returns, for each root, the events that its condition reads, the newest `newest` of them in full.
///
/// Ignores segments, earlier instants, populations and tiers of tags inside the condition. Returns no events if the person is not in
/// the universe. Returns `Error::Invalid` with the path of a wrong node, and `Error::OverBudget` or `Error::Cancelled` beyond the limits.
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
    let reads = roots.map(|(index, root)| bind_event_reads(&mut binder, root, index));
    let reads: Vec<EventReads> = reads.collect::<Result<_>>()?;
    let program = binder.program;
    let requested = RequestedPeople::of(version, &[person]);
    let mut found = for_each_block(version, &program, requested.blocks(), limits, |_, people| {
        // One person is requested, so there is one row.
        if !people.scope.universe.get(0) {
            return Ok(None);
        }
        let witnesses_of_root = |reads| witnesses_of_root(&people, reads, newest);
        reads
            .iter()
            .map(witnesses_of_root)
            .collect::<Result<Vec<_>>>()
            .map(Some)
    })?;
    let nothing = || reads.iter().map(|_| Witnesses::default()).collect();
    Ok(found.pop().flatten().unwrap_or_else(nothing))
}

fn witnesses_of_root<'a>(people: &Evaluator<'a, People<'a>>, reads: &EventReads, newest: usize) -> Result<Witnesses> {
    let mut counted: Vec<FoundEvent> = Vec::new();
    for set in &reads.sets {
        counted.extend(set.events(people)?);
    }
    counted.sort_unstable_by(|a, b| b.key().cmp(&a.key()));
    counted.dedup_by(|a, b| a.key() == b.key());
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
