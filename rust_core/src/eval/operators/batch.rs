//! The events of a block, cut into batches of rows.

use std::cell::OnceCell;
use std::cmp::Ordering;
use std::ops::{Range, RangeInclusive};
use std::sync::Arc;

use crate::error::Result;
use crate::eval::kernels::bits::Bits;
use crate::eval::kernels::column::Column;
use crate::eval::kernels::galloping::fewer;
use crate::eval::task::Task;
use crate::index::columns::texts::Texts;
use crate::index::view::{BLOCK, DAY_MS, EventRun, Events, Values, days_between};

/// Rows of one run, all of one block, ascending.
pub struct Batch<'a> {
    run: &'a EventRun,
    rows: Rows,
}

enum Rows {
    /// Those of all people of the block.
    Together(Stretch),
    /// Those of chosen people, all of them in the window.
    Apart(Picked),
}

/// Rows that lie together.
struct Stretch {
    /// In which cells of the run the rows are.
    cells: Range<usize>,
    rows: Range<usize>,
    /// All of its days lie wholly in the window.
    whole: bool,
    times: OnceCell<Vec<i64>>,
}

#[derive(Default)]
struct Picked {
    rows: Vec<usize>,
    /// Whose each is: the number among the chosen.
    persons: Vec<u16>,
    times: Vec<i64>,
}

/// Most rows of a batch: what is worked out of them stays in the processor's nearest cache.
pub const MOST: usize = 1 << 13;

impl<'a> Batch<'a> {
    pub fn len(&self) -> usize {
        match &self.rows {
            Rows::Together(stretch) => stretch.rows.len(),
            Rows::Apart(picked) => picked.rows.len(),
        }
    }

    /// Bytes of whose they are and, where that is asked, when they occurred.
    pub fn bytes(&self) -> usize {
        let is_whole = matches!(&self.rows, Rows::Together(stretch) if stretch.whole);
        let times = if is_whole { 0 } else { size_of::<u32>() };
        self.len() * (size_of::<u16>() + times)
    }

    /// Whose they are: numbers among those who are asked.
    pub fn persons(&self) -> &[u16] {
        match &self.rows {
            Rows::Together(stretch) => &self.run.persons[stretch.rows.clone()],
            Rows::Apart(picked) => &picked.persons,
        }
    }

    /// When the events occurred.
    pub fn times(&self) -> &[i64] {
        match &self.rows {
            Rows::Together(stretch) => stretch.times.get_or_init(|| stretch.times_in(self.run)),
            Rows::Apart(picked) => &picked.times,
        }
    }

    /// Calls with (row of the batch, number of the person) of every event, or of those in the mask.
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
        let stretch = match (&self.rows, mask) {
            (Rows::Together(stretch), None) => stretch,
            _ => {
                let times = self.times();
                return self.each(mask, |row, person| call(row, person, times[row]));
            }
        };
        for cell in stretch.cells.clone() {
            let (rows, start) = (stretch.rows_of(self.run, cell), self.run.start_of(cell));
            let events = self.run.persons[rows.clone()].iter().zip(&self.run.times[rows.clone()]);
            for (row, (&person, &time)) in (rows.start - stretch.rows.start..).zip(events) {
                call(row, person.into(), start + i64::from(time));
            }
        }
    }

    /// Events inside the window; `None` if all are.
    pub fn inside(&self, from: i64, to: i64) -> Option<Bits> {
        match &self.rows {
            Rows::Together(stretch) if !stretch.whole => {
                let times = self.times();
                Some(Bits::from_fn(times.len(), |row| (from..to).contains(&times[row])))
            }
            _ => None,
        }
    }

    /// The stored column of a property that some event of the run has, and the batch's rows in it, if they lie together.
    pub fn stored(&self, property: &str) -> Option<(&'a Values, Range<usize>)> {
        self.together(self.run.details.properties.get(property)?)
    }

    pub fn stored_channels(&self) -> Option<(&'a Values, Range<usize>)> {
        self.together(&self.run.details.channels)
    }

    fn together(&self, values: &'a Values) -> Option<(&'a Values, Range<usize>)> {
        match &self.rows {
            Rows::Together(stretch) => Some((values, stretch.rows.clone())),
            Rows::Apart(_) => None,
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
            Rows::Together(stretch) => Column::slice(values, stretch.rows.clone()),
            Rows::Apart(picked) => Column::picked(values, picked.rows.iter().copied(), |values, rows| {
                Column::slice(values, rows)
            }),
        }
    }

    /// The run, and a row of the batch as a row there.
    pub fn row_of_run(&self, row: usize) -> (&'a EventRun, usize) {
        (self.run, self.row(row))
    }

    fn row(&self, row: usize) -> usize {
        match &self.rows {
            Rows::Together(stretch) => stretch.rows.start + row,
            Rows::Apart(picked) => picked.rows[row],
        }
    }

    pub fn is_of_run(&self, other: &Batch) -> bool {
        std::ptr::eq(self.run, other.run)
    }

    /// The order of one person's events everywhere: (occurred_at, source, id). They lie in it within a run.
    pub fn order(&self, row: usize, other: &Batch, at: usize, texts: &Texts) -> Ordering {
        if self.is_of_run(other) {
            return self.row(row).cmp(&other.row(at));
        }
        let times = self.times()[row].cmp(&other.times()[at]);
        let (origins, others) = (&self.run.details.origins, &other.run.details.origins);
        times.then_with(|| origins.order(self.row(row), others, other.row(at), texts))
    }
}

