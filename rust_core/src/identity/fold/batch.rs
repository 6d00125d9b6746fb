//! Reads the parts of a raw frame that identity resolution needs, without copying.

use std::ops::Range;

use crate::error::Result;
use crate::identity::graph::IdentifiedRecord;
use crate::proto::decision::Decision;
use crate::proto::frame::RawFrame;
use crate::proto::record::{Identifier, identifier, timestamp_ms};
use crate::proto::wire::Reader;

/// The records of a frame. All are read before the first one changes the graph.
pub struct Batch<'a> {
    pub frame: RawFrame<'a>,
    pub decision: Option<Decision>,
    heads: Vec<Head<'a>>,
    identifiers: Vec<Identifier<'a>>,
}

#[derive(Default)]
struct Head<'a> {
    source: &'a str,
    id: &'a str,
    occurred_at_ms: Option<i64>,
    identifiers: Range<usize>,
    /// The position of the redaction in the frame.
    redaction: Option<usize>,
}

impl<'a> Batch<'a> {
    pub fn decode(bytes: &'a [u8]) -> Result<Self> {
        let frame = RawFrame::decode(bytes)?;
        let mut batch = Batch {
            decision: frame.decision.map(Decision::decode).transpose()?,
            heads: Vec::with_capacity(frame.records.len()),
            identifiers: Vec::new(),
            frame,
        };
        for position in 0..batch.frame.records.len() {
            let head = batch.head(batch.frame.records[position])?;
            batch.heads.push(head);
        }
        for (at, redaction) in batch.frame.redactions.iter().enumerate() {
            if let Some(head) = batch.heads.get_mut(redaction.record as usize) {
                head.redaction = Some(at);
            }
        }
        Ok(batch)
    }

    pub fn len(&self) -> usize {
        self.heads.len()
    }

    pub fn identifiers(&self) -> usize {
        self.identifiers.len()
    }

    pub fn record(&self, position: usize) -> IdentifiedRecord<'_> {
        let head = &self.heads[position];
        IdentifiedRecord {
            source: head.source,
            id: head.id,
            at_ms: head.occurred_at_ms.unwrap_or(self.frame.received_at_ms),
            identifiers: &self.identifiers[head.identifiers.clone()],
            nodes: head.redaction.map_or(&[], |at| &self.frame.redactions[at].nodes),
        }
    }

    /// Returns the nodes of the identifiers that the decision names, as in `IdentifiedRecord`.
    pub fn decision_nodes(&self) -> &[u32] {
        self.frame.redactions.first().map_or(&[], |redaction| &redaction.nodes)
    }

    fn head(&mut self, record: &'a [u8]) -> Result<Head<'a>> {
        let mut head = Head::default();
        let mut reader = Reader::new(record);
        while let Some((field, wire)) = reader.field()? {
            match field {
                1 => head = self.body(wire.bytes()?, 4, 5)?,
                2 => head = self.body(wire.bytes()?, 3, 4)?,
                // Catalog items have no identifiers.
                _ => head = Head::default(),
            }
        }
        Ok(head)
    }

    /// Reads an event or a profile update; they differ in the field numbers of time and identifiers.
    fn body(&mut self, bytes: &'a [u8], time: u32, identifiers: u32) -> Result<Head<'a>> {
        let mut head = Head::default();
        let start = self.identifiers.len();
        let mut reader = Reader::new(bytes);
        while let Some((field, wire)) = reader.field()? {
            match field {
                1 => head.source = wire.text()?,
                2 => head.id = wire.text()?,
                _ if field == time => head.occurred_at_ms = Some(timestamp_ms(wire.bytes()?)?),
                _ if field == identifiers => self.identifiers.push(identifier(wire.bytes()?)?),
                _ => {}
            }
        }
        head.identifiers = start..self.identifiers.len();
        Ok(head)
    }
}
