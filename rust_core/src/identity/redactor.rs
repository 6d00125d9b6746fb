//! Removes erased people from the frames of the logs.
//!
//! A redacted frame keeps only what the fold needs: folding the log from its start still yields the same identifiers with the same
//! numbers, and so the same people.

use std::collections::HashMap;
use std::ops::Range;

use super::graph::Graph;
use super::normalise::normalise_in_namespace;
use crate::error::{Error, Result};
use crate::ingest::record_key;
use crate::proto::decision::{Decision, Kind, borrow};
use crate::proto::frame::{RawFrame, RejectFrame, ResolvedFrame};
use crate::proto::record::{self, Identifier, Record};
use crate::proto::redaction::Redaction;
use crate::proto::wire::{Reader, put_bytes, put_text};

/// In an unreadable record, a shorter value may occur by chance and is not searched.
const SEARCHABLE_BYTES: usize = 6;

/// A node number that no identifier has.
const NO_NODE: u32 = u32::MAX;

/// Redacts all people whose erasure the logs do not reflect yet.
pub struct Redactor {
    country: String,
    /// The raw offset of the erasure of each erased node.
    nodes: HashMap<u32, u64>,
    /// The erased identifiers by namespace and value, in order of arrival.
    identifiers: HashMap<String, HashMap<String, Vec<ErasedIdentifier>>>,
    raw_offsets: Range<u64>,
    until_ms: i64,
}

/// One identifier of an erased person.
struct ErasedIdentifier {
    node: u32,
    /// The raw offsets from its arrival to the erasure.
    raw_offsets: Range<u64>,
    /// The raw offset at which the same value arrived again, as the identifier of a person who is not erased.
    back_from: Option<u64>,
}

/// The redacted raw frame and resolved frame; `None` if a frame does not change.
#[derive(Debug, Default, PartialEq)]
pub struct Redacted {
    pub raw: Option<Vec<u8>>,
    pub resolved: Option<Vec<u8>>,
}

impl Redactor {
    /// Returns the redactor of a graph; `None` if the logs contain no erased people.
    pub fn of(graph: &Graph) -> Option<Redactor> {
        let last = graph.erasures.last()?;
        let mut redactor = Redactor {
            country: graph.policy.country.clone(),
            nodes: HashMap::new(),
            identifiers: HashMap::new(),
            raw_offsets: last.raw_offset..last.raw_offset,
            until_ms: last.at_ms,
        };
        for erasure in &graph.erasures {
            let until = erasure.raw_offset;
            for forgotten in &erasure.forgotten {
                let node = forgotten.node;
                redactor.nodes.insert(node, until);
                let namespace = graph.namespaces.names.text(graph.nodes.get(node).namespace).to_owned();
                let raw_offsets = graph.nodes.origin(node)..until;
                let again = graph.node((&namespace, &forgotten.value));
                redactor.raw_offsets.start = redactor.raw_offsets.start.min(raw_offsets.start);
                let values = redactor.identifiers.entry(namespace.clone()).or_default();
                let former = values.entry(forgotten.value.to_string()).or_default();
                former.push(ErasedIdentifier {
                    node,
                    raw_offsets,
                    back_from: again.map(|node| graph.nodes.origin(node)),
                });
            }
        }
        // A void decision may name an identifier that arrived later.
        if let Some(first) = graph.decisions.first_void() {
            redactor.raw_offsets.start = redactor.raw_offsets.start.min(first);
        }
        Some(redactor)
    }

    /// Returns the frames that may contain erased people.
    ///
    /// Callers must replace the newest frame first, and a raw frame before its resolved frame: a fold in between then yields the same.
    pub fn raw_offsets(&self) -> Range<u64> {
        self.raw_offsets.clone()
    }

