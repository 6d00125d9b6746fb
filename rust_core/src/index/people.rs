//! New people, and people who turned out to be one.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::batch::Aliases;
use super::view::{Partition, Version, ordinal_of, partition_of};

/// Grows the partitions to `people` each.
pub fn create(version: &mut Version, people: BTreeMap<u32, u32>) {
    for (number, people) in people {
        let partition = version
            .partitions
            .entry(number)
            .or_insert_with(|| Arc::new(Partition::new(number)));
        if partition.people < people {
            let partition = Arc::make_mut(partition);
            partition.people = people;
            Arc::make_mut(&mut partition.first_record).resize(people as usize, i64::MAX);
        }
    }
}

/// Notes since when something is known of people, aside from events.
pub fn note_records(version: &mut Version, records: &[(u64, i64)], aliases: &Aliases) {
    let mut firsts: BTreeMap<u32, Vec<(u32, i64)>> = BTreeMap::new();
    for &(person, time) in records {
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
        let first_record = Arc::make_mut(&mut Arc::make_mut(partition).first_record);
        for (ordinal, time) in firsts {
            first_record[ordinal as usize] = time.min(first_record[ordinal as usize]);
        }
    }
}

/// Gives the losers' first records and first events by channel to their winners.
pub fn merge(version: &mut Version, aliases: &Aliases) {
    let mut records = Vec::new();
    let mut seen = Vec::new();
    for (number, merges) in aliases.by_partition() {
        let Some(partition) = version.partitions.get_mut(&number) else {
            continue;
        };
        let partition = Arc::make_mut(partition);
        let first_record = Arc::make_mut(&mut partition.first_record);
        for &(loser, winner) in &merges {
            let first = std::mem::replace(&mut first_record[loser as usize], i64::MAX);
            records.push((winner, first));
        }
        for (&channel, firsts) in &mut partition.channels {
            let is_in = |&&(loser, _): &&(u32, u64)| firsts.get(loser as usize).is_some_and(|&at| at != i64::MAX);
            let losers: Vec<_> = merges.iter().filter(is_in).copied().collect();
            for (loser, winner) in losers {
                let first = std::mem::replace(&mut Arc::make_mut(firsts)[loser as usize], i64::MAX);
                seen.push((winner, channel, first));
            }
        }
    }
    note_records(version, &records, aliases);
    for (winner, channel, first) in seen {
        if let Some(partition) = version.partitions.get_mut(&partition_of(winner)) {
            Arc::make_mut(partition).note_seen(ordinal_of(winner), channel, first);
        }
    }
}

/// Recounts everybody's channels, after the declaration of which types count as seen has changed.
pub fn recount_channels(version: &mut Version) {
    let schema = version.schema.clone();
    for partition in version.partitions.values_mut() {
        let partition = Arc::make_mut(partition);
        partition.channels.clear();
        for (kind, events) in partition.events.clone() {
            let counts_as_seen = schema.event_types.get(&kind).is_some_and(|kind| kind.counts_as_seen);
            events
                .runs()
                .for_each(|run| partition.note_channels(run, counts_as_seen));
        }
    }
}
