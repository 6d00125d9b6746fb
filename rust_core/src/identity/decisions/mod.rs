//! What was decided of people by hand, and what came of it.

pub mod erasure;
mod execution;
mod forgetting;
pub(super) mod split;

use std::collections::BTreeSet;

use hashbrown::HashMap;

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
