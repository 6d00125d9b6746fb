//! Identity resolution: folds the raw log into a graph of identifiers, and raw frames into resolved frames. The fold is deterministic.
//!
//! A person is a cluster of identifiers seen together. Guards come first: a record whose identifiers would break a limit of
//! the policy keeps its strongest, and the others are dropped with a violation. Devices and cookies never glue.

mod decisions;
mod fold;
mod graph;
pub mod normalise;
mod policy;
mod query;
pub mod redactor;
mod snapshot;
mod state;
#[cfg(test)]
mod tests;
mod violations;

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use parking_lot::{Mutex, RwLock};
use roaring::RoaringTreemap;

pub use decisions::DecisionStatus;
pub use decisions::split::Refusal;
pub use policy::{Policy, Rule};

use crate::error::{Error, Result};
use crate::proto::decision::Decision;
use crate::proto::frame::ResolvedFrame;
use crate::proto::record::{Identifier, identifier};
use crate::proto::wire::{Reader, put_bytes};
use decisions::erasure::Erasure;
use fold::batch::Batch;
use graph::FrameArrival;
pub use graph::Graph;
use graph::nodes::NONE;
use redactor::Redactor;
use state::State;

/// The number of people in a partition.
pub const PARTITION: u32 = 1 << 22;

/// The number of records folded, or rows read, while the lock is held; it bounds how long others wait.
const STRIDE: usize = 256;

/// The identity graph of one workspace. Folds and snapshots exclude each other; queries continue meanwhile.
pub struct Resolver {
    folder: PathBuf,
    capacity: u32,
    state: RwLock<State>,
    writing: Mutex<()>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Statistics {
    /// The number of persons without aliases and erased ones.
    pub persons: u64,
    pub identifiers: u64,
    pub edges: u64,
    /// The number of aliases.
    pub merges: u64,
    pub splits: u64,
    pub violations: u64,
}

impl Resolver {
    /// Opens the newest snapshot in a folder, which is created if missing, or starts empty. `capacity` is the size of a partition.
    ///
    /// Returns `Error::Corrupt` for a damaged snapshot and `Error::Unsupported` for one of another version, policy or capacity.
    pub fn open(folder: &Path, policy: Policy, capacity: u32) -> Result<Self> {
        fs::create_dir_all(folder).map_err(Error::io(folder))?;
        let state = match snapshot::load(folder, &policy, capacity)? {
            Some(state) => state,
            None => State {
                graph: Graph::new(policy, capacity),
                offset: 0,
                received_at_ms: 0,
                sequence: 0,
            },
        };
        Ok(Resolver {
            folder: folder.into(),
            capacity,
            state: RwLock::new(state),
            writing: Mutex::new(()),
        })
    }

    /// Returns the raw offset of the next frame to fold.
    pub fn offset(&self) -> u64 {
        self.state.read().offset
    }

    /// Returns when the last folded frame arrived, in ms since the epoch.
    pub fn received_at_ms(&self) -> i64 {
        self.state.read().received_at_ms
    }

    /// Folds RawFrame bytes; returns ResolvedFrame bytes.
    ///
    /// Returns `Error::Invalid` and changes nothing if the frame is malformed or not the next.
    pub fn fold(&self, offset: u64, frame: &[u8]) -> Result<Vec<u8>> {
        let _writing = self.writing.lock();
        let next = self.offset();
        if offset != next {
            return Err(Error::Invalid(format!(
                "cannot fold raw frame {offset}: the next frame is {next}"
            )));
        }
        let batch = Batch::decode(frame)
            .map_err(|error| Error::Invalid(format!("raw frame {offset} is malformed: {error}")))?;
        self.check_room(&batch)?;
        let arrival = FrameArrival {
            raw_offset: offset,
            received_at_ms: batch.frame.received_at_ms,
        };
        let mut changes = Vec::new();
        let mut nodes = Vec::with_capacity(batch.len());
        for start in (0..batch.len()).step_by(STRIDE) {
            let end = batch.len().min(start + STRIDE);
            let records: Vec<_> = (start..end).map(|position| batch.record(position)).collect();
            let graph = &mut self.state.write().graph;
            graph.fold_records(&records, arrival, &mut changes, &mut nodes);
        }
        if let Some(decision) = &batch.decision {
            self.state
                .write()
                .graph
                .apply_decision(decision, batch.decision_nodes(), arrival, &mut changes);
        }
        let (changes, mut persons) = self.state.write().finish(arrival, changes, &nodes);
        let mut nodes: Vec<u32> = nodes.into_iter().map(|node| node.wrapping_add(1)).collect();
        let mut records = batch.frame.records;
        for redaction in batch.frame.redactions.iter().filter(|redaction| redaction.is_of_erased) {
            let at = redaction.record as usize;
            if at < records.len() {
                (persons[at], nodes[at], records[at]) = (0, 0, &[]);
            }
        }
        let resolved = ResolvedFrame {
            raw_offset: offset,
            received_at_ms: arrival.received_at_ms,
            changes,
            persons,
            nodes,
            records,
            schema: batch.frame.schema,
        };
        Ok(resolved.encode())
    }