    /// Redacts a raw frame and its resolved frame. Returns `Error::Invalid` if they are malformed or do not belong together.
    pub fn redact(&self, raw_offset: u64, raw: &[u8], resolved: &[u8]) -> Result<Redacted> {
        let (mut frame, mut resolved_frame) = (RawFrame::decode(raw)?, ResolvedFrame::decode(resolved)?);
        if (resolved_frame.raw_offset, resolved_frame.records.len()) != (raw_offset, frame.records.len()) {
            let detail = format!("resolved frame {raw_offset} does not belong to raw frame {raw_offset}");
            return Err(Error::Invalid(detail));
        }
        if let Some(decision) = frame.decision {
            return self.redact_decision(raw_offset, frame, decision);
        }
        let mut former = std::mem::take(&mut frame.redactions).into_iter().peekable();
        let mut redacted = Vec::new();
        for (position, &record) in frame.records.iter().enumerate() {
            let former = former.next_if(|former| former.record as usize == position);
            let is_gone = self.is_erased(resolved_frame.nodes[position], raw_offset);
            if former.is_none() && !is_gone && !self.names_any(raw_offset, record)? {
                continue;
            }
            redacted.push(self.redact_record(raw_offset, position, record, former.as_ref(), is_gone)?);
        }
        if redacted.is_empty() {
            return Ok(Redacted::default());
        }
        for (redaction, record) in &redacted {
            let at = redaction.record as usize;
            frame.records[at] = record;
            resolved_frame.records[at] = record;
            if redaction.is_of_erased {
                (
                    resolved_frame.persons[at],
                    resolved_frame.nodes[at],
                    resolved_frame.records[at],
                ) = (0, 0, &[]);
            }
        }
        frame.redactions = redacted.iter().map(|(redaction, _)| redaction.clone()).collect();
        let (new_raw, new_resolved) = (frame.encode(), resolved_frame.encode());
        Ok(Redacted {
            raw: (new_raw != raw).then_some(new_raw),
            resolved: (new_resolved != resolved).then_some(new_resolved),
        })
    }

    /// Redacts the identifiers of a split.
    fn redact_decision(&self, raw_offset: u64, mut frame: RawFrame, decision: &[u8]) -> Result<Redacted> {
        let Kind::Split { identifiers, .. } = Decision::decode(decision)?.kind else {
            return Ok(Redacted::default());
        };
        let former = frame.redactions.pop().unwrap_or_default().nodes;
        let identifiers = borrow(&identifiers);
        let mut nodes = self.nodes(raw_offset, &identifiers, &former);
        for (node, &(namespace, value)) in nodes.iter_mut().zip(&identifiers) {
            // The decision named the value before it arrived, or after it was erased and before it arrived again.
            if *node == 0
                && self
                    .erased_identifiers(namespace, value)
                    .is_some_and(|former| is_named_alone(former, raw_offset))
            {
                *node = NO_NODE;
            }
        }
        if nodes == former || nodes.iter().all(|&node| node == 0) {
            return Ok(Redacted::default());
        }
        let decision = change_field(decision, 1, |split| clear_values(split, 2, &nodes))?;
        let redaction = Redaction {
            nodes,
            ..Redaction::default()
        };
        let redacted = RawFrame {
            received_at_ms: frame.received_at_ms,
            decision: Some(&decision),
            redactions: vec![redaction],
            ..RawFrame::default()
        };
        Ok(Redacted {
            raw: Some(redacted.encode()),
            resolved: None,
        })
    }

    /// Redacts a dead-letter frame; returns `None` if it does not change. Records that name erased people keep only their reason.
    pub fn redact_rejects(&self, frame: &[u8]) -> Result<Option<Vec<u8>>> {
        let mut found = RejectFrame::decode(frame)?;
        if found.received_at_ms > self.until_ms {
            return Ok(None);
        }
        let mut changes = false;
        for reject in &mut found.rejects {
            if self.may_name(reject.record) {
                (reject.record, reject.message) = (&[], "".into());
                changes = true;
            }
        }
        Ok(changes.then(|| found.encode()))
    }

    /// Returns whether a record belongs to an erased person. `node` is the number of the node that attributes the record, plus one.
    fn is_erased(&self, node: u32, raw_offset: u64) -> bool {
        let until = node.checked_sub(1).and_then(|node| self.nodes.get(&node));
        until.is_some_and(|&until| raw_offset < until)
    }

    fn names_any(&self, raw_offset: u64, record: &[u8]) -> Result<bool> {
        let record = Record::decode(record)?;
        let mut identifiers = record.identifiers().iter();
        Ok(identifiers.any(|&identifier| self.node(raw_offset, identifier).is_some()))
    }

    /// Returns the erased node that an identifier had in a frame.
    fn node(&self, raw_offset: u64, (namespace, value): Identifier) -> Option<u32> {
        let former = self.erased_identifiers(namespace, value)?;
        let former = former.iter().find(|former| former.raw_offsets.contains(&raw_offset))?;
        Some(former.node)
    }

    fn erased_identifiers(&self, namespace: &str, value: &str) -> Option<&Vec<ErasedIdentifier>> {
        let values = self.identifiers.get(namespace)?;
        values.get(&*normalise_in_namespace(namespace, value, &self.country)?)
    }

    /// Returns whether a dead letter may name an erased person. It may be unreadable.
    fn may_name(&self, record: &[u8]) -> bool {
        match Record::decode(record) {
            Ok(record) => record
                .identifiers()
                .iter()
                .any(|&(namespace, value)| self.erased_identifiers(namespace, value).is_some()),
            Err(_) => {
                let values = self.identifiers.values().flat_map(HashMap::keys);
                values
                    .filter(|value| value.len() >= SEARCHABLE_BYTES)
                    .any(|value| record.windows(value.len()).any(|found| found == value.as_bytes()))
            }
        }
    }

