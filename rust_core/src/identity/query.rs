//! Answers queries as messages of `quanyu.api.identity.v1`.

use hashbrown::HashMap;

use super::decisions::RecordedDecision;
use super::graph::Graph;
use super::graph::edges::Edge;
use super::normalise::normalise;
use super::violations::encode_identifier;
use crate::proto::record::Identifier;
use crate::proto::wire::{put_bytes, put_fixed64, put_number, put_text, put_varint};

impl Graph {
    /// Returns the id of the person, or 0. A device resolves to the last sign-in as of `now_ms`, else to its own person.
    pub fn resolve(&self, identifier: Identifier, now_ms: i64) -> u64 {
        let Some(node) = self.node(identifier) else { return 0 };
        let node = self.signed_in(node, now_ms).unwrap_or(node);
        self.owner(node).map_or(0, |person| self.persons.get(person).id)
    }

    /// Returns the node of an identifier.
    pub fn node(&self, (name, raw): Identifier) -> Option<u32> {
        let namespace = self.namespaces.names.code(name)?;
        let value = normalise(self.namespaces.rules(namespace).kind, raw, &self.policy.country)?;
        self.nodes.find(self.nodes.hash(namespace, &value), namespace, &value)
    }

    /// Returns Person bytes; empty if there is no such person. For an alias, returns its winner.
    pub fn person(&self, id: u64) -> Vec<u8> {
        let mut out = Vec::new();
        let Some(person) = self.persons.with_id(id).map(|person| self.persons.root(person)) else {
            return out;
        };
        let mut members: Vec<u32> = self.members(person).collect();
        if members.is_empty() {
            // The person was erased.
            return out;
        }
        members.sort_unstable();
        put_fixed64(&mut out, 1, self.persons.get(person).id);
        for &node in &members {
            let mut linked = Vec::new();
            put_bytes(&mut linked, 1, &self.identifier(node));
            put_number(&mut linked, 2, self.nodes.origin(node));
            put_bytes(&mut out, 2, &linked);
        }
        // The nodes still refer to the former persons that first owned them.
        let mut aliases: Vec<u32> = members.iter().map(|&node| self.nodes.get(node).person).collect();
        aliases.sort_unstable();
        aliases.dedup();
        let aliases = aliases
            .into_iter()
            .filter(|&alias| alias != person)
            .map(|alias| self.persons.get(alias).id);
        put_packed(&mut out, 3, &aliases.collect::<Vec<u64>>());
        out
    }

    /// Returns ExplainResponse bytes.
    pub fn explain(&self, from: Identifier, to: Identifier) -> Vec<u8> {
        let mut out = Vec::new();
        let (Some(from), Some(to)) = (self.node(from), self.node(to)) else {
            return out;
        };
        let (Some(one), Some(other)) = (self.owner(from), self.owner(to)) else {
            return out;
        };
        if one != other {
            if let Some(decided) = self.kept_apart(one, other) {
                put_bytes(&mut out, 4, &decided.encode());
            }
            return out;
        }
        put_number(&mut out, 1, 1);
        let mut at = from;
        for edge in self.path(from, to) {
            let next = self.edges.get(edge).other(at);
            put_bytes(&mut out, 2, &self.encode_edge(edge, at, next));
            at = next;
        }
        out
    }

    /// Returns the newest decision that keeps two persons apart.
    fn kept_apart(&self, one: u32, other: u32) -> Option<&RecordedDecision> {
        let [one, other] = [one, other].map(|person| self.decisions.sides(self.members(person)));
        self.decisions.separating(&one, &other)
    }

    /// Returns the shortest path of gluing edges between two identifiers. Prefers edges observed more often, then older ones.
    pub fn path(&self, from: u32, to: u32) -> Vec<u32> {
        // The edge by which the search from the end reaches each identifier.
        let mut reached: HashMap<u32, u32> = HashMap::new();
        let mut frontier = vec![to];
        while !frontier.is_empty() && !reached.contains_key(&from) {
            let mut next: HashMap<u32, u32> = HashMap::new();
            for &node in &frontier {
                for edge in self
                    .edges
                    .around(&self.nodes, node)
                    .filter(|&edge| self.edges.get(edge).glues())
                {
                    let other = self.edges.get(edge).other(node);
                    if other != to && !reached.contains_key(&other) {
                        let best = next.entry(other).or_insert(edge);
                        *best = self.stronger(*best, edge);
                    }
                }
            }
            frontier = next.keys().copied().collect();
            reached.extend(next);
        }
        let mut path = Vec::new();
        let mut at = from;
        while let Some(&edge) = reached.get(&at).filter(|_| at != to) {
            path.push(edge);
            at = self.edges.get(edge).other(at);
        }
        path
    }

    fn stronger(&self, one: u32, other: u32) -> u32 {
        let strength = |edge: u32| (self.edges.get(edge).count(), std::cmp::Reverse(edge));
        if strength(one) > strength(other) { one } else { other }
    }

    /// Returns the earliest identifier of a person in exactly this namespace.
    pub fn earliest(&self, person: u32, namespace: u32) -> Option<&str> {
        let of_namespace = self
            .members(person)
            .filter(|&node| self.nodes.get(node).namespace == namespace);
        of_namespace.min().map(|node| self.nodes.value(node))
    }

    fn identifier(&self, node: u32) -> Vec<u8> {
        let namespace = self.namespaces.names.text(self.nodes.get(node).namespace);
        encode_identifier(namespace, self.nodes.value(node))
    }

    fn encode_edge(&self, edge: u32, a: u32, b: u32) -> Vec<u8> {
        let mut out = Vec::new();
        let found: &Edge = self.edges.get(edge);
        put_bytes(&mut out, 1, &self.identifier(a));
        put_bytes(&mut out, 2, &self.identifier(b));
        put_text(&mut out, 3, self.sources.text(found.source));
        put_text(&mut out, 4, self.edges.record_id(edge));
        put_timestamp(&mut out, 5, found.first_seen_ms);
        put_timestamp(&mut out, 6, found.last_seen_ms);
        put_number(&mut out, 7, found.count().into());
        put_number(&mut out, 8, found.glues().into());
        out
    }
}

impl RecordedDecision {
    fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put_text(&mut out, 1, &self.by);
        put_text(&mut out, 2, &self.why);
        put_number(&mut out, 3, self.raw_offset);
        put_timestamp(&mut out, 4, self.at_ms);
        out
    }
}

/// Writes a `repeated fixed64` field.
pub fn put_packed(out: &mut Vec<u8>, field: u32, values: &[u64]) {
    if !values.is_empty() {
        put_varint(out, u64::from(field) << 3 | 2);
        put_varint(out, values.len() as u64 * 8);
        out.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    }
}

fn put_timestamp(out: &mut Vec<u8>, field: u32, ms: i64) {
    let mut message = Vec::new();
    put_number(&mut message, 1, ms.div_euclid(1000) as u64);
    put_number(&mut message, 2, ms.rem_euclid(1000) as u64 * 1_000_000);
    put_bytes(out, field, &message);
}
