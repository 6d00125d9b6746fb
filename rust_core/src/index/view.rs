//! An immutable version of the index: what the evaluator reads and the fold publishes. Everything is behind `Arc`, so a new
//! version shares all that did not change, and readers never wait for the writer.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::Arc;

use super::texts::{TextColumn, Texts};
use crate::schema::{Schema, Type};

/// Ordinals of a block: the unit of execution.
pub const BLOCK: u32 = 1 << 16;
/// Most people of a partition.
pub const PARTITION: u32 = 1 << 22;

/// Milliseconds of a UTC day, by which runs are filed. Local days are the evaluator's business.
pub const DAY_MS: i64 = 86_400_000;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Epoch {
    /// One past the last raw offset folded.
    pub raw_offset: u64,
    pub received_at_ms: i64,
}

#[derive(Clone, Default)]
pub struct Version {
    pub epoch: Epoch,
    pub schema: Arc<Schema>,
    pub texts: Texts,
    /// By partition number. Numbers begin at 1, so that no person is 0.
    pub partitions: BTreeMap<u32, Arc<Partition>>,
    pub catalogs: HashMap<String, Arc<Items>>,
    /// Instant of the first event; `None` before there is one.
    pub earliest_ms: Option<i64>,
}

/// Up to 2^22 people with their own dense ordinals. A person is `number << 32 | ordinal`.
#[derive(Clone)]
pub struct Partition {
    pub number: u32,
    /// Ordinals `0..people` are in use.
    pub people: u32,
    /// By ordinal: the instant of the first record; `i64::MAX` for who has none or was merged into another. Records without a
    /// time (loaded as known since always) give `i64::MIN`.
    pub first_record: Arc<Vec<i64>>,
    /// By attribute name.
    pub attributes: HashMap<String, Arc<Attribute>>,
    /// By channel code: each person's first event there whose type counts as seen; `i64::MAX` for none. May be shorter than `people`.
    pub channels: BTreeMap<u32, Arc<Vec<i64>>>,
    /// By event type.
    pub events: HashMap<String, Arc<Events>>,
}

/// One attribute of a partition's people, with its history.
#[derive(Clone, Default)]
pub struct Attribute {
    /// The value that the latest change by (occurred_at, source, id) left. May be shorter than `people`: the rest is unknown.
    pub latest: Arc<Values>,
    /// The latest `occurred_at` of any change: at an as-of after it, `latest` is the answer.
    pub changed_until_ms: i64,
    /// Every change, sorted by (ordinal, occurred_at, source, id): (ordinal, occurred_at_ms), row by row of `changes`. Unknown row = cleared.
    pub history: Arc<Vec<(u32, i64)>>,
    pub changes: Arc<Values>,
    /// Row by row: text codes of the sources, and the ids.
    pub sources: Arc<Vec<u32>>,
    pub ids: Arc<TextColumn>,
}

/// The events of one type in one partition, filed by UTC day.
#[derive(Clone, Default)]
pub struct Events {
    pub days: BTreeMap<i32, Vec<Arc<Run>>>,
}

/// Events of one type and UTC day, sorted by (person, time, source, id). A day may have several runs; no event is in two.
#[derive(Default)]
pub struct Run {
    /// Ordinals, ascending.
    pub persons: Vec<u32>,
    pub times: Vec<i64>,
    /// Text codes; `Texts::NONE` without a channel.
    pub channels: Vec<u32>,
    /// By property name; a property no event of the run has is absent.
    pub properties: HashMap<String, Values>,
    /// Text codes of the sources, and the ids: what orders events of one instant, and what tells copies apart.
    pub sources: Vec<u32>,
    pub ids: TextColumn,
}

/// A column with unknowns.
#[derive(Clone, Default)]
pub struct Values {
    /// One bit a row, little-endian words; a set bit is a known value. Rows without a known value hold anything.
    pub known: Vec<u64>,
    pub data: Column,
}

