//! How a person becomes two again.

use hashbrown::{HashMap, HashSet};

use super::Parting;
use crate::identity::graph::edges::Sighting;
use crate::identity::graph::nodes::NONE;
use crate::identity::graph::{Arrival, Graph};
use crate::proto::decision::Decision;
use crate::proto::frame::{Change, Split};
use crate::proto::record::Identifier;

/// Why a person cannot be split so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    UnknownPerson,
    /// The identifier in this place is not the person's.
    NotOfPerson(usize),
    /// No identifier is to leave.
    NothingLeaves,
    /// All are to leave.
    NothingStays,
}

/// A person's members in two parts, neither of them empty: those with the earliest member, and the others. Both ascending.
#[derive(Debug)]
pub struct Fragments {
    person: u32,
    kept: Vec<u32>,
    parted: Vec<u32>,
}

impl Graph {
    /// What a person falls into when these identifiers leave. `nodes`: of those, as `Sighted` has them.
    pub fn fragments(&self, id: u64, identifiers: &[Identifier], nodes: &[u32]) -> Result<Fragments, Refusal> {
        let person = self.there(id)?;
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
                let (kept, parted) = if one < other {
                    (leaving, staying)
                } else {
                    (staying, leaving)
                };
                Ok(Fragments { person, kept, parted })
            }
        }
    }

    /// The fragment with the earliest member keeps the person. The other one is the former person of its own earliest member where that
    /// is whose first member it was, else a new one.
    pub fn split(
        &mut self,
        fragments: Fragments,
        decision: &Decision,
        arrival: Arrival,
        changes: &mut Vec<Change>,
    ) -> Parting {
        let Fragments { person, kept, parted } = fragments;
        let former = self.nodes.get(parted[0]).person;
        let is_its_first = kept
            .iter()
            .all(|&node| node > parted[0] || self.nodes.get(node).person != former);
        let to = if is_its_first { former } else { self.create(changes) };
        let aliases = self.rehome(person, to, &kept, &parted);
        changes.push(Change::Split(Split {
            from: self.persons.get(person).id,
            to: self.persons.get(to).id,
            nodes: parted.iter().map(|node| node + 1).collect(),
            aliases: aliases.iter().map(|&alias| self.persons.get(alias).id).collect(),
        }));
        for (own, of, others) in [(&kept, person, &parted), (&parted, to, &kept)] {
            self.gather(of, own);
            self.cut(own, others);
            self.connect_by_hand(own, decision, arrival);
        }
        Parting {
            from: person,
            to,
            kept,
            parted,
        }
    }

    /// Gives every former person to the fragment that holds its earliest member, and other members of it to the person of theirs.
    /// Those who are `to`'s aliases then, in order.
    fn rehome(&mut self, person: u32, to: u32, kept: &[u32], parted: &[u32]) -> Vec<u32> {
        let mut members: Vec<(u32, u32)> = kept.iter().map(|&node| (node, person)).collect();
        members.extend(parted.iter().map(|&node| (node, to)));
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
            .for_each(|(&former, &home)| self.persons.rehome(former, home));
        aliases.sort_unstable();
        aliases
    }

    /// Makes nodes all the members of a person.
    fn gather(&mut self, person: u32, nodes: &[u32]) {
        self.persons.empty(person);
        for &node in nodes {
            self.nodes.get_mut(node).next = NONE;
            self.append(person, node, node, 1, node);
        }
    }

    /// No edge glues a node to one of the others any more.
    fn cut(&mut self, nodes: &[u32], others: &[u32]) {
        for &node in nodes {
            let edges: Vec<u32> = self.edges.around(&self.nodes, node).collect();
            for edge in edges {
                if others.binary_search(&self.edges.get(edge).other(node)).is_ok() {
                    self.edges.unglue(edge);
                }
            }
        }
    }

    /// Where the edges that are left do not connect a fragment, the decision does: its edges were seen by nobody.
    fn connect_by_hand(&mut self, nodes: &[u32], decision: &Decision, arrival: Arrival) {
        let by_hand = Sighting {
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
                self.edges.glue(&mut self.nodes, nodes[0], node, &by_hand);
            }
            self.reach(node, &mut reached);
        }
    }

    /// Adds all that gluing edges connect with a node.
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
