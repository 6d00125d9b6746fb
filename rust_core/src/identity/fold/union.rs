//! The person that a record's identifiers would make, built up one by one within the limits.

use crate::identity::decisions::Side;
use crate::identity::graph::Graph;
use crate::identity::violations::Reason;

/// Persons and ownerless identifiers that may become one.
#[derive(Default)]
pub struct Union {
    persons: Vec<u32>,
    fresh: Vec<u32>,
    size: u32,
    /// Identifiers by namespace, filled in only when something is to be compared.
    counts: Vec<(u32, u32)>,
    /// Of partings.
    sides: Vec<Side>,
    counted: bool,
}

#[derive(Clone, Copy)]
enum Part {
    Person(u32),
    Fresh(u32),
}

impl Part {
    fn nodes(self, graph: &Graph) -> impl Iterator<Item = u32> {
        let (members, fresh) = match self {
            Part::Person(person) => (Some(graph.members(person)), None),
            Part::Fresh(node) => (None, Some(node)),
        };
        members.into_iter().flatten().chain(fresh)
    }
}

impl Union {
    pub fn clear(&mut self) {
        self.persons.clear();
        self.fresh.clear();
        self.counts.clear();
        self.sides.clear();
        self.size = 0;
        self.counted = false;
    }

    pub fn persons(&self) -> &[u32] {
        &self.persons
    }

    pub fn fresh(&self) -> &[u32] {
        &self.fresh
    }

    /// Adds an identifier with the person it belongs to, or says which rule that would break. The first always fits.
    pub fn add(&mut self, graph: &Graph, node: u32) -> Result<(), Reason> {
        let (part, size) = match graph.owner(node) {
            Some(person) if self.persons.contains(&person) => return Ok(()),
            Some(person) => (Part::Person(person), graph.persons.get(person).size),
            None => (Part::Fresh(node), 1),
        };
        if self.size > 0 {
            if self.size + size > graph.policy.cluster_cap {
                return Err(Reason::ClusterCap);
            }
            self.count_parts(graph);
            let sides = graph.decisions.sides(part.nodes(graph));
            if graph.decisions.between(&sides, &self.sides).is_some() {
                return Err(Reason::KeptApart);
            }
            self.count(graph, part, 1);
            if self
                .counts
                .iter()
                .any(|&(namespace, count)| count > graph.namespaces.terms(namespace).limit)
            {
                self.count(graph, part, u32::MAX);
                return Err(Reason::LimitExceeded);
            }
            self.sides.extend(sides);
        }
        match part {
            Part::Person(person) => self.persons.push(person),
            Part::Fresh(node) => self.fresh.push(node),
        }
        self.size += size;
        Ok(())
    }

    /// Counts the first part; the later ones are counted when they are added.
    fn count_parts(&mut self, graph: &Graph) {
        if !std::mem::replace(&mut self.counted, true) {
            let first = self.persons.first().map(|&person| Part::Person(person));
            let first = first.or_else(|| self.fresh.first().map(|&node| Part::Fresh(node)));
            if let Some(part) = first {
                self.count(graph, part, 1);
                self.sides = graph.decisions.sides(part.nodes(graph));
            }
        }
    }

    /// Adds a part's identifiers to the counts, or with -1 (wrapping) takes them away again.
    fn count(&mut self, graph: &Graph, part: Part, step: u32) {
        part.nodes(graph).for_each(|node| self.count_node(graph, node, step));
    }

    fn count_node(&mut self, graph: &Graph, node: u32, step: u32) {
        let namespace = graph.nodes.get(node).namespace;
        match self.counts.iter_mut().find(|(counted, _)| *counted == namespace) {
            Some((_, count)) => *count = count.wrapping_add(step),
            None => self.counts.push((namespace, step)),
        }
    }
}
