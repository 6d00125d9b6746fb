//! Excludes erased people from all answers.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::error::Result;
use crate::index::summaries::firsts::NEVER;
use crate::index::summaries::learned::RowWeight;
use crate::index::view::{Version, ordinal_of, partition_of, person_of};

/// Excludes people from all answers; `people` includes everybody who was merged into them.
pub fn exclude(version: &mut Version, people: &[u64]) -> Result<()> {
    for &person in people {
        uncount_rows(version, person)?;
        if let Some(partition) = version.partitions.get_mut(&partition_of(person)) {
            Arc::make_mut(partition).clear_firsts([ordinal_of(person)].into_iter());
        }
    }
    let erased: BTreeSet<u64> = people.iter().copied().collect();
    if !erased.is_empty() {
        version.history.retain_bare_records(|person| !erased.contains(&person));
        remove_split_rows(version, &erased)?;
    }
    Ok(())
}

/// Removes split rows that belong to erased people. There are few, so they are removed at once.
fn remove_split_rows(version: &mut Version, erased: &BTreeSet<u64>) -> Result<()> {
    let aliases = version.history.aliases(i64::MAX);
    for partition in version.partitions.values_mut() {
        let number = partition.number;
        let retained = partition.split_history.retain(
            |owner| !erased.contains(&aliases.resolve(owner)),
            |ordinal| !erased.contains(&person_of(number, ordinal)),
        )?;
        if let Some(retained) = retained {
            Arc::make_mut(partition).split_history = Arc::new(retained);
        }
    }
    Ok(())
}

/// Stops counting a person's rows. Rows of losers of merges are not counted anyway.
fn uncount_rows(version: &mut Version, person: u64) -> Result<()> {
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
        let mut uncounted_rows = 0;
        for run in &events.runs {
            let rows: Vec<RowWeight> = run
                .of_person(ordinal, days.clone())?
                .map(|(row, _)| (row, -1))
                .collect();
            uncounted_rows += rows.len();
            if let Some(event_type) = schema.event_types.get(kind) {
                learned.add_event_values(event_type, &run.details, &rows);
            }
        }
        Arc::make_mut(events).uncounted_rows += uncounted_rows;
    }
    for (name, attribute) in &partition.attributes {
        for run in &attribute.runs {
            let rows: Vec<RowWeight> = run.rows(ordinal)?.map(|row| (row, -1)).collect();
            if let Some(field) = schema.attributes.get(name) {
                learned.add_attribute_values(field, &run.values, &rows);
            }
        }
    }
    Ok(())
}
