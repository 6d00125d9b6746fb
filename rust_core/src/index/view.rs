//! An immutable version of the index, which the evaluator reads and the fold publishes.
//!
//! All parts are behind `Arc`: a new version shares what did not change, and readers never wait for the writer.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

pub use super::columns::cells::{Scalar, Unit};
use super::columns::ints::Ints;
pub use super::columns::origins::Arrival;
use super::columns::texts::Texts;
pub use super::columns::values::{Column, Details, Origins, Values};
use super::erasure::erased::ErasedPeople;
pub use super::history::Epoch;
use super::history::History;
use super::history::split_history::SplitHistory;
pub use super::partitioning::{BLOCK, DAY_MS, PARTITION, day_of, days_between, ordinal_of, partition_of, person_of};
pub use super::runs::{ChangeRun, DayCell, EventRun};
use super::summaries::firsts::FirstInstants;
use super::summaries::learned::LearnedValues;
use super::summaries::spans::Spans;
use super::summaries::totals::{BlockTotals, Totals};
use crate::proto::schema::Schema;

/// The contents of an index after some prefix of the log.
#[derive(Clone, Default)]
pub struct Version {
    /// How far the raw log is folded.
    pub epoch: Epoch,
    pub schema: Arc<Schema>,
    /// The dictionary of all short texts.
    pub texts: Texts,
    /// Partitions by number. Numbers begin at 1, so that no person is 0.
    pub partitions: BTreeMap<u32, Arc<Partition>>,
    /// Catalogs by name.
    pub catalogs: HashMap<String, Arc<Items>>,
    /// The values observed in enum and set fields.
    pub learned: LearnedValues,
    /// The instant of the first event; `None` if there are no events.
    pub earliest_ms: Option<i64>,
    /// The changes other than rows, from which past versions are rebuilt.
    pub history: History,
    /// The people who were erased.
    pub erased: Arc<ErasedPeople>,
}

/// A partition: up to 2^22 people with dense ordinals. A person is `number << 32 | ordinal`.
#[derive(Clone)]
pub struct Partition {
    pub number: u32,
    /// The number of ordinals in use: `0..people`.
    pub people: u32,
    /// The instant of each person's first record; none for people without records and for losers of merges. Records without a time
    /// (loaded as valid since always) count as `i64::MIN`.
    pub first_record: FirstInstants,
    /// Attributes by name.
    pub attributes: HashMap<String, Arc<Attribute>>,
    /// For each channel code, each person's first event there whose type counts as seen.
    pub channels: BTreeMap<u32, FirstInstants>,
    /// Events by type.
    pub events: HashMap<String, Arc<Events>>,
    /// Rows that splits removed from people of this partition.
    pub split_history: Arc<SplitHistory>,
}

/// One attribute of the people of a partition, with its history.
#[derive(Clone, Default)]
pub struct Attribute {
    /// The latest values by block (`ordinal / BLOCK`). Missing blocks hold only unknown values.
    pub latest: Vec<Latest>,
    /// Sorted runs that together hold every change, including those of losers of merges. Roughly from the largest to the smallest.
    pub runs: Vec<Arc<ChangeRun>>,
}

/// The current values of a block: for each person the value of the latest change by (occurred_at, source, id).
#[derive(Clone)]
pub struct Latest {
    /// Values by ordinal within the block. Missing rows are unknown.
    pub values: Arc<Values>,
    /// The latest `occurred_at` of any change of the block, in ms since the epoch: `values` hold at every later as-of.
    pub changed_until_ms: i64,
}

/// The events of one type in one partition. No event of a person is in two runs.
#[derive(Clone, Default)]
pub struct Events {
    /// Sorted runs, roughly from the largest to the smallest.
    pub runs: Vec<Arc<EventRun>>,
    /// The number of rows that count for nobody: events of losers of merges and of erased people, kept in place for past versions.
    pub uncounted_rows: usize,
    /// The first and last day of each person's events.
    pub spans: Spans,
    /// The number of events and the sums of numeric properties per person.
    pub totals: Arc<Totals>,
}

/// A catalog of goods or places: one row per item, in order of arrival.
#[derive(Clone, Default)]
pub struct Items {
    /// Rows by the text code of the item's key.
    pub rows: HashMap<u32, u32>,
    /// Current values by attribute, row by row.
    pub attributes: HashMap<String, Values>,
    /// All updates that changed an item, in order of arrival.
    pub updates: Vec<Arc<ItemUpdates>>,
}

/// Updates of the items of one catalog, in order of arrival.
#[derive(Default)]
pub struct ItemUpdates {
    /// The text codes of the items' keys.
    pub keys: Vec<u32>,
    /// The raw offsets of the frames that brought the updates.
    pub arrivals: Ints,
    /// For each attribute, the updates that set it, ascending, and the values that they set.
    pub attributes: HashMap<String, (Vec<u32>, Values)>,
}

impl Partition {
    /// Creates a partition without people.
    pub fn new(number: u32) -> Partition {
        Partition {
            number,
            people: 0,
            first_record: FirstInstants::default(),
            attributes: HashMap::new(),
            channels: BTreeMap::new(),
            events: HashMap::new(),
            split_history: Arc::default(),
        }
    }
}

impl Default for Latest {
    fn default() -> Self {
        Latest {
            values: Arc::default(),
            changed_until_ms: i64::MIN,
        }
    }
}

impl Events {
    /// Returns the totals of a block and the runs that these totals do not cover; `None` if the block has no totals.
    pub fn total(&self, block: u32) -> Option<(&BlockTotals, &[Arc<EventRun>])> {
        let total = self.totals.of_block(block)?;
        let covered = self.totals.covered_runs(&self.runs)?;
        Some((total, &self.runs[covered..]))
    }
}
