//! Purges stored data of erased people: one column of a partition at a time, and finally the texts that nothing else uses.

use std::sync::Arc;

use rayon::prelude::*;

use crate::error::Result;
use crate::index::history::time_travel::{PastPartition, earliest_ms};
use crate::index::summaries::learned::LearnedValues;
use crate::index::view::{Column, Items, Partition, Scalar, Unit, Values, Version};

/// Returns the next version, with less data of erased people; `None` if nothing is left to purge.
///
/// Copies at most the runs of one event type or attribute of one partition. Returns Corrupt if a file is damaged.
pub fn purge(version: &Version) -> Result<Option<Version>> {
    let mut next = version.clone();
    let erased = Arc::make_mut(&mut next.erased);
    erased.purges += 1;
    let Some(&number) = version.erased.in_runs.keys().next() else {
        if !erased.in_texts {
            return Ok(None);
        }
        erased.in_texts = false;
        next.texts.retain_texts(&used_texts(version)?);
        return Ok(Some(next));
    };
    let Some(past) = PastPartition::without_erased(version, number) else {
        return Ok(None);
    };
    let partition = &version.partitions[&number];
    let purged = match purge_column(partition, &past)? {
        Some(purged) => purged,
        None => {
            erased.in_runs.remove(&number);
            past.rebuild(partition.events.clone(), partition.attributes.clone())?
        }
    };
    next.partitions.insert(number, Arc::new(purged));
    next.earliest_ms = earliest_ms(&next.partitions);
    Ok(Some(next))
}

/// Removes the erased people's rows from one event type or attribute; returns `None` if none holds any.
fn purge_column(partition: &Partition, past: &PastPartition) -> Result<Option<Partition>> {
    let mut next = partition.clone();
    // Rows of erased people do not count among the learned values, so these stay the same.
    let mut learned = LearnedValues::default();
    for (kind, events) in &partition.events {
        if past.contain_erased(&events.runs)? {
            match past.events(kind, events, &mut learned)? {
                Some(purged) => next.events.insert(kind.clone(), purged),
                None => next.events.remove(kind),
            };
            return Ok(Some(next));
        }
    }
    for (name, attribute) in &partition.attributes {
        if past.contain_erased(&attribute.runs)? {
            match past.attribute(name, attribute, &mut learned)? {
                Some(purged) => next.attributes.insert(name.clone(), purged),
                None => next.attributes.remove(name),
            };
            return Ok(Some(next));
        }
    }
    Ok(None)
}

/// Returns, for each text code, whether anything still uses it.
fn used_texts(version: &Version) -> Result<Vec<bool>> {
    let none = || UsedTexts(vec![false; version.texts.len()]);
    let partitions = version.partitions.par_iter().map(|(_, partition)| {
        let mut used = none();
        used.mark_partition(partition)?;
        Ok(used)
    });
    let mut used = partitions.try_reduce(none, |one, other| Ok(one.union(other)))?;
    version.catalogs.values().for_each(|items| used.mark_items(items));
    Ok(used.0)
}

/// Whether each text code is in use.
struct UsedTexts(Vec<bool>);

impl UsedTexts {
    fn union(mut self, other: UsedTexts) -> UsedTexts {
        self.0.iter_mut().zip(other.0).for_each(|(used, too)| *used |= too);
        self
    }

    fn mark(&mut self, code: u32) {
        if let Some(used) = self.0.get_mut(code as usize) {
            *used = true;
        }
    }

    fn mark_partition(&mut self, partition: &Partition) -> Result<()> {
        let split_off = partition.split_history.events.values().flatten().map(|part| &part.run);
        let runs = partition.events.values().flat_map(|events| &events.runs);
        for run in runs.chain(split_off) {
            run.check()?;
            run.details
                .origins
                .sources
                .iter()
                .for_each(|code| self.mark(code as u32));
            self.mark_values(&run.details.channels);
            run.details
                .properties
                .values()
                .for_each(|values| self.mark_values(values));
        }
        for attribute in partition.attributes.values() {
            attribute
                .latest
                .iter()
                .for_each(|latest| self.mark_values(&latest.values));
        }
        let split_off = partition.split_history.changes.values().flatten().map(|part| &part.run);
        let runs = partition.attributes.values().flat_map(|attribute| &attribute.runs);
        for run in runs.chain(split_off) {
            run.check()?;
            run.origins.sources.iter().for_each(|code| self.mark(code as u32));
            self.mark_values(&run.values);
        }
        Ok(())
    }

    fn mark_items(&mut self, items: &Items) {
        items.rows.keys().for_each(|&key| self.mark(key));
        items.attributes.values().for_each(|values| self.mark_values(values));
        for updates in &items.updates {
            updates
                .attributes
                .values()
                .for_each(|(_, values)| self.mark_values(values));
        }
    }

    fn mark_values(&mut self, values: &Values) {
        match &values.data {
            Column::Ints(Unit::Code, codes) => {
                let known = (0..codes.len()).filter(|&row| values.is_known(row));
                known.for_each(|row| self.mark(codes.get(row) as u32));
            }
            Column::Set { codes, .. } => codes.iter().for_each(|&code| self.mark(code)),
            Column::Flags(flags) => flags.used_texts().for_each(|code| self.mark(code)),
            Column::Map { entries, .. } => {
                for &(key, value) in entries {
                    self.mark(key);
                    if let Scalar::Text(code) = value {
                        self.mark(code);
                    }
                }
            }
            _ => {}
        }
    }
}
