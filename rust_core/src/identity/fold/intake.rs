//! Records taken in by the hundred: what they will need is found before the first of them is decided, and their edges are counted
//! after the last, so that memory is waited for together.

use std::borrow::Cow;

use super::linking::Found;
use super::union::Union;
use crate::identity::graph::edges::Sighting;
use crate::identity::graph::names::Terms;
use crate::identity::graph::{Arrival, Graph, Sighted};
use crate::identity::normalise::normalise;
use crate::identity::violations::Reason;
use crate::proto::frame::Change;
use crate::proto::record::Identifier;

/// An identifier made ready to be looked up.
struct Ready<'a> {
    namespace: u32,
    terms: Terms,
    /// Of an identifier of somebody erased.
    node: Option<u32>,
    /// `None` if it is refused.
    value: Option<Cow<'a, str>>,
    hash: u64,
}

/// Two nodes seen together, and in which of the records.
pub struct Pair {
    pub record: usize,
    pub a: u32,
    pub b: u32,
    pub glues: bool,
    /// Whether the record came to its person by one of them.
    pub came_by: bool,
}

impl Graph {
    /// Takes records in and adds to `changes`; adds to `nodes` by which identifier each comes to its person, or `NONE`.
    pub fn take_in(&mut self, records: &[Sighted], arrival: Arrival, changes: &mut Vec<Change>, nodes: &mut Vec<u32>) {
        let ready: Vec<Ready> = records
            .iter()
            .flat_map(|record| {
                record
                    .identifiers
                    .iter()
                    .enumerate()
                    .map(|(at, &one)| (one, record.nodes.get(at)))
            })
            .map(|(identifier, node)| self.ready(identifier, node))
            .collect();
        self.nodes.warm(ready.iter().map(|ready| ready.hash));
        let (mut rest, mut found, mut pairs) = (ready.as_slice(), Vec::new(), Vec::new());
        let mut union = Union::default();
        for (position, record) in records.iter().enumerate() {
            let (own, after) = rest.split_at(record.identifiers.len());
            rest = after;
            let violations = self.violations.total();
            self.look_up(record, arrival, own, &mut found);
            let node = self.decide(record, arrival, &mut found, &mut union, changes);
            self.violations.note_node(violations, node);
            nodes.push(node);
            // A star from the record's strongest identifier to its others.
            if let Some((centre, others)) = found.split_first() {
                pairs.extend(others.iter().map(|other| other.pair(position, centre, node)));
            }
        }
        self.connect(records, arrival, &pairs);
    }

    fn ready<'a>(&mut self, (name, raw): Identifier<'a>, node: Option<&u32>) -> Ready<'a> {
        let namespace = self.namespaces.intern(name, &self.policy);
        let terms = self.namespaces.terms(namespace);
        let value = normalise(terms.kind, raw, &self.policy.country).filter(|_| !name.is_empty());
        let hash = value.as_ref().map_or(0, |value| self.nodes.hash(namespace, value));
        Ready {
            namespace,
            terms,
            node: node.and_then(|node| node.checked_sub(1)),
            value,
            hash,
        }
    }

    /// The record's usable identifiers, each once: those that glue before those that do not, the strongest first.
    fn look_up(&mut self, record: &Sighted, arrival: Arrival, own: &[Ready], found: &mut Vec<Found>) {
        found.clear();
        for (position, ready) in own.iter().enumerate() {
            let node = match (ready.node, &ready.value) {
                (Some(node), _) => self.nodes.numbered(node, ready.namespace, arrival.raw_offset),
                (None, Some(value)) => {
                    Some(
                        self.nodes
                            .find_or_add(ready.hash, ready.namespace, value, arrival.raw_offset),
                    )
                }
                (None, None) => None,
            };
            let Some(node) = node else {
                let (name, raw) = record.identifiers[position];
                self.violate(record, arrival, Reason::RefusedValue, name, raw);
                continue;
            };
            found.push(Found {
                node,
                terms: ready.terms,
                position,
                dropped: false,
            });
        }
        if found.len() > 1 {
            found.sort_unstable_by_key(|found| (found.node, found.position));
            found.dedup_by_key(|found| found.node);
            found.sort_unstable_by_key(|found| (!found.terms.glues, found.terms.priority, found.position));
        }
    }

    fn connect(&mut self, records: &[Sighted], arrival: Arrival, pairs: &[Pair]) {
        self.edges.warm(pairs.iter().map(|pair| (pair.a, pair.b)));
        for pair in pairs {
            let record = &records[pair.record];
            // Somebody else's record is not named by two devices that stay when that person is erased.
            let (source, record_id) = if pair.came_by {
                (record.source, record.id)
            } else {
                ("", "")
            };
            let sighting = Sighting {
                source: self.sources.intern(source),
                record_id,
                first_ms: record.at_ms,
                last_ms: record.at_ms,
                count: 1,
                glues: pair.glues,
                raw_offset: arrival.raw_offset,
            };
            self.edges.see(&mut self.nodes, pair.a, pair.b, &sighting);
        }
    }
}

impl Found {
    /// `node`: by which the record came.
    fn pair(&self, record: usize, centre: &Found, node: u32) -> Pair {
        Pair {
            came_by: centre.node == node || self.node == node,
            record,
            a: centre.node,
            b: self.node,
            glues: self.terms.glues && !self.dropped,
        }
    }
}
