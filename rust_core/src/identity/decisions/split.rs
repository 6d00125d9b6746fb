//! Splits a person into two.

use hashbrown::{HashMap, HashSet};

use super::SplitResult;
use crate::identity::graph::edges::Observation;
use crate::identity::graph::nodes::NONE;
use crate::identity::graph::{FrameArrival, Graph};
use crate::proto::decision::Decision;
use crate::proto::frame::{Change, Split};
use crate::proto::record::Identifier;

/// Why a decision cannot be applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    UnknownPerson,
    /// The identifier at this position does not belong to the person.
    NotOfPerson(usize),
    /// The decision names no identifier.
    NothingLeaves,
    /// The decision names all identifiers of the person.
    NothingStays,
}

/// The members of a person in two groups, both ascending and not empty. `kept` has the earliest member.
#[derive(Debug)]
pub struct Fragments {
    person: u32,
    kept: Vec<u32>,
    moved: Vec<u32>,
}

impl Graph {
    /// Returns the groups of a person's members if these identifiers leave. `nodes` are those of the identifiers, as in `IdentifiedRecord`.
    pub fn fragments(&self, id: u64, identifiers: &[Identifier], nodes: &[u32]) -> Result<Fragments, Refusal> {
        let person = self.person_of_decision(id)?;
        let mut leaving = Vec::new();
        for (position, &identifier) in identifiers.iter().enumerate() {
            let node = nodes.get(position).and_then(|node| node.checked_sub(1));
            let node = node
                .filter(|&node| (node as usize) < self.nodes.len())
                .or_else(|| self.node(identifier));
            let own = node.filter(|&node| self.owner(node) == Some(person));
            leaving.push(own.ok_or(Refusal::NotOfPerson(position))?);
        }
        leaving.sort_unstable();
        leaving.dedup();
        let mut staying: Vec<u32> = self.members(person).filter(|node| !leaving.contains(node)).collect();
        staying.sort_unstable();
        match (leaving.first(), staying.first()) {
            (None, _) => Err(Refusal::NothingLeaves),
            (_, None) => Err(Refusal::NothingStays),
            (Some(one), Some(other)) => {
                let (kept, moved) = if one < other {
                    (leaving, staying)
                } else {
                    (staying, leaving)
                };
                Ok(Fragments { person, kept, moved })
            }
        }
    }

    /// Splits a person. The group with the earliest member keeps the person.
    ///
    /// The other group gets the former person of its earliest member if that was its first member, else a new person.
    pub fn split(
        &mut self,
        fragments: Fragments,
        decision: &Decision,
        arrival: FrameArrival,
        changes: &mut Vec<Change>,
    ) -> SplitResult {
        let Fragments { person, kept, moved } = fragments;
        let former = self.nodes.get(moved[0]).person;
        let is_its_first = kept
            .iter()
            .all(|&node| node > moved[0] || self.nodes.get(node).person != former);
        let to = if is_its_first { former } else { self.create(changes) };
        let aliases = self.reparent(person, to, &kept, &moved);
        changes.push(Change::Split(Split {
            from: self.persons.get(person).id,
            to: self.persons.get(to).id,
            nodes: moved.iter().map(|node| node + 1).collect(),
            aliases: aliases.iter().map(|&alias| self.persons.get(alias).id).collect(),
        }));
        for (own, of, others) in [(&kept, person, &moved), (&moved, to, &kept)] {
            self.set_members(of, own);
            self.unglue_groups(own, others);
            self.connect_by_decision(own, decision, arrival);
        }
        SplitResult {
            from: person,
            to,
            kept,
            moved,
        }
    }

    /// Makes each former person an alias of the group with its earliest member, and moves its other members to their group.
    ///
    /// Returns the persons that become aliases of `to`, ascending.
    fn reparent(&mut self, person: u32, to: u32, kept: &[u32], moved: &[u32]) -> Vec<u32> {
        let mut members: Vec<(u32, u32)> = kept.iter().map(|&node| (node, person)).collect();
        members.extend(moved.iter().map(|&node| (node, to)));
        members.sort_unstable();
        let mut homes: HashMap<u32, u32> = HashMap::new();
        let mut aliases = Vec::new();
        for (node, home) in members {
            let former = self.nodes.get(node).person;
            let first = *homes.entry(former).or_insert_with(|| {
                if home == to && former != to {
                    aliases.push(former);
                }
                home
            });
            if first != home {
                self.nodes.get_mut(node).person = home;
            }
        }
        homes
            .iter()
            .for_each(|(&former, &home)| self.persons.reparent(former, home));
        aliases.sort_unstable();
        aliases
    }

    /// Makes these nodes the only members of a person.
    fn set_members(&mut self, person: u32, nodes: &[u32]) {
        self.persons.empty(person);
        for &node in nodes {
            self.nodes.get_mut(node).next = NONE;
            self.append(person, node, node, 1, node);
        }
    }

    /// Unglues all edges between two groups of nodes.
    fn unglue_groups(&mut self, nodes: &[u32], others: &[u32]) {
        for &node in nodes {
            let edges: Vec<u32> = self.edges.around(&self.nodes, node).collect();
            for edge in edges {
                if others.binary_search(&self.edges.get(edge).other(node)).is_ok() {
                    self.edges.unglue(edge);
                }
            }
        }
    }

    /// Connects the nodes of a group that no remaining edge connects, by edges of the decision, which no record observed.
    fn connect_by_decision(&mut self, nodes: &[u32], decision: &Decision, arrival: FrameArrival) {
        let observation = Observation {
            source: self.sources.intern(&decision.by),
            record_id: &decision.key,
            first_ms: arrival.received_at_ms,
            last_ms: arrival.received_at_ms,
            count: 0,
            glues: true,
            raw_offset: arrival.raw_offset,
        };
        let mut reached = HashSet::new();
        for &node in nodes {
            if reached.contains(&node) {
                continue;
            }
            if node != nodes[0] {
                self.edges.glue(&mut self.nodes, nodes[0], node, &observation);
            }
            self.reach(node, &mut reached);
        }
    }

    /// Adds all nodes that gluing edges connect with a node.
    fn reach(&self, node: u32, reached: &mut HashSet<u32>) {
        let mut ahead = vec![node];
        while let Some(node) = ahead.pop() {
            if reached.insert(node) {
                let edges = self.edges.around(&self.nodes, node).map(|edge| self.edges.get(edge));
                ahead.extend(edges.filter(|edge| edge.glues()).map(|edge| edge.other(node)));
            }
        }
    }
}
