//! Runs of events: building, merging and searching them.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::sync::Arc;

use super::merging::{self, MergeableRun, interleave};
use crate::error::Result;
use crate::index::columns::picks::Pick;
use crate::index::columns::texts::Texts;
use crate::index::partitioning::EventKey;
use crate::index::view::{DayCell, Details, EventRun, Events, Origins, Values};
use crate::storage::file_check::FileCheck;

impl Details {
    /// Gathers the picked rows.
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

/// Gathers each property that any picked row has.
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

impl EventRun {
    /// Builds a run from ascending keys and the details of the rows.
    pub fn of(keys: impl ExactSizeIterator<Item = EventKey>, details: Details) -> EventRun {
        let mut cells: Vec<DayCell> = Vec::new();
        let (mut persons, mut times) = (Vec::with_capacity(keys.len()), Vec::with_capacity(keys.len()));
        for key in keys {
            let last = cells.last().map(|cell| (cell.block, cell.day));
            if last != Some((key.block(), key.day())) {
                cells.push(DayCell {
                    block: key.block(),
                    day: key.day(),
                    from: persons.len() as u32,
                });
            }
            persons.push(key.person());
            times.push(key.time_of_day());
        }
        EventRun {
            cells: cells.into(),
            persons: persons.into(),
            times: times.into(),
            details,
            file_check: FileCheck::default(),
        }
    }

    /// Iterates over the key of each row.
    pub fn keys(&self) -> impl Iterator<Item = EventKey> {
        self.keys_in(0..self.cells.len())
    }

    /// Iterates over the keys of the rows of a block.
    pub fn keys_of(&self, block: u32) -> impl Iterator<Item = EventKey> {
        self.keys_in(self.cells_of(block, i32::MIN..=i32::MAX))
    }

    /// Iterates over the channel codes of the rows that have a channel.
    pub fn channels(&self) -> impl Iterator<Item = u32> {
        (0..self.len()).filter_map(|row| self.details.channel(row))
    }

    fn keys_in(&self, cells: Range<usize>) -> impl Iterator<Item = EventKey> {
        let rows = |cell: usize| self.rows_of(cell..cell + 1).map(move |row| (cell, row));
        cells.flat_map(rows).map(|(cell, row)| {
            let DayCell { block, day, .. } = self.cells[cell];
            EventKey::in_cell(block, day, self.persons[row].into(), self.times[row])
        })
    }
}

impl MergeableRun for EventRun {
    fn rows(&self) -> usize {
        self.len()
    }

    fn merge(runs: &[Arc<EventRun>], texts: &Texts) -> Result<EventRun> {
        runs.iter().try_for_each(|run| run.check())?;
        let total = runs.iter().map(|run| run.len()).sum();
        let details: Vec<&Details> = runs.iter().map(|run| &run.details).collect();
        let by_id = |(run, row): Pick, (other, at): Pick| {
            let (origins, others) = (&details[run as usize].origins, &details[other as usize].origins);
            origins.order(row as usize, others, at as usize, texts)
        };
        let (keys, picks) = interleave(runs.iter().map(|run| run.keys()).collect(), total, by_id);
        Ok(EventRun::of(keys.into_iter(), Details::gather(&details, &picks)))
    }
}

impl EventRun {
    /// Copies some rows, given in ascending order, into a new run.
    pub fn pick(&self, rows: &[u32]) -> EventRun {
        let picks: Vec<Pick> = rows.iter().map(|&row| (0, row)).collect();
        let all: Vec<EventKey> = self.keys().collect();
        let keys = rows.iter().map(|&row| all[row as usize]);
        EventRun::of(keys, Details::gather(&[&self.details], &picks))
    }

    /// Returns whether the run holds an event with this key and the source and id of row `at` of `details`.
    pub fn holds(&self, key: EventKey, details: &Details, at: usize, texts: &Texts) -> Result<bool> {
        let cells = self.cells_of(key.block(), key.day()..=key.day());
        if !cells.is_empty() {
            self.check()?;
        }
        let mut rows = cells.flat_map(|cell| self.rows_in(cell, key.person()));
        let origins = &self.details.origins;
        let matches =
            |row| self.times[row] == key.time_of_day() && origins.order(row, &details.origins, at, texts).is_eq();
        Ok(rows.any(matches))
    }

    pub fn bytes_in_memory(&self) -> usize {
        let index = self.cells.bytes_in_memory() + self.persons.bytes_in_memory() + self.times.bytes_in_memory();
        index + self.details.bytes_in_memory()
    }
}

impl Events {
    /// Adds a run of new events.
    pub fn add(&mut self, run: EventRun, texts: &Texts) -> Result<()> {
        merging::push(&mut self.runs, run, texts)
    }

    /// Recomputes the spans and totals of `blocks`, whose rows changed; returns `None` if there are no runs.
    pub fn rebuild_blocks(mut self, blocks: &BTreeSet<u32>) -> Option<Events> {
        let totals = Arc::make_mut(&mut self.totals);
        for &block in blocks {
            totals.rebuild_block(block, &self.runs);
            self.spans.clear_block(block);
            let keys = self.runs.iter().flat_map(|run| run.keys_of(block));
            keys.for_each(|key| self.spans.widen(key));
        }
        (!self.runs.is_empty()).then_some(self)
    }

    /// Returns the number of events that count for somebody.
    pub fn counted_rows(&self) -> usize {
        self.runs.iter().map(|run| run.len()).sum::<usize>() - self.uncounted_rows
    }
}
