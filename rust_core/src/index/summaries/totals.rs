//! The number of events and the sums of numeric properties per person, so that aggregates over all history need not read the events.

use std::collections::HashMap;
use std::iter::once;
use std::ops::Range;
use std::sync::Arc;

use super::counts::EventCounts;
use crate::error::Result;
use crate::index::columns::cells::Unit;
use crate::index::columns::ints::Ints;
use crate::index::columns::values::Column;
use crate::index::runs::EventRun;
use crate::index::runs::merging::{self, MergeableRun};

/// Totals of the first runs of an event type; the rows of later runs are few and are read. Merging runs keeps totals valid.
#[derive(Clone, Default)]
pub struct Totals {
    /// The number of rows in the covered runs.
    rows: usize,
    /// Totals by block; `None` for a block with so few rows that reading them is as fast.
    blocks: Vec<Option<Arc<BlockTotals>>>,
}

/// The totals of a block.
#[derive(Clone)]
pub struct BlockTotals {
    /// The instants of the first and the last event, in ms since the epoch.
    pub first: i64,
    pub last: i64,
    /// The number of events by ordinal within the block, up to the last person who has one.
    pub counts: EventCounts,
    /// Sums by numeric property, in millionths, one per entry of `counts`; `None` if a sum exceeds 64 bits.
    pub sums: HashMap<String, Option<Ints>>,
}

/// Runs with more rows are worth covering; lower in tests and fuzzers, which have few rows. Runs that are merged at once are smaller,
/// so such merges never involve covered runs.
const MIN_RUN_ROWS: usize = if cfg!(any(test, fuzzing)) {
    2
} else {
    EventRun::MAX_INLINE_ROWS
};
/// At most one in this many rows is in a large run that is not covered. Extending the totals copies those of the block.
const MAX_UNCOVERED_PART: usize = 16;
/// A block has totals if it has at least one row per this many people.
const MAX_PEOPLE_PER_ROW: usize = 2;

impl Totals {
    /// Builds totals from the parts that `parts` returns.
    pub fn of_parts(rows: usize, blocks: Vec<Option<Arc<BlockTotals>>>) -> Totals {
        Totals { rows, blocks }
    }

    /// Returns (rows, blocks), the arguments of `of_parts`.
    pub fn parts(&self) -> (usize, &[Option<Arc<BlockTotals>>]) {
        (self.rows, &self.blocks)
    }

    /// Returns the totals of a block, if it has any.
    pub(in crate::index) fn of_block(&self, block: u32) -> Option<&Arc<BlockTotals>> {
        self.blocks.get(block as usize)?.as_ref()
    }

    /// Returns the number of leading runs that are covered; `None` if the covered rows end within a run, which makes the totals useless.
    pub(in crate::index) fn covered_runs(&self, runs: &[Arc<EventRun>]) -> Option<usize> {
        let ends = runs.iter().scan(0, |end, run| {
            *end += run.len();
            Some(*end)
        });
        once(0).chain(ends).position(|end| end == self.rows)
    }

    /// Returns the number of leading runs to cover, if that is more than now. Runs in `merged` are about to be merged, so either all or
    /// none of them are covered.
    pub fn due_runs(&self, runs: &[Arc<EventRun>], merged: Option<Range<usize>>) -> Option<usize> {
        let covered = self.covered_runs(runs).unwrap_or(0);
        let large = runs
            .iter()
            .rposition(|run| run.len() > MIN_RUN_ROWS)
            .map_or(0, |at| at + 1);
        let left = merging::count_rows(&runs[covered.min(large)..large]);
        let mut wanted = if left * MAX_UNCOVERED_PART > merging::count_rows(runs) {
            large
        } else {
            covered
        };
        if let Some(merged) = merged
            && merged.start < wanted
            && wanted < merged.end
        {
            wanted = merged.end;
        }
        (wanted > covered).then_some(wanted)
    }

