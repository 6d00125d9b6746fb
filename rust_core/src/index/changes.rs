//! Runs of changes: made, merged, searched; and what they say of a person.

use std::cmp::Ordering;
use std::ops::Range;
use std::sync::Arc;

use super::cells::Cell;
use super::merging::{self, interleave};
use super::picks::Pick;
use super::texts::Texts;
use super::view::{Attribute, BLOCK, Changes, Latest, Origins, Values};

/// Where a change lies in a run: sorts by (ordinal, occurred_at).
pub type Place = (u32, i64);

impl Changes {
    /// Changes in these places, ascending.
    pub fn of(places: &[Place], values: Values, origins: Origins) -> Changes {
        let mut blocks = Vec::new();
        for (row, &(ordinal, _)) in places.iter().enumerate() {
            let reached = blocks.len().max((ordinal / BLOCK) as usize + 1);
            blocks.resize(reached, row as u32);
        }
        Changes {
            blocks,
            persons: places.iter().map(|&(ordinal, _)| (ordinal % BLOCK) as u16).collect(),
            times: places.iter().map(|&(_, time)| time).collect(),
            values,
            origins,
        }
    }

    /// All changes of some runs. None may be in two.
    fn merge(runs: &[Arc<Changes>], texts: &Texts) -> Changes {
        let total = runs.iter().map(|run| run.len()).sum();
        let origins: Vec<&Origins> = runs.iter().map(|run| &run.origins).collect();
        let by_id = |(run, row): Pick, (other, at): Pick| {
            origins[run as usize].order(row as usize, origins[other as usize], at as usize, texts)
        };
        let (places, picks) = interleave(runs.iter().map(|run| run.places()).collect(), total, by_id);
        let values: Vec<Option<&Values>> = runs.iter().map(|run| Some(&run.values)).collect();
        Changes::of(
            &places,
            Values::gather(&values, &picks),
            Origins::gather(&origins, &picks),
        )
    }

    /// Some rows, ascending.
    pub fn pick(&self, rows: &[u32]) -> Changes {
        let picks: Vec<Pick> = rows.iter().map(|&row| (0, row)).collect();
        let all: Vec<Place> = self.places().collect();
        let places: Vec<Place> = rows.iter().map(|&row| all[row as usize]).collect();
        Changes::of(
            &places,
            Values::gather(&[Some(&self.values)], &picks),
            Origins::gather(&[&self.origins], &picks),
        )
    }

    pub fn len(&self) -> usize {
        self.persons.len()
    }

    pub fn is_empty(&self) -> bool {
        self.persons.is_empty()
    }

    /// Row by row.
    pub fn places(&self) -> impl Iterator<Item = Place> {
        let rows = |block: u32| self.rows_of_block(block).map(move |row| (block, row));
        let place = |(block, row)| (block * BLOCK + u32::from(self.persons[row]), self.times.get(row));
        (0..self.blocks.len() as u32).flat_map(rows).map(place)
    }

    /// The changes of a block's people.
    pub fn rows_of_block(&self, block: u32) -> Range<usize> {
        let start = |block: usize| self.blocks.get(block).map_or(self.len(), |&from| from as usize);
        start(block as usize)..start(block as usize + 1)
    }

    /// A person's changes.
    pub fn rows(&self, ordinal: u32) -> Range<usize> {
        let (rows, person) = (self.rows_of_block(ordinal / BLOCK), (ordinal % BLOCK) as u16);
        let persons = &self.persons[rows.clone()];
        let from = persons.partition_point(|&other| other < person);
        let to = from + persons[from..].partition_point(|&other| other == person);
        rows.start + from..rows.start + to
    }

    /// By (occurred_at, source, id).
    pub fn order(&self, row: usize, other: &Changes, at: usize, texts: &Texts) -> Ordering {
        let by_time = self.times.get(row).cmp(&other.times.get(at));
        by_time.then_with(|| self.origins.order(row, &other.origins, at, texts))
    }

    /// Whether it holds a change in this place with the source and id of a row of `origins`.
    fn holds(&self, (ordinal, time): Place, origins: &Origins, at: usize, texts: &Texts) -> bool {
        let is_it = |row| self.times.get(row) == time && self.origins.order(row, origins, at, texts).is_eq();
        self.rows(ordinal).any(is_it)
    }