    fn redact_record(
        &self,
        raw_offset: u64,
        position: usize,
        bytes: &[u8],
        former: Option<&Redaction>,
        is_gone: bool,
    ) -> Result<(Redaction, Vec<u8>)> {
        let record = Record::decode(bytes)?;
        let known = former.map_or(&[][..], |former| &former.nodes);
        let nodes = self.nodes(raw_offset, record.identifiers(), known);
        let [key_high, key_low] = former.map_or_else(|| record_key(&record), Redaction::key);
        let redaction = Redaction {
            record: position as u32,
            nodes,
            key_high,
            key_low,
            is_of_erased: is_gone || former.is_some_and(|former| former.is_of_erased),
        };
        let bytes = match redaction.is_of_erased {
            true => self.identifiers_only(&record, &redaction.nodes),
            false => {
                let FieldNumbers { field, identifiers } = field_numbers(&record);
                change_field(bytes, field, |body| clear_values(body, identifiers, &redaction.nodes))?
            }
        };
        Ok((redaction, bytes))
    }

    /// Returns the nodes of a redaction. `former` are the nodes of an earlier redaction of the record.
    fn nodes(&self, raw_offset: u64, identifiers: &[Identifier], former: &[u32]) -> Vec<u32> {
        let node = |(at, &identifier): (usize, &Identifier)| match former.get(at) {
            None | Some(0) => self.node(raw_offset, identifier).map_or(0, |node| node + 1),
            Some(&former) => former,
        };
        identifiers.iter().enumerate().map(node).collect()
    }

    /// Encodes a record with its identifiers only. Erased values and placeholders are left empty.
    fn identifiers_only(&self, record: &Record, nodes: &[u32]) -> Vec<u8> {
        let FieldNumbers { field, identifiers } = field_numbers(record);
        let mut body = Vec::new();
        for (&(namespace, value), &node) in record.identifiers().iter().zip(nodes) {
            let is_kept = node == 0 && normalise_in_namespace(namespace, value, &self.country).is_some();
            put_bytes(
                &mut body,
                identifiers,
                &identifier(namespace, if is_kept { value } else { "" }),
            );
        }
        let mut out = Vec::new();
        put_bytes(&mut out, field, &body);
        out
    }
}

/// Returns whether a value names only erased people in a frame.
fn is_named_alone(former: &[ErasedIdentifier], raw_offset: u64) -> bool {
    former
        .iter()
        .all(|former| former.back_from.is_none_or(|from| raw_offset < from))
}

/// The field numbers of the body of a Record and of the identifiers in the body.
struct FieldNumbers {
    field: u32,
    identifiers: u32,
}

fn field_numbers(record: &Record) -> FieldNumbers {
    let (field, identifiers) = match record {
        Record::Event(_) => (1, 5),
        Record::Profile(_) => (2, 4),
        // Items have no identifiers.
        Record::Item(_) => (3, 0),
    };
    FieldNumbers { field, identifiers }
}

/// Copies a message and changes the message in one field. If the field is repeated, the last one counts.
fn change_field(bytes: &[u8], changed: u32, change: impl Fn(&[u8]) -> Result<Vec<u8>>) -> Result<Vec<u8>> {
    let (mut out, mut last) = (Vec::new(), None);
    let mut fields = Reader::new(bytes);
    while let Some((field, wire)) = fields.field()? {
        match field == changed {
            true => last = Some(wire.bytes()?),
            false => wire.put(&mut out, field),
        }
    }
    put_bytes(&mut out, changed, &change(last.unwrap_or_default())?);
    Ok(out)
}

/// Copies a message and empties the values of those identifiers that have a node.
fn clear_values(bytes: &[u8], identifiers: u32, nodes: &[u32]) -> Result<Vec<u8>> {
    let (mut out, mut nodes) = (Vec::new(), nodes.iter());
    let mut fields = Reader::new(bytes);
    while let Some((field, wire)) = fields.field()? {
        let node = if field == identifiers { nodes.next() } else { None };
        match node {
            None | Some(0) => wire.put(&mut out, field),
            Some(_) => {
                let (namespace, _) = record::identifier(wire.bytes()?)?;
                put_bytes(&mut out, field, &identifier(namespace, ""));
            }
        }
    }
    Ok(out)
}

/// Encodes an Identifier.
fn identifier(namespace: &str, value: &str) -> Vec<u8> {
    let mut out = Vec::new();
    put_text(&mut out, 1, namespace);
    put_text(&mut out, 2, value);
    out
}
