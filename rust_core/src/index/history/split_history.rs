//! Rows that counted for a person until a split: they are told of where is asked what was known before.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::error::Result;
use crate::index::columns::picks::Pick;
use crate::index::columns::values::{Details, Origins, Values};
use crate::index::partitioning::EventKey;
use crate::index::runs::merging::Rows;
use crate::index::runs::{ChangeRun, EventRun};
use crate::proto::frame::Split;

#[derive(Clone, Default)]
pub struct SplitHistory {
    /// By event type.
    pub events: BTreeMap<String, Vec<SplitRows<EventRun>>>,
    /// By attribute.
    pub changes: BTreeMap<String, Vec<SplitRows<ChangeRun>>>,
}

/// Rows that one split took out of the runs of a type or attribute.
pub struct SplitRows<R> {
    pub run: Arc<R>,
    /// Raw offset of the split.
    pub split_offset: i64,
    /// Whose they are since, as far as later merges and splits do not say otherwise.
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

/// A run of rows about people, be they events or changes.
pub trait PersonRows: Rows {
    /// Before rows are read. Corrupt if the file behind it is damaged.
    fn check(&self) -> Result<()>;

    fn origins(&self) -> &Origins;

    /// Row by row.
    fn ordinals(&self) -> impl Iterator<Item = u32>;

    /// A person's rows, ascending. Corrupt like `check`.
    fn rows_of(&self, ordinal: u32) -> Result<Vec<u32>>;

    /// Some rows, ascending.
    fn pick(&self, rows: &[u32]) -> Self;

    /// Copies of one person's rows, ascending, that come to another one at an offset.
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
        self.places().map(|(ordinal, _)| ordinal)
    }

    fn rows_of(&self, ordinal: u32) -> Result<Vec<u32>> {
        Ok(self.rows(ordinal)?.map(|row| row as u32).collect())
    }

    fn pick(&self, rows: &[u32]) -> ChangeRun {
        self.pick(rows)
    }

    fn reassign(&self, rows: &[u32], ordinal: u32, arrival: i64) -> ChangeRun {
        let picks: Vec<Pick> = rows.iter().map(|&row| (0, row)).collect();
        let places: Vec<_> = rows
            .iter()
            .map(|&row| (ordinal, self.times.get(row as usize)))
            .collect();
        let mut origins = Origins::gather(&[&self.origins], &picks);
        origins.arrivals = rows.iter().map(|_| arrival).collect();
        ChangeRun::of(&places, Values::gather(&[Some(&self.values)], &picks), origins)
    }
}

impl SplitHistory {
    /// Those that a split before an offset took out.
    pub fn before(&self, offset: i64) -> SplitHistory {
        let (mut events, mut changes) = (self.events.clone(), self.changes.clone());
        retain(&mut events, |part| part.split_offset < offset);
        retain(&mut changes, |part| part.split_offset < offset);
        SplitHistory { events, changes }
    }

    /// Whether all are from before an offset.
    pub fn all_before(&self, offset: i64) -> bool {
        let events = self.events.values().flatten().map(|part| part.split_offset);
        let changes = self.changes.values().flatten().map(|part| part.split_offset);
        events.chain(changes).all(|split_offset| split_offset < offset)
    }

    /// Without the rows of some owners or about some ordinals; none where all stay.
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

/// Whether some rows went.
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
    /// Some rows of a run, by whose they are after a split.
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
