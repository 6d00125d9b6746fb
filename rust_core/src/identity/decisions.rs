//! What was decided of people by hand, and what came of it.

use hashbrown::HashMap;

use super::graph::{Arrival, Graph};
use crate::decision::{Decision, Kind};
use crate::frame::Change;

/// A decision, in force from its frame on.
#[derive(Clone, Debug, PartialEq)]
pub struct Decided {
    pub key: Box<str>,
    pub by: Box<str>,
    pub why: Box<str>,
    pub raw_offset: u64,
    /// When it arrived.
    pub at_ms: i64,
    pub outcome: Outcome,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It did not fit what was so by then, and changed nothing.
    Void,
    Erased {
        person: u32,
    },
}

/// All of them in order, each key once.
#[derive(Default)]
pub struct Decisions {
    all: Vec<Decided>,
    by_key: HashMap<Box<str>, u32>,
}

impl Decisions {
    pub fn all(&self) -> &[Decided] {
        &self.all
    }

    pub fn with_key(&self, key: &str) -> Option<&Decided> {
        self.by_key.get(key).map(|&at| &self.all[at as usize])
    }

    /// How many people were erased.
    pub fn erased(&self) -> u64 {
        let erased = |decided: &&Decided| matches!(decided.outcome, Outcome::Erased { .. });
        self.all.iter().filter(erased).count() as u64
    }

    /// One whose key there is not yet.
    pub fn push(&mut self, decided: Decided) {
        self.by_key.insert(decided.key.clone(), self.all.len() as u32);
        self.all.push(decided);
    }
}

impl Graph {
    /// Does what was decided and adds to `changes`. One whose key was decided before changes nothing.
    pub fn carry_out(&mut self, decision: &Decision, arrival: Arrival, changes: &mut Vec<Change>) {
        if self.decisions.with_key(decision.key).is_some() {
            return;
        }
        let outcome = match &decision.kind {
            Kind::Split { .. } => None,
            Kind::Erase { person } => self.erase(*person, arrival, changes),
        };
        self.decisions.push(Decided {
            key: decision.key.into(),
            by: decision.by.into(),
            why: decision.why.into(),
            raw_offset: arrival.raw_offset,
            at_ms: arrival.received_at_ms,
            outcome: outcome.unwrap_or(Outcome::Void),
        });
    }

    /// Of an alias the whole person. `None` if there is none, or it was erased before.
    fn erase(&mut self, id: u64, arrival: Arrival, changes: &mut Vec<Change>) -> Option<Outcome> {
        let person = self.persons.root(self.persons.with_id(id)?);
        let erased = Outcome::Erased { person };
        if self.decisions.all().iter().any(|decided| decided.outcome == erased) {
            return None;
        }
        self.forget(person, arrival.raw_offset, arrival.received_at_ms);
        changes.push(Change::Erased {
            person: self.persons.get(person).id,
        });
        Some(erased)
    }
}