#[derive(Clone)]
pub enum Column {
    Bool(Vec<bool>),
    /// Numbers and money, in millionths of a unit.
    Number(Vec<i64>),
    /// Text and enum values, as codes of `Version::texts`.
    Text(Vec<u32>),
    /// Milliseconds since 1970 UTC.
    Instant(Vec<i64>),
    /// Days since 1970-01-01.
    Date(Vec<i32>),
    /// month * 100 + day.
    MonthDay(Vec<u16>),
    /// Row i is `codes[ends[i - 1]..ends[i]]`, ascending and distinct.
    Set {
        ends: Vec<u32>,
        codes: Vec<u32>,
    },
    /// Row i is `entries[ends[i - 1]..ends[i]]`, ascending by key code.
    Map {
        ends: Vec<u32>,
        entries: Vec<(u32, Scalar)>,
    },
    /// (latitude, longitude) in degrees.
    Point(Vec<[f64; 2]>),
}

impl Default for Column {
    fn default() -> Self {
        Column::Bool(Vec::new())
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scalar {
    Bool(bool),
    Number(i64),
    Text(u32),
    Instant(i64),
    Date(i32),
    MonthDay(u16),
    Point([f64; 2]),
}

/// Goods or places: one row an item, in order of arrival.
#[derive(Clone, Default)]
pub struct Items {
    /// Text code of the key to row.
    pub rows: HashMap<u32, u32>,
    pub attributes: HashMap<String, Values>,
}

/// The partition that a person is in.
pub fn partition_of(person: u64) -> u32 {
    (person >> 32) as u32
}

/// A person's place in the partition.
pub fn ordinal_of(person: u64) -> u32 {
    person as u32
}

pub fn person_of(partition: u32, ordinal: u32) -> u64 {
    u64::from(partition) << 32 | u64::from(ordinal)
}

impl Partition {
    pub fn new(number: u32) -> Partition {
        Partition {
            number,
            people: 0,
            first_record: Arc::default(),
            attributes: HashMap::new(),
            channels: BTreeMap::new(),
            events: HashMap::new(),
        }
    }
}

impl Attribute {
    /// An attribute that nobody has yet.
    pub fn of_type(kind: Type) -> Attribute {
        Attribute {
            latest: Arc::new(Values::of_type(kind)),
            changed_until_ms: i64::MIN,
            history: Arc::default(),
            changes: Arc::new(Values::of_type(kind)),
            sources: Arc::default(),
            ids: Arc::default(),
        }
    }

    /// The rows of the changes of one person.
    pub fn rows(&self, ordinal: u32) -> Range<usize> {
        let from = self.history.partition_point(|&(person, _)| person < ordinal);
        let to = self.history.partition_point(|&(person, _)| person <= ordinal);
        from..to
    }
}

impl Run {
    pub fn len(&self) -> usize {
        self.persons.len()
    }

    pub fn is_empty(&self) -> bool {
        self.persons.is_empty()
    }

    /// The rows of the people in `ordinals`.
    pub fn rows(&self, ordinals: Range<u32>) -> Range<usize> {
        if let (Some(first), Some(last)) = (self.persons.first(), self.persons.last())
            && ordinals.start <= *first
            && *last < ordinals.end
        {
            // Most runs are small and lie in one block.
            return 0..self.persons.len();
        }
        let from = self.persons.partition_point(|&person| person < ordinals.start);
        let to = self.persons.partition_point(|&person| person < ordinals.end);
        from..to
    }
}

impl Events {
    /// Runs that may hold events of `from_ms <= t < to_ms`, oldest day first.
    pub fn between(&self, from_ms: i64, to_ms: i64) -> impl Iterator<Item = &Arc<Run>> {
        let first = from_ms
            .div_euclid(DAY_MS)
            .clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32;
        let last = to_ms
            .saturating_sub(1)
            .div_euclid(DAY_MS)
            .clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32;
        let days = (from_ms < to_ms).then(|| self.days.range(first..=last));
        days.into_iter().flatten().flat_map(|(_, runs)| runs)
    }
}

impl Values {
    pub fn is_known(&self, row: usize) -> bool {
        self.known.get(row / 64).is_some_and(|word| word >> (row % 64) & 1 == 1)
    }
}
