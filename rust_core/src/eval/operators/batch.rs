//! Cuts the events of a block into batches of rows.

use std::cell::OnceCell;
use std::cmp::Ordering;
use std::ops::{Range, RangeInclusive};
use std::sync::Arc;

use crate::error::Result;
use crate::eval::kernels::bits::Bits;
use crate::eval::kernels::column::Column;
use crate::eval::kernels::galloping::count_less;
use crate::eval::task::Task;
use crate::index::columns::texts::Texts;
use crate::index::view::{BLOCK, DAY_MS, EventRun, Events, Values, days_between};

/// Ascending rows of one run that belong to one block.
pub struct Batch<'a> {
    run: &'a EventRun,
    rows: Rows,
}

enum Rows {
    /// The events of all people of the block.
    Contiguous(RowRange),
    /// The events of selected people, all of them inside the window.
    Selected(SelectedRows),
}

/// A contiguous range of rows.
struct RowRange {
    /// The cells of the run that contain the rows.
    cells: Range<usize>,
    rows: Range<usize>,
    /// True if the window contains all days of the cells.
    is_inside_window: bool,
    times: OnceCell<Vec<i64>>,
}

#[derive(Default)]
/// Rows, persons and times are parallel.
struct SelectedRows {
    rows: Vec<usize>,
    /// For each row, the position of its person among the selected people.
    persons: Vec<u16>,
    times: Vec<i64>,
}

/// The maximum number of rows of a batch: its intermediate columns fit into the first-level cache.
pub const BATCH_ROWS: usize = 1 << 13;

impl<'a> Batch<'a> {
    pub fn len(&self) -> usize {
        match &self.rows {
            Rows::Contiguous(range) => range.rows.len(),
            Rows::Selected(selected) => selected.rows.len(),
        }
    }

    /// Returns the bytes that a scan reads: the persons and, unless all rows are inside the window, the times.
    pub fn bytes(&self) -> usize {
        let is_inside_window = matches!(&self.rows, Rows::Contiguous(range) if range.is_inside_window);
        let times = if is_inside_window { 0 } else { size_of::<u32>() };
        self.len() * (size_of::<u16>() + times)
    }

    /// Returns the person of each row, as a position among the people of the task.
    pub fn persons(&self) -> &[u16] {
        match &self.rows {
            Rows::Contiguous(range) => &self.run.persons[range.rows.clone()],
            Rows::Selected(selected) => &selected.persons,
        }
    }

    /// Returns the time of each row in ms since the epoch.
    pub fn times(&self) -> &[i64] {
        match &self.rows {
            Rows::Contiguous(range) => range.times.get_or_init(|| range.decode_times(self.run)),
            Rows::Selected(selected) => &selected.times,
        }
    }

    /// Calls `call` with (row of the batch, person) of each event in the mask; `None` selects all events.
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

    /// Calls `call` with (row of the batch, person, time) of each event in the mask; `None` selects all events.
    #[inline]
    pub fn for_each_with_time(&self, mask: Option<&Bits>, mut call: impl FnMut(usize, usize, i64)) {
        let range = match (&self.rows, mask) {
            (Rows::Contiguous(range), None) => range,
            _ => {
                let times = self.times();
                return self.each(mask, |row, person| call(row, person, times[row]));
            }
        };
        for cell in range.cells.clone() {
            let (rows, start) = (range.rows_of(self.run, cell), self.run.start_of(cell));
            let events = self.run.persons[rows.clone()].iter().zip(&self.run.times[rows.clone()]);
            for (row, (&person, &time)) in (rows.start - range.rows.start..).zip(events) {
                call(row, person.into(), start + i64::from(time));
            }
        }
    }

    /// Returns the events inside the window; `None` if all are.
    pub fn inside_window(&self, from: i64, to: i64) -> Option<Bits> {
        match &self.rows {
            Rows::Contiguous(range) if !range.is_inside_window => {
                let times = self.times();
                Some(Bits::from_fn(times.len(), |row| (from..to).contains(&times[row])))
            }
            _ => None,
        }
    }

