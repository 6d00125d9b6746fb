//! The graph and how a record changes it: whose it is, what it glues, and what the limits keep apart.

use hashbrown::HashMap;

use super::edges::Edges;
use super::names::{Names, Namespaces, Terms};
use super::nodes::{NONE, Nodes};
use super::persons::Persons;
use super::policy::Policy;
use super::union::Union;
use super::violations::{Reason, Violation, Violations, shown};
use crate::frame::Change;
use crate::record::Identifier;

/// What of a record matters here.
pub struct Sighted<'a> {
    pub source: &'a str,
    pub id: &'a str,
    /// When it happened, or arrived if it does not say.
    pub at_ms: i64,
    pub identifiers: &'a [Identifier<'a>],
}

/// The frame a record came in.
#[derive(Clone, Copy)]
pub struct Arrival {
    pub raw_offset: u64,
    pub received_at_ms: i64,
}

/// Who last signed in on a device, and when that arrived.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SignIn {
    pub person: u32,
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
    /// Room that is used again for every record.
    union: Union,
}

/// One identifier of the record at hand.
#[derive(Clone, Copy)]
pub struct Found {
    pub node: u32,
    pub terms: Terms,
    /// Among the record's identifiers.
    pub position: usize,
    /// Kept from gluing by a limit.
    pub dropped: bool,
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
            union: Union::default(),
        }
    }

    /// Whose a record with these identifiers is, or `NONE`; adds to `changes`.
    pub fn decide(
        &mut self,
        record: &Sighted,
        arrival: Arrival,
        found: &mut [Found],
        changes: &mut Vec<Change>,
    ) -> u32 {
        let gluing = found.iter().filter(|found| found.terms.glues).count();
        let (gluing, devices) = found.split_at_mut(gluing);
        if gluing.is_empty() {
            return self.attribute(devices, arrival, changes);
        }
        let mut union = std::mem::take(&mut self.union);
        self.admit(record, arrival, gluing, &mut union);
        let person = self.glue(&union, changes);
        self.union = union;
        for device in devices.iter() {
            let sign_in = SignIn {
                person,
                at_ms: arrival.received_at_ms,
            };
            self.sign_ins.insert(device.node, sign_in);
        }
        person
    }

    /// Decides, from the strongest on, which identifiers are one person without breaking a limit; the others are dropped.
    fn admit(&mut self, record: &Sighted, arrival: Arrival, gluing: &mut [Found], union: &mut Union) {
        union.clear();
        for found in gluing {
            let Err(reason) = union.add(self, found.node) else {
                continue;
            };
            found.dropped = true;
            let namespace = self
                .namespaces
                .names
                .text(self.nodes.get(found.node).namespace)
                .to_owned();
            let value = self.nodes.value(found.node).to_owned();
            self.violate(record, arrival, reason, &namespace, &value);
        }
    }

    /// Makes what was admitted one person: the one of the earliest identifier, or a new one.
    fn glue(&mut self, union: &Union, changes: &mut Vec<Change>) -> u32 {
        let oldest = union
            .persons()
            .iter()
            .copied()
            .min_by_key(|&person| self.persons.get(person).anchor);
        let winner = oldest.unwrap_or_else(|| self.create(changes));
        for &loser in union.persons() {
            if loser != winner {
                self.merge(winner, loser, changes);
            }
        }
        for &node in union.fresh() {
            self.nodes.get_mut(node).person = winner;
            self.append(winner, node, node, 1, node);
        }
        winner
    }

    /// Whose a record without any gluing identifier is: who last signed in on its device, else the device's own person.
    fn attribute(&mut self, devices: &[Found], arrival: Arrival, changes: &mut Vec<Change>) -> u32 {
        let signed_in = devices
            .iter()
            .find_map(|device| self.signed_in(device.node, arrival.received_at_ms));
        let own = || {
            devices
                .iter()
                .map(|device| self.nodes.get(device.node).person)
                .find(|&person| person != NONE)
        };
        if let Some(person) = signed_in.or_else(own) {
            return self.persons.shorten(person);
        }
        let Some(strongest) = devices.first() else { return NONE };
        let person = self.create(changes);
        self.nodes.get_mut(strongest.node).person = person;
        self.append(person, strongest.node, strongest.node, 1, strongest.node);
        person
    }

    /// Who signed in on a device, if that is not too long ago.
    pub fn signed_in(&self, device: u32, now_ms: i64) -> Option<u32> {
        let sign_in = self.sign_ins.get(&device)?;
        (now_ms.saturating_sub(sign_in.at_ms) <= self.policy.sign_in_ms).then_some(sign_in.person)
    }

    fn create(&mut self, changes: &mut Vec<Change>) -> u32 {
        let person = self.persons.create();
        changes.push(Change::Created {
            person: self.persons.get(person).id,
        });
        person
    }

    fn merge(&mut self, winner: u32, loser: u32, changes: &mut Vec<Change>) {
        let lost = self.persons.get(loser);
        let (id, head, tail, size, anchor) = (lost.id, lost.head, lost.tail, lost.size, lost.anchor);
        changes.push(Change::Merged {
            winner: self.persons.get(winner).id,
            loser: id,
        });
        self.persons.redirect(loser, winner);
        self.append(winner, head, tail, size, anchor);
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
        });
    }
}
