//! Runs made of other runs: gathered, merged, searched.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Arc;

use super::column::Pick;
use super::ints::Ints;
use super::texts::{TextColumn, Texts};
use super::view::{BLOCK, Cell, DAY_MS, Details, Events, Run, Values, day_of};

/// As many runs of like size are merged at once.
const FAN_IN: usize = 4;
/// A run of so many events is merged no more, so that no merge takes long.
const SEALED: usize = 1 << 21;

/// Where an event lies in a run: sorts by (block, day, person, time in the day).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key(u128);

impl Key {
    pub fn new(ordinal: u32, time: i64) -> Key {
        let day = day_of(time);
        Key::in_cell(
            ordinal / BLOCK,
            day,
            ordinal % BLOCK,
            (time - i64::from(day) * DAY_MS) as u32,
        )
    }

    fn in_cell(block: u32, day: i32, person: u32, time: u32) -> Key {
        // Days flip their sign bit, so that they sort as unsigned.
        let parts = [block, day as u32 ^ 1 << 31, person, time];
        Key(parts.iter().fold(0, |key, &part| key << 32 | u128::from(part)))
    }

    pub fn ordinal(self) -> u32 {
        self.block() * BLOCK + u32::from(self.person())
    }

    pub fn time(self) -> i64 {
        i64::from(self.day()) * DAY_MS + i64::from(self.0 as u32)
    }

    pub fn day(self) -> i32 {
        ((self.0 >> 64) as u32 ^ 1 << 31) as i32
    }

    fn block(self) -> u32 {
        (self.0 >> 96) as u32
    }

    fn person(self) -> u16 {
        (self.0 >> 32) as u16
    }
}

impl Details {
    pub fn gather(sources: &[&Details], picks: &[Pick]) -> Details {
        let of = |source: u32| sources.get(source as usize);
        let ids: Vec<&TextColumn> = sources.iter().map(|source| &source.ids).collect();
        let channels: Vec<Option<&Values>> = sources.iter().map(|source| Some(&source.channels)).collect();
        Details {
            channels: Values::gather(&channels, picks),
            properties: gather_properties(sources, picks),
            sources: Ints::gather(|source| of(source).map(|source| &source.sources), picks),
            ids: TextColumn::gather(&ids, picks),
            arrivals: Ints::gather(|source| of(source).map(|source| &source.arrivals), picks),
        }
    }

    /// By (source, id), as texts.
    pub fn order(&self, row: usize, other: &Details, at: usize, texts: &Texts) -> Ordering {
        let sources = (self.sources.get(row), other.sources.get(at));
        let by_source = match sources.0 == sources.1 {
            true => Ordering::Equal,
            false => texts.get(sources.0 as u32).cmp(texts.get(sources.1 as u32)),
        };
        by_source.then_with(|| self.ids.get(row).cmp(other.ids.get(at)))
    }

    fn bytes_in_memory(&self) -> usize {
        let ids = self.ids.bytes.capacity() + 4 * self.ids.ends.capacity();
        let coded = self.sources.bytes_in_memory() + self.arrivals.bytes_in_memory() + self.channels.bytes_in_memory();
        ids + coded + self.properties.values().map(Values::bytes_in_memory).sum::<usize>()
    }
}

fn gather_properties(sources: &[&Details], picks: &[Pick]) -> HashMap<String, Values> {
    let mut properties = HashMap::new();
    for name in sources.iter().flat_map(|source| source.properties.keys()) {
        if !properties.contains_key(name) {
            let columns: Vec<Option<&Values>> = sources.iter().map(|source| source.properties.get(name)).collect();
            properties.insert(name.clone(), Values::gather(&columns, picks));
        }
    }
    properties.retain(|_, values| values.any_known());
    properties
}

