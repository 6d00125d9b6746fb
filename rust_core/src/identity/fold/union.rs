//! Builds the person that the identifiers of a record would form, within the limits.

use crate::identity::decisions::SplitSide;
use crate::identity::graph::Graph;
use crate::identity::violations::Reason;

/// Persons and unowned identifiers that may become one person.
#[derive(Default)]
pub struct Union {
    persons: Vec<u32>,
    fresh: Vec<u32>,
    size: u32,
    /// The number of identifiers in each namespace; filled only when a second component is added.
    counts: Vec<(u32, u32)>,
    /// The sides of splits on which the members are.
    sides: Vec<SplitSide>,
    counted: bool,
}

#[derive(Clone, Copy)]
enum Component {
    Person(u32),
    Fresh(u32),
}

impl Component {
    fn nodes(self, graph: &Graph) -> impl Iterator<Item = u32> {
        let (members, fresh) = match self {
            Component::Person(person) => (Some(graph.members(person)), None),
            Component::Fresh(node) => (None, Some(node)),
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

    /// Adds an identifier and the person that owns it; returns the rule that this would break. The first one always fits.
    pub fn add(&mut self, graph: &Graph, node: u32) -> Result<(), Reason> {
        let (component, size) = match graph.owner(node) {
            Some(person) if self.persons.contains(&person) => return Ok(()),
            Some(person) => (Component::Person(person), graph.persons.get(person).size),
            None => (Component::Fresh(node), 1),
        };
        if self.size > 0 {
            if self.size + size > graph.policy.cluster_cap {
                return Err(Reason::ClusterCap);
            }
            self.count_first_component(graph);
            let sides = graph.decisions.sides(component.nodes(graph));
            if graph.decisions.separating(&sides, &self.sides).is_some() {
                return Err(Reason::KeptApart);
            }
            self.count(graph, component, 1);
            if self
                .counts
                .iter()
                .any(|&(namespace, count)| count > graph.namespaces.rules(namespace).limit)
            {
                self.count(graph, component, u32::MAX);
                return Err(Reason::LimitExceeded);
            }
            self.sides.extend(sides);
        }
        match component {
            Component::Person(person) => self.persons.push(person),
            Component::Fresh(node) => self.fresh.push(node),
        }
        self.size += size;
        Ok(())
    }

    /// Counts the first component; later ones are counted when they are added.
    fn count_first_component(&mut self, graph: &Graph) {
        if !std::mem::replace(&mut self.counted, true) {
            let first = self.persons.first().map(|&person| Component::Person(person));
            let first = first.or_else(|| self.fresh.first().map(|&node| Component::Fresh(node)));
            if let Some(component) = first {
                self.count(graph, component, 1);
                self.sides = graph.decisions.sides(component.nodes(graph));
            }
        }
    }

    /// Adds the identifiers of a component to the counts; a step of -1 (wrapping) removes them.
    fn count(&mut self, graph: &Graph, component: Component, step: u32) {
        component
            .nodes(graph)
            .for_each(|node| self.count_node(graph, node, step));
    }

    fn count_node(&mut self, graph: &Graph, node: u32, step: u32) {
        let namespace = graph.nodes.get(node).namespace;
        match self.counts.iter_mut().find(|(counted, _)| *counted == namespace) {
            Some((_, count)) => *count = count.wrapping_add(step),
            None => self.counts.push((namespace, step)),
        }
    }
}