    /// Returns the stored column of a property and the rows of the batch in it.
    ///
    /// Returns `None` if the rows are not contiguous or no event of the run has the property.
    pub fn stored_property(&self, property: &str) -> Option<(&'a Values, Range<usize>)> {
        self.contiguous(self.run.details.properties.get(property)?)
    }

    pub fn stored_channels(&self) -> Option<(&'a Values, Range<usize>)> {
        self.contiguous(&self.run.details.channels)
    }

    fn contiguous(&self, values: &'a Values) -> Option<(&'a Values, Range<usize>)> {
        match &self.rows {
            Rows::Contiguous(range) => Some((values, range.rows.clone())),
            Rows::Selected(_) => None,
        }
    }

    pub fn property(&self, name: &str) -> Column<'a> {
        let values = self.run.details.properties.get(name);
        values.map_or_else(|| Column::unknown(self.len()), |values| self.column(values))
    }

    pub fn channels(&self) -> Column<'a> {
        self.column(&self.run.details.channels)
    }

    fn column(&self, values: &'a Values) -> Column<'a> {
        match &self.rows {
            Rows::Contiguous(range) => Column::slice(values, range.rows.clone()),
            Rows::Selected(selected) => Column::picked(values, selected.rows.iter().copied(), |values, rows| {
                Column::slice(values, rows)
            }),
        }
    }

    /// Returns the run, and the row of the run at a row of the batch.
    pub fn row_of_run(&self, row: usize) -> (&'a EventRun, usize) {
        (self.run, self.row(row))
    }

    fn row(&self, row: usize) -> usize {
        match &self.rows {
            Rows::Contiguous(range) => range.rows.start + row,
            Rows::Selected(selected) => selected.rows[row],
        }
    }

    pub fn is_of_run(&self, other: &Batch) -> bool {
        std::ptr::eq(self.run, other.run)
    }

    /// Compares two events of one person by (occurred_at, source, id). Events of a run are sorted by it.
    pub fn compare(&self, row: usize, other: &Batch, at: usize, texts: &Texts) -> Ordering {
        if self.is_of_run(other) {
            return self.row(row).cmp(&other.row(at));
        }
        let times = self.times()[row].cmp(&other.times()[at]);
        let (origins, others) = (&self.run.details.origins, &other.run.details.origins);
        times.then_with(|| origins.order(self.row(row), others, other.row(at), texts))
    }
}

impl RowRange {
    /// Returns the times of the rows in ms since the epoch.
    fn decode_times(&self, run: &EventRun) -> Vec<i64> {
        let mut times = Vec::with_capacity(self.rows.len());
        for cell in self.cells.clone() {
            let start = run.start_of(cell);
            times.extend(
                run.times[self.rows_of(run, cell)]
                    .iter()
                    .map(|&time| start + i64::from(time)),
            );
        }
        times
    }

    /// Returns the rows of a cell that are in the range.
    fn rows_of(&self, run: &EventRun, cell: usize) -> Range<usize> {
        let rows = run.rows_of(cell..cell + 1);
        rows.start.max(self.rows.start)..rows.end.min(self.rows.end)
    }
}

/// Returns batches that contain all events of the task's people in the window `from..to` (ms since the epoch).
///
/// Returns `Error::Corrupt` if a file that contains such events is damaged.
pub fn batches_in_window<'a>(
    events: &Events,
    runs: &'a [Arc<EventRun>],
    task: Task<'a>,
    from: i64,
    to: i64,
) -> Result<Vec<Batch<'a>>> {
    match task.selected {
        None => batches_of_block(runs, task.block(), from, to),
        Some(_) => batches_of_people(events, runs, task, from, to),
    }
}

