//! How a record changes the graph: whose it is, what it glues, and what the limits keep apart.

use super::union::Union;
use crate::identity::graph::names::Terms;
use crate::identity::graph::nodes::NONE;
use crate::identity::graph::{Arrival, Graph, Sighted, SignIn};
use crate::proto::frame::Change;

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
    /// By which of these identifiers a record comes to its person, or `NONE`; adds to `changes`. `union` is room, used again for every record.
    pub fn decide(
        &mut self,
        record: &Sighted,
        arrival: Arrival,
        found: &mut [Found],
        union: &mut Union,
        changes: &mut Vec<Change>,
    ) -> u32 {
        let gluing = found.iter().filter(|found| found.terms.glues).count();
        let (gluing, devices) = found.split_at_mut(gluing);
        if gluing.is_empty() {
            return self.attribute(devices, arrival, changes);
        }
        self.admit(record, arrival, gluing, union);
        self.glue(union, changes);
        // The first always fits.
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
    fn glue(&mut self, union: &Union, changes: &mut Vec<Change>) {
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

    /// By which node a record without any gluing identifier comes to its person: that of the last sign-in on its device, else the device.
    fn attribute(&mut self, devices: &[Found], arrival: Arrival, changes: &mut Vec<Change>) -> u32 {
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
