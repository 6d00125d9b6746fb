//! Rows that splits removed from a person; past versions from before the split contain them.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::error::Result;
use crate::index::columns::picks::Pick;
use crate::index::columns::values::{Details, Origins, Values};
use crate::index::partitioning::EventKey;
use crate::index::runs::merging::MergeableRun;
use crate::index::runs::{ChangeRun, EventRun};
use crate::proto::frame::Split;

/// The removed rows of a partition.
#[derive(Clone, Default)]
pub struct SplitHistory {
    /// Removed events by type.
    pub events: BTreeMap<String, Vec<SplitRows<EventRun>>>,
    /// Removed changes by attribute.
    pub changes: BTreeMap<String, Vec<SplitRows<ChangeRun>>>,
}

/// Rows that one split removed from the runs of an event type or attribute.
pub struct SplitRows<R> {
    pub run: Arc<R>,
    /// The raw offset of the split.
    pub split_offset: i64,
    /// The person who owns the rows since the split; later merges and splits may change it.
    pub owner: u64,
}

impl<R> Clone for SplitRows<R> {
    fn clone(&self) -> SplitRows<R> {
        SplitRows {
            run: self.run.clone(),
            ..*self
        }
    }
}

/// A run whose rows belong to people: events or changes.
pub trait PersonRows: MergeableRun {
    /// Checks the file behind the run; must be called before rows are read. Returns Corrupt if it is damaged.
    fn check(&self) -> Result<()>;

    fn origins(&self) -> &Origins;

    /// Iterates over the ordinal of each row.
    fn ordinals(&self) -> impl Iterator<Item = u32>;

    /// Returns a person's rows, ascending. Returns Corrupt if the file is damaged.
    fn rows_of(&self, ordinal: u32) -> Result<Vec<u32>>;

    /// Copies some rows, given in ascending order, into a new run.
    fn pick(&self, rows: &[u32]) -> Self;

    /// Copies one person's rows, given in ascending order, for the person with `ordinal`; the copies arrive at `arrival`.
    fn reassign(&self, rows: &[u32], ordinal: u32, arrival: i64) -> Self;
}

impl PersonRows for EventRun {
    fn check(&self) -> Result<()> {
        self.check()
    }

    fn origins(&self) -> &Origins {
        &self.details.origins
    }

    fn ordinals(&self) -> impl Iterator<Item = u32> {
        self.keys().map(EventKey::ordinal)
    }

    fn rows_of(&self, ordinal: u32) -> Result<Vec<u32>> {
        let rows = self.of_person(ordinal, i32::MIN..=i32::MAX)?;
        Ok(rows.map(|(row, _)| row as u32).collect())
    }

    fn pick(&self, rows: &[u32]) -> EventRun {
        self.pick(rows)
    }

    fn reassign(&self, rows: &[u32], ordinal: u32, arrival: i64) -> EventRun {
        let picked = self.pick(rows);
        let keys: Vec<EventKey> = picked.keys().map(|key| EventKey::new(ordinal, key.time())).collect();
        let picks: Vec<Pick> = (0..rows.len() as u32).map(|row| (0, row)).collect();
        let mut details = Details::gather(&[&picked.details], &picks);
        details.origins.arrivals = rows.iter().map(|_| arrival).collect();
        EventRun::of(keys.into_iter(), details)
    }
}

impl PersonRows for ChangeRun {
    fn check(&self) -> Result<()> {
        self.check()
    }

    fn origins(&self) -> &Origins {
        &self.origins
    }

    fn ordinals(&self) -> impl Iterator<Item = u32> {
        self.keys().map(|(ordinal, _)| ordinal)
    }

    fn rows_of(&self, ordinal: u32) -> Result<Vec<u32>> {
        Ok(self.rows(ordinal)?.map(|row| row as u32).collect())
    }

    fn pick(&self, rows: &[u32]) -> ChangeRun {
        self.pick(rows)
    }

    fn reassign(&self, rows: &[u32], ordinal: u32, arrival: i64) -> ChangeRun {
        let picks: Vec<Pick> = rows.iter().map(|&row| (0, row)).collect();
        let keys: Vec<_> = rows
            .iter()
            .map(|&row| (ordinal, self.times.get(row as usize)))
            .collect();
        let mut origins = Origins::gather(&[&self.origins], &picks);
        origins.arrivals = rows.iter().map(|_| arrival).collect();
        ChangeRun::of(&keys, Values::gather(&[Some(&self.values)], &picks), origins)
    }
}