impl Run {
    /// Events with these keys, ascending, and details row by row.
    pub fn of(keys: impl ExactSizeIterator<Item = Key>, details: Details) -> Run {
        let mut run = Run {
            cells: Vec::new(),
            persons: Vec::with_capacity(keys.len()),
            times: Vec::with_capacity(keys.len()),
            details,
        };
        for key in keys {
            let last = run.cells.last().map(|cell: &Cell| (cell.block, cell.day));
            if last != Some((key.block(), key.day())) {
                run.cells.push(Cell {
                    block: key.block(),
                    day: key.day(),
                    from: run.persons.len() as u32,
                });
            }
            run.persons.push(key.person());
            run.times.push(key.0 as u32);
        }
        run
    }

    /// Row by row.
    pub fn keys(&self) -> impl Iterator<Item = Key> {
        let rows = |cell: usize| self.rows_of(cell..cell + 1).map(move |row| (cell, row));
        (0..self.cells.len()).flat_map(rows).map(|(cell, row)| {
            let Cell { block, day, .. } = self.cells[cell];
            Key::in_cell(block, day, self.persons[row].into(), self.times[row])
        })
    }

    /// All events of some runs of one type. No event may be in two.
    pub fn merge(runs: &[Arc<Run>], texts: &Texts) -> Run {
        let total = runs.iter().map(|run| run.len()).sum();
        let (mut keys, mut picks): (Vec<Key>, Vec<Pick>) = (Vec::with_capacity(total), Vec::with_capacity(total));
        let mut rests: Vec<_> = runs.iter().map(|run| run.keys()).collect();
        let mut heads: Vec<(Option<Key>, u32)> = rests.iter_mut().map(|rest| (rest.next(), 0)).collect();
        while picks.len() < total {
            let unread = heads
                .iter()
                .enumerate()
                .filter_map(|(i, &(key, row))| Some((key?, row, i)));
            let first = unread.min_by(|&(key, row, i), &(other, at, j)| {
                let by_id = || {
                    runs[i]
                        .details
                        .order(row as usize, &runs[j].details, at as usize, texts)
                };
                key.cmp(&other).then_with(by_id)
            });
            let Some((key, row, i)) = first else { break };
            keys.push(key);
            picks.push((i as u32, row));
            heads[i] = (rests[i].next(), row + 1);
        }
        let details: Vec<&Details> = runs.iter().map(|run| &run.details).collect();
        Run::of(keys.into_iter(), Details::gather(&details, &picks))
    }

    /// Whether it holds an event with this key and the source and id of a row of `details`.
    pub fn holds(&self, key: Key, details: &Details, at: usize, texts: &Texts) -> bool {
        let cells = self.cells_of(key.block(), key.day()..=key.day());
        let mut rows = cells.flat_map(|cell| self.rows_in(cell, key.person()));
        rows.any(|row| self.times[row] == key.0 as u32 && self.details.order(row, details, at, texts).is_eq())
    }

    pub fn bytes_in_memory(&self) -> usize {
        let fixed = 2 * self.persons.capacity() + 4 * self.times.capacity();
        fixed + size_of::<Cell>() * self.cells.capacity() + self.details.bytes_in_memory()
    }
}

impl Events {
    /// Adds a run of new events, and merges so that there are few runs and each event is copied a logarithmic number of times.
    pub fn add(&mut self, run: Run, texts: &Texts) {
        self.runs.push(Arc::new(run));
        let mut from = self.runs.len() - 1;
        let mut total = self.runs[from].len();
        while from > 0 && self.runs[from - 1].len() <= total.min(SEALED) {
            from -= 1;
            total += self.runs[from].len();
        }
        if self.runs.len() - from >= FAN_IN {
            let merged = Run::merge(&self.runs[from..], texts);
            self.runs.truncate(from);
            self.runs.push(Arc::new(merged));
        }
    }

    /// How many count for somebody.
    pub fn counted(&self) -> usize {
        self.runs.iter().map(|run| run.len()).sum::<usize>() - self.left_behind
    }
}
