//! One choice of a person's events for the steps of a sequence, or for as many of its first steps as fit.

use std::collections::BTreeSet;

use super::Assignment;
use super::found_event::FoundEvent;
use crate::error::{Error, Result};
use crate::eval::evaluator::Evaluator;
use crate::eval::operators::sequence::chain::{Chain, Moment};
use crate::eval::operators::sequence::roles::{assign_roles, each_event};
use crate::eval::people::People;
use crate::eval::program::{Cond, CondId, Gap, Part, Sequence};

/// Events of a step that are tried, the newest.
pub const MOST_TRIED: usize = 20;

/// An event that may play a part.
#[derive(Clone, Copy)]
struct Candidate<'a> {
    event: FoundEvent<'a>,
    part: Part,
    /// The number of the value that all events of the sequence have in common.
    value: u32,
}

impl Candidate<'_> {
    fn time(&self) -> i64 {
        self.event.time()
    }
}

/// `id`: a sequence of the program.
pub fn assign<'a>(people: &Evaluator<'a, People<'a>>, id: CondId) -> Result<Assignment> {
    let Cond::Sequence(sequence) = &people.query.program.conds[id] else {
        return Err(Error::Invalid("a condition that is not a sequence has no steps".into()));
    };
    let candidates = Candidates::of(people, sequence)?;
    let steps = candidates.longest();
    let version = people.query.version;
    let chosen = candidates.choose(steps);
    Ok(Assignment {
        steps,
        events: chosen.iter().map(|one| one.event.event(version)).collect(),
    })
}

struct Candidates<'a> {
    /// Newest first. An event is one of them for each part that it may play.
    all: Vec<Candidate<'a>>,
    /// Between the steps.
    gaps: Vec<Gap>,
}

impl<'a> Candidates<'a> {
    fn of(people: &Evaluator<'a, People<'a>>, sequence: &'a Sequence) -> Result<Candidates<'a>> {
        let (query, task) = (people.query, people.scope.task);
        let roles = assign_roles(people, task, sequence, sequence.from, sequence.to)?;
        let parts: BTreeSet<Part> = sequence.parts();
        let mut all = Vec::new();
        for part in parts {
            each_event(&roles, part, |batch, row, time, event_type, value| {
                let event = FoundEvent::of(batch, row, time, event_type, query.version);
                all.push(Candidate { event, part, value });
            });
        }
        all.sort_unstable_by(|a, b| (b.event.place(), b.part).cmp(&(a.event.place(), a.part)));
        Ok(Candidates {
            all,
            gaps: sequence.gaps.clone(),
        })
    }

    fn playing(&self, part: Part) -> impl Iterator<Item = Candidate<'a>> {
        self.all.iter().copied().filter(move |one| one.part == part)
    }

    fn steps(&self) -> usize {
        self.gaps.len() + 1
    }

    /// How many of the first steps fit; what follows the last of them is not looked at, but for the whole sequence.
    fn longest(&self) -> usize {
        (1..=self.steps()).rev().find(|&size| self.fits(size)).unwrap_or(0)
    }

    fn fits(&self, size: usize) -> bool {
        let is_asked = |part: Part| match part {
            Part::Step(step) => usize::from(step) < size,
            Part::Without(step) => usize::from(step) + 1 < size || size == self.steps(),
        };
        let asked = self.all.iter().filter(|one| is_asked(one.part));
        let moments = asked.map(|one| Moment {
            value: one.value,
            part: one.part,
            time: one.time(),
        });
        Chain::default().fits(&self.gaps[..size.saturating_sub(1)], &mut moments.collect::<Vec<_>>())
    }

    /// Events for the first so many steps, oldest first: the newest first step that can go on, then each time the oldest event that can.
    fn choose(&self, size: usize) -> Vec<Candidate<'a>> {
        let Some(last) = size.checked_sub(1) else {
            return Vec::new();
        };
        let tried = |step: usize| self.playing(Part::Step(step as u8)).take(MOST_TRIED);
        // By event of the step that is looked at, newest first: the events from it to the last step, that one first.
        let ends = tried(last).filter(|one| size < self.steps() || !self.is_followed(one));
        let mut chains: Vec<Vec<Candidate>> = ends.map(|one| vec![one]).collect();
        for step in (0..last).rev() {
            let longer = tried(step).filter_map(|one| {
                let follows =
                    |chain: &&Vec<Candidate<'a>>| chain.last().is_some_and(|next| self.follow(step, &one, next));
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

    /// Whether `next` may be the step after `one`, which is that of the number `step`.
    fn follow(&self, step: usize, one: &Candidate, next: &Candidate) -> bool {
        let gap = self.gaps[step];
        let breaks = |other: Candidate| one.time() < other.time() && other.time() < next.time();
        one.value == next.value
            && gap.leaves(one.time(), next.time())
            && gap.reaches(one.time(), next.time())
            && !self.forbidden(step, one.value).any(breaks)
    }

    /// Whether an event that is forbidden after the last step comes after this one.
    fn is_followed(&self, one: &Candidate) -> bool {
        let mut forbidden = self.forbidden(self.gaps.len(), one.value);
        forbidden.any(|other| one.time() < other.time())
    }

    fn forbidden(&self, step: usize, value: u32) -> impl Iterator<Item = Candidate<'a>> {
        let forbidden = self.playing(Part::Without(step as u8));
        forbidden.filter(move |other| other.value == value)
    }
}