impl SplitHistory {
    /// Returns the rows that splits before an offset removed.
    pub fn before(&self, offset: i64) -> SplitHistory {
        let (mut events, mut changes) = (self.events.clone(), self.changes.clone());
        retain(&mut events, |part| part.split_offset < offset);
        retain(&mut changes, |part| part.split_offset < offset);
        SplitHistory { events, changes }
    }

    /// Returns whether all rows were removed before an offset.
    pub fn all_before(&self, offset: i64) -> bool {
        let events = self.events.values().flatten().map(|part| part.split_offset);
        let changes = self.changes.values().flatten().map(|part| part.split_offset);
        events.chain(changes).all(|split_offset| split_offset < offset)
    }

    /// Keeps the rows whose owner and person satisfy the predicates; returns `None` if all rows remain.
    pub fn retain(
        &self,
        keeps_owner: impl Fn(u64) -> bool,
        keeps_person: impl Fn(u32) -> bool,
    ) -> Result<Option<SplitHistory>> {
        let mut split_history = self.clone();
        let events = retain_rows(&mut split_history.events, &keeps_owner, &keeps_person)?;
        let changes = retain_rows(&mut split_history.changes, &keeps_owner, &keeps_person)?;
        Ok((events || changes).then_some(split_history))
    }

    /// What was `from`'s is one of the two's.
    pub fn reassign_owners(&mut self, split: &Split, is_from: &impl Fn(u64) -> bool) -> Result<()> {
        reassign_split_rows(&mut self.events, split, is_from)?;
        reassign_split_rows(&mut self.changes, split, is_from)
    }

    pub fn bytes_in_memory(&self) -> usize {
        let events = self.events.values().flatten().map(|part| part.run.bytes_in_memory());
        let changes = self.changes.values().flatten().map(|part| part.run.bytes_in_memory());
        events.chain(changes).sum()
    }
}

type RowsByName<R> = BTreeMap<String, Vec<SplitRows<R>>>;

fn retain<R>(parts: &mut RowsByName<R>, keep: impl Fn(&SplitRows<R>) -> bool) {
    parts.values_mut().for_each(|parts| parts.retain(&keep));
    parts.retain(|_, parts| !parts.is_empty());
}

/// Keeps the rows that satisfy both predicates; returns whether any were removed.
fn retain_rows<R: PersonRows>(
    parts: &mut RowsByName<R>,
    keeps_owner: &impl Fn(u64) -> bool,
    keeps_person: &impl Fn(u32) -> bool,
) -> Result<bool> {
    let mut removed_any = false;
    for part in parts.values_mut().flatten() {
        part.run.check()?;
        let rows = part
            .run
            .ordinals()
            .zip(0..)
            .filter(|&(ordinal, _)| keeps_person(ordinal));
        let rows: Vec<u32> = rows.map(|(_, row)| row).filter(|_| keeps_owner(part.owner)).collect();
        if rows.len() < part.run.rows() {
            part.run = Arc::new(part.run.pick(&rows));
            removed_any = true;
        }
    }
    retain(parts, |part| part.run.rows() > 0);
    Ok(removed_any)
}

fn reassign_split_rows<R: PersonRows>(
    parts: &mut RowsByName<R>,
    split: &Split,
    is_from: &impl Fn(u64) -> bool,
) -> Result<()> {
    for parts in parts.values_mut() {
        for part in std::mem::take(parts) {
            if is_from(part.owner) {
                part.run.check()?;
                let all: Vec<u32> = (0..part.run.rows() as u32).collect();
                parts.extend(SplitRows::by_owner(&*part.run, &all, part.split_offset, split));
            } else {
                parts.push(part);
            }
        }
    }
    Ok(())
}

impl<R: PersonRows> SplitRows<R> {
    /// Copies rows of a run, grouped by their owner after a split.
    pub fn by_owner(run: &R, rows: &[u32], split_offset: i64, split: &Split) -> Vec<SplitRows<R>> {
        let owner = |row: &u32| split.side_of(run.origins().nodes.get(*row as usize));
        let of = |person: u64| {
            let own: Vec<u32> = rows.iter().copied().filter(|row| owner(row) == person).collect();
            (!own.is_empty()).then(|| SplitRows {
                run: Arc::new(run.pick(&own)),
                split_offset,
                owner: person,
            })
        };
        [split.from, split.to].into_iter().filter_map(of).collect()
    }
}