fn batches_of_block(runs: &[Arc<EventRun>], block: u32, from: i64, to: i64) -> Result<Vec<Batch<'_>>> {
    let days = days_between(from, to);
    let mut batches = Vec::new();
    for run in runs {
        let cells = run.cells_of(block, days.clone());
        if cells.is_empty() {
            continue;
        }
        run.check()?;
        let is_inside = |cell: usize| {
            let start = run.start_of(cell);
            from <= start && start.saturating_add(DAY_MS) <= to
        };
        // The window may contain only a part of its first and last day.
        let first = cells.start..cells.end.min(cells.start + 1);
        let last = first.end.max(cells.end.saturating_sub(1))..cells.end;
        for cells in [first.clone(), first.end..last.start, last] {
            let is_inside_window = cells.is_empty() || is_inside(cells.start) && is_inside(cells.end - 1);
            split_cells(run, cells, is_inside_window, &mut batches);
        }
    }
    Ok(batches)
}

/// Splits cells into batches.
fn split_cells<'a>(run: &'a EventRun, cells: Range<usize>, is_inside_window: bool, batches: &mut Vec<Batch<'a>>) {
    let rows = run.rows_of(cells.clone());
    let mut first = cells.start;
    for from in rows.clone().step_by(BATCH_ROWS) {
        let to = rows.end.min(from + BATCH_ROWS);
        let after = first + run.cells[first..cells.end].partition_point(|cell| (cell.from as usize) < to);
        let range = RowRange {
            cells: first..after,
            rows: from..to,
            is_inside_window,
            times: OnceCell::new(),
        };
        batches.push(Batch {
            run,
            rows: Rows::Contiguous(range),
        });
        // The last cell may continue in the next batch.
        first = after - 1;
    }
}

/// Collects the events of each selected person on the days between their first and last event.
fn batches_of_people<'a>(
    events: &Events,
    runs: &'a [Arc<EventRun>],
    task: Task<'a>,
    from: i64,
    to: i64,
) -> Result<Vec<Batch<'a>>> {
    let days = days_between(from, to);
    let active = |position: usize| Some((position, events.spans.of_person(task.ordinal(position))?));
    let active: Vec<(usize, RangeInclusive<i32>)> = (0..task.people()).filter_map(active).collect();
    let mut batches = Vec::new();
    for run in runs {
        let cells = run.cells_of(task.block(), days.clone());
        if cells.is_empty() || active.is_empty() {
            continue;
        }
        run.check()?;
        let mut selected = SelectedRows::default();
        for cell in cells {
            let (start, mut rows) = (run.start_of(cell), run.rows_of(cell..cell + 1));
            for (position, _) in active.iter().filter(|(_, days)| days.contains(&run.cells[cell].day)) {
                let person = (task.ordinal(*position) % BLOCK) as u16;
                rows.start += count_less(&run.persons[rows.clone()], person);
                for row in rows.clone().take_while(|&row| run.persons[row] == person) {
                    selected.push(row, *position, start + i64::from(run.times[row]), from..to);
                }
            }
        }
        let rows = selected.split().map(|selected| Batch {
            run,
            rows: Rows::Selected(selected),
        });
        batches.extend(rows);
    }
    Ok(batches)
}

impl SelectedRows {
    fn push(&mut self, row: usize, position: usize, time: i64, window: Range<i64>) {
        if window.contains(&time) {
            self.rows.push(row);
            self.persons.push(position as u16);
            self.times.push(time);
        }
    }

    fn split(&self) -> impl Iterator<Item = SelectedRows> {
        let chunks = self
            .rows
            .chunks(BATCH_ROWS)
            .zip(self.persons.chunks(BATCH_ROWS))
            .zip(self.times.chunks(BATCH_ROWS));
        chunks.map(|((rows, persons), times)| SelectedRows {
            rows: rows.to_vec(),
            persons: persons.to_vec(),
            times: times.to_vec(),
        })
    }
}
