//! Manual decisions about people (splits and erasures) and their outcomes.

pub mod erasure;
mod execution;
mod forgetting;
pub(super) mod split;

use std::collections::BTreeSet;

use hashbrown::HashMap;

/// A decision of the log and its outcome. It applies from its frame on.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordedDecision {
    pub key: Box<str>,
    pub by: Box<str>,
    pub why: Box<str>,
    /// A hash of the message.
    pub contents: u64,
    pub raw_offset: u64,
    /// When it arrived, in ms since the epoch.
    pub at_ms: i64,
    pub outcome: Outcome,
}

/// The outcome of a decision.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The decision did not fit the graph and changed nothing.
    Void,
    Split(SplitResult),
    Erased {
        person: u32,
    },
}

impl Outcome {
    /// Returns the person that it erased.
    pub fn erased(&self) -> Option<u32> {
        match *self {
            Outcome::Erased { person } => Some(person),
            _ => None,
        }
    }
}

/// Two persons that were one, and their nodes. No later record merges the two again.
#[derive(Clone, Debug, PartialEq)]
pub struct SplitResult {
    pub from: u32,
    pub to: u32,
    /// The nodes that stayed with `from`, ascending.
    pub kept: Vec<u32>,
    /// The nodes that moved to `to`, ascending.
    pub moved: Vec<u32>,
}

/// The status of a decision that is sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecisionStatus {
    /// The key belongs to another decision.
    Conflict,
    Void,
    Split {
        from: u64,
        to: u64,
        raw_offset: u64,
    },
    Erased,
}

/// One of the two sides of a split: the index of the decision, and true for the side that moved.
pub type SplitSide = (u32, bool);

/// All decisions in order; each key occurs once.
#[derive(Default)]
pub struct Decisions {
    all: Vec<RecordedDecision>,
    by_key: HashMap<Box<str>, u32>,
    /// The sides of each node.
    sides: HashMap<u32, Vec<SplitSide>>,
}

impl Decisions {
    pub fn all(&self) -> &[RecordedDecision] {
        &self.all
    }

    pub fn with_key(&self, key: &str) -> Option<&RecordedDecision> {
        self.by_key.get(key).map(|&at| &self.all[at as usize])
    }

    /// Returns the number of erased people.
    pub fn erased(&self) -> u64 {
        self.all.iter().filter_map(|decided| decided.outcome.erased()).count() as u64
    }

    pub fn splits(&self) -> impl Iterator<Item = &SplitResult> {
        self.all.iter().filter_map(|decided| match &decided.outcome {
            Outcome::Split(split) => Some(split),
            Outcome::Void | Outcome::Erased { .. } => None,
        })
    }

    /// Returns the raw offset of the first void decision.
    pub fn first_void(&self) -> Option<u64> {
        let mut void = self.all.iter().filter(|decided| decided.outcome == Outcome::Void);
        void.next().map(|decided| decided.raw_offset)
    }

    /// Adds a decision with a new key.
    pub fn push(&mut self, decided: RecordedDecision) {
        let at = self.all.len() as u32;
        if let Outcome::Split(split) = &decided.outcome {
            for (nodes, has_left) in [(&split.kept, false), (&split.moved, true)] {
                for &node in nodes {
                    self.sides.entry(node).or_default().push((at, has_left));
                }
            }
        }
        self.by_key.insert(decided.key.clone(), at);
        self.all.push(decided);
    }

    /// Clears the hashes of splits that name these nodes, so that the hashes reveal nothing.
    pub fn forget(&mut self, nodes: &BTreeSet<u32>) {
        for decided in &mut self.all {
            if let Outcome::Split(split) = &decided.outcome
                && split.kept.iter().chain(&split.moved).any(|node| nodes.contains(node))
            {
                decided.contents = 0;
            }
        }
    }

    /// Returns the sides of some nodes. Reads no node if there are no splits.
    pub fn sides(&self, nodes: impl Iterator<Item = u32>) -> Vec<SplitSide> {
        if self.sides.is_empty() {
            return Vec::new();
        }
        let mut sides: Vec<SplitSide> = nodes
            .filter_map(|node| self.sides.get(&node))
            .flatten()
            .copied()
            .collect();
        sides.sort_unstable();
        sides.dedup();
        sides
    }

    /// Returns the newest decision that keeps two groups of nodes apart, given their sides.
    pub fn separating(&self, one: &[SplitSide], other: &[SplitSide]) -> Option<&RecordedDecision> {
        let decision = one
            .iter()
            .rev()
            .find(|&&(at, has_left)| other.contains(&(at, !has_left)));
        decision.map(|&(at, _)| &self.all[at as usize])
    }
}
