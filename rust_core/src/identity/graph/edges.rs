//! Who was seen with whom. Edges are the truth and all are kept, also those that a limit kept from gluing.

use xxhash_rust::xxh3::xxh3_64;

use super::hash_table::Table;
use super::nodes::{NONE, Nodes, Origins};

pub struct Edge {
    /// The ends, `a < b`.
    pub a: u32,
    pub b: u32,
    /// The next older edge of each end.
    next: [u32; 2],
    pub first_seen_ms: i64,
    pub last_seen_ms: i64,
    /// Source of the record that first showed it.
    pub source: u32,
    /// Sightings, and in the highest bit whether it glues.
    sightings: u32,
    /// Where the id of the record that first showed it begins in the arena; it ends where the next edge's begins.
    start: u64,
}

const GLUES: u32 = 1 << 31;

/// One record's showing of an edge.
#[derive(Clone, Copy)]
pub struct Sighting<'a> {
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
    origins: Origins,
}

impl Edge {
    pub fn glues(&self) -> bool {
        self.sightings & GLUES != 0
    }

    pub fn count(&self) -> u32 {
        self.sightings & !GLUES
    }

    pub fn other(&self, node: u32) -> u32 {
        if node == self.a { self.b } else { self.a }
    }

    fn see(&mut self, sighting: &Sighting) {
        self.first_seen_ms = self.first_seen_ms.min(sighting.first_ms);
        self.last_seen_ms = self.last_seen_ms.max(sighting.last_ms);
        let count = self.count().saturating_add(sighting.count).min(GLUES - 1);
        // What once glued stays glued, until a person is split.
        self.sightings = count | self.sightings & GLUES | if sighting.glues { GLUES } else { 0 };
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
        // Only whole texts are ever put there; zeros stand where one was forgotten.
        std::str::from_utf8(&self.arena[start..end])
            .unwrap_or_default()
            .trim_start_matches('\0')
    }

    /// Forgets in what record it was first seen, and when.
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

    /// Glues two different nodes by hand; `by_hand` is told where nothing was seen of the two.
    pub fn glue(&mut self, nodes: &mut Nodes, one: u32, other: u32, by_hand: &Sighting) {
        match self.find(one, other) {
            Some(edge) => self.edges[edge as usize].sightings |= GLUES,
            None => drop(self.see(nodes, one, other, by_hand)),
        }
    }

    pub fn unglue(&mut self, edge: u32) {
        self.edges[edge as usize].sightings &= !GLUES;
    }

    /// A node's edges, newest first.
    pub fn around<'g>(&'g self, nodes: &Nodes, node: u32) -> impl Iterator<Item = u32> + 'g {
        let mut next = nodes.get(node).edges;
        std::iter::from_fn(move || {
            let edge = (next != NONE).then_some(next)?;
            let found = self.get(edge);
            next = found.next[usize::from(node != found.a)];
            Some(edge)
        })
    }

    /// Counts a sighting of two different nodes together; whether the edge is new.
    pub fn see(&mut self, nodes: &mut Nodes, one: u32, other: u32, sighting: &Sighting) -> bool {
        let (a, b) = (one.min(other), one.max(other));
        if let Some(edge) = self.find(a, b) {
            self.edges[edge as usize].see(sighting);
            return false;
        }
        let edge = self.edges.len() as u32;
        let next = [a, b].map(|end| std::mem::replace(&mut nodes.get_mut(end).edges, edge));
        let mut added = Edge {
            a,
            b,
            next,
            first_seen_ms: sighting.first_ms,
            last_seen_ms: sighting.last_ms,
            source: sighting.source,
            sightings: 0,
            start: self.arena.len() as u64,
        };
        added.see(sighting);
        self.arena.extend_from_slice(sighting.record_id.as_bytes());
        self.edges.push(added);
        self.origins.note(edge, sighting.raw_offset);
        self.table.insert(hash(a, b), edge);
        true
    }

    fn find(&self, one: u32, other: u32) -> Option<u32> {
        let (a, b) = (one.min(other), one.max(other));
        let same = |edge: u32| self.get(edge).a == a && self.get(edge).b == b;
        self.table.find(hash(a, b), same)
    }

    /// Touches what counting these pairs will need, so that memory is waited for once and not for each.
    pub fn warm(&self, pairs: impl Iterator<Item = (u32, u32)>) {
        let guesses: Vec<u32> = pairs
            .filter_map(|(a, b)| self.table.find(hash(a.min(b), a.max(b)), |_| true))
            .collect();
        let counts = guesses.iter().map(|&edge| self.get(edge).sightings);
        std::hint::black_box(counts.fold(0, u32::wrapping_add));
    }
}

fn hash(a: u32, b: u32) -> u64 {
    xxh3_64(&(u64::from(a) << 32 | u64::from(b)).to_le_bytes())
}
