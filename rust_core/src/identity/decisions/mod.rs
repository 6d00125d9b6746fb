//! What was decided of people by hand, and what came of it.

pub mod erasure;
pub(super) mod split;

use std::collections::BTreeSet;

use hashbrown::HashMap;

use super::graph::{Arrival, Graph, Sighted};
use super::violations::Reason;
use crate::proto::decision::{Decision, Kind};
use crate::proto::frame::Change;
use split::Refusal;

/// A decision, in force from its frame on.
#[derive(Clone, Debug, PartialEq)]
pub struct Decided {
    pub key: Box<str>,
    pub by: Box<str>,
    pub why: Box<str>,
    /// Hash of the message.
    pub contents: u64,
    pub raw_offset: u64,
    /// When it arrived.
    pub at_ms: i64,
    pub outcome: Outcome,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It did not fit what was so by then, and changed nothing.
    Void,
    Split(Parting),
    Erased {
        person: u32,
    },
}

impl Outcome {
    /// Whom it erased.
    pub fn erased(&self) -> Option<u32> {
        match *self {
            Outcome::Erased { person } => Some(person),
            _ => None,
        }
    }
}

/// Two persons that were one, and their nodes, which nothing glues again.
#[derive(Clone, Debug, PartialEq)]
pub struct Parting {
    pub from: u32,
    pub to: u32,
    /// Ascending.
    pub kept: Vec<u32>,
    pub parted: Vec<u32>,
}

/// What came of a decision that was sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carried {
    /// The key was another decision's.
    Conflict,
    Void,
    Split {
        from: u64,
        to: u64,
        raw_offset: u64,
    },
    Erased,
}

/// One of the two sides of a parting: which decision, and whether it is the one that left.
pub type Side = (u32, bool);

/// All of them in order, each key once.
#[derive(Default)]
pub struct Decisions {
    all: Vec<Decided>,
    by_key: HashMap<Box<str>, u32>,
    /// By node.
    sides: HashMap<u32, Vec<Side>>,
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
        self.all.iter().filter_map(|decided| decided.outcome.erased()).count() as u64
    }

    pub fn splits(&self) -> impl Iterator<Item = &Parting> {
        self.all.iter().filter_map(|decided| match &decided.outcome {
            Outcome::Split(parting) => Some(parting),
            Outcome::Void | Outcome::Erased { .. } => None,
        })
    }

    /// Raw offset of the first that came to nothing.
    pub fn first_void(&self) -> Option<u64> {
        let mut void = self.all.iter().filter(|decided| decided.outcome == Outcome::Void);
        void.next().map(|decided| decided.raw_offset)
    }

    /// One whose key there is not yet.
    pub fn push(&mut self, decided: Decided) {
        let at = self.all.len() as u32;
        if let Outcome::Split(parting) = &decided.outcome {
            for (nodes, has_left) in [(&parting.kept, false), (&parting.parted, true)] {
                for &node in nodes {
                    self.sides.entry(node).or_default().push((at, has_left));
                }
            }
        }
        self.by_key.insert(decided.key.clone(), at);
        self.all.push(decided);
    }

    /// Nobody can tell any more by the hash of a decision that these nodes were named in it.
    pub fn forget(&mut self, nodes: &BTreeSet<u32>) {
        for decided in &mut self.all {
            if let Outcome::Split(parting) = &decided.outcome
                && parting
                    .kept
                    .iter()
                    .chain(&parting.parted)
                    .any(|node| nodes.contains(node))
            {
                decided.contents = 0;
            }
        }
    }

    /// On which sides some nodes stand. No node is asked for where nothing was ever parted.
    pub fn sides(&self, nodes: impl Iterator<Item = u32>) -> Vec<Side> {
        if self.sides.is_empty() {
            return Vec::new();
        }
        let mut sides: Vec<Side> = nodes
            .filter_map(|node| self.sides.get(&node))
            .flatten()
            .copied()
            .collect();
        sides.sort_unstable();
        sides.dedup();
        sides
    }

    /// The newest decision that keeps some nodes apart from others, by where they stand.
    pub fn between(&self, one: &[Side], other: &[Side]) -> Option<&Decided> {
        let opposed = one
            .iter()
            .rev()
            .find(|&&(at, has_left)| other.contains(&(at, !has_left)));
        opposed.map(|&(at, _)| &self.all[at as usize])
    }
}

impl Graph {
    /// Does what was decided and adds to `changes`. One whose key was decided before changes nothing. `nodes`: of its identifiers, as
    /// `Sighted` has them.
    pub fn carry_out(&mut self, decision: &Decision, nodes: &[u32], arrival: Arrival, changes: &mut Vec<Change>) {
        if self.decisions.with_key(decision.key).is_some() {
            return;
        }
        let outcome = match &decision.kind {
            Kind::Split { person, identifiers } => self
                .fragments(*person, identifiers, nodes)
                .map(|fragments| Outcome::Split(self.split(fragments, decision, arrival, changes))),
            Kind::Erase { person } => self.erase(*person, arrival, changes),
        };
        if outcome.is_err() {
            self.note_void(decision, arrival);
        }
        self.decisions.push(Decided {
            key: decision.key.into(),
            by: decision.by.into(),
            why: decision.why.into(),
            contents: decision.contents,
            raw_offset: arrival.raw_offset,
            at_ms: arrival.received_at_ms,
            outcome: outcome.unwrap_or(Outcome::Void),
        });
    }

    /// Why a decision would change nothing now.
    pub fn refusal(&self, decision: &Decision) -> Option<Refusal> {
        match &decision.kind {
            Kind::Split { person, identifiers } => self.fragments(*person, identifiers, &[]).err(),
            Kind::Erase { person } => self.there(*person).err(),
        }
    }

    /// What came of a decision, if its key was decided.
    pub fn outcome(&self, decision: &Decision) -> Option<Carried> {
        let decided = self.decisions.with_key(decision.key)?;
        let id = |person: u32| self.persons.get(person).id;
        Some(match &decided.outcome {
            _ if decided.contents != decision.contents => Carried::Conflict,
            Outcome::Void => Carried::Void,
            Outcome::Split(parting) => Carried::Split {
                from: id(parting.from),
                to: id(parting.to),
                raw_offset: decided.raw_offset + 1,
            },
            Outcome::Erased { .. } => Carried::Erased,
        })
    }

    fn note_void(&mut self, decision: &Decision, arrival: Arrival) {
        let record = Sighted {
            source: decision.by,
            id: decision.key,
            at_ms: arrival.received_at_ms,
            identifiers: &[],
            nodes: &[],
        };
        self.violate(&record, arrival, Reason::VoidDecision, "", "");
    }

    fn erase(&mut self, id: u64, arrival: Arrival, changes: &mut Vec<Change>) -> Result<Outcome, Refusal> {
        let person = self.there(id)?;
        self.forget(person, arrival.raw_offset, arrival.received_at_ms);
        changes.push(Change::Erased {
            person: self.persons.get(person).id,
        });
        Ok(Outcome::Erased { person })
    }

    /// A person that something can be decided of; of an alias the whole person.
    pub fn there(&self, id: u64) -> Result<u32, Refusal> {
        let person = self.persons.with_id(id).ok_or(Refusal::UnknownPerson)?;
        let person = self.persons.root(person);
        let erased = Outcome::Erased { person };
        match self.decisions.all().iter().any(|decided| decided.outcome == erased) {
            true => Err(Refusal::UnknownPerson),
            false => Ok(person),
        }
    }
}
