//! Runs made of other runs: gathered, merged, searched.

use std::collections::HashMap;
use std::sync::Arc;

use super::merging::{self, interleave};
use super::picks::Pick;
use super::place::Key;
use super::texts::Texts;
use super::view::{Cell, Details, Events, Origins, Run, Values};

impl Details {
    pub fn gather(sources: &[&Details], picks: &[Pick]) -> Details {
        let origins: Vec<&Origins> = sources.iter().map(|source| &source.origins).collect();
        let channels: Vec<Option<&Values>> = sources.iter().map(|source| Some(&source.channels)).collect();
        Details {
            channels: Values::gather(&channels, picks),
            properties: gather_properties(sources, picks),
            origins: Origins::gather(&origins, picks),
        }
    }

    fn bytes_in_memory(&self) -> usize {
        let properties = self.properties.values().map(Values::bytes_in_memory);
        self.origins.bytes_in_memory() + self.channels.bytes_in_memory() + properties.sum::<usize>()
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
            run.times.push(key.time_of_day());
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
        let details: Vec<&Details> = runs.iter().map(|run| &run.details).collect();
        let by_id = |(run, row): Pick, (other, at): Pick| {
            let (origins, others) = (&details[run as usize].origins, &details[other as usize].origins);
            origins.order(row as usize, others, at as usize, texts)
        };
        let (keys, picks) = interleave(runs.iter().map(|run| run.keys()).collect(), total, by_id);
        Run::of(keys.into_iter(), Details::gather(&details, &picks))
    }

    /// Some rows, ascending.
    pub fn pick(&self, rows: &[u32]) -> Run {
        let picks: Vec<Pick> = rows.iter().map(|&row| (0, row)).collect();
        let all: Vec<Key> = self.keys().collect();
        let keys = rows.iter().map(|&row| all[row as usize]);
        Run::of(keys, Details::gather(&[&self.details], &picks))
    }

    /// Whether it holds an event with this key and the source and id of a row of `details`.
    pub fn holds(&self, key: Key, details: &Details, at: usize, texts: &Texts) -> bool {
        let cells = self.cells_of(key.block(), key.day()..=key.day());
        let mut rows = cells.flat_map(|cell| self.rows_in(cell, key.person()));
        let origins = &self.details.origins;
        rows.any(|row| self.times[row] == key.time_of_day() && origins.order(row, &details.origins, at, texts).is_eq())
    }

    pub fn bytes_in_memory(&self) -> usize {
        let fixed = 2 * self.persons.capacity() + 4 * self.times.capacity();
        fixed + size_of::<Cell>() * self.cells.capacity() + self.details.bytes_in_memory()
    }
}

impl Events {
    /// Adds a run of new events.
    pub fn add(&mut self, run: Run, texts: &Texts) {
        merging::add(&mut self.runs, run, Run::len, |runs| Run::merge(runs, texts));
    }

    /// How many count for somebody.
    pub fn counted(&self) -> usize {
        self.runs.iter().map(|run| run.len()).sum::<usize>() - self.left_behind
    }
}
