//! Takes what is of erased people out of the frames of the logs: nothing is left of it but what identity needs to find, folding the raw log
//! from its beginning, the same identifiers with the same numbers, and so the same people.

use std::collections::HashMap;
use std::ops::Range;

use super::graph::Graph;
use super::normalise::spelling;
use crate::error::{Error, Result};
use crate::ingest::record_key;
use crate::proto::decision::{Decision, Kind, borrow};
use crate::proto::frame::{RawFrame, RejectFrame, ResolvedFrame};
use crate::proto::record::{self, Identifier, Record};
use crate::proto::redaction::Redaction;
use crate::proto::wire::{Reader, put_bytes, put_text};

/// In what cannot be read, a value this short may stand for anything.
const TELLING: usize = 6;

/// Leads to no identifier.
const NOWHERE: u32 = u32::MAX;

/// Of all people whose erasure the logs do not reflect yet.
pub struct Redactor {
    country: String,
    /// By number, of every erased identifier: the raw offset of the erasure.
    nodes: HashMap<u32, u64>,
    /// By namespace and value: the identifiers that had it, one after the other.
    identifiers: HashMap<String, HashMap<String, Vec<Former>>>,
    raw_offsets: Range<u64>,
    until_ms: i64,
}

struct Former {
    node: u32,
    /// From its arrival to the erasure.
    raw_offsets: Range<u64>,
    /// Whether an identifier of that value has come since.
    is_back: bool,
}

/// Frames to put in the place of a raw one and of the resolved one that came of it; `None` where nothing changes.
#[derive(Debug, Default, PartialEq)]
pub struct Redacted {
    pub raw: Option<Vec<u8>>,
    pub resolved: Option<Vec<u8>>,
}

