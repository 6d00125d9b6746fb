//! Removes an erased person from the graph.
//!
//! From the decision on, nobody owns the identifiers. Their values are kept aside until the logs are redacted (`redactor`).

use std::collections::BTreeSet;

use super::erasure::{Erasure, ForgottenIdentifier};
use crate::identity::graph::Graph;
use crate::identity::graph::nodes::NONE;
use crate::identity::violations::excerpt;

impl Graph {
    /// Removes a person that is not an alias from all answers.
    pub fn forget_person(&mut self, person: u32, raw_offset: u64, at_ms: i64) {
        let members: BTreeSet<u32> = self.members(person).collect();
        let nodes: BTreeSet<u32> = members.union(&self.unowned_neighbours(&members)).copied().collect();
        self.sign_out(&members);
        self.forget_violations(&members, &nodes);
        self.decisions.forget(&nodes);
        let forgotten = nodes.iter().map(|&node| self.forget_node(node)).collect();
        self.persons.empty(person);
        self.erasures.push(Erasure {
            raw_offset,
            at_ms,
            forgotten,
        });
    }

    /// Returns identifiers without an owner (devices, and identifiers dropped by a limit) that were observed with no other person.
    fn unowned_neighbours(&self, members: &BTreeSet<u32>) -> BTreeSet<u32> {
        let mut lone = BTreeSet::new();
        let mut next: Vec<u32> = members.iter().copied().collect();
        while let Some(node) = next.pop() {
            for neighbour in self.neighbours(node).filter(|&node| self.is_unowned(node)) {
                let is_lone = || {
                    !self
                        .neighbours(neighbour)
                        .any(|node| self.is_owned_by_other(node, members))
                };
                if !lone.contains(&neighbour) && is_lone() {
                    lone.insert(neighbour);
                    next.push(neighbour);
                }
            }
        }
        lone
    }

    fn neighbours(&self, node: u32) -> impl Iterator<Item = u32> + '_ {
        let edges = self.edges.around(&self.nodes, node);
        edges.map(move |edge| self.edges.get(edge).other(node))
    }

    fn is_unowned(&self, node: u32) -> bool {
        self.owner(node).is_none() && !self.nodes.is_forgotten(node)
    }

    fn is_owned_by_other(&self, node: u32, members: &BTreeSet<u32>) -> bool {
        self.owner(node).is_some() && !members.contains(&node)
    }

    /// Ends the sign-ins of the person. Each of their devices was observed with one of their identifiers.
    fn sign_out(&mut self, members: &BTreeSet<u32>) {
        let devices: Vec<u32> = members.iter().flat_map(|&node| self.neighbours(node)).collect();
        for device in devices {
            let signed_in = self.sign_ins.get(&device).map(|sign_in| sign_in.node);
            if signed_in.is_some_and(|node| members.contains(&node)) {
                self.sign_ins.remove(&device);
            }
        }
    }

    /// Clears the violations of the person's records, and their identifiers in other violations.
    fn forget_violations(&mut self, members: &BTreeSet<u32>, nodes: &BTreeSet<u32>) {
        let of_node = |node: &u32| {
            let namespace = self.namespaces.names.text(self.nodes.get(*node).namespace);
            (namespace, excerpt(self.nodes.value(*node)))
        };
        let named: BTreeSet<(&str, &str)> = nodes.iter().map(of_node).collect();
        for violation in self.violations.kept_mut() {
            let is_theirs = members.contains(&violation.node);
            if is_theirs || named.contains(&(&*violation.namespace, &*violation.value)) {
                violation.value = "".into();
            }
            if is_theirs {
                (violation.source, violation.record_id) = ("".into(), "".into());
            }
        }
    }

    fn forget_node(&mut self, node: u32) -> ForgottenIdentifier {
        let nowhere = self.sources.intern("");
        let edges: Vec<u32> = self.edges.around(&self.nodes, node).collect();
        for edge in edges {
            self.edges.forget(edge, nowhere);
        }
        let value = self.nodes.forget(node);
        let found = self.nodes.get_mut(node);
        (found.person, found.next) = (NONE, NONE);
        ForgottenIdentifier { node, value }
    }
}
