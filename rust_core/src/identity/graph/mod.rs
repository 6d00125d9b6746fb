//! The graph: people, the identifiers they are made of, what was seen together, and who signed in where.

pub(super) mod edges;
pub(super) mod hash_table;
pub(super) mod names;
pub(super) mod nodes;
pub(super) mod persons;

use hashbrown::HashMap;

use super::decisions::Decisions;
use super::decisions::erasure::Erasure;
use super::policy::Policy;
use super::violations::{Reason, Violation, Violations, shown};
use crate::proto::record::Identifier;
use edges::Edges;
use names::{Names, Namespaces};
use nodes::{NONE, Nodes};
use persons::Persons;

/// What of a record matters here.
pub struct Sighted<'a> {
    pub source: &'a str,
    pub id: &'a str,
    /// When it happened, or arrived if it does not say.
    pub at_ms: i64,
    pub identifiers: &'a [Identifier<'a>],
    /// Of those that are of somebody erased, one more than their number (`Redaction`); none or 0 for the others.
    pub nodes: &'a [u32],
}

/// The frame a record came in.
#[derive(Clone, Copy)]
pub struct Arrival {
    pub raw_offset: u64,
    pub received_at_ms: i64,
}

/// By which identifier somebody last signed in on a device, and when that arrived.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SignIn {
    pub node: u32,
    pub at_ms: i64,
}

pub struct Graph {
    pub policy: Policy,
    pub namespaces: Namespaces,
    pub sources: Names,
    pub nodes: Nodes,
    pub edges: Edges,
    pub persons: Persons,
    /// By the node of a device or cookie.
    pub sign_ins: HashMap<u32, SignIn>,
    pub violations: Violations,
    pub decisions: Decisions,
    /// Of whom the logs may still hold something.
    pub erasures: Vec<Erasure>,
}

impl Graph {
    /// Empty. `capacity`: people a partition holds.
    pub fn new(policy: Policy, capacity: u32) -> Self {
        Graph {
            policy,
            namespaces: Namespaces::default(),
            sources: Names::default(),
            nodes: Nodes::default(),
            edges: Edges::default(),
            persons: Persons::new(capacity),
            sign_ins: HashMap::new(),
            violations: Violations::default(),
            decisions: Decisions::default(),
            erasures: Vec::new(),
        }
    }

    /// Who signed in on a device, by an identifier of theirs, if that is not too long ago.
    pub fn signed_in(&self, device: u32, now_ms: i64) -> Option<u32> {
        let sign_in = self.sign_ins.get(&device)?;
        (now_ms.saturating_sub(sign_in.at_ms) <= self.policy.sign_in_ms).then_some(sign_in.node)
    }

    /// Puts a chain of members behind those of a person.
    pub fn append(&mut self, person: u32, head: u32, tail: u32, size: u32, anchor: u32) {
        let person = self.persons.get_mut(person);
        match person.tail {
            NONE => person.head = head,
            last => self.nodes.get_mut(last).next = head,
        }
        person.tail = tail;
        person.size += size;
        // `NONE` is above every node.
        person.anchor = person.anchor.min(anchor);
    }

    /// The members of a person that is no alias, in no particular order.
    pub fn members(&self, person: u32) -> impl Iterator<Item = u32> + '_ {
        let mut next = self.persons.get(person).head;
        std::iter::from_fn(move || {
            let node = (next != NONE).then_some(next)?;
            next = self.nodes.get(node).next;
            Some(node)
        })
    }

    /// The person that an identifier belongs to.
    pub fn owner(&self, node: u32) -> Option<u32> {
        let person = self.nodes.get(node).person;
        (person != NONE).then(|| self.persons.root(person))
    }

    pub fn violate(&mut self, record: &Sighted, arrival: Arrival, reason: Reason, namespace: &str, value: &str) {
        self.violations.push(Violation {
            raw_offset: arrival.raw_offset,
            reason,
            namespace: namespace.into(),
            value: shown(value).into(),
            source: record.source.into(),
            record_id: record.id.into(),
            node: NONE,
        });
    }
}
