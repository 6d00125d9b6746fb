//! The append-only history of changes other than rows, from which past versions are rebuilt. Each entry has the raw offset of its frame.

pub(super) mod aliases;
pub(super) mod split_history;
pub(super) mod time_travel;

use std::sync::Arc;

use super::columns::ints::Ints;
use super::columns::origins::Arrival;
use super::summaries::firsts::FirstInstants;
use crate::proto::frame::Split;
use crate::proto::schema::Schema;
use aliases::Aliases;

/// How far the raw log is folded into a version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Epoch {
    /// One past the last raw offset folded.
    pub raw_offset: u64,
    /// The latest instant at which a folded frame was received, in ms since the epoch.
    pub received_at_ms: i64,
}

/// Journals of frames, people, merges, splits and schemas.
#[derive(Clone, Default)]
pub struct History {
    /// All frames: (raw offset, received at in ms since the epoch).
    pub frames: Journal<2>,
    /// New people: (arrival, partition number, size of the partition from then on).
    pub created: Journal<3>,
    /// Merges: (arrival, loser, winner).
    pub merges: Journal<3>,
    /// Bare records, updates that change no attribute: (arrival, person, occurred at in ms, node).
    ///
    /// An update is left out if the person was known by the same identifier earlier.
    pub bare_records: Journal<4>,
    /// The earliest bare record of each identifier, by node.
    pub bare_firsts: FirstInstants,
    /// Splits with their arrivals.
    pub splits: Vec<(i64, Arc<Split>)>,
    /// All schemas with the arrivals of their declarations.
    pub schemas: Vec<(i64, Arc<Schema>)>,
}

impl History {
    /// Returns the epoch after the frames before an offset.
    pub fn epoch(&self, offset: i64) -> Epoch {
        let frames = self.frames.before(offset);
        frames.fold(Epoch::default(), |epoch, [at, received_at_ms]| Epoch {
            raw_offset: epoch.raw_offset.max(at as u64 + 1),
            received_at_ms: epoch.received_at_ms.max(received_at_ms),
        })
    }

    /// Returns the aliases before an offset.
    pub fn aliases(&self, offset: i64) -> Aliases {
        self.replay(offset, |_, _, _| {})
    }

    /// Replays merges and splits before an offset; calls `on_split` before each split, with the aliases up to then.
    fn replay(&self, offset: i64, mut on_split: impl FnMut(&Aliases, i64, &Split)) -> Aliases {
        let mut aliases = Aliases::default();
        let before = self.splits.iter().filter(|&&(arrival, _)| arrival < offset);
        let mut splits = before.peekable();
        let mut apply_split = |aliases: &mut Aliases, (arrival, split): &(i64, Arc<Split>)| {
            on_split(aliases, *arrival, split);
            aliases.split(split);
        };
        for [arrival, loser, winner] in self.merges.before(offset) {
            while let Some(split) = splits.next_if(|split| split.0 < arrival) {
                apply_split(&mut aliases, split);
            }
            aliases.merge(loser as u64, winner as u64);
        }
        splits.for_each(|split| apply_split(&mut aliases, split));
        aliases
    }

    /// Returns the bare records before an offset, in order: the person each belonged to at that offset, and its instant.
    pub fn bare_records(&self, offset: i64) -> Vec<(u64, i64)> {
        let mut records: Vec<[i64; 4]> = self.bare_records.before(offset).collect();
        let aliases = self.replay(offset, |aliases, arrival, split| {
            let earlier = records.iter_mut().filter(|record| record[0] < arrival);
            for [_, person, _, node] in earlier {
                if aliases.resolve(*person as u64) == split.from {
                    *person = split.side_of(*node) as i64;
                }
            }
        });
        let owner = |[_, person, time, _]: [i64; 4]| (aliases.resolve(person as u64), time);
        records.into_iter().map(owner).collect()
    }

    /// Keeps a bare record unless it adds nothing. `first` is the person's first record before it.
    pub fn note_bare_record(&mut self, arrival: Arrival, person: u64, time: i64, first: i64) {
        let known = if arrival.node == 0 {
            first
        } else {
            self.bare_firsts.get(arrival.node)
        };
        if time < known {
            self.bare_firsts.note(arrival.node, time);
            self.bare_records
                .push([arrival.raw_offset, person as i64, time, arrival.node.into()]);
        }
    }

    /// Keeps only the bare records whose current person satisfies `keep`.
    pub fn retain_bare_records(&mut self, keep: impl Fn(u64) -> bool) {
        let owner = self.bare_records(i64::MAX).into_iter();
        let records = self.bare_records.iter().zip(owner);
        self.bare_records = records
            .filter(|(_, (person, _))| keep(*person))
            .map(|(row, _)| row)
            .collect();
        self.rebuild_bare_firsts();
    }

    /// Recomputes `bare_firsts` from the bare records.
    pub fn rebuild_bare_firsts(&mut self) {
        self.bare_firsts = FirstInstants::default();
        for [_, _, time, node] in self.bare_records.iter() {
            self.bare_firsts.note(node as u32, time);
        }
    }

    pub fn bytes_in_memory(&self) -> usize {
        let people = self.created.bytes_in_memory() + self.merges.bytes_in_memory();
        let bare = self.bare_records.bytes_in_memory() + self.bare_firsts.bytes_in_memory();
        people + self.frames.bytes_in_memory() + bare
    }

    /// Returns the schema in force before an offset.
    pub fn schema(&self, offset: i64) -> Arc<Schema> {
        let declared = self.schemas.iter().rev().find(|&&(arrival, _)| arrival < offset);
        declared.map(|(_, schema)| schema.clone()).unwrap_or_default()
    }
}

/// An append-only table of rows of `N` numbers in order of arrival; the first number is the arrival. Clones share all chunks.
#[derive(Clone)]
pub struct Journal<const N: usize> {
    /// Full chunks, stored by column with `CHUNK` rows each.
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
    /// Appends a row.
    pub fn push(&mut self, row: [i64; N]) {
        let last = Arc::make_mut(&mut self.last);
        last.push(row);
        if last.len() == CHUNK {
            let column = |at: usize| last.iter().map(|row| row[at]).collect();
            self.chunks.push(Arc::new(std::array::from_fn(column)));
            last.clear();
        }
    }

    /// Iterates over all rows in order of arrival.
    pub fn iter(&self) -> impl Iterator<Item = [i64; N]> {
        let rows = |chunk: &'_ Arc<[Ints; N]>| {
            let chunk = chunk.clone();
            (0..CHUNK).map(move |row| std::array::from_fn(|at| chunk[at].get(row)))
        };
        self.chunks.iter().flat_map(rows).chain(self.last.iter().copied())
    }

    /// Iterates over the rows that arrived before an offset.
    pub fn before(&self, offset: i64) -> impl Iterator<Item = [i64; N]> {
        self.iter().filter(move |row| row[0] < offset)
    }

    /// Iterates over the rows that arrived at an offset or later.
    pub fn since(&self, offset: i64) -> impl Iterator<Item = [i64; N]> {
        self.iter().filter(move |row| row[0] >= offset)
    }

    pub fn bytes_in_memory(&self) -> usize {
        let columns = self.chunks.iter().flat_map(|chunk| chunk.iter());
        columns.map(Ints::bytes_in_memory).sum::<usize>() + size_of::<[i64; N]>() * self.last.capacity()
    }
}
