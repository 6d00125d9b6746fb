//! Nodes: identifiers of a namespace and a normalised value, numbered in order of arrival.

use std::hash::{BuildHasher, RandomState};

use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::hash_table::Table;

/// No node, person or edge.
pub const NONE: u32 = u32::MAX;

pub struct Node {
    /// The start of the value in the arena; it ends at the start of the next node.
    start: u64,
    pub namespace: u32,
    /// The person that first owned it, which may be an alias now; `NONE` if nobody owns it.
    pub person: u32,
    /// The next member of the same person.
    pub next: u32,
    /// The newest edge.
    pub edges: u32,
}

pub struct Nodes {
    nodes: Vec<Node>,
    arena: Vec<u8>,
    table: Table,
    origins: ArrivalOffsets,
    /// Random in each process, so that nobody can construct colliding values. No result depends on it.
    seed: u64,
}

impl Default for Nodes {
    fn default() -> Self {
        let seed = RandomState::new().hash_one(0);
        Nodes {
            nodes: Vec::new(),
            arena: Vec::new(),
            table: Table::default(),
            origins: ArrivalOffsets::default(),
            seed,
        }
    }
}

impl Nodes {
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    pub fn get(&self, node: u32) -> &Node {
        &self.nodes[node as usize]
    }

    pub fn get_mut(&mut self, node: u32) -> &mut Node {
        &mut self.nodes[node as usize]
    }

    /// Returns the value; empty for a forgotten node.
    pub fn value(&self, node: u32) -> &str {
        match self.is_forgotten(node) {
            true => "",
            // The arena contains only whole texts.
            false => std::str::from_utf8(self.bytes(node)).unwrap_or_default(),
        }
    }

    /// Returns whether the node is forgotten. Values have no control characters, so a leading zero marks forgotten ones.
    pub fn is_forgotten(&self, node: u32) -> bool {
        self.bytes(node).first() == Some(&0)
    }

    /// Removes and returns the value. If it arrives again, it becomes another node.
    pub fn forget(&mut self, node: u32) -> Box<str> {
        let value = self.value(node).into();
        let start = self.get(node).start as usize;
        let end = start + self.bytes(node).len();
        self.arena[start..end].fill(0);
        value
    }

    /// Returns the node with a number; adds it as forgotten if it is the next number. Returns `None` for a higher number.
    pub fn get_or_add_forgotten(&mut self, node: u32, namespace: u32, raw_offset: u64) -> Option<u32> {
        if node as usize == self.nodes.len() {
            self.push(namespace, b"\0", raw_offset);
        }
        ((node as usize) < self.nodes.len()).then_some(node)
    }

    fn bytes(&self, node: u32) -> &[u8] {
        let start = self.get(node).start as usize;
        let end = self
            .nodes
            .get(node as usize + 1)
            .map_or(self.arena.len(), |next| next.start as usize);
        &self.arena[start..end]
    }

    /// Returns the raw offset of the frame in which it first arrived.
    pub fn origin(&self, node: u32) -> u64 {
        self.origins.of(node)
    }

    /// Returns the node of a value; `hash` is the hash of namespace and value.
    pub fn find(&self, hash: u64, namespace: u32, value: &str) -> Option<u32> {
        let same = |node: u32| self.get(node).namespace == namespace && self.bytes(node) == value.as_bytes();
        self.table.find(hash, same)
    }

    pub fn find_or_add(&mut self, hash: u64, namespace: u32, value: &str, raw_offset: u64) -> u32 {
        if let Some(node) = self.find(hash, namespace, value) {
            return node;
        }
        let node = self.push(namespace, value.as_bytes(), raw_offset);
        self.table.insert(hash, node);
        node
    }

    fn push(&mut self, namespace: u32, value: &[u8], raw_offset: u64) -> u32 {
        let node = self.nodes.len() as u32;
        let start = self.arena.len() as u64;
        self.arena.extend_from_slice(value);
        self.nodes.push(Node {
            start,
            namespace,
            person: NONE,
            next: NONE,
            edges: NONE,
        });
        self.origins.note(node, raw_offset);
        node
    }

    /// Reads the memory that looking up these hashes needs, so that the cache misses overlap.
    pub fn prefetch(&self, hashes: impl Iterator<Item = u64>) {
        let guesses: Vec<u32> = hashes.filter_map(|hash| self.table.find(hash, |_| true)).collect();
        let starts: Vec<u64> = guesses.iter().map(|&node| self.get(node).start).collect();
        let values = starts
            .iter()
            .filter_map(|&start| self.arena.get(start as usize))
            .copied();
        std::hint::black_box(values.fold(0, u8::wrapping_add));
    }

    pub fn hash(&self, namespace: u32, value: &str) -> u64 {
        xxh3_64_with_seed(value.as_bytes(), self.seed.wrapping_add(u64::from(namespace)))
    }
}

/// The raw offset in which each element of a growing list arrived, run-length encoded.
#[derive(Default)]
pub struct ArrivalOffsets {
    /// (first element, raw offset), both ascending.
    starts: Vec<(u32, u64)>,
}

impl ArrivalOffsets {
    /// Records the raw offset of an element. Elements are added in order and `raw_offset` never decreases.
    pub fn note(&mut self, element: u32, raw_offset: u64) {
        if self.starts.last().is_none_or(|&(_, last)| last != raw_offset) {
            self.starts.push((element, raw_offset));
        }
    }

    pub fn of(&self, element: u32) -> u64 {
        let after = self.starts.partition_point(|&(first, _)| first <= element);
        self.starts[after - 1].1
    }
}
