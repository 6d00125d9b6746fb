//! Columns with unknown values, and the columns that describe events.

use std::collections::HashMap;

use super::cells::{self, Scalar, Unit};
use super::flags::Flags;
use super::ints::Ints;
use super::texts::TextColumn;
use crate::proto::schema::Type;
use crate::storage::buffer::Buffer;

/// The columns of a run of events other than person and time.
#[derive(Clone)]
pub struct Details {
    pub channels: Values,
    /// Columns by property name; a property that no event of the run has is absent.
    pub properties: HashMap<String, Values>,
    pub origins: Origins,
}

/// The origin of each row.
#[derive(Clone, Default)]
pub struct Origins {
    /// Text codes of the sources.
    pub sources: Ints,
    /// Record ids. (source, id) orders rows of equal instants and identifies copies of a record.
    pub ids: TextColumn,
    /// Raw offsets of the frames that gave each row to its person: its own frame, or that of a merge or split which moved it.
    pub arrivals: Ints,
    /// The number of the identifier by which each row arrived, from 1; 0 stands for none.
    pub nodes: Ints,
}

/// A column whose rows may be unknown.
#[derive(Clone, Default)]
pub struct Values {
    /// One bit per row, in words of 64; a set bit marks a known value. Unknown rows hold arbitrary data.
    pub known: Buffer<u64>,
    pub data: Column,
}

/// The data of a column.
#[derive(Clone)]
pub enum Column {
    Bool(Buffer<bool>),
    Ints(Unit, Ints),
    /// Row i is `codes[ends[i - 1]..ends[i]]`, ascending and distinct.
    Set {
        ends: Buffer<u32>,
        codes: Buffer<u32>,
    },
    /// Row i is `entries[ends[i - 1]..ends[i]]`, ascending by key code.
    Map {
        ends: Buffer<u32>,
        entries: Vec<(u32, Scalar)>,
    },
    /// Texts or sets of texts with few distinct values, as bitmaps.
    Flags(Flags),
    /// (latitude, longitude) in degrees.
    Point(Buffer<[f64; 2]>),
}

impl Default for Column {
    fn default() -> Self {
        Column::Bool(Buffer::default())
    }
}

impl Default for Details {
    fn default() -> Self {
        Details {
            channels: Values::of_type(Type::Text),
            properties: HashMap::new(),
            origins: Origins::default(),
        }
    }
}

impl Details {
    /// Returns the text code of an event's channel.
    pub fn channel(&self, row: usize) -> Option<u32> {
        match self.channels.cell(row) {
            cells::Cell::One(Scalar::Text(code)) => Some(code),
            _ => None,
        }
    }
}

impl Values {
    /// Returns whether a row is known; false beyond the end.
    pub fn is_known(&self, row: usize) -> bool {
        self.known.get(row / 64).is_some_and(|word| word >> (row % 64) & 1 == 1)
    }
}
