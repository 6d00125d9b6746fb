//! Edges between identifiers that records show together. All are kept, also those that a limit prevents from gluing.

use xxhash_rust::xxh3::xxh3_64;

use super::hash_table::Table;
use super::nodes::{ArrivalOffsets, NONE, Nodes};

/// An edge between two identifiers.
pub struct Edge {
    /// The ends, `a < b`.
    pub a: u32,
    pub b: u32,
    /// The next older edge of each end.
    next: [u32; 2],
    pub first_seen_ms: i64,
    pub last_seen_ms: i64,
    /// The source of the record that first showed it.
    pub source: u32,
    /// The number of observations; the highest bit is set if the edge glues.
    observations: u32,
    /// The start in the arena of the id of the record that first showed it; it ends at the start of the next edge.
    start: u64,
}

const GLUES: u32 = 1 << 31;

/// One observation of an edge by a record.
#[derive(Clone, Copy)]
pub struct Observation<'a> {
    pub source: u32,
    pub record_id: &'a str,
    pub first_ms: i64,
    pub last_ms: i64,
    pub count: u32,
    pub glues: bool,
    pub raw_offset: u64,
}

#[derive(Default)]
pub struct Edges {
    edges: Vec<Edge>,
    arena: Vec<u8>,
    table: Table,
    origins: ArrivalOffsets,
}

impl Edge {
    pub fn glues(&self) -> bool {
        self.observations & GLUES != 0
    }

    pub fn count(&self) -> u32 {
        self.observations & !GLUES
    }

    pub fn other(&self, node: u32) -> u32 {
        if node == self.a { self.b } else { self.a }
    }

    fn observe(&mut self, observation: &Observation) {
        self.first_seen_ms = self.first_seen_ms.min(observation.first_ms);
        self.last_seen_ms = self.last_seen_ms.max(observation.last_ms);
        let count = self.count().saturating_add(observation.count).min(GLUES - 1);
        // A glued edge stays glued until a split.
        self.observations = count | self.observations & GLUES | if observation.glues { GLUES } else { 0 };
    }
}

impl Edges {
    pub fn len(&self) -> usize {
        self.edges.len()
    }

    pub fn get(&self, edge: u32) -> &Edge {
        &self.edges[edge as usize]
    }

    pub fn record_id(&self, edge: u32) -> &str {
        let start = self.get(edge).start as usize;
        let end = self
            .edges
            .get(edge as usize + 1)
            .map_or(self.arena.len(), |next| next.start as usize);
        // The arena contains only whole texts; forgotten ones are zeros.
        std::str::from_utf8(&self.arena[start..end])
            .unwrap_or_default()
            .trim_start_matches('\0')
    }

    /// Clears the record and the times of an edge.
    pub fn forget(&mut self, edge: u32, nowhere: u32) {
        let length = self.record_id(edge).len();
        let found = &mut self.edges[edge as usize];
        (found.source, found.first_seen_ms, found.last_seen_ms) = (nowhere, 0, 0);
        let start = found.start as usize;
        self.arena[start..start + length].fill(0);
    }

    pub fn origin(&self, edge: u32) -> u64 {
        self.origins.of(edge)
    }

    /// Glues two different nodes; adds `observation` if there is no edge.
    pub fn glue(&mut self, nodes: &mut Nodes, one: u32, other: u32, observation: &Observation) {
        match self.find(one, other) {
            Some(edge) => self.edges[edge as usize].observations |= GLUES,
            None => drop(self.observe(nodes, one, other, observation)),
        }
    }

    pub fn unglue(&mut self, edge: u32) {
        self.edges[edge as usize].observations &= !GLUES;
    }

    /// Returns the edges of a node, newest first.
    pub fn around<'g>(&'g self, nodes: &Nodes, node: u32) -> impl Iterator<Item = u32> + 'g {
        let mut next = nodes.get(node).edges;
        std::iter::from_fn(move || {
            let edge = (next != NONE).then_some(next)?;
            let found = self.get(edge);
            next = found.next[usize::from(node != found.a)];
            Some(edge)
        })
    }

    /// Counts an observation of two different nodes; returns whether the edge is new.
    pub fn observe(&mut self, nodes: &mut Nodes, one: u32, other: u32, observation: &Observation) -> bool {
        let (a, b) = (one.min(other), one.max(other));
        if let Some(edge) = self.find(a, b) {
            self.edges[edge as usize].observe(observation);
            return false;
        }
        let edge = self.edges.len() as u32;
        let next = [a, b].map(|end| std::mem::replace(&mut nodes.get_mut(end).edges, edge));
        let mut added = Edge {
            a,
            b,
            next,
            first_seen_ms: observation.first_ms,
            last_seen_ms: observation.last_ms,
            source: observation.source,
            observations: 0,
            start: self.arena.len() as u64,
        };
        added.observe(observation);
        self.arena.extend_from_slice(observation.record_id.as_bytes());
        self.edges.push(added);
        self.origins.note(edge, observation.raw_offset);
        self.table.insert(hash(a, b), edge);
        true
    }

    fn find(&self, one: u32, other: u32) -> Option<u32> {
        let (a, b) = (one.min(other), one.max(other));
        let same = |edge: u32| self.get(edge).a == a && self.get(edge).b == b;
        self.table.find(hash(a, b), same)
    }

    /// Reads the memory that counting these pairs needs, so that the cache misses overlap.
    pub fn prefetch(&self, pairs: impl Iterator<Item = (u32, u32)>) {
        let guesses: Vec<u32> = pairs
            .filter_map(|(a, b)| self.table.find(hash(a.min(b), a.max(b)), |_| true))
            .collect();
        let counts = guesses.iter().map(|&edge| self.get(edge).observations);
        std::hint::black_box(counts.fold(0, u32::wrapping_add));
    }
}

fn hash(a: u32, b: u32) -> u64 {
    xxh3_64(&(u64::from(a) << 32 | u64::from(b)).to_le_bytes())
}
