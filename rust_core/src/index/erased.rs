//! People who are to be forgotten. Nobody is told anything of them from the version on that knows it, whatever is asked about; what runs
//! and the dictionary still hold of them is purged afterwards, part by part.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use roaring::RoaringBitmap;

use super::firsts::NEVER;
use super::learned::Weight;
use super::view::{Version, ordinal_of, partition_of};
use crate::error::Result;

#[derive(Clone, Default)]
pub struct Erased {
    /// By partition. For ever: ordinals are not given again.
    pub people: BTreeMap<u32, RoaringBitmap>,
    /// Those of them of whom runs may still hold something.
    pub in_runs: BTreeMap<u32, RoaringBitmap>,
    /// Whether the dictionary may still hold texts of theirs.
    pub in_texts: bool,
    /// How often something was purged.
    pub purges: u64,
}

impl Erased {
    pub fn contains(&self, person: u64) -> bool {
        let of_partition = self.people.get(&partition_of(person));
        of_partition.is_some_and(|people| people.contains(ordinal_of(person)))
    }

    pub fn add(&mut self, person: u64) {
        for people in [&mut self.people, &mut self.in_runs] {
            people
                .entry(partition_of(person))
                .or_default()
                .insert(ordinal_of(person));
        }
        self.in_texts = true;
    }

    pub fn is_purged(&self) -> bool {
        self.in_runs.is_empty() && !self.in_texts
    }
}

/// Takes people, each with all who were merged into it, out of all that is told.
pub fn forget(version: &mut Version, people: &[u64]) -> Result<()> {
    for &person in people {
        leave_behind(version, person)?;
        if let Some(partition) = version.partitions.get_mut(&partition_of(person)) {
            Arc::make_mut(partition).forget([ordinal_of(person)].into_iter());
        }
    }
    let gone: BTreeSet<u64> = people.iter().copied().collect();
    let stays = |[_, person, _]: &[i64; 3]| !gone.contains(&(*person as u64));
    version.history.bare_records = version.history.bare_records.iter().filter(stays).collect();
    Ok(())
}

/// What is held of somebody counts no more. That of the losers of merges does not anyway.
fn leave_behind(version: &mut Version, person: u64) -> Result<()> {
    let (schema, learned, ordinal) = (&version.schema, &mut version.learned, ordinal_of(person));
    let Some(partition) = version.partitions.get_mut(&partition_of(person)) else {
        return Ok(());
    };
    if partition.first_record.get(ordinal) == NEVER {
        return Ok(());
    }
    let partition = Arc::make_mut(partition);
    for (kind, events) in &mut partition.events {
        let Some(days) = events.spans.of_person(ordinal) else {
            continue;
        };
        let mut left_behind = 0;
        for run in &events.runs {
            let rows: Vec<Weight> = run
                .of_person(ordinal, days.clone())?
                .map(|(row, _)| (row, -1))
                .collect();
            left_behind += rows.len();
            if let Some(event_type) = schema.event_types.get(kind) {
                learned.weigh_events(event_type, &run.details, &rows);
            }
        }
        Arc::make_mut(events).left_behind += left_behind;
    }
    for (name, attribute) in &partition.attributes {
        for run in &attribute.runs {
            let rows: Vec<Weight> = run.rows(ordinal)?.map(|row| (row, -1)).collect();
            if let Some(field) = schema.attributes.get(name) {
                learned.weigh_changes(field, &run.values, &rows);
            }
        }
    }
    Ok(())
}