    /// Computes totals of `runs`, whose first runs are those covered now. Returns Corrupt if a file is damaged.
    pub fn extended(&self, runs: &[Arc<EventRun>]) -> Result<Totals> {
        let none = Totals::default();
        let (covered, totals) = self.covered_runs(runs).map_or((0, &none), |covered| (covered, self));
        let last = runs.iter().filter_map(|run| run.cells.last()).map(|cell| cell.block);
        let of_block = |block| match totals.of_block(block) {
            Some(total) => total.extended(runs, covered, block),
            None => {
                check(runs, block)?;
                Ok(BlockTotals::of(runs, block).map(Arc::new))
            }
        };
        let blocks = (0..last.max().map_or(0, |last| last + 1)).map(of_block);
        Ok(Totals {
            rows: merging::count_rows(runs),
            blocks: blocks.collect::<Result<_>>()?,
        })
    }

    /// Returns the totals after rows were removed, given the number of rows left of each run. The blocks that lost rows must be rebuilt.
    pub fn with_remaining_rows(&self, runs: &[Arc<EventRun>], rows: &[usize]) -> Arc<Totals> {
        let left = self.covered_runs(runs).map(|covered| Totals {
            rows: rows[..covered].iter().sum(),
            blocks: self.blocks.clone(),
        });
        Arc::new(left.unwrap_or_default())
    }

    /// Recomputes the totals of a block that lost rows. The files of all runs with rows of the block must have been checked.
    pub fn rebuild_block(&mut self, block: u32, runs: &[Arc<EventRun>]) {
        if let Some(covered) = self.covered_runs(runs)
            && let Some(total) = self.blocks.get_mut(block as usize)
        {
            *total = BlockTotals::of(&runs[..covered], block).map(Arc::new);
        }
    }

    pub fn bytes_in_memory(&self) -> usize {
        let totals = self.blocks.iter().flatten();
        totals.map(|total| total.bytes_in_memory()).sum()
    }
}

impl BlockTotals {
    /// Computes the totals of a block over runs; `None` if it has few rows.
    fn of(runs: &[Arc<EventRun>], block: u32) -> Option<BlockTotals> {
        let people = runs.iter().map(|run| people_end(run, block)).max()?;
        is_dense(people, runs, block).then(|| TotalsBuilder::default().build(runs, block))
    }

    /// Adds the block's rows of the runs after the first `covered`; returns `None` if they make the block sparse.
    fn extended(
        self: &Arc<BlockTotals>,
        runs: &[Arc<EventRun>],
        covered: usize,
        block: u32,
    ) -> Result<Option<Arc<BlockTotals>>> {
        let added = &runs[covered..];
        check(added, block)?;
        if added.iter().all(|run| rows_of(run, block).is_empty()) {
            return Ok(Some(self.clone()));
        }
        let people = added.iter().map(|run| people_end(run, block)).max().unwrap_or(0);
        let is_dense = is_dense(people.max(self.counts.people()), runs, block);
        Ok(is_dense.then(|| Arc::new(TotalsBuilder::of(self).build(added, block))))
    }

    fn bytes_in_memory(&self) -> usize {
        let sums = self.sums.values().flatten().map(Ints::bytes_in_memory);
        self.counts.bytes_in_memory() + sums.sum::<usize>()
    }
}

/// Returns whether a block has enough rows for totals of this many people.
fn is_dense(people: usize, runs: &[Arc<EventRun>], block: u32) -> bool {
    let rows: usize = runs.iter().map(|run| rows_of(run, block).len()).sum();
    0 < rows && people <= MAX_PEOPLE_PER_ROW * rows
}

/// Checks the files of the runs with rows of a block. Returns Corrupt if one is damaged.
fn check(runs: &[Arc<EventRun>], block: u32) -> Result<()> {
    let mut read = runs.iter().filter(|run| !rows_of(run, block).is_empty());
    read.try_for_each(|run| run.check())
}

