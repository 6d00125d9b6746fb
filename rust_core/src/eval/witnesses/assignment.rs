//! Assigns events of a person to the steps of a sequence, or to as many first steps as match.

use std::collections::BTreeSet;

use super::Assignment;
use super::found_event::FoundEvent;
use crate::error::{Error, Result};
use crate::eval::evaluator::Evaluator;
use crate::eval::operators::sequence::chain::{Chain, RoleEvent};
use crate::eval::operators::sequence::roles::{assign_roles, each_event};
use crate::eval::people::People;
use crate::eval::program::{Cond, CondId, Gap, Role, Sequence};

/// The maximum number of events that are tried for each step; the newest are tried.
pub const MAX_CANDIDATES: usize = 20;

/// An event in one of its roles.
#[derive(Clone, Copy)]
struct Candidate<'a> {
    event: FoundEvent<'a>,
    role: Role,
    /// The interned value that all events of the sequence must share.
    value: u32,
}

impl Candidate<'_> {
    fn time(&self) -> i64 {
        self.event.time()
    }
}

/// Assigns events to the steps of the sequence `id` of the program.
pub fn assign<'a>(people: &Evaluator<'a, People<'a>>, id: CondId) -> Result<Assignment> {
    let Cond::Sequence(sequence) = &people.query.program.conds[id] else {
        return Err(Error::Invalid("a condition that is not a sequence has no steps".into()));
    };
    let candidates = Candidates::of(people, sequence)?;
    let steps = candidates.longest_prefix();
    let version = people.query.version;
    let chosen = candidates.choose(steps);
    Ok(Assignment {
        steps,
        events: chosen.iter().map(|one| one.event.event(version)).collect(),
    })
}

/// The events of a person that can be steps of a sequence, or that its steps forbid.
struct Candidates<'a> {
    /// Newest first. An event occurs once for each of its roles.
    all: Vec<Candidate<'a>>,
    /// The gaps between the steps.
    gaps: Vec<Gap>,
}

impl<'a> Candidates<'a> {
    fn of(people: &Evaluator<'a, People<'a>>, sequence: &'a Sequence) -> Result<Candidates<'a>> {
        let (query, task) = (people.query, people.scope.task);
        let role_batches = assign_roles(people, task, sequence, sequence.from, sequence.to)?;
        let roles: BTreeSet<Role> = sequence.roles();
        let mut all = Vec::new();
        for role in roles {
            each_event(&role_batches, role, |batch, row, time, event_type, value| {
                let event = FoundEvent::of(batch, row, time, event_type, query.version);
                all.push(Candidate { event, role, value });
            });
        }
        all.sort_unstable_by(|a, b| (b.event.key(), b.role).cmp(&(a.event.key(), a.role)));
        Ok(Candidates {
            all,
            gaps: sequence.gaps.clone(),
        })
    }

    fn with_role(&self, role: Role) -> impl Iterator<Item = Candidate<'a>> {
        self.all.iter().copied().filter(move |one| one.role == role)
    }

    fn steps(&self) -> usize {
        self.gaps.len() + 1
    }

    /// Returns how many first steps match. Events after the last of them matter only if all steps match.
    fn longest_prefix(&self) -> usize {
        (1..=self.steps()).rev().find(|&size| self.matches(size)).unwrap_or(0)
    }

    /// Returns whether the first `size` steps match.
    fn matches(&self, size: usize) -> bool {
        let is_relevant = |role: Role| match role {
            Role::Step(step) => usize::from(step) < size,
            Role::Without(step) => usize::from(step) + 1 < size || size == self.steps(),
        };
        let relevant = self.all.iter().filter(|one| is_relevant(one.role));
        let events = relevant.map(|one| RoleEvent {
            value: one.value,
            role: one.role,
            time: one.time(),
        });
        Chain::default().matches(&self.gaps[..size.saturating_sub(1)], &mut events.collect::<Vec<_>>())
    }

    /// Returns events for the first `size` steps, oldest first: the newest first step that can be continued, then the oldest next event each time.
    fn choose(&self, size: usize) -> Vec<Candidate<'a>> {
        let Some(last) = size.checked_sub(1) else {
            return Vec::new();
        };
        let tried = |step: usize| self.with_role(Role::Step(step as u8)).take(MAX_CANDIDATES);
        // For each event of the current step, newest first: the events from the last step back to it.
        let ends = tried(last).filter(|one| size < self.steps() || !self.is_followed(one));
        let mut chains: Vec<Vec<Candidate>> = ends.map(|one| vec![one]).collect();
        for step in (0..last).rev() {
            let longer = tried(step).filter_map(|one| {
                let follows =
                    |chain: &&Vec<Candidate<'a>>| chain.last().is_some_and(|next| self.follows(step, &one, next));
                let mut chain = chains.iter().rev().find(follows)?.clone();
                chain.push(one);
                Some(chain)
            });
            chains = longer.collect();
        }
        let mut chosen = chains.into_iter().next().unwrap_or_default();
        chosen.reverse();
        chosen
    }

    /// Returns whether `next` can be the step after `one`, which has the number `step`.
    fn follows(&self, step: usize, one: &Candidate, next: &Candidate) -> bool {
        let gap = self.gaps[step];
        let breaks = |other: Candidate| one.time() < other.time() && other.time() < next.time();
        one.value == next.value
            && gap.is_long_enough(one.time(), next.time())
            && gap.is_short_enough(one.time(), next.time())
            && !self.forbidden(step, one.value).any(breaks)
    }

    /// Returns whether an event that is forbidden after the last step follows this one.
    fn is_followed(&self, one: &Candidate) -> bool {
        let mut forbidden = self.forbidden(self.gaps.len(), one.value);
        forbidden.any(|other| one.time() < other.time())
    }

    fn forbidden(&self, step: usize, value: u32) -> impl Iterator<Item = Candidate<'a>> {
        let forbidden = self.with_role(Role::Without(step as u8));
        forbidden.filter(move |other| other.value == value)
    }
}
