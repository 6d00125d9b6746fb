//! Ingestion: validates and deduplicates the records of one workspace and appends them to its raw log.
//!
//! The state is a fold of that log, so a kill at any moment loses no acknowledged record and duplicates none.

mod bloom_filter;
mod content_key;
mod dates;
mod generation;
mod keys;
mod merging;
mod rejection;
mod request;
mod suggestion;
#[cfg(test)]
mod tests;
mod validate;
mod values;

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;

use parking_lot::{Condvar, Mutex, RwLock};

use crate::error::{Error, Result};
use crate::log::LocalLog;
use crate::proto::decision::Decision;
use crate::proto::frame::{RawFrame, Reject, RejectFrame};
use crate::proto::record::Record;
use crate::proto::redaction::Redaction;
use crate::proto::schema::Schema;
pub use content_key::record_key;
pub use dates::{is_date, is_month_day};
use generation::{Key, KeyHash};
use keys::Keys;
use rejection::Rejection;
pub use request::peek_workspace;
use request::{Counts, Request};

const READ_AHEAD: usize = 8 << 20;
/// The content hash of a redacted record. Its contents are unknown, so each copy counts as a duplicate.
const ANY_CONTENTS: u64 = 0;

pub struct Ingestor {
    raw: Arc<LocalLog>,
    rejects: Arc<LocalLog>,
    schema: RwLock<Arc<Schema>>,
    /// Held while a declaration is appended, so that declarations are merged in the order of the log.
    declaring: Mutex<()>,
    state: Mutex<State>,
    /// Signals that claims are settled.
    settled: Condvar,
}

struct State {
    keys: Keys,
    /// The keys and contents of records that are being appended: no other request may accept them.
    claims: HashMap<Key, u64, KeyHash>,
    /// The keys of all frames before this offset are in `keys`; so are those of the frames in `ahead`.
    folded: u64,
    ahead: BTreeSet<u64>,
    /// The encoded schemas, each with the raw offset from which it applies.
    schemas: Vec<(u64, Vec<u8>)>,
}

/// The verdict on a record.
enum Verdict {
    /// The key and content hash; `None` for catalog items.
    Accepted(Option<(Key, u64)>),
    Duplicate,
    Rejected(Box<Rejection>),
}

impl Ingestor {
    /// Opens an ingestor. `state` is the folder of the key generations; missing keys are folded from the raw log.
    pub fn open(raw: Arc<LocalLog>, rejects: Arc<LocalLog>, state: &Path) -> Result<Ingestor> {
        let keys = Keys::open(state)?;
        let (folded, encoded) = keys.covered();
        if folded > raw.end()? {
            return Err(Error::Corrupt {
                path: raw.folder().to_owned(),
                detail: format!(
                    "it has {} frames, but {} were acknowledged; restore the log",
                    raw.end()?,
                    folded
                ),
            });
        }
        let mut schema = Schema::decode(encoded)?;
        let schemas = vec![(0, encoded.to_vec())];
        let mut state = State {
            keys,
            claims: HashMap::default(),
            folded,
            ahead: BTreeSet::new(),
            schemas,
        };
        state.fold(&raw, &mut schema)?;
        Ok(Ingestor {
            raw,
            rejects,
            schema: RwLock::new(Arc::new(schema)),
            declaring: Mutex::new(()),
            state: Mutex::new(state),
            settled: Condvar::new(),
        })
    }

