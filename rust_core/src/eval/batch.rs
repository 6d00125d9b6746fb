//! The events of a block in batches of rows, over runs of any size.

use std::cmp::Ordering;
use std::ops::Range;

use super::bits::Bits;
use super::column::Column;
use crate::error::Result;
use crate::index::texts::Texts;
use crate::index::view::{DAY_MS, Events, Run};

/// Rows of one run.
pub struct Slice<'a> {
    pub run: &'a Run,
    pub rows: Range<usize>,
    /// Its day lies wholly in the window.
    whole: bool,
}

/// Slices that are evaluated together, so that small runs do not cost more than large ones.
pub struct Batch<'a> {
    slices: Vec<Slice<'a>>,
    /// The batch's row of each slice's first, and at last the number of rows.
    starts: Vec<usize>,
    /// The block's first ordinal.
    base: u32,
}

/// Rows at which a batch is full.
const BATCH: usize = 1 << 13;

impl<'a> Batch<'a> {
    fn new(base: u32) -> Batch<'a> {
        Batch {
            slices: Vec::new(),
            starts: vec![0],
            base,
        }
    }

    fn push(&mut self, slice: Slice<'a>) {
        self.starts.push(self.len() + slice.rows.len());
        self.slices.push(slice);
    }

    pub fn len(&self) -> usize {
        self.starts.last().copied().unwrap_or(0)
    }

    /// Calls with (row of the batch, row of the block, run, row of the run) of every event, or of those in the mask.
    #[inline]
    pub fn each(&self, mask: Option<&Bits>, mut call: impl FnMut(usize, usize, &'a Run, usize)) {
        let local = |run: &Run, row: usize| (run.persons[row] - self.base) as usize;
        let Some(mask) = mask else {
            for (slice, &start) in self.slices.iter().zip(&self.starts) {
                for row in slice.rows.clone() {
                    call(start + row - slice.rows.start, local(slice.run, row), slice.run, row);
                }
            }
            return;
        };
        let mut index = 0;
        mask.each(|row| {
            while row >= self.starts[index + 1] {
                index += 1;
            }
            let slice = &self.slices[index];
            let run_row = slice.rows.start + row - self.starts[index];
            call(row, local(slice.run, run_row), slice.run, run_row);
        });
    }

    /// Rows of the block, for every event.
    pub fn locals(&self) -> Vec<u32> {
        let persons = self
            .slices
            .iter()
            .flat_map(|slice| &slice.run.persons[slice.rows.clone()]);
        persons.map(|person| person - self.base).collect()
    }

    /// The run and its row of a row of the batch.
    pub fn event(&self, row: usize) -> (&'a Run, usize) {
        let index = self.starts.partition_point(|&start| start <= row) - 1;
        let slice = &self.slices[index];
        (slice.run, slice.rows.start + row - self.starts[index])
    }

    /// Events inside the window; `None` if all are.
    pub fn inside(&self, from: i64, to: i64) -> Option<Bits> {
        if self.slices.iter().all(|slice| slice.whole) {
            return None;
        }
        let mut inside = Bits::none(0);
        for slice in &self.slices {
            let times = &slice.run.times[slice.rows.clone()];
            inside.extend(&Bits::from_fn(times.len(), |row| (from..to).contains(&times[row])));
        }
        Some(inside)
    }

    pub fn concat(&self, part: impl Fn(&Slice<'a>) -> Column<'a>) -> Result<Column<'a>> {
        Column::concat(self.slices.iter().map(part).collect())
    }
}

/// The order of events everywhere: (occurred_at, source, id).
pub fn order(texts: &Texts, (run, row): (&Run, usize), (other, other_row): (&Run, usize)) -> Ordering {
    let source = |run: &Run, row: usize| match run.sources[row] {
        Texts::NONE => "",
        code => texts.get(code),
    };
    let times = run.times[row].cmp(&other.times[other_row]);
    let sources = || source(run, row).cmp(source(other, other_row));
    times
        .then_with(sources)
        .then_with(|| run.ids.get(row).cmp(other.ids.get(other_row)))
}

/// Cuts the events of a block that may lie in the window into batches.
pub fn batches<'a>(events: &'a Events, ordinals: Range<u32>, from: i64, to: i64) -> Vec<Batch<'a>> {
    let mut done = Vec::new();
    if from >= to {
        return done;
    }
    let day = |ms: i64| ms.div_euclid(DAY_MS).clamp(i32::MIN.into(), i32::MAX.into()) as i32;
    let mut batch = Batch::new(ordinals.start);
    for (&number, runs) in events.days.range(day(from)..=day(to - 1)) {
        let start = i64::from(number).saturating_mul(DAY_MS);
        let whole = from <= start && start.saturating_add(DAY_MS) <= to;
        for run in runs {
            let rows = run.rows(ordinals.clone());
            if rows.is_empty() {
                continue;
            }
            batch.push(Slice { run, rows, whole });
            if batch.len() >= BATCH {
                done.push(std::mem::replace(&mut batch, Batch::new(ordinals.start)));
            }
        }
    }
    done.extend((batch.len() > 0).then_some(batch));
    done
}
