//! Forgetting somebody. From the decision on their identifiers are nobody's; their values are kept aside until the logs hold them no
//! longer (`redactor`), then they are nowhere.

use std::collections::BTreeSet;

use super::erasure::{Erasure, Forgotten};
use crate::identity::graph::Graph;
use crate::identity::graph::nodes::NONE;
use crate::identity::violations::shown;

impl Graph {
    /// Takes a person, no alias, out of all that is told.
    pub fn forget(&mut self, person: u32, raw_offset: u64, at_ms: i64) {
        let members: BTreeSet<u32> = self.members(person).collect();
        let nodes: BTreeSet<u32> = members.union(&self.lone_neighbours(&members)).copied().collect();
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

    /// Identifiers of nobody (devices, and what a limit kept out) that were seen with nobody else.
    fn lone_neighbours(&self, members: &BTreeSet<u32>) -> BTreeSet<u32> {
        let mut lone = BTreeSet::new();
        let mut next: Vec<u32> = members.iter().copied().collect();
        while let Some(node) = next.pop() {
            for neighbour in self.neighbours(node).filter(|&node| self.is_nobodys(node)) {
                let is_lone = || !self.neighbours(neighbour).any(|node| self.is_of_another(node, members));
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

    fn is_nobodys(&self, node: u32) -> bool {
        self.owner(node).is_none() && !self.nodes.is_forgotten(node)
    }

    fn is_of_another(&self, node: u32, members: &BTreeSet<u32>) -> bool {
        self.owner(node).is_some() && !members.contains(&node)
    }

    /// From their devices; all of these were seen with an identifier of theirs.
    fn sign_out(&mut self, members: &BTreeSet<u32>) {
        let devices: Vec<u32> = members.iter().flat_map(|&node| self.neighbours(node)).collect();
        for device in devices {
            let signed_in = self.sign_ins.get(&device).map(|sign_in| sign_in.node);
            if signed_in.is_some_and(|node| members.contains(&node)) {
                self.sign_ins.remove(&device);
            }
        }
    }

    /// Those of the person's records, and the identifiers of theirs in those of others.
    fn forget_violations(&mut self, members: &BTreeSet<u32>, nodes: &BTreeSet<u32>) {
        let of_node = |node: &u32| {
            let namespace = self.namespaces.names.text(self.nodes.get(*node).namespace);
            (namespace, shown(self.nodes.value(*node)))
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

    fn forget_node(&mut self, node: u32) -> Forgotten {
        let nowhere = self.sources.intern("");
        let edges: Vec<u32> = self.edges.around(&self.nodes, node).collect();
        for edge in edges {
            self.edges.forget(edge, nowhere);
        }
        let value = self.nodes.forget(node);
        let found = self.nodes.get_mut(node);
        (found.person, found.next) = (NONE, NONE);
        Forgotten { node, value }
    }
}
