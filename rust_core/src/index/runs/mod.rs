//! Sorted immutable runs of events and of attribute changes.

pub(super) mod changes;
pub(super) mod compaction;
pub(super) mod merging;
pub mod run;

use std::ops::{Range, RangeInclusive};

use bytemuck::{Pod, Zeroable};

use super::columns::ints::Ints;
use super::columns::values::{Details, Origins, Values};
use super::partitioning::{BLOCK, DAY_MS};
use crate::error::Result;
use crate::storage::buffer::Buffer;
use crate::storage::file_check::FileCheck;

/// A run of changes of one attribute, sorted by (ordinal, occurred_at, source, id).
#[derive(Default)]
pub struct ChangeRun {
    /// The first row of each block, up to the last block with rows; a block ends where the next one begins.
    pub blocks: Buffer<u32>,
    /// Ordinals within the block.
    pub persons: Buffer<u16>,
    /// `occurred_at` in ms since the epoch; `i64::MIN` for changes that hold since always.
    pub times: Ints,
    /// The new values; an unknown row clears the attribute.
    pub values: Values,
    pub origins: Origins,
    /// The checksum of the file behind the run, checked before the run is first read.
    pub file_check: FileCheck,
}

/// A run of events of one type, sorted by (block, UTC day, person, time, source, id).
///
/// The events of a block on consecutive days are adjacent. A cell is the range of rows of one block and day.
#[derive(Default)]
pub struct EventRun {
    /// The cells, ascending by (block, day); no cell is empty.
    pub cells: Buffer<DayCell>,
    /// Ordinals within the block.
    pub persons: Buffer<u16>,
    /// Milliseconds since the start of the UTC day.
    pub times: Buffer<u32>,
    pub details: Details,
    /// The checksum of the file behind the run, checked before the run is first read.
    pub file_check: FileCheck,
}

/// The start of the rows of one block and UTC day in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct DayCell {
    /// `ordinal / BLOCK`.
    pub block: u32,
    pub day: i32,
    /// The first row; the cell ends where the next one begins.
    pub from: u32,
}

impl EventRun {
    pub fn len(&self) -> usize {
        self.persons.len()
    }

    pub fn is_empty(&self) -> bool {
        self.persons.is_empty()
    }

    /// Checks the file behind the run; must be called before anything but the cells is read. Returns Corrupt if it is damaged.
    pub fn check(&self) -> Result<()> {
        self.file_check.check(|people| self.is_valid(people))
    }

    /// Returns the indexes of the cells of a block within a range of UTC days.
    pub fn cells_of(&self, block: u32, days: RangeInclusive<i32>) -> Range<usize> {
        let from = self
            .cells
            .partition_point(|cell| (cell.block, cell.day) < (block, *days.start()));
        let to = self
            .cells
            .partition_point(|cell| (cell.block, cell.day) <= (block, *days.end()));
        from..to.max(from)
    }

    /// Returns the rows of consecutive cells.
    pub fn rows_of(&self, cells: Range<usize>) -> Range<usize> {
        let start = |cell: usize| self.cells.get(cell).map_or(self.len(), |cell| cell.from as usize);
        start(cells.start)..start(cells.end)
    }

    /// Returns the rows of a person in one cell.
    pub fn rows_in(&self, cell: usize, person: u16) -> Range<usize> {
        let rows = self.rows_of(cell..cell + 1);
        let persons = &self.persons[rows.clone()];
        let from = persons.partition_point(|&other| other < person);
        let to = from + persons[from..].partition_point(|&other| other == person);
        rows.start + from..rows.start + to
    }

    /// Returns the instant at which the day of a cell begins, in ms since the epoch.
    pub fn start_of(&self, cell: usize) -> i64 {
        i64::from(self.cells[cell].day) * DAY_MS
    }

    /// Iterates over a person's events on a range of UTC days, oldest first, as (row, instant). Returns Corrupt if the file is damaged.
    pub fn of_person(&self, ordinal: u32, days: RangeInclusive<i32>) -> Result<impl Iterator<Item = (usize, i64)>> {
        let cells = self.cells_of(ordinal / BLOCK, days);
        if !cells.is_empty() {
            self.check()?;
        }
        let rows = move |cell| {
            self.rows_in(cell, (ordinal % BLOCK) as u16)
                .map(move |row| (row, self.start_of(cell) + i64::from(self.times[row])))
        };
        Ok(cells.flat_map(rows))
    }
}
