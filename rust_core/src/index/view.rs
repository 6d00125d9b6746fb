//! An immutable version of the index: what the evaluator reads and the fold publishes. Everything is behind `Arc`, so a new
//! version shares all that did not change, and readers never wait for the writer.

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

#[derive(Clone, Default)]
pub struct Version {
    pub epoch: Epoch,
    pub schema: Arc<Schema>,
    pub texts: Texts,
    /// By partition number. Numbers begin at 1, so that no person is 0.
    pub partitions: BTreeMap<u32, Arc<Partition>>,
    pub catalogs: HashMap<String, Arc<Items>>,
    /// The values that fields without declared ones have had.
    pub learned: LearnedValues,
    /// Instant of the first event; `None` before there is one.
    pub earliest_ms: Option<i64>,
    /// For the answers to what was known before.
    pub history: History,
    pub erased: Arc<ErasedPeople>,
}

/// Up to 2^22 people with their own dense ordinals. A person is `number << 32 | ordinal`.
#[derive(Clone)]
pub struct Partition {
    pub number: u32,
    /// Ordinals `0..people` are in use.
    pub people: u32,
    /// The first record; nothing for who has none or was merged into another. Records without a time (loaded as known since
    /// always) give `i64::MIN`.
    pub first_record: FirstInstants,
    /// By attribute name.
    pub attributes: HashMap<String, Arc<Attribute>>,
    /// By channel code: each person's first event there whose type counts as seen.
    pub channels: BTreeMap<u32, FirstInstants>,
    /// By event type.
    pub events: HashMap<String, Arc<Events>>,
    /// What was its people's until they were split.
    pub split_history: Arc<SplitHistory>,
}

/// One attribute of a partition's people, with its history.
#[derive(Clone, Default)]
pub struct Attribute {
    /// By block (`ordinal / BLOCK`). May be fewer than those of `people`: the rest is unknown.
    pub latest: Vec<Latest>,
    /// Every change is in one of them, also those of people who were merged into others. The largest first, roughly.
    pub runs: Vec<Arc<ChangeRun>>,
}

/// What the latest changes by (occurred_at, source, id) left to the people of a block.
#[derive(Clone)]
pub struct Latest {
    /// By ordinal within the block. May be shorter than the block: the rest is unknown.
    pub values: Arc<Values>,
    /// The latest `occurred_at` of any change: at an as-of after it, `values` are the answer.
    pub changed_until_ms: i64,
}

/// The events of one type in one partition. No event of a person is in two runs.
#[derive(Clone, Default)]
pub struct Events {
    /// The largest first, roughly.
    pub runs: Vec<Arc<EventRun>>,
    /// Events of people who were merged into others: they stay where they are, and count for nobody.
    pub uncounted_rows: usize,
    pub spans: Spans,
    pub totals: Arc<Totals>,
}

/// Goods or places: one row an item, in order of arrival.
#[derive(Clone, Default)]
pub struct Items {
    /// Text code of the key to row.
    pub rows: HashMap<u32, u32>,
    pub attributes: HashMap<String, Values>,
    /// Everything that was ever sent of them, in order of arrival.
    pub updates: Vec<Arc<ItemUpdates>>,
}

/// Updates of the items of one catalog, in order of arrival.
#[derive(Default)]
pub struct ItemUpdates {
    /// Text codes of the items' keys.
    pub keys: Vec<u32>,
    /// Raw offsets of the frames they came in.
    pub arrivals: Ints,
    /// By attribute: which of the updates name it, ascending, and the values they give.
    pub attributes: HashMap<String, (Vec<u32>, Values)>,
}

impl Partition {
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
    /// What a block's events in the first runs come to, and the other runs.
    pub fn total(&self, block: u32) -> Option<(&BlockTotals, &[Arc<EventRun>])> {
        let total = self.totals.of_block(block)?;
        let covered = self.totals.covered_runs(&self.runs)?;
        Some((total, &self.runs[covered..]))
    }
}