/// Returns the rows of a block in a run.
fn rows_of(run: &EventRun, block: u32) -> Range<usize> {
    run.rows_of(run.cells_of(block, i32::MIN..=i32::MAX))
}

/// Returns one more than the highest ordinal of the block with rows in the run.
fn people_end(run: &EventRun, block: u32) -> usize {
    let persons = &run.persons[rows_of(run, block)];
    persons.iter().max().map_or(0, |&last| usize::from(last) + 1)
}

/// Totals of a block under construction.
struct TotalsBuilder {
    first: i64,
    last: i64,
    counts: EventCounts,
    /// Sums by property; `None` once a sum exceeds 64 bits.
    sums: HashMap<String, Option<Vec<i64>>>,
}

impl Default for TotalsBuilder {
    fn default() -> Self {
        TotalsBuilder {
            first: i64::MAX,
            last: i64::MIN,
            counts: EventCounts::default(),
            sums: HashMap::new(),
        }
    }
}

impl TotalsBuilder {
    fn of(total: &BlockTotals) -> TotalsBuilder {
        let unpacked = |(name, sums): (&String, &Option<Ints>)| {
            let sums = sums.as_ref().map(|sums| sums.iter().collect());
            (name.clone(), sums)
        };
        TotalsBuilder {
            first: total.first,
            last: total.last,
            counts: total.counts.clone(),
            sums: total.sums.iter().map(unpacked).collect(),
        }
    }

    /// Adds the block's rows of all runs and returns the totals.
    fn build(mut self, runs: &[Arc<EventRun>], block: u32) -> BlockTotals {
        runs.iter().for_each(|run| self.add(run, block));
        let people = self.counts.people();
        let packed = |(name, sums): (String, Option<Vec<i64>>)| {
            let packed = sums.map(|mut sums| {
                sums.resize(people, 0);
                Ints::packed(sums)
            });
            (name, packed)
        };
        let (low, overflows) = self.counts.parts();
        BlockTotals {
            first: self.first,
            last: self.last,
            counts: EventCounts::of_parts(low.to_vec().into(), overflows.to_vec().into()),
            sums: self.sums.into_iter().map(packed).collect(),
        }
    }

    /// Adds the block's rows of a run.
    fn add(&mut self, run: &EventRun, block: u32) {
        let cells = run.cells_of(block, i32::MIN..=i32::MAX);
        let rows = run.rows_of(cells.clone());
        if rows.is_empty() {
            return;
        }
        for cell in [cells.start, cells.end - 1] {
            let times = &run.times[run.rows_of(cell..cell + 1)];
            for &time in times {
                let time = run.start_of(cell) + i64::from(time);
                (self.first, self.last) = (time.min(self.first), time.max(self.last));
            }
        }
        let persons = &run.persons[rows.clone()];
        self.counts.widen(people_end(run, block));
        persons.iter().copied().for_each(self.counts.counter());
        for (name, values) in &run.details.properties {
            let Column::Ints(Unit::Millionths, numbers) = &values.data else {
                continue;
            };
            let sums = self.sums.entry(name.clone()).or_insert_with(|| Some(Vec::new()));
            if let Some(covered) = sums {
                covered.resize(self.counts.people(), 0);
                let numbers = numbers.widened(rows.clone());
                let known = rows.clone().map(|row| values.is_known(row));
                if add_to_sums(covered, persons, &numbers, known).is_none() {
                    *sums = None;
                }
            }
        }
    }
}

/// Adds the known numbers to the sums of their persons; returns `None` if a sum exceeds 64 bits.
fn add_to_sums(sums: &mut [i64], persons: &[u16], numbers: &[i64], known: impl Iterator<Item = bool>) -> Option<()> {
    for ((&person, &number), is_known) in persons.iter().zip(numbers).zip(known) {
        if is_known {
            let sum = &mut sums[usize::from(person)];
            *sum = sum.checked_add(number)?;
        }
    }
    Some(())
}
