//! Origins of rows: their source, id, arrival and identifier.

use std::cmp::Ordering;

use super::ints::Ints;
use super::picks::Pick;
use super::texts::{TextColumn, Texts};
use super::values::Origins;

/// How a record reached its person.
#[derive(Clone, Copy, Default)]
pub struct Arrival {
    /// The raw offset of its frame.
    pub raw_offset: i64,
    /// The number of the identifier by which it arrived, from 1; 0 stands for none.
    pub node: u32,
}

impl Origins {
    /// Appends a row; `source` is a text code.
    pub fn push(&mut self, source: u32, id: &str, arrival: Arrival) {
        self.sources.push(source.into());
        self.ids.push(id.as_bytes());
        self.arrivals.push(arrival.raw_offset);
        self.nodes.push(arrival.node.into());
    }

    /// Gathers the picked rows.
    pub fn gather(of: &[&Origins], picks: &[Pick]) -> Origins {
        let ids: Vec<&TextColumn> = of.iter().map(|of| &of.ids).collect();
        let of = |source: u32| of.get(source as usize);
        Origins {
            sources: Ints::gather(|source| of(source).map(|of| &of.sources), picks),
            ids: TextColumn::gather(&ids, picks),
            arrivals: Ints::gather(|source| of(source).map(|of| &of.arrivals), picks),
            nodes: Ints::gather(|source| of(source).map(|of| &of.nodes), picks),
        }
    }

    /// Compares a row with row `at` of `other` by the texts of (source, id).
    pub fn order(&self, row: usize, other: &Origins, at: usize, texts: &Texts) -> Ordering {
        let sources = (self.sources.get(row), other.sources.get(at));
        let by_source = match sources.0 == sources.1 {
            true => Ordering::Equal,
            false => texts.get(sources.0 as u32).cmp(texts.get(sources.1 as u32)),
        };
        by_source.then_with(|| self.ids.get(row).cmp(other.ids.get(at)))
    }

    pub fn bytes_in_memory(&self) -> usize {
        let arrival = self.arrivals.bytes_in_memory() + self.nodes.bytes_in_memory();
        self.ids.bytes_in_memory() + self.sources.bytes_in_memory() + arrival
    }
}