impl Stretch {
    fn times_in(&self, run: &EventRun) -> Vec<i64> {
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

    /// Rows of the run that are both of a cell and the stretch.
    fn rows_of(&self, run: &EventRun, cell: usize) -> Range<usize> {
        let rows = run.rows_of(cell..cell + 1);
        rows.start.max(self.rows.start)..rows.end.min(self.rows.end)
    }
}

/// The events of those who are asked, in some of the runs, that may lie in the window. Corrupt if a file with such is damaged.
pub fn batches<'a>(
    events: &Events,
    runs: &'a [Arc<EventRun>],
    task: Task<'a>,
    from: i64,
    to: i64,
) -> Result<Vec<Batch<'a>>> {
    match task.chosen {
        None => of_block(runs, task.block(), from, to),
        Some(_) => of_chosen(events, runs, task, from, to),
    }
}

fn of_block(runs: &[Arc<EventRun>], block: u32, from: i64, to: i64) -> Result<Vec<Batch<'_>>> {
    let days = days_between(from, to);
    let mut batches = Vec::new();
    for run in runs {
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
fn cut<'a>(run: &'a EventRun, cells: Range<usize>, whole: bool, batches: &mut Vec<Batch<'a>>) {
    let rows = run.rows_of(cells.clone());
    let mut first = cells.start;
    for from in rows.clone().step_by(MOST) {
        let to = rows.end.min(from + MOST);
        let after = first + run.cells[first..cells.end].partition_point(|cell| (cell.from as usize) < to);
        let stretch = Stretch {
            cells: first..after,
            rows: from..to,
            whole,
            times: OnceCell::new(),
        };
        batches.push(Batch {
            run,
            rows: Rows::Together(stretch),
        });
        // The last cell may go on in the next batch.
        first = after - 1;
    }
}

/// Person by person, on the days between the first and the last event of each.
fn of_chosen<'a>(
    events: &Events,
    runs: &'a [Arc<EventRun>],
    task: Task<'a>,
    from: i64,
    to: i64,
) -> Result<Vec<Batch<'a>>> {
    let days = days_between(from, to);
    let active = |asked: usize| Some((asked, events.spans.of_person(task.ordinal(asked))?));
    let active: Vec<(usize, RangeInclusive<i32>)> = (0..task.people()).filter_map(active).collect();
    let mut batches = Vec::new();
    for run in runs {
        let cells = run.cells_of(task.block(), days.clone());
        if cells.is_empty() || active.is_empty() {
            continue;
        }
        run.check()?;
        let mut picked = Picked::default();
        for cell in cells {
            let (start, mut rows) = (run.start_of(cell), run.rows_of(cell..cell + 1));
            for (asked, _) in active.iter().filter(|(_, days)| days.contains(&run.cells[cell].day)) {
                let person = (task.ordinal(*asked) % BLOCK) as u16;
                rows.start += fewer(&run.persons[rows.clone()], person);
                for row in rows.clone().take_while(|&row| run.persons[row] == person) {
                    picked.push(row, *asked, start + i64::from(run.times[row]), from..to);
                }
            }
        }
        let rows = picked.cut().map(|picked| Batch {
            run,
            rows: Rows::Apart(picked),
        });
        batches.extend(rows);
    }
    Ok(batches)
}

impl Picked {
    fn push(&mut self, row: usize, asked: usize, time: i64, window: Range<i64>) {
        if window.contains(&time) {
            self.rows.push(row);
            self.persons.push(asked as u16);
            self.times.push(time);
        }
    }

    fn cut(&self) -> impl Iterator<Item = Picked> {
        let chunks = self
            .rows
            .chunks(MOST)
            .zip(self.persons.chunks(MOST))
            .zip(self.times.chunks(MOST));
        chunks.map(|((rows, persons), times)| Picked {
            rows: rows.to_vec(),
            persons: persons.to_vec(),
            times: times.to_vec(),
        })
    }
}