impl Redactor {
    /// `None` if the logs hold nothing of anybody erased.
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
                redactor.raw_offsets.start = redactor.raw_offsets.start.min(raw_offsets.start);
                let values = redactor.identifiers.entry(namespace.clone()).or_default();
                let former = values.entry(forgotten.value.to_string()).or_default();
                former.push(Former {
                    node,
                    raw_offsets,
                    is_back: graph.node((&namespace, &forgotten.value)).is_some(),
                });
            }
        }
        // One that came to nothing may name an identifier that had not come yet.
        if let Some(first) = graph.decisions.first_void() {
            redactor.raw_offsets.start = redactor.raw_offsets.start.min(first);
        }
        Some(redactor)
    }

    /// Those of the frames that may hold something. The newest are to be replaced first, and a raw one before its resolved one: whatever is
    /// folded again meanwhile comes to the same.
    pub fn raw_offsets(&self) -> Range<u64> {
        self.raw_offsets.clone()
    }

    /// Invalid if they are malformed or not of one another.
    pub fn redact(&self, raw_offset: u64, raw: &[u8], resolved: &[u8]) -> Result<Redacted> {
        let (mut frame, mut told) = (RawFrame::decode(raw)?, ResolvedFrame::decode(resolved)?);
        if (told.raw_offset, told.records.len()) != (raw_offset, frame.records.len()) {
            let detail = format!("resolved frame {raw_offset} is not of the raw frame {raw_offset}");
            return Err(Error::Invalid(detail));
        }
        if let Some(decision) = frame.decision {
            return self.redact_decision(raw_offset, frame, decision);
        }
        let mut former = std::mem::take(&mut frame.redactions).into_iter().peekable();
        let mut redacted = Vec::new();
        for (position, &record) in frame.records.iter().enumerate() {
            let former = former.next_if(|former| former.record as usize == position);
            let is_gone = self.is_erased(told.nodes[position], raw_offset);
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
            told.records[at] = record;
            if redaction.is_of_erased {
                (told.persons[at], told.nodes[at], told.records[at]) = (0, 0, &[]);
            }
        }
        frame.redactions = redacted.iter().map(|(redaction, _)| redaction.clone()).collect();
        let (new_raw, new_resolved) = (frame.encode(), told.encode());
        Ok(Redacted {
            raw: (new_raw != raw).then_some(new_raw),
            resolved: (new_resolved != resolved).then_some(new_resolved),
        })
    }

    /// The identifiers of a split.
    fn redact_decision(&self, raw_offset: u64, mut frame: RawFrame, decision: &[u8]) -> Result<Redacted> {
        let Kind::Split { identifiers, .. } = Decision::decode(decision)?.kind else {
            return Ok(Redacted::default());
        };
        let former = frame.redactions.pop().unwrap_or_default().nodes;
        let identifiers = borrow(&identifiers);
        let mut nodes = self.nodes(raw_offset, &identifiers, &former);
        for (node, &(namespace, value)) in nodes.iter_mut().zip(&identifiers) {
            // Decided of it before it came, or when it was nobody's any more.
            if *node == 0
                && self
                    .formers(namespace, value)
                    .is_some_and(|former| raw_offset < last_of(former) || !former.iter().any(|former| former.is_back))
            {
                *node = NOWHERE;
            }
        }
        if nodes == former || nodes.iter().all(|&node| node == 0) {
            return Ok(Redacted::default());
        }
        let decision = within(decision, 1, |split| without_values(split, 2, &nodes))?;
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

    /// A dead-letter frame to put in the place of one; `None` where nothing changes. Of what names somebody erased, the reason is left.
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

    /// Whether a record is of somebody erased, by the node (one more than its number) by which it came to its person.
    fn is_erased(&self, node: u32, raw_offset: u64) -> bool {
        let until = node.checked_sub(1).and_then(|node| self.nodes.get(&node));
        until.is_some_and(|&until| raw_offset < until)
    }

    fn names_any(&self, raw_offset: u64, record: &[u8]) -> Result<bool> {
        let record = Record::decode(record)?;
        let mut identifiers = record.identifiers().iter();
        Ok(identifiers.any(|&identifier| self.node(raw_offset, identifier).is_some()))
    }

    /// The erased identifier that one was in a frame.
    fn node(&self, raw_offset: u64, (namespace, value): Identifier) -> Option<u32> {
        let former = self.formers(namespace, value)?;
        let former = former.iter().find(|former| former.raw_offsets.contains(&raw_offset))?;
        Some(former.node)
    }

    fn formers(&self, namespace: &str, value: &str) -> Option<&Vec<Former>> {
        let values = self.identifiers.get(namespace)?;
        values.get(&*spelling(namespace, value, &self.country)?)
    }

    /// Of a dead letter: it may be nothing that can be read.
    fn may_name(&self, record: &[u8]) -> bool {
        match Record::decode(record) {
            Ok(record) => record
                .identifiers()
                .iter()
                .any(|&(namespace, value)| self.formers(namespace, value).is_some()),
            Err(_) => {
                let values = self.identifiers.values().flat_map(HashMap::keys);
                values
                    .filter(|value| value.len() >= TELLING)
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
            true => self.bare(&record, &redaction.nodes),
            false => {
                let Place { field, identifiers } = place(&record);
                within(bytes, field, |body| without_values(body, identifiers, &redaction.nodes))?
            }
        };
        Ok((redaction, bytes))
    }

    /// As a redaction has them. `former`: of what was redacted before.
    fn nodes(&self, raw_offset: u64, identifiers: &[Identifier], former: &[u32]) -> Vec<u32> {
        let node = |(at, &identifier): (usize, &Identifier)| match former.get(at) {
            None | Some(0) => self.node(raw_offset, identifier).map_or(0, |node| node + 1),
            Some(&former) => former,
        };
        identifiers.iter().enumerate().map(node).collect()
    }

    /// Record bytes with nothing but the identifiers: those that are not erased as they came, but for such as stand for nobody.
    fn bare(&self, record: &Record, nodes: &[u32]) -> Vec<u8> {
        let Place { field, identifiers } = place(record);
        let mut body = Vec::new();
        for (&(namespace, value), &node) in record.identifiers().iter().zip(nodes) {
            let stays = node == 0 && spelling(namespace, value, &self.country).is_some();
            put_bytes(
                &mut body,
                identifiers,
                &identifier(namespace, if stays { value } else { "" }),
            );
        }
        let mut out = Vec::new();
        put_bytes(&mut out, field, &body);
        out
    }
}

/// The last erasure.
fn last_of(former: &[Former]) -> u64 {
    former.iter().map(|former| former.raw_offsets.end).max().unwrap_or(0)
}

/// Where in a Record its event, profile or item stands, and in that the identifiers.
struct Place {
    field: u32,
    identifiers: u32,
}

fn place(record: &Record) -> Place {
    let (field, identifiers) = match record {
        Record::Event(_) => (1, 5),
        Record::Profile(_) => (2, 4),
        // Has no identifiers.
        Record::Item(_) => (3, 0),
    };
    Place { field, identifiers }
}

/// A message's bytes as they came, but for the message in one of its fields, of which the last counts.
fn within(bytes: &[u8], within: u32, change: impl Fn(&[u8]) -> Result<Vec<u8>>) -> Result<Vec<u8>> {
    let (mut out, mut last) = (Vec::new(), None);
    let mut fields = Reader::new(bytes);
    while let Some((field, wire)) = fields.field()? {
        match field == within {
            true => last = Some(wire.bytes()?),
            false => wire.put(&mut out, field),
        }
    }
    put_bytes(&mut out, within, &change(last.unwrap_or_default())?);
    Ok(out)
}

/// A message's bytes as they came, but for the values of the identifiers, in one of its fields, that have a node.
fn without_values(bytes: &[u8], identifiers: u32, nodes: &[u32]) -> Result<Vec<u8>> {
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

/// Identifier bytes.
fn identifier(namespace: &str, value: &str) -> Vec<u8> {
    let mut out = Vec::new();
    put_text(&mut out, 1, namespace);
    put_text(&mut out, 2, value);
    out
}