    /// Ingests IngestRequest bytes; returns IngestResponse bytes. Accepted records are durable on return.
    ///
    /// Returns `Error::Invalid` and accepts nothing if the request is malformed or larger than 64 MiB.
    pub fn ingest(&self, request: &[u8], received_at_ms: i64) -> Result<Vec<u8>> {
        let request = Request::decode(request)?;
        let schema = self.schema.read().clone();
        let mut verdicts: Vec<Verdict> = request
            .records
            .iter()
            .map(|record| check(record, &schema, received_at_ms))
            .collect();
        self.claim(&mut verdicts, received_at_ms)?;
        let records = accepted(&request.records, &verdicts);
        let appended = self.append(records, received_at_ms);
        self.settle(&verdicts, appended.as_ref().ok(), received_at_ms);
        let offset = appended?;
        let rejects = rejects(&request.records, &verdicts);
        let counts = Counts {
            accepted: verdicts
                .iter()
                .filter(|verdict| matches!(verdict, Verdict::Accepted(_)))
                .count(),
            duplicates: verdicts
                .iter()
                .filter(|verdict| matches!(verdict, Verdict::Duplicate))
                .count(),
            raw_offset: offset.map_or_else(|| self.raw.end(), |offset| Ok(offset + 1))?,
        };
        let response = request::response(request.sequence, &counts, &rejects);
        if !rejects.is_empty() {
            self.rejects.append(
                &RejectFrame {
                    received_at_ms,
                    rejects,
                }
                .encode(),
            )?;
        }
        Ok(response)
    }

    /// Merges Schema bytes into the schema and appends them; returns the raw offset to wait for.
    ///
    /// Returns `Error::Invalid` with the field that is wrong. A declaration that changes nothing is not appended.
    pub fn put_schema(&self, declared: &[u8], received_at_ms: i64) -> Result<u64> {
        let _in_order = self.declaring.lock();
        let before = self.schema.read().clone();
        let mut merged = Schema::clone(&before);
        merged.merge(Schema::decode(declared)?)?;
        if merged == *before {
            return self.raw.end();
        }
        let frame = RawFrame {
            received_at_ms,
            schema: Some(declared),
            ..RawFrame::default()
        };
        let offset = self.raw.append(&frame.encode())?;
        let mut state = self.state.lock();
        state.schemas.push((offset + 1, merged.encode()));
        state.advance(offset);
        *self.schema.write() = Arc::new(merged);
        Ok(offset + 1)
    }

    /// Appends Decision bytes; returns the raw offset to wait for. Returns `Error::Invalid` if they are not a decision.
    pub fn record_decision(&self, decision: &[u8], received_at_ms: i64) -> Result<u64> {
        Decision::decode(decision)?;
        let frame = RawFrame {
            received_at_ms,
            decision: Some(decision),
            ..RawFrame::default()
        };
        let offset = self.raw.append(&frame.encode())?;
        self.state.lock().advance(offset);
        Ok(offset + 1)
    }

    /// Returns the declared schema as Schema bytes.
    pub fn schema(&self) -> Vec<u8> {
        self.schema.read().encode()
    }

    /// Marks records with known keys as duplicates or conflicts, and claims the other keys for this request.
    fn claim(&self, verdicts: &mut [Verdict], now_ms: i64) -> Result<()> {
        let keys: Vec<Key> = verdicts.iter().filter_map(Verdict::key).collect();
        let mut state = self.state.lock();
        // Waits for other requests that append the same keys: whether a key is a duplicate is known once they are durable.
        while keys.iter().any(|key| state.claims.contains_key(key)) {
            self.settled.wait(&mut state);
        }
        state.make_room(now_ms)?;
        let mut known = state.keys.look_up(&keys)?.into_iter();
        for verdict in verdicts {
            let Verdict::Accepted(Some((key, contents))) = *verdict else {
                continue;
            };
            let known = known.next().flatten();
            // The first copy in a batch claims the key; a second copy finds the claim.
            let earlier = known.or_else(|| state.claims.get(&key).copied());
            match earlier {
                None => drop(state.claims.insert(key, contents)),
                Some(earlier) if earlier == contents || earlier == ANY_CONTENTS => *verdict = Verdict::Duplicate,
                Some(_) => *verdict = Verdict::Rejected(Box::new(validate::conflicting_duplicate())),
            }
        }
        Ok(())
    }

    /// Appends records; returns the offset of the durable frame, or `None` if there are no records.
    fn append(&self, records: Vec<&[u8]>, received_at_ms: i64) -> Result<Option<u64>> {
        if records.is_empty() {
            return Ok(None);
        }
        let frame = RawFrame {
            received_at_ms,
            records,
            ..RawFrame::default()
        };
        self.raw.append(&frame.encode()).map(Some)
    }

