//! Adds new people and maintains first records and channels across merges.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::batch::ProfileRecord;
use crate::error::Result;
use crate::index::history::aliases::Aliases;
use crate::index::summaries::firsts::NEVER;
use crate::index::view::{Partition, Version, ordinal_of, partition_of};

/// Grows the partitions to the given sizes, by partition number.
pub fn grow_partitions(version: &mut Version, people: BTreeMap<u32, u32>) {
    for (number, people) in people {
        let partition = version
            .partitions
            .entry(number)
            .or_insert_with(|| Arc::new(Partition::new(number)));
        if partition.people < people {
            Arc::make_mut(partition).people = people;
        }
    }
}

/// Lowers first records by (person, instant) pairs of profile updates.
pub fn note_records(version: &mut Version, records: impl Iterator<Item = (u64, i64)>, aliases: &Aliases) {
    let mut firsts: BTreeMap<u32, Vec<(u32, i64)>> = BTreeMap::new();
    for (person, time) in records {
        let person = aliases.resolve(person);
        firsts
            .entry(partition_of(person))
            .or_default()
            .push((ordinal_of(person), time));
    }
    for (number, firsts) in firsts {
        let Some(partition) = version.partitions.get_mut(&number) else {
            continue;
        };
        let first_record = &mut Arc::make_mut(partition).first_record;
        firsts
            .into_iter()
            .for_each(|(ordinal, time)| first_record.note(ordinal, time));
    }
}

/// Keeps updates that change no attribute, if they may be the first record of a person, now or after a split.
///
/// Must be called before anything else of the batch is applied.
pub fn note_bare_records(version: &mut Version, records: &[ProfileRecord]) {
    for record in records.iter().filter(|record| record.is_bare) {
        let partition = version.partitions.get(&partition_of(record.person));
        let first = partition.map_or(NEVER, |partition| partition.first_record.get(ordinal_of(record.person)));
        version
            .history
            .note_bare_record(record.arrival, record.person, record.time, first);
    }
}

/// Gives the first records of losers to their winners.
pub fn move_first_records(version: &mut Version, aliases: &Aliases) {
    let mut records = Vec::new();
    for (number, merges) in aliases.by_partition() {
        let Some(partition) = version.partitions.get(&number) else {
            continue;
        };
        records.extend(
            merges
                .iter()
                .map(|&(loser, winner)| (winner, partition.first_record.get(loser))),
        );
    }
    note_records(version, records.into_iter(), aliases);
}

/// Clears the first records and channels of losers of merges.
pub fn clear_losers(version: &mut Version, aliases: &Aliases) {
    for (number, merges) in aliases.by_partition() {
        let Some(partition) = version.partitions.get_mut(&number) else {
            continue;
        };
        Arc::make_mut(partition).clear_firsts(merges.iter().map(|&(loser, _)| loser));
    }
}

impl Partition {
    /// Clears the first records and channels of people.
    pub fn clear_firsts(&mut self, ordinals: impl Iterator<Item = u32>) {
        for ordinal in ordinals {
            self.first_record.clear(ordinal);
            self.channels.values_mut().for_each(|firsts| firsts.clear(ordinal));
        }
    }
}

/// Recomputes all channels, after a schema changed which event types count as seen.
pub fn recount_channels(version: &mut Version) -> Result<()> {
    let schema = version.schema.clone();
    for partition in version.partitions.values_mut() {
        let partition = Arc::make_mut(partition);
        partition.channels.clear();
        for (kind, events) in partition.events.clone() {
            let counts_as_seen = schema.event_types.get(&kind).is_some_and(|kind| kind.counts_as_seen);
            for run in &events.runs {
                run.check()?;
                partition.note_channels(run, counts_as_seen);
            }
        }
    }
    Ok(())
}