    fn bytes_in_memory(&self) -> usize {
        let places = 4 * self.blocks.capacity() + 2 * self.persons.capacity() + self.times.bytes_in_memory();
        places + self.values.bytes_in_memory() + self.origins.bytes_in_memory()
    }
}

impl Attribute {
    /// The value that changes before an instant left.
    pub fn as_of(&self, ordinal: u32, as_of_ms: i64, texts: &Texts) -> Cell {
        let Some(latest) = self.latest.get((ordinal / BLOCK) as usize) else {
            return Cell::Unknown;
        };
        if as_of_ms > latest.changed_until_ms {
            return latest.values.cell((ordinal % BLOCK) as usize);
        }
        let last_before = |run: &Changes| run.rows(ordinal).rev().find(|&row| run.times.get(row) < as_of_ms);
        let found = self.runs.iter().filter_map(|run| Some((run, last_before(run)?)));
        let last = found.max_by(|(run, row), (other, at)| run.order(*row, other, *at, texts));
        last.map_or(Cell::Unknown, |(run, row)| run.values.cell(row))
    }

    /// Whether some run holds a change in this place with the source and id of a row of `origins`.
    pub fn holds(&self, place: Place, origins: &Origins, at: usize, texts: &Texts) -> bool {
        let latest = self.latest.get((place.0 / BLOCK) as usize);
        let may_hold = latest.is_some_and(|latest| place.1 <= latest.changed_until_ms);
        may_hold && self.runs.iter().any(|run| run.holds(place, origins, at, texts))
    }

    /// Adds a run of new changes.
    pub fn add(&mut self, run: Changes, texts: &Texts) {
        let blocks = self.latest.len().max(run.blocks.len());
        self.latest.resize_with(blocks, Latest::default);
        for block in 0..run.blocks.len() as u32 {
            self.renew(block, &run, texts);
        }
        merging::add(&mut self.runs, run, Changes::len, |runs| Changes::merge(runs, texts));
    }

    /// What the new changes of a block leave as its latest values. The block is copied only if some value is another one now.
    pub fn renew(&mut self, block: u32, run: &Changes, texts: &Texts) {
        let rows = run.rows_of_block(block);
        let Some(until) = rows.clone().map(|row| run.times.get(row)).max() else {
            return;
        };
        let held = &self.latest[block as usize];
        let is_last = |&row: &usize| row + 1 == rows.end || run.persons[row + 1] != run.persons[row];
        let lasting = rows
            .clone()
            .filter(is_last)
            .filter(|&row| self.is_latest(block, run, row, texts));
        let picks = lasting.map(|row| (u32::from(run.persons[row]), row as u32));
        let is_new = |&(person, row): &(u32, u32)| held.values.cell(person as usize) != run.values.cell(row as usize);
        let picks: Vec<(u32, u32)> = picks.filter(is_new).collect();
        let latest = &mut self.latest[block as usize];
        latest.changed_until_ms = until.max(latest.changed_until_ms);
        if let Some(&(last, _)) = picks.last() {
            Arc::make_mut(&mut latest.values).patch(last as usize + 1, &picks, &run.values);
        }
    }

    /// Whether a new change of a block comes after all that its person has.
    fn is_latest(&self, block: u32, run: &Changes, row: usize, texts: &Texts) -> bool {
        if run.times.get(row) > self.latest[block as usize].changed_until_ms {
            return true;
        }
        let ordinal = block * BLOCK + u32::from(run.persons[row]);
        let is_before = |held: &Arc<Changes>| {
            let last = held.rows(ordinal).last();
            last.is_none_or(|last| held.order(last, run, row, texts).is_lt())
        };
        self.runs.iter().all(is_before)
    }

    pub fn bytes_in_memory(&self) -> usize {
        let latest = self.latest.iter().map(|latest| latest.values.bytes_in_memory());
        let runs = self.runs.iter().map(|run| run.bytes_in_memory());
        latest.sum::<usize>() + runs.sum::<usize>()
    }
}