    /// Turns the claims of a durable frame into known keys, or releases those of a failed one.
    fn settle(&self, verdicts: &[Verdict], appended: Option<&Option<u64>>, received_at_ms: i64) {
        let mut state = self.state.lock();
        for verdict in verdicts {
            let Verdict::Accepted(Some((key, contents))) = verdict else {
                continue;
            };
            state.claims.remove(key);
            if appended.is_some() {
                state.keys.insert(*key, *contents, received_at_ms);
            }
        }
        if let Some(&Some(offset)) = appended {
            state.advance(offset);
        }
        self.settled.notify_all();
    }
}

impl Verdict {
    fn key(&self) -> Option<Key> {
        match self {
            Verdict::Accepted(Some((key, _))) => Some(*key),
            _ => None,
        }
    }
}

impl State {
    /// Folds the keys and the schema up to the end of the log.
    fn fold(&mut self, raw: &LocalLog, schema: &mut Schema) -> Result<()> {
        loop {
            let frames = raw.read(self.folded, READ_AHEAD)?;
            if frames.is_empty() {
                return Ok(());
            }
            for (offset, frame) in frames {
                let frame = RawFrame::decode(&frame)?;
                if let Some(declared) = frame.schema {
                    schema.merge(Schema::decode(declared)?)?;
                    self.schemas.push((offset + 1, schema.encode()));
                }
                let redacted: HashMap<u32, &Redaction> = frame
                    .redactions
                    .iter()
                    .map(|redaction| (redaction.record, redaction))
                    .collect();
                for (position, record) in (0..).zip(&frame.records) {
                    let key = match redacted.get(&position) {
                        Some(redaction) => Some((redaction.key().into(), ANY_CONTENTS)),
                        None => content_key::key(&Record::decode(record)?),
                    };
                    if let Some((key, contents)) = key {
                        self.keys.insert(key, contents, frame.received_at_ms);
                    }
                }
                self.advance(offset);
                self.make_room(frame.received_at_ms)?;
            }
        }
    }

    fn advance(&mut self, offset: u64) {
        self.ahead.insert(offset);
        while self.ahead.remove(&self.folded) {
            self.folded += 1;
        }
    }

    /// Seals the active keys if there are too many to keep in memory.
    fn make_room(&mut self, now_ms: i64) -> Result<()> {
        if !self.keys.is_full() {
            return Ok(());
        }
        let current = self.schemas.partition_point(|(from, _)| *from <= self.folded) - 1;
        self.keys.seal(self.folded, &self.schemas[current].1, now_ms)?;
        self.schemas.drain(..current);
        Ok(())
    }
}

fn check(record: &[u8], schema: &Schema, received_at_ms: i64) -> Verdict {
    let checked = validate::decode(record).and_then(|record| {
        validate::check(&record, schema, received_at_ms)?;
        Ok(content_key::key(&record))
    });
    match checked {
        Ok(key) => Verdict::Accepted(key),
        Err(rejection) => Verdict::Rejected(Box::new(rejection)),
    }
}

fn accepted<'a>(records: &[&'a [u8]], verdicts: &[Verdict]) -> Vec<&'a [u8]> {
    let pairs = records.iter().zip(verdicts);
    pairs
        .filter(|(_, verdict)| matches!(verdict, Verdict::Accepted(_)))
        .map(|(record, _)| *record)
        .collect()
}

fn rejects<'a>(records: &[&'a [u8]], verdicts: &'a [Verdict]) -> Vec<Reject<'a>> {
    let pairs = records.iter().zip(verdicts).enumerate();
    pairs
        .filter_map(|(index, (record, verdict))| match verdict {
            Verdict::Rejected(rejection) => Some(Reject {
                index: index as u32,
                reason: rejection.reason.into(),
                field: rejection.field.as_str().into(),
                message: rejection.message.as_str().into(),
                record,
            }),
            _ => None,
        })
        .collect()
}
