//! The graph and its offset in the log.

use super::graph::nodes::NONE;
use super::graph::{FrameArrival, Graph};
use crate::proto::frame::{Change, IdentityChange};

pub struct State {
    pub graph: Graph,
    /// The raw offset of the next frame.
    pub offset: u64,
    pub received_at_ms: i64,
    /// The sequence number of the last change.
    pub sequence: u64,
}

impl State {
    /// Ends a frame: numbers its changes, and returns the person of each record after all changes.
    ///
    /// `nodes` are the nodes that attribute the records.
    pub fn finish(
        &mut self,
        arrival: FrameArrival,
        changes: Vec<Change>,
        nodes: &[u32],
    ) -> (Vec<IdentityChange>, Vec<u64>) {
        let Graph {
            persons, nodes: all, ..
        } = &mut self.graph;
        let mut id = |node: u32| {
            let root = persons.root_compressing_path(all.get(node).person);
            persons.get(root).id
        };
        let ids = nodes
            .iter()
            .map(|&node| if node == NONE { 0 } else { id(node) })
            .collect();
        let numbered = (self.sequence + 1..).zip(changes);
        let changes: Vec<_> = numbered
            .map(|(sequence, change)| IdentityChange { sequence, change })
            .collect();
        self.sequence += changes.len() as u64;
        self.offset = arrival.raw_offset + 1;
        self.received_at_ms = arrival.received_at_ms;
        (changes, ids)
    }
}
