//! Columns with unknowns, and what is known of events row by row.

use std::collections::HashMap;

use super::cells::{self, Scalar, Unit};
use super::flags::Flags;
use super::ints::Ints;
use super::texts::TextColumn;
use crate::proto::schema::Type;
use crate::storage::buffer::Buffer;

/// What is known of events besides whose they are and when they occurred, row by row.
#[derive(Clone)]
pub struct Details {
    pub channels: Values,
    /// By property name; a property no event of the run has is absent.
    pub properties: HashMap<String, Values>,
    pub origins: Origins,
}

/// Where rows come from, row by row.
#[derive(Clone, Default)]
pub struct Origins {
    /// Text codes of the sources, and the ids: what orders the rows of one instant, and what tells copies apart.
    pub sources: Ints,
    pub ids: TextColumn,
    /// Raw offsets of the frames that brought the rows to their persons: themselves, by merging another person into this one, or by splitting this one off.
    pub arrivals: Ints,
    /// Which identifier it came by, numbered by identity from 1; 0 is none.
    pub nodes: Ints,
}

/// A column with unknowns.
#[derive(Clone, Default)]
pub struct Values {
    /// One bit a row, little-endian words; a set bit is a known value. Rows without a known value hold anything.
    pub known: Buffer<u64>,
    pub data: Column,
}

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
    /// Few texts, or sets of few.
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
    /// The text code of an event's channel.
    pub fn channel(&self, row: usize) -> Option<u32> {
        match self.channels.cell(row) {
            cells::Cell::One(Scalar::Text(code)) => Some(code),
            _ => None,
        }
    }
}

impl Values {
    pub fn is_known(&self, row: usize) -> bool {
        self.known.get(row / 64).is_some_and(|word| word >> (row % 64) & 1 == 1)
    }
}
