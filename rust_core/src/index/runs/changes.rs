//! Runs of attribute changes: building, merging and searching them, and deriving current values.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use super::merging::{self, MergeableRun, interleave};
use crate::error::Result;
use crate::index::columns::cells::Cell;
use crate::index::columns::picks::Pick;
use crate::index::columns::texts::Texts;
use crate::index::view::{Attribute, BLOCK, ChangeRun, Latest, Origins, Values};
use crate::storage::file_check::FileCheck;

/// The sort key of a change in a run: (ordinal, occurred_at).
pub type ChangeKey = (u32, i64);

impl ChangeRun {
    /// Builds a run from ascending keys and the values and origins of the rows.
    pub fn of(keys: &[ChangeKey], values: Values, origins: Origins) -> ChangeRun {
        let mut blocks = Vec::new();
        for (row, &(ordinal, _)) in keys.iter().enumerate() {
            let reached = blocks.len().max((ordinal / BLOCK) as usize + 1);
            blocks.resize(reached, row as u32);
        }
        ChangeRun {
            blocks: blocks.into(),
            persons: keys.iter().map(|&(ordinal, _)| (ordinal % BLOCK) as u16).collect(),
            times: keys.iter().map(|&(_, time)| time).collect(),
            values,
            origins,
            file_check: FileCheck::default(),
        }
    }

    /// Checks the file behind the run; must be called before anything but `blocks` is read. Returns Corrupt if it is damaged.
    pub fn check(&self) -> Result<()> {
        self.file_check.check(|people| self.is_valid(people))
    }

