//! Sorted immutable runs of rows: made, searched, merged.

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
use crate::storage::seal::Seal;

/// Changes of one attribute, in order of (ordinal, occurred_at, source, id).
#[derive(Default)]
pub struct ChangeRun {
    /// By block: its first row; it ends where the next one begins. Ends with the last block that has any.
    pub blocks: Buffer<u32>,
    /// Ordinals within the block.
    pub persons: Buffer<u16>,
    /// `occurred_at` in milliseconds; `i64::MIN` for what holds since always.
    pub times: Ints,
    /// Unknown row = cleared.
    pub values: Values,
    pub origins: Origins,
    pub seal: Seal,
}

/// Events of one type, in order of (block, UTC day, person, time, source, id): what a block did on consecutive days lies together.
#[derive(Default)]
pub struct EventRun {
    /// Ascending by (block, day); none is empty.
    pub cells: Buffer<DayCell>,
    /// Ordinals within the block.
    pub persons: Buffer<u16>,
    /// Milliseconds within the UTC day.
    pub times: Buffer<u32>,
    pub details: Details,
    pub seal: Seal,
}

/// Where the events of one block and UTC day begin in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct DayCell {
    /// `ordinal / BLOCK`.
    pub block: u32,
    pub day: i32,
    /// Its first row; it ends where the next one begins.
    pub from: u32,
}

impl EventRun {
    pub fn len(&self) -> usize {
        self.persons.len()
    }

    pub fn is_empty(&self) -> bool {
        self.persons.is_empty()
    }

    /// Before anything but the cells is read. Corrupt if the file behind it is damaged.
    pub fn check(&self) -> Result<()> {
        self.seal.check(|people| self.is_valid(people))
    }

    /// The cells of a block with days in `days`.
    pub fn cells_of(&self, block: u32, days: RangeInclusive<i32>) -> Range<usize> {
        let from = self
            .cells
            .partition_point(|cell| (cell.block, cell.day) < (block, *days.start()));
        let to = self
            .cells
            .partition_point(|cell| (cell.block, cell.day) <= (block, *days.end()));
        from..to.max(from)
    }

    /// The rows of consecutive cells.
    pub fn rows_of(&self, cells: Range<usize>) -> Range<usize> {
        let start = |cell: usize| self.cells.get(cell).map_or(self.len(), |cell| cell.from as usize);
        start(cells.start)..start(cells.end)
    }

    /// The rows of a person in one cell.
    pub fn rows_in(&self, cell: usize, person: u16) -> Range<usize> {
        let rows = self.rows_of(cell..cell + 1);
        let persons = &self.persons[rows.clone()];
        let from = persons.partition_point(|&other| other < person);
        let to = from + persons[from..].partition_point(|&other| other == person);
        rows.start + from..rows.start + to
    }

    /// When the day of a cell begins.
    pub fn start_of(&self, cell: usize) -> i64 {
        i64::from(self.cells[cell].day) * DAY_MS
    }

    /// A person's events on some days, oldest first: their rows and instants.
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