    /// Checks that the graph has room: each identifier of a frame may add a node, and all but the first of a record an edge.
    fn check_room(&self, batch: &Batch) -> Result<()> {
        let state = self.state.read();
        let longest = state
            .graph
            .nodes
            .len()
            .max(state.graph.edges.len())
            .max(state.graph.persons.len());
        match longest + batch.identifiers() < NONE as usize {
            true => Ok(()),
            false => Err(Error::Unsupported(
                "the identity graph is full: it has 2^32 identifiers or edges".into(),
            )),
        }
    }

    /// Writes the state and offset to one file, atomically.
    pub fn snapshot(&self) -> Result<()> {
        let _writing = self.writing.lock();
        snapshot::save(&self.folder, &self.state.read(), self.capacity)
    }

    /// Returns the redactor of people who are erased but may still occur in the logs; `None` if there are none.
    pub fn redactor(&self) -> Option<Redactor> {
        Redactor::of(&self.state.read().graph)
    }

    /// Drops the values of people erased up to a raw offset, once the logs are redacted. No snapshot contains them on return.
    pub fn forget(&self, raw_offset: u64) -> Result<()> {
        let _writing = self.writing.lock();
        let left = |erasure: &Erasure| erasure.raw_offset > raw_offset;
        self.state.write().graph.erasures.retain(left);
        snapshot::save_only(&self.folder, &self.state.read(), self.capacity)
    }

    /// Returns the person that owns an identifier, or 0. For a device, this is its own person, whoever is signed in.
    pub fn owner(&self, identifier: Identifier) -> u64 {
        let graph = &self.state.read().graph;
        let owner = graph.node(identifier).and_then(|node| graph.owner(node));
        owner.map_or(0, |person| graph.persons.get(person).id)
    }

    /// Returns the next offset to ask for, and the ids of people erased from a raw offset on, with all ids merged into them.
    pub fn all_erased(&self, from: u64) -> (u64, Vec<u64>) {
        let State { graph, offset, .. } = &*self.state.read();
        let decided = graph
            .decisions
            .all()
            .iter()
            .filter(|decided| decided.raw_offset >= from);
        let erased: HashSet<u32> = decided.filter_map(|decided| decided.outcome.erased()).collect();
        let candidates = 0..if erased.is_empty() {
            0
        } else {
            graph.persons.len() as u32
        };
        let ids = candidates.filter(|&person| erased.contains(&graph.persons.root(person)));
        (*offset, ids.map(|person| graph.persons.get(person).id).collect())
    }

    /// Returns the raw offset of the decision with a key and the person that it erased, or 0; `None` if there is no such decision.
    pub fn erased(&self, key: &str) -> Option<(u64, u64)> {
        let graph = &self.state.read().graph;
        let decided = graph.decisions.with_key(key)?;
        let person = decided.outcome.erased();
        Some((
            decided.raw_offset,
            person.map_or(0, |person| graph.persons.get(person).id),
        ))
    }

    /// Returns the person of an identifier, or 0. For a device, this is the person who is signed in.
    pub fn resolve(&self, identifier: Identifier) -> u64 {
        let state = self.state.read();
        state.graph.resolve(identifier, state.received_at_ms)
    }

    /// Resolves BatchResolveRequest bytes; returns BatchResolveResponse bytes without the epoch.
    pub fn batch_resolve(&self, request: &[u8]) -> Result<Vec<u8>> {
        let mut identifiers = Vec::new();
        let mut reader = Reader::new(request);
        while let Some((field, wire)) = reader.field()? {
            if field == 2 {
                identifiers.push(identifier(wire.bytes()?)?);
            }
        }
        let state = self.state.read();
        let persons: Vec<u64> = identifiers
            .into_iter()
            .map(|identifier| state.graph.resolve(identifier, state.received_at_ms))
            .collect();
        let mut out = Vec::new();
        query::put_packed(&mut out, 1, &persons);
        Ok(out)
    }

