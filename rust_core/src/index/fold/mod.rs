//! Folds frames into a version: decodes a batch and applies it.

pub(super) mod attributes;
pub(super) mod batch;
pub(super) mod events;
pub(super) mod items;
pub(super) mod new_rows;
pub(super) mod people;
pub(super) mod splitting;

use std::collections::BTreeSet;

use self::batch::FrameBatch;
use self::new_rows::NewEvents;
use crate::error::Result;
use crate::index::erasure::exclusion;
use crate::index::view::Version;

/// Applies a batch and returns the next version. Returns Corrupt if a file that it reads is damaged.
pub fn apply(mut next: Version, mut batch: FrameBatch) -> Result<Version> {
    let must_recount = changes_seen_types(&next, &batch);
    (next.epoch, next.schema, next.texts) = (batch.epoch, batch.schema.clone(), batch.texts.clone());
    next.history = batch.history.clone();
    people::note_bare_records(&mut next, &batch.records);
    people::grow_partitions(&mut next, std::mem::take(&mut batch.people));
    people::move_first_records(&mut next, &batch.aliases);
    let records = batch.records.iter().map(|record| (record.person, record.time));
    people::note_records(&mut next, records, &batch.aliases);
    for kind in next.affected_event_types(&batch) {
        let new = batch.events.remove(&kind).map(NewEvents::finish);
        events::add_events(&mut next, &kind, new, &batch.merges)?;
    }
    for name in next.affected_attributes(&batch) {
        let new = batch.changes.remove(&name);
        attributes::add_changes(&mut next, &name, new, &batch.merges)?;
    }
    for (catalog, new) in batch.items {
        items::add_items(&mut next, &catalog, new)?;
    }
    if must_recount {
        people::recount_channels(&mut next)?;
        batch.aliases = next.history.aliases(i64::MAX);
    }
    people::clear_losers(&mut next, &batch.aliases);
    next.erased = batch.erased.clone();
    exclusion::exclude(&mut next, &batch.newly_erased)?;
    if let Some((arrival, split)) = batch.split {
        splitting::split(&mut next, arrival, &split)?;
    }
    Ok(next)
}

/// Returns whether the batch changes which of the declared event types count as seen.
fn changes_seen_types(version: &Version, batch: &FrameBatch) -> bool {
    let before = &version.schema.event_types;
    batch.schema.event_types.iter().any(|(name, kind)| {
        let was_seen = before.get(name).map(|kind| kind.counts_as_seen);
        was_seen.is_some_and(|was_seen| was_seen != kind.counts_as_seen)
    })
}

impl Version {
    /// Returns the event types whose runs the batch changes.
    fn affected_event_types(&self, batch: &FrameBatch) -> BTreeSet<String> {
        let mut kinds: BTreeSet<String> = batch.events.keys().cloned().collect();
        for number in batch.aliases.by_partition().keys() {
            kinds.extend(self.partitions[number].events.keys().cloned());
        }
        kinds
    }

    /// Returns the attributes whose runs the batch changes.
    fn affected_attributes(&self, batch: &FrameBatch) -> BTreeSet<String> {
        let mut names: BTreeSet<String> = batch.changes.keys().cloned().collect();
        for number in batch.aliases.by_partition().keys() {
            names.extend(self.partitions[number].attributes.keys().cloned());
        }
        names
    }
}
