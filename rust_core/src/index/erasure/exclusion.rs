//! Taking people out of all that is told.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::error::Result;
use crate::index::summaries::firsts::NEVER;
use crate::index::summaries::learned::Weight;
use crate::index::view::{Version, ordinal_of, partition_of, person_of};

/// Takes people, each with all who were merged into it, out of all that is told.
pub fn forget(version: &mut Version, people: &[u64]) -> Result<()> {
    for &person in people {
        leave_behind(version, person)?;
        if let Some(partition) = version.partitions.get_mut(&partition_of(person)) {
            Arc::make_mut(partition).forget([ordinal_of(person)].into_iter());
        }
    }
    let gone: BTreeSet<u64> = people.iter().copied().collect();
    if !gone.is_empty() {
        version.history.retain_bare_records(|person| !gone.contains(&person));
        forget_parted(version, &gone)?;
    }
    Ok(())
}

/// What was theirs or told of them until a split goes at once: there is little of it.
fn forget_parted(version: &mut Version, gone: &BTreeSet<u64>) -> Result<()> {
    let aliases = version.history.aliases(i64::MAX);
    for partition in version.partitions.values_mut() {
        let number = partition.number;
        let parted = partition.split_history.retain(
            |owner| !gone.contains(&aliases.resolve(owner)),
            |ordinal| !gone.contains(&person_of(number, ordinal)),
        )?;
        if let Some(parted) = parted {
            Arc::make_mut(partition).split_history = Arc::new(parted);
        }
    }
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