    /// Returns Person bytes; empty if there is no such person. For an alias, returns its winner.
    pub fn person(&self, person: u64) -> Vec<u8> {
        self.state.read().graph.person(person)
    }

    /// Returns why a decision would change nothing now. Returns `Error::Invalid` if the bytes are not a decision.
    pub fn refusal(&self, decision: &[u8]) -> Result<Option<Refusal>> {
        Ok(self.state.read().graph.refusal(&Decision::decode(decision)?))
    }

    /// Returns the status of a decision whose key is recorded. Returns `Error::Invalid` if the bytes are not a decision.
    pub fn outcome(&self, decision: &[u8]) -> Result<Option<DecisionStatus>> {
        let decision = Decision::decode(decision)?;
        Ok(self.state.read().graph.outcome(&decision))
    }

    /// Returns ExplainResponse bytes without the epoch: the shortest path of gluing edges between two identifiers.
    pub fn explain(&self, from: Identifier, to: Identifier) -> Vec<u8> {
        self.state.read().graph.explain(from, to)
    }

    /// Returns ListIdentifiersResponse messages of at most `max_rows` rows, ascending, for persons in the 64-bit Roaring portable format.
    ///
    /// An alias gets the identifier of its winner. Each person gets one row, even if several of its aliases are requested.
    pub fn identifiers(&self, persons: &[u8], namespace: &str, max_rows: usize) -> Result<Vec<Vec<u8>>> {
        if max_rows == 0 {
            return Err(Error::Invalid(
                "max_rows is 0; request at least one row for each message".into(),
            ));
        }
        let persons = RoaringTreemap::deserialize_from(persons)
            .map_err(|error| Error::Invalid(format!("persons are not a 64-bit Roaring bitmap: {error}")))?;
        let mut messages = Messages {
            max_rows,
            ids: Vec::new(),
            values: Vec::new(),
            done: Vec::new(),
        };
        let mut listed = HashSet::new();
        let mut requested = persons.iter();
        loop {
            let stride: Vec<u64> = requested.by_ref().take(STRIDE).collect();
            if stride.is_empty() {
                break;
            }
            let graph = &self.state.read().graph;
            let Some(namespace) = graph.namespaces.names.code(namespace) else {
                break;
            };
            for id in stride {
                let Some(person) = graph.persons.with_id(id) else {
                    continue;
                };
                let root = graph.persons.root(person);
                let twice = root != person && (persons.contains(graph.persons.get(root).id) || !listed.insert(root));
                if let Some(value) = graph.earliest(root, namespace).filter(|_| !twice) {
                    messages.row(id, value);
                }
            }
        }
        Ok(messages.finish())
    }

    /// Returns GetPolicyResponse bytes.
    pub fn policy(&self) -> Vec<u8> {
        self.state.read().graph.policy.encode()
    }

    /// Returns ListViolationsResponse bytes: violations with an index below `before` (0: all), newest first.
    pub fn violations(&self, before: u64, limit: usize) -> Vec<u8> {
        self.state.read().graph.violations.page(before, limit)
    }

    pub fn statistics(&self) -> Statistics {
        let graph = &self.state.read().graph;
        let merges = u64::from(graph.persons.merged());
        Statistics {
            persons: graph.persons.len() as u64 - merges - graph.decisions.erased(),
            identifiers: graph.nodes.len() as u64,
            edges: graph.edges.len() as u64,
            merges,
            splits: graph.decisions.splits().count() as u64,
            violations: graph.violations.total(),
        }
    }
}

/// Builds ListIdentifiersResponse messages row by row.
struct Messages {
    max_rows: usize,
    ids: Vec<u64>,
    /// The encoded field 2.
    values: Vec<u8>,
    done: Vec<Vec<u8>>,
}

impl Messages {
    fn row(&mut self, person: u64, value: &str) {
        self.ids.push(person);
        put_bytes(&mut self.values, 2, value.as_bytes());
        if self.ids.len() == self.max_rows {
            self.close();
        }
    }

    fn close(&mut self) {
        let mut message = Vec::new();
        query::put_packed(&mut message, 1, &self.ids);
        message.append(&mut self.values);
        self.ids.clear();
        self.done.push(message);
    }

    fn finish(mut self) -> Vec<Vec<u8>> {
        if !self.ids.is_empty() {
            self.close();
        }
        self.done
    }
}
