//! Folds records in batches.
//!
//! Nodes are looked up before the first record is attributed, and edges are counted after the last, so that cache misses overlap.

use std::borrow::Cow;

use super::linking::RecordNode;
use super::union::Union;
use crate::identity::graph::edges::Observation;
use crate::identity::graph::names::NamespaceRules;
use crate::identity::graph::{FrameArrival, Graph, IdentifiedRecord};
use crate::identity::normalise::normalise;
use crate::identity::violations::Reason;
use crate::proto::frame::Change;
use crate::proto::record::Identifier;

/// An identifier prepared for the lookup.
struct PreparedIdentifier<'a> {
    namespace: u32,
    rules: NamespaceRules,
    /// The node, if the identifier was redacted.
    node: Option<u32>,
    /// `None` if the value is rejected.
    value: Option<Cow<'a, str>>,
    hash: u64,
}

/// Two nodes that a record shows together.
pub struct NodePair {
    pub record: usize,
    pub a: u32,
    pub b: u32,
    pub glues: bool,
    /// True if one of the two attributes the record to its person.
    pub attributes_record: bool,
}

impl Graph {
    /// Folds records and adds to `changes`; adds to `nodes` the node that attributes each record to its person, or `NONE`.
    pub fn fold_records(
        &mut self,
        records: &[IdentifiedRecord],
        arrival: FrameArrival,
        changes: &mut Vec<Change>,
        nodes: &mut Vec<u32>,
    ) {
        let prepared: Vec<PreparedIdentifier> = records
            .iter()
            .flat_map(|record| {
                record
                    .identifiers
                    .iter()
                    .enumerate()
                    .map(|(at, &one)| (one, record.nodes.get(at)))
            })
            .map(|(identifier, node)| self.prepare(identifier, node))
            .collect();
        self.nodes.prefetch(prepared.iter().map(|identifier| identifier.hash));
        let (mut rest, mut found, mut pairs) = (prepared.as_slice(), Vec::new(), Vec::new());
        let mut union = Union::default();
        for (position, record) in records.iter().enumerate() {
            let (own, after) = rest.split_at(record.identifiers.len());
            rest = after;
            let violations = self.violations.total();
            self.look_up(record, arrival, own, &mut found);
            let node = self.attribute_record(record, arrival, &mut found, &mut union, changes);
            self.violations.note_node(violations, node);
            nodes.push(node);
            // The edges form a star from the strongest identifier of the record to the others.
            if let Some((centre, others)) = found.split_first() {
                pairs.extend(others.iter().map(|other| other.pair(position, centre, node)));
            }
        }
        self.connect(records, arrival, &pairs);
    }

    /// Prepares an identifier for the lookup.
    fn prepare<'a>(&mut self, (name, raw): Identifier<'a>, node: Option<&u32>) -> PreparedIdentifier<'a> {
        let namespace = self.namespaces.intern(name, &self.policy);
        let rules = self.namespaces.rules(namespace);
        let value = normalise(rules.kind, raw, &self.policy.country).filter(|_| !name.is_empty());
        let hash = value.as_ref().map_or(0, |value| self.nodes.hash(namespace, value));
        PreparedIdentifier {
            namespace,
            rules,
            node: node.and_then(|node| node.checked_sub(1)),
            value,
            hash,
        }
    }

    /// Looks up the usable identifiers of a record, each once: gluing ones first, then by strength.
    fn look_up(
        &mut self,
        record: &IdentifiedRecord,
        arrival: FrameArrival,
        own: &[PreparedIdentifier],
        found: &mut Vec<RecordNode>,
    ) {
        found.clear();
        for (position, prepared) in own.iter().enumerate() {
            let node = match (prepared.node, &prepared.value) {
                (Some(node), _) => self
                    .nodes
                    .get_or_add_forgotten(node, prepared.namespace, arrival.raw_offset),
                (None, Some(value)) => {
                    Some(
                        self.nodes
                            .find_or_add(prepared.hash, prepared.namespace, value, arrival.raw_offset),
                    )
                }
                (None, None) => None,
            };
            let Some(node) = node else {
                let (name, raw) = record.identifiers[position];
                self.violate(record, arrival, Reason::RefusedValue, name, raw);
                continue;
            };
            found.push(RecordNode {
                node,
                rules: prepared.rules,
                position,
                dropped: false,
            });
        }
        if found.len() > 1 {
            found.sort_unstable_by_key(|found| (found.node, found.position));
            found.dedup_by_key(|found| found.node);
            found.sort_unstable_by_key(|found| (!found.rules.glues, found.rules.priority, found.position));
        }
    }

    fn connect(&mut self, records: &[IdentifiedRecord], arrival: FrameArrival, pairs: &[NodePair]) {
        self.edges.prefetch(pairs.iter().map(|pair| (pair.a, pair.b)));
        for pair in pairs {
            let record = &records[pair.record];
            // An edge between two devices does not name the record: it must not outlive the erasure of its person.
            let (source, record_id) = if pair.attributes_record {
                (record.source, record.id)
            } else {
                ("", "")
            };
            let observation = Observation {
                source: self.sources.intern(source),
                record_id,
                first_ms: record.at_ms,
                last_ms: record.at_ms,
                count: 1,
                glues: pair.glues,
                raw_offset: arrival.raw_offset,
            };
            self.edges.observe(&mut self.nodes, pair.a, pair.b, &observation);
        }
    }
}

impl RecordNode {
    /// `node` attributes the record to its person.
    fn pair(&self, record: usize, centre: &RecordNode, node: u32) -> NodePair {
        NodePair {
            attributes_record: centre.node == node || self.node == node,
            record,
            a: centre.node,
            b: self.node,
            glues: self.rules.glues && !self.dropped,
        }
    }
}
