//! What happened to a workspace besides the rows that came, so that any earlier state can be told: each entry with the raw offset of the
//! frame it came in. Only grows.

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
    /// Updates without a value, which leave no row: (arrival, person, occurred at in ms, node). Without those that tell nothing new of
    /// since when somebody is known by the node.
    pub bare_records: Journal<4>,
    /// By node: the earliest of them.
    pub bare_firsts: FirstInstants,
    /// With their arrivals.
    pub splits: Vec<(i64, Arc<Split>)>,
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

    /// Who was one with whom before an offset.
    pub fn aliases(&self, offset: i64) -> Aliases {
        self.replay(offset, |_, _, _| {})
    }

    /// The same; each split is told before it happens, with who was one with whom until then.
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

    /// The bare records before an offset, in order: whose each was then, and when it occurred.
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

    /// Keeps an update without a value, unless it tells nothing new. `first`: since when its person was known before.
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

    /// Of the bare records only some stay, by whose they are now.
    pub fn retain_bare_records(&mut self, keep: impl Fn(u64) -> bool) {
        let owner = self.bare_records(i64::MAX).into_iter();
        let records = self.bare_records.iter().zip(owner);
        self.bare_records = records
            .filter(|(_, (person, _))| keep(*person))
            .map(|(row, _)| row)
            .collect();
        self.rebuild_bare_firsts();
    }

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
