//! The identity graph: persons, their identifiers, edges between identifiers, and sign-ins on devices.

pub(super) mod edges;
pub(super) mod hash_table;
pub(super) mod names;
pub(super) mod nodes;
pub(super) mod persons;

use hashbrown::HashMap;

use super::decisions::Decisions;
use super::decisions::erasure::Erasure;
use super::policy::Policy;
use super::violations::{Reason, Violation, Violations, excerpt};
use crate::proto::record::Identifier;
use edges::Edges;
use names::{Names, Namespaces};
use nodes::{NONE, Nodes};
use persons::Persons;

/// The parts of a record that identity resolution needs.
pub struct IdentifiedRecord<'a> {
    pub source: &'a str,
    pub id: &'a str,
    /// When it happened, or else arrived, in ms since the epoch.
    pub at_ms: i64,
    pub identifiers: &'a [Identifier<'a>],
    /// The node of each redacted identifier plus one (`Redaction`); missing or 0 for the others.
    pub nodes: &'a [u32],
}

/// The frame in which a record arrived.
#[derive(Clone, Copy)]
pub struct FrameArrival {
    pub raw_offset: u64,
    pub received_at_ms: i64,
}

/// The last sign-in on a device: the identifier of the person, and when the record arrived.
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
    /// The last sign-in on each device or cookie, by node.
    pub sign_ins: HashMap<u32, SignIn>,
    pub violations: Violations,
    pub decisions: Decisions,
    /// The erased people whom the logs may still contain.
    pub erasures: Vec<Erasure>,
}

impl Graph {
    /// Returns an empty graph. `capacity` is the size of a partition.
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

    /// Returns the identifier that last signed in on a device, if that is recent enough.
    pub fn signed_in(&self, device: u32, now_ms: i64) -> Option<u32> {
        let sign_in = self.sign_ins.get(&device)?;
        (now_ms.saturating_sub(sign_in.at_ms) <= self.policy.sign_in_ms).then_some(sign_in.node)
    }

    /// Appends a chain of members to those of a person.
    pub fn append(&mut self, person: u32, head: u32, tail: u32, size: u32, anchor: u32) {
        let person = self.persons.get_mut(person);
        match person.tail {
            NONE => person.head = head,
            last => self.nodes.get_mut(last).next = head,
        }
        person.tail = tail;
        person.size += size;
        // `NONE` is greater than every node.
        person.anchor = person.anchor.min(anchor);
    }

    /// Returns the members of a person that is not an alias, in no particular order.
    pub fn members(&self, person: u32) -> impl Iterator<Item = u32> + '_ {
        let mut next = self.persons.get(person).head;
        std::iter::from_fn(move || {
            let node = (next != NONE).then_some(next)?;
            next = self.nodes.get(node).next;
            Some(node)
        })
    }

    /// Returns the person that owns an identifier.
    pub fn owner(&self, node: u32) -> Option<u32> {
        let person = self.nodes.get(node).person;
        (person != NONE).then(|| self.persons.root(person))
    }

    /// Records that an identifier of a record was rejected or dropped.
    pub fn violate(
        &mut self,
        record: &IdentifiedRecord,
        arrival: FrameArrival,
        reason: Reason,
        namespace: &str,
        value: &str,
    ) {
        self.violations.push(Violation {
            raw_offset: arrival.raw_offset,
            reason,
            namespace: namespace.into(),
            value: excerpt(value).into(),
            source: record.source.into(),
            record_id: record.id.into(),
            node: NONE,
        });
    }
}
