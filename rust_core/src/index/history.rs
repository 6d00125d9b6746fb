//! What happened to a workspace besides the rows that came, so that any earlier state can be told: each entry with the raw offset of the
//! frame it came in. Only grows.

use std::sync::Arc;

use super::aliases::Aliases;
use super::ints::Ints;
use crate::schema::Schema;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Epoch {
    /// One past the last raw offset folded.
    pub raw_offset: u64,
    pub received_at_ms: i64,
}

#[derive(Clone, Default)]
pub struct History {
    /// Every frame: (raw offset, received at in ms).
    pub frames: Journal<2>,
    /// (arrival, partition, people in it since then).
    pub created: Journal<3>,
    /// (arrival, loser, winner).
    pub merges: Journal<3>,
    /// Updates without a value, which leave no row: (arrival, person, occurred at in ms). Without those that tell nothing new of since
    /// when the person is known.
    pub bare_records: Journal<3>,
    /// Every schema, with the arrival of the declaration that made it.
    pub schemas: Vec<(i64, Arc<Schema>)>,
}

impl History {
    /// After the frames before an offset.
    pub fn epoch(&self, offset: i64) -> Epoch {
        let frames = self.frames.before(offset);
        frames.fold(Epoch::default(), |epoch, [at, received_at_ms]| Epoch {
            raw_offset: epoch.raw_offset.max(at as u64 + 1),
            received_at_ms: epoch.received_at_ms.max(received_at_ms),
        })
    }

    /// Who was merged into whom before an offset.
    pub fn aliases(&self, offset: i64) -> Aliases {
        let merges = self.merges.before(offset);
        Aliases::of(merges.map(|[_, loser, winner]| (loser as u64, winner as u64)))
    }

    pub fn bytes_in_memory(&self) -> usize {
        let people = self.created.bytes_in_memory() + self.merges.bytes_in_memory();
        people + self.frames.bytes_in_memory() + self.bare_records.bytes_in_memory()
    }

    /// The schema in force before an offset.
    pub fn schema(&self, offset: i64) -> Arc<Schema> {
        let declared = self.schemas.iter().rev().find(|&&(arrival, _)| arrival < offset);
        declared.map(|(_, schema)| schema.clone()).unwrap_or_default()
    }
}

/// Rows of `N` numbers in order of arrival; the first is the arrival. Clones share all but the last rows.
#[derive(Clone)]
pub struct Journal<const N: usize> {
    /// Column by column, `CHUNK` rows each.
    chunks: Vec<Arc<[Ints; N]>>,
    last: Arc<Vec<[i64; N]>>,
}

const CHUNK: usize = if cfg!(test) { 4 } else { 1 << 10 };

impl<const N: usize> Default for Journal<N> {
    fn default() -> Self {
        Journal {
            chunks: Vec::new(),
            last: Arc::default(),
        }
    }
}

impl<const N: usize> FromIterator<[i64; N]> for Journal<N> {
    fn from_iter<I: IntoIterator<Item = [i64; N]>>(rows: I) -> Journal<N> {
        let mut journal = Journal::default();
        rows.into_iter().for_each(|row| journal.push(row));
        journal
    }
}

impl<const N: usize> Journal<N> {
    pub fn push(&mut self, row: [i64; N]) {
        let last = Arc::make_mut(&mut self.last);
        last.push(row);
        if last.len() == CHUNK {
            let column = |at: usize| last.iter().map(|row| row[at]).collect();
            self.chunks.push(Arc::new(std::array::from_fn(column)));
            last.clear();
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = [i64; N]> {
        let rows = |chunk: &'_ Arc<[Ints; N]>| {
            let chunk = chunk.clone();
            (0..CHUNK).map(move |row| std::array::from_fn(|at| chunk[at].get(row)))
        };
        self.chunks.iter().flat_map(rows).chain(self.last.iter().copied())
    }

    /// What arrived before an offset.
    pub fn before(&self, offset: i64) -> impl Iterator<Item = [i64; N]> {
        self.iter().filter(move |row| row[0] < offset)
    }

    /// What arrived at an offset or later.
    pub fn since(&self, offset: i64) -> impl Iterator<Item = [i64; N]> {
        self.iter().filter(move |row| row[0] >= offset)
    }

    pub fn bytes_in_memory(&self) -> usize {
        let columns = self.chunks.iter().flat_map(|chunk| chunk.iter());
        columns.map(Ints::bytes_in_memory).sum::<usize>() + size_of::<[i64; N]>() * self.last.capacity()
    }
}