    /// Copies some rows, given in ascending order, into a new run.
    pub fn pick(&self, rows: &[u32]) -> ChangeRun {
        let picks: Vec<Pick> = rows.iter().map(|&row| (0, row)).collect();
        let all: Vec<ChangeKey> = self.keys().collect();
        let keys: Vec<ChangeKey> = rows.iter().map(|&row| all[row as usize]).collect();
        ChangeRun::of(
            &keys,
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

    /// Iterates over the key of each row.
    pub fn keys(&self) -> impl Iterator<Item = ChangeKey> {
        let rows = |block: u32| self.rows_of_block(block).map(move |row| (block, row));
        let key = |(block, row)| (block * BLOCK + u32::from(self.persons[row]), self.times.get(row));
        (0..self.blocks.len() as u32).flat_map(rows).map(key)
    }

    /// Returns the rows of a block.
    pub fn rows_of_block(&self, block: u32) -> Range<usize> {
        let start = |block: usize| self.blocks.get(block).map_or(self.len(), |&from| from as usize);
        start(block as usize)..start(block as usize + 1)
    }

    /// Returns the rows of a person. Returns Corrupt if the file is damaged.
    pub fn rows(&self, ordinal: u32) -> Result<Range<usize>> {
        let (rows, person) = (self.rows_of_block(ordinal / BLOCK), (ordinal % BLOCK) as u16);
        if !rows.is_empty() {
            self.check()?;
        }
        let persons = &self.persons[rows.clone()];
        let from = persons.partition_point(|&other| other < person);
        let to = from + persons[from..].partition_point(|&other| other == person);
        Ok(rows.start + from..rows.start + to)
    }

    /// Compares a row with row `at` of `other` by (occurred_at, source, id).
    pub fn order(&self, row: usize, other: &ChangeRun, at: usize, texts: &Texts) -> Ordering {
        let by_time = self.times.get(row).cmp(&other.times.get(at));
        by_time.then_with(|| self.origins.order(row, &other.origins, at, texts))
    }

    /// Returns whether the run holds a change with this key and the source and id of row `at` of `origins`.
    fn holds(&self, (ordinal, time): ChangeKey, origins: &Origins, at: usize, texts: &Texts) -> Result<bool> {
        let matches = |row| self.times.get(row) == time && self.origins.order(row, origins, at, texts).is_eq();
        Ok(self.rows(ordinal)?.any(matches))
    }

    pub fn bytes_in_memory(&self) -> usize {
        let index = self.blocks.bytes_in_memory() + self.persons.bytes_in_memory() + self.times.bytes_in_memory();
        index + self.values.bytes_in_memory() + self.origins.bytes_in_memory()
    }
}

impl MergeableRun for ChangeRun {
    fn rows(&self) -> usize {
        self.len()
    }

    fn merge(runs: &[Arc<ChangeRun>], texts: &Texts) -> Result<ChangeRun> {
        runs.iter().try_for_each(|run| run.check())?;
        let total = runs.iter().map(|run| run.len()).sum();
        let origins: Vec<&Origins> = runs.iter().map(|run| &run.origins).collect();
        let by_id = |(run, row): Pick, (other, at): Pick| {
            origins[run as usize].order(row as usize, origins[other as usize], at as usize, texts)
        };
        let (keys, picks) = interleave(runs.iter().map(|run| run.keys()).collect(), total, by_id);
        let values: Vec<Option<&Values>> = runs.iter().map(|run| Some(&run.values)).collect();
        Ok(ChangeRun::of(
            &keys,
            Values::gather(&values, &picks),
            Origins::gather(&origins, &picks),
        ))
    }
}

impl Attribute {
    /// Returns a person's value at an as-of: that of the latest change before it.
    pub fn as_of(&self, ordinal: u32, as_of_ms: i64, texts: &Texts) -> Result<Cell> {
        let Some(latest) = self.latest.get((ordinal / BLOCK) as usize) else {
            return Ok(Cell::Unknown);
        };
        if as_of_ms > latest.changed_until_ms {
            return Ok(latest.values.cell((ordinal % BLOCK) as usize));
        }
        let mut found = Vec::new();
        for run in &self.runs {
            let before = run.rows(ordinal)?.rev().find(|&row| run.times.get(row) < as_of_ms);
            found.extend(before.map(|row| (run, row)));
        }
        let last = found
            .into_iter()
            .max_by(|(run, row), (other, at)| run.order(*row, other, *at, texts));
        Ok(last.map_or(Cell::Unknown, |(run, row)| run.values.cell(row)))
    }

    /// Returns the instants of a person's changes within a window. Returns Corrupt if a file is damaged.
    pub fn times(&self, ordinal: u32, window: &Range<i64>) -> Result<BTreeSet<i64>> {
        let mut times = BTreeSet::new();
        let latest = self.latest.get((ordinal / BLOCK) as usize);
        if latest.is_some_and(|latest| window.start <= latest.changed_until_ms) {
            for run in &self.runs {
                let of_person = run.rows(ordinal)?.map(|row| run.times.get(row));
                times.extend(of_person.filter(|time| window.contains(time)));
            }
        }
        Ok(times)
    }

    /// Returns whether any run holds a change with this key and the source and id of row `at` of `origins`.
    pub fn holds(&self, key: ChangeKey, origins: &Origins, at: usize, texts: &Texts) -> Result<bool> {
        let latest = self.latest.get((key.0 / BLOCK) as usize);
        let may_hold = latest.is_some_and(|latest| key.1 <= latest.changed_until_ms);
        if may_hold {
            for run in &self.runs {
                if run.holds(key, origins, at, texts)? {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// Adds a run of new changes and updates the current values.
    pub fn add(&mut self, run: ChangeRun, texts: &Texts) -> Result<()> {
        let blocks = self.latest.len().max(run.blocks.len());
        self.latest.resize_with(blocks, Latest::default);
        for block in 0..run.blocks.len() as u32 {
            self.update_latest(block, &run, texts)?;
        }
        merging::push(&mut self.runs, run, texts)
    }

    /// Builds an attribute from runs, recomputing the current values of `blocks`, whose rows changed; `None` if there are no runs.
    pub fn rebuild_blocks(
        latest: &[Latest],
        runs: Vec<Arc<ChangeRun>>,
        blocks: &BTreeSet<u32>,
        texts: &Texts,
    ) -> Result<Option<Attribute>> {
        let Some(reached) = runs.iter().map(|run| run.blocks.len()).max() else {
            return Ok(None);
        };
        let mut attribute = Attribute {
            latest: latest.to_vec(),
            runs: Vec::new(),
        };
        attribute.latest.resize_with(reached, Latest::default);
        let changed = || blocks.iter().copied().filter(|&block| (block as usize) < reached);
        changed().for_each(|block| attribute.latest[block as usize] = Latest::default());
        for run in runs {
            for block in changed() {
                attribute.update_latest(block, &run, texts)?;
            }
            attribute.runs.push(run);
        }
        Ok(Some(attribute))
    }

    /// Updates the current values of a block by new changes. The block is copied only if a value changes.
    pub fn update_latest(&mut self, block: u32, run: &ChangeRun, texts: &Texts) -> Result<()> {
        let rows = run.rows_of_block(block);
        let Some(until) = rows.clone().map(|row| run.times.get(row)).max() else {
            return Ok(());
        };
        let current = &self.latest[block as usize];
        let is_last = |&row: &usize| row + 1 == rows.end || run.persons[row + 1] != run.persons[row];
        let mut picks: Vec<(u32, u32)> = Vec::new();
        for row in rows.clone().filter(is_last) {
            let person = run.persons[row];
            if self.is_latest(block, run, row, texts)? && current.values.cell(person.into()) != run.values.cell(row) {
                picks.push((person.into(), row as u32));
            }
        }
        let latest = &mut self.latest[block as usize];
        latest.changed_until_ms = until.max(latest.changed_until_ms);
        if let Some(&(last, _)) = picks.last() {
            let values = Arc::make_mut(&mut latest.values);
            values.patch(last as usize + 1, &picks, &run.values);
            values.encode_flags();
        }
        Ok(())
    }

    /// Returns whether a new change is later than all other changes of its person.
    fn is_latest(&self, block: u32, run: &ChangeRun, row: usize, texts: &Texts) -> Result<bool> {
        if run.times.get(row) > self.latest[block as usize].changed_until_ms {
            return Ok(true);
        }
        let ordinal = block * BLOCK + u32::from(run.persons[row]);
        for other in &self.runs {
            let last = other.rows(ordinal)?.last();
            if last.is_some_and(|last| other.order(last, run, row, texts).is_ge()) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    pub fn bytes_in_memory(&self) -> usize {
        let latest = self.latest.iter().map(|latest| latest.values.bytes_in_memory());
        let runs = self.runs.iter().map(|run| run.bytes_in_memory());
        latest.sum::<usize>() + runs.sum::<usize>()
    }
}
