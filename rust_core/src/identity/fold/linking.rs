//! Attributes a record to a person and merges the persons that it connects, within the limits of the policy.

use super::union::Union;
use crate::identity::graph::names::NamespaceRules;
use crate::identity::graph::nodes::NONE;
use crate::identity::graph::{FrameArrival, Graph, IdentifiedRecord, SignIn};
use crate::proto::frame::Change;

/// One identifier of a record.
#[derive(Clone, Copy)]
pub struct RecordNode {
    pub node: u32,
    pub rules: NamespaceRules,
    /// The position among the identifiers of the record.
    pub position: usize,
    /// True if a limit prevents it from gluing.
    pub dropped: bool,
}

impl Graph {
    /// Returns the node that attributes a record to its person, or `NONE`; adds to `changes`. `union` is a reused buffer.
    pub fn attribute_record(
        &mut self,
        record: &IdentifiedRecord,
        arrival: FrameArrival,
        found: &mut [RecordNode],
        union: &mut Union,
        changes: &mut Vec<Change>,
    ) -> u32 {
        let gluing = found.iter().filter(|found| found.rules.glues).count();
        let (gluing, devices) = found.split_at_mut(gluing);
        if gluing.is_empty() {
            return self.attribute_by_device(devices, arrival, changes);
        }
        self.apply_limits(record, arrival, gluing, union);
        self.merge_union(union, changes);
        // The first identifier is never dropped.
        let node = gluing[0].node;
        for device in devices.iter() {
            let sign_in = SignIn {
                node,
                at_ms: arrival.received_at_ms,
            };
            self.sign_ins.insert(device.node, sign_in);
        }
        node
    }

    /// Adds identifiers to one person from the strongest on, and drops those that would break a limit.
    fn apply_limits(
        &mut self,
        record: &IdentifiedRecord,
        arrival: FrameArrival,
        gluing: &mut [RecordNode],
        union: &mut Union,
    ) {
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

    /// Merges the identifiers of a union into one person: that of the earliest identifier, or a new one.
    fn merge_union(&mut self, union: &Union, changes: &mut Vec<Change>) {
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
    }

    /// Returns the node that attributes a record without gluing identifiers: the last sign-in on its device, else the device.
    fn attribute_by_device(&mut self, devices: &[RecordNode], arrival: FrameArrival, changes: &mut Vec<Change>) -> u32 {
        let signed_in = devices
            .iter()
            .find_map(|device| self.signed_in(device.node, arrival.received_at_ms));
        let own = || {
            let nodes = devices.iter().map(|device| device.node);
            nodes.into_iter().find(|&node| self.nodes.get(node).person != NONE)
        };
        if let Some(node) = signed_in.or_else(own) {
            return node;
        }
        let Some(strongest) = devices.first() else { return NONE };
        let person = self.create(changes);
        self.nodes.get_mut(strongest.node).person = person;
        self.append(person, strongest.node, strongest.node, 1, strongest.node);
        strongest.node
    }

    pub fn create(&mut self, changes: &mut Vec<Change>) -> u32 {
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
}
