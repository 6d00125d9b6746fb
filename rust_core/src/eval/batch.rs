//! The events of a block, cut into batches of rows.

use std::cell::OnceCell;
use std::cmp::Ordering;
use std::ops::Range;

use super::bits::Bits;
use super::column::Column;
use crate::error::Result;
use crate::index::texts::Texts;
use crate::index::view::{DAY_MS, Events, Run, Values, days_between};

/// Rows of one run that lie together, all of one block.
pub struct Batch<'a> {
    run: &'a Run,
    /// In which cells of the run the rows are.
    cells: Range<usize>,
    rows: Range<usize>,
    /// All of its days lie wholly in the window.
    whole: bool,
    times: OnceCell<Vec<i64>>,
}

/// Most rows of a batch: what is worked out of them stays in the processor's nearest cache.
pub const MOST: usize = 1 << 13;

impl<'a> Batch<'a> {
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Bytes of whose they are and, where that is asked, when they occurred.
    pub fn bytes(&self) -> usize {
        let times = if self.whole { 0 } else { size_of::<u32>() };
        self.len() * (size_of::<u16>() + times)
    }

    /// Rows of the block.
    pub fn persons(&self) -> &'a [u16] {
        &self.run.persons[self.rows.clone()]
    }

    /// When the events occurred.
    pub fn times(&self) -> &[i64] {
        self.times.get_or_init(|| {
            let mut times = Vec::with_capacity(self.len());
            for cell in self.cells.clone() {
                let start = self.run.start_of(cell);
                times.extend(
                    self.run.times[self.rows_of(cell)]
                        .iter()
                        .map(|&time| start + i64::from(time)),
                );
            }
            times
        })
    }

    /// Calls with (row of the batch, row of the block) of every event, or of those in the mask.
    #[inline]
    pub fn each(&self, mask: Option<&Bits>, mut call: impl FnMut(usize, usize)) {
        let persons = self.persons();
        match mask {
            None => persons
                .iter()
                .enumerate()
                .for_each(|(row, &person)| call(row, person.into())),
            Some(mask) => mask.each(|row| call(row, persons[row].into())),
        }
    }

    /// The same with the time of each.
    #[inline]
    pub fn each_time(&self, mask: Option<&Bits>, mut call: impl FnMut(usize, usize, i64)) {
        if mask.is_some() {
            let times = self.times();
            return self.each(mask, |row, person| call(row, person, times[row]));
        }
        for cell in self.cells.clone() {
            let (rows, start) = (self.rows_of(cell), self.run.start_of(cell));
            let events = self.run.persons[rows.clone()].iter().zip(&self.run.times[rows.clone()]);
            for (row, (&person, &time)) in (rows.start - self.rows.start..).zip(events) {
                call(row, person.into(), start + i64::from(time));
            }
        }
    }

    /// Rows of the run that are both of a cell and the batch.
    fn rows_of(&self, cell: usize) -> Range<usize> {
        let rows = self.run.rows_of(cell..cell + 1);
        rows.start.max(self.rows.start)..rows.end.min(self.rows.end)
    }

    /// Events inside the window; `None` if all are.
    pub fn inside(&self, from: i64, to: i64) -> Option<Bits> {
        if self.whole {
            return None;
        }
        let times = self.times();
        Some(Bits::from_fn(times.len(), |row| (from..to).contains(&times[row])))
    }

    /// The stored column of a property that some event of the run has, and the batch's rows in it.
    pub fn stored(&self, property: &str) -> Option<(&'a Values, Range<usize>)> {
        let values = self.run.details.properties.get(property)?;
        Some((values, self.rows.clone()))
    }

    pub fn stored_channels(&self) -> (&'a Values, Range<usize>) {
        (&self.run.details.channels, self.rows.clone())
    }

    pub fn property(&self, name: &str) -> Column<'a> {
        let stored = self.stored(name);
        stored.map_or_else(
            || Column::unknown(self.len()),
            |(values, rows)| Column::slice(values, rows),
        )
    }

    pub fn channels(&self) -> Column<'a> {
        let (values, rows) = self.stored_channels();
        Column::slice(values, rows)
    }

    pub fn is_of_run(&self, other: &Batch) -> bool {
        std::ptr::eq(self.run, other.run)
    }

    /// The order of one person's events everywhere: (occurred_at, source, id). They lie in it within a run.
    pub fn order(&self, row: usize, other: &Batch, at: usize, texts: &Texts) -> Ordering {
        if self.is_of_run(other) {
            return (self.rows.start + row).cmp(&(other.rows.start + at));
        }
        let times = self.times()[row].cmp(&other.times()[at]);
        let (origins, others) = (&self.run.details.origins, &other.run.details.origins);
        times.then_with(|| origins.order(self.rows.start + row, others, other.rows.start + at, texts))
    }
}

/// The events of a block that may lie in the window. Corrupt if a file with such is damaged.
pub fn batches(events: &Events, block: u32, from: i64, to: i64) -> Result<Vec<Batch<'_>>> {
    let days = days_between(from, to);
    let mut batches = Vec::new();
    for run in &events.runs {
        let cells = run.cells_of(block, days.clone());
        if cells.is_empty() {
            continue;
        }
        run.check()?;
        let is_whole = |cell: usize| {
            let start = run.start_of(cell);
            from <= start && start.saturating_add(DAY_MS) <= to
        };
        // The window's first and last day may lie in it only in part.
        let first = cells.start..cells.end.min(cells.start + 1);
        let last = first.end.max(cells.end.saturating_sub(1))..cells.end;
        for cells in [first.clone(), first.end..last.start, last] {
            let whole = cells.is_empty() || is_whole(cells.start) && is_whole(cells.end - 1);
            cut(run, cells, whole, &mut batches);
        }
    }
    Ok(batches)
}

/// Cells as batches.
fn cut<'a>(run: &'a Run, cells: Range<usize>, whole: bool, batches: &mut Vec<Batch<'a>>) {
    let rows = run.rows_of(cells.clone());
    let mut first = cells.start;
    for from in rows.clone().step_by(MOST) {
        let to = rows.end.min(from + MOST);
        let after = first + run.cells[first..cells.end].partition_point(|cell| (cell.from as usize) < to);
        batches.push(Batch {
            run,
            cells: first..after,
            rows: from..to,
            whole,
            times: OnceCell::new(),
        });
        // The last cell may go on in the next batch.
        first = after - 1;
    }
}
