//! Splits a person in two: rows that arrived by some identifiers become rows of another person.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::error::Result;
use crate::index::history::split_history::{PersonRows, SplitRows};
use crate::index::history::time_travel::earliest_ms;
use crate::index::summaries::firsts::NEVER;
use crate::index::view::{Attribute, BLOCK, Events, Partition, Version, ordinal_of, partition_of, person_of};
use crate::proto::frame::Split;

/// A split that is being applied to runs.
struct Splitting<'a> {
    split: &'a Split,
    arrival: i64,
    /// The ordinals of the person who is split and of everybody merged into them, by partition number.
    people: BTreeMap<u32, BTreeSet<u32>>,
}

/// The result of removing rows of a split from the runs of one event type or attribute.
struct Extracted<R> {
    /// The runs without the removed rows.
    remaining: Vec<Arc<R>>,
    /// The number of rows left of each run.
    remaining_rows: Vec<usize>,
    /// The removed rows, kept for past versions.
    split_rows: Vec<SplitRows<R>>,
    /// Copies of rows for the person who is split off.
    moved: Vec<R>,
    /// Blocks from which rows were removed.
    changed_blocks: BTreeSet<u32>,
    /// The number of removed rows that counted for nobody, because they belong to losers of merges.
    uncounted_rows: usize,
}

/// Moves the rows of `split.from` that arrived by the identifiers of the split to `split.to`.
///
/// Rows of losers merged into `from` leave the runs as well, so that afterwards every row in a run belongs to its person or to
/// somebody whom its person was merged into.
pub fn split(version: &mut Version, arrival: i64, split: &Arc<Split>) -> Result<()> {
    let aliases = version.history.aliases(i64::MAX);
    let mut people: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
    for person in aliases.group_of(split.from) {
        people
            .entry(partition_of(person))
            .or_default()
            .insert(ordinal_of(person));
    }
    version.history.splits.push((arrival, split.clone()));
    for partition in version.partitions.values_mut() {
        if !partition.split_history.events.is_empty() || !partition.split_history.changes.is_empty() {
            let split_history = &mut Arc::make_mut(partition).split_history;
            Arc::make_mut(split_history).reassign_owners(split, &|owner| aliases.resolve(owner) == split.from)?;
        }
    }
    let splitting = Splitting { split, arrival, people };
    splitting.move_events(version)?;
    splitting.move_changes(version)?;
    let bare_records = version.history.bare_records(i64::MAX);
    for person in [split.from, split.to] {
        let times = bare_records
            .iter()
            .filter(|&&(owner, _)| owner == person)
            .map(|&(_, time)| time);
        version.recompute_firsts(person, times)?;
    }
    version.earliest_ms = earliest_ms(&version.partitions);
    Ok(())
}

impl Splitting<'_> {
    fn move_events(&self, version: &mut Version) -> Result<()> {
        let texts = version.texts.clone();
        let mut moved = Vec::new();
        for (&number, ordinals) in &self.people {
            let Some(partition) = version.partitions.get_mut(&number) else {
                continue;
            };
            for (kind, events) in partition.events.clone() {
                let Some(extracted) = self.extract(&events.runs, number, ordinals)? else {
                    continue;
                };
                let partition = Arc::make_mut(partition);
                let left = Events {
                    uncounted_rows: events.uncounted_rows.saturating_sub(extracted.uncounted_rows),
                    spans: events.spans.clone(),
                    totals: events
                        .totals
                        .with_remaining_rows(&events.runs, &extracted.remaining_rows),
                    runs: extracted.remaining,
                };
                match left.rebuild_blocks(&extracted.changed_blocks) {
                    Some(left) => partition.events.insert(kind.clone(), Arc::new(left)),
                    None => partition.events.remove(&kind),
                };
                let split_rows = Arc::make_mut(&mut partition.split_history)
                    .events
                    .entry(kind.clone())
                    .or_default();
                let channels: BTreeSet<u32> = extracted
                    .split_rows
                    .iter()
                    .flat_map(|part| part.run.channels())
                    .collect();
                split_rows.extend(extracted.split_rows);
                partition.remove_unused_channels(&channels)?;
                moved.extend(extracted.moved.into_iter().map(|run| (kind.clone(), run)));
            }
        }
        if let Some(partition) = version.partitions.get_mut(&partition_of(self.split.to)) {
            let partition = Arc::make_mut(partition);
            for (kind, run) in moved {
                let events = partition.events_mut(&kind);
                run.keys().for_each(|key| events.spans.widen(key));
                events.add(run, &texts)?;
            }
        }
        Ok(())
    }

    fn move_changes(&self, version: &mut Version) -> Result<()> {
        let texts = version.texts.clone();
        let mut moved = Vec::new();
        for (&number, ordinals) in &self.people {
            let Some(partition) = version.partitions.get_mut(&number) else {
                continue;
            };
            for (name, attribute) in partition.attributes.clone() {
                let Some(extracted) = self.extract(&attribute.runs, number, ordinals)? else {
                    continue;
                };
                let partition = Arc::make_mut(partition);
                match Attribute::rebuild_blocks(
                    &attribute.latest,
                    extracted.remaining,
                    &extracted.changed_blocks,
                    &texts,
                )? {
                    Some(left) => partition.attributes.insert(name.clone(), Arc::new(left)),
                    None => partition.attributes.remove(&name),
                };
                let split_rows = Arc::make_mut(&mut partition.split_history)
                    .changes
                    .entry(name.clone())
                    .or_default();
                split_rows.extend(extracted.split_rows);
                moved.extend(extracted.moved.into_iter().map(|run| (name.clone(), run)));
            }
        }
        if let Some(partition) = version.partitions.get_mut(&partition_of(self.split.to)) {
            let attributes = &mut Arc::make_mut(partition).attributes;
            for (name, run) in moved {
                Arc::make_mut(attributes.entry(name).or_default()).add(run, &texts)?;
            }
        }
        Ok(())
    }

    /// Removes the rows of the split from runs; `None` if the runs hold no such rows.
    fn extract<R: PersonRows>(
        &self,
        runs: &[Arc<R>],
        number: u32,
        ordinals: &BTreeSet<u32>,
    ) -> Result<Option<Extracted<R>>> {
        let mut extracted = Extracted {
            remaining: Vec::new(),
            remaining_rows: Vec::new(),
            split_rows: Vec::new(),
            moved: Vec::new(),
            changed_blocks: BTreeSet::new(),
            uncounted_rows: 0,
        };
        for run in runs {
            let rows = self.rows_to_extract(&**run, number, ordinals, &mut extracted)?;
            extracted.remaining_rows.push(run.rows() - rows.len());
            if rows.is_empty() {
                extracted.remaining.push(run.clone());
                continue;
            }
            extracted
                .split_rows
                .extend(SplitRows::by_owner(&**run, &rows, self.arrival, self.split));
            let stays = |row: &u32| rows.binary_search(row).is_err();
            let rest: Vec<u32> = (0..run.rows() as u32).filter(stays).collect();
            if !rest.is_empty() {
                extracted.remaining.push(Arc::new(run.pick(&rest)));
            }
        }
        Ok((!extracted.split_rows.is_empty()).then_some(extracted))
    }

    /// Returns the rows of a run to remove, ascending, and records them in `extracted`.
    fn rows_to_extract<R: PersonRows>(
        &self,
        run: &R,
        number: u32,
        ordinals: &BTreeSet<u32>,
        extracted: &mut Extracted<R>,
    ) -> Result<Vec<u32>> {
        let mut out = Vec::new();
        for &ordinal in ordinals {
            let mut rows = run.rows_of(ordinal)?;
            if person_of(number, ordinal) == self.split.from {
                let nodes = &run.origins().nodes;
                rows.retain(|&row| self.split.side_of(nodes.get(row as usize)) == self.split.to);
                if !rows.is_empty() {
                    let moved = run.reassign(&rows, ordinal_of(self.split.to), self.arrival);
                    extracted.moved.push(moved);
                }
            } else {
                extracted.uncounted_rows += rows.len();
            }
            extracted
                .changed_blocks
                .extend((!rows.is_empty()).then_some(ordinal / BLOCK));
            out.append(&mut rows);
        }
        out.sort_unstable();
        Ok(out)
    }
}

impl Version {
    /// Recomputes the first record and channels of a person from their rows and from the instants of their bare records.
    fn recompute_firsts(&mut self, person: u64, bare_records: impl Iterator<Item = i64>) -> Result<()> {
        let (schema, ordinal) = (&self.schema, ordinal_of(person));
        let Some(partition) = self.partitions.get_mut(&partition_of(person)) else {
            return Ok(());
        };
        let partition = Arc::make_mut(partition);
        partition.clear_firsts([ordinal].into_iter());
        bare_records.for_each(|time| partition.first_record.note(ordinal, time));
        for (kind, events) in &partition.events {
            let counts_as_seen = schema.event_types.get(kind).is_some_and(|kind| kind.counts_as_seen);
            for run in &events.runs {
                for (row, time) in run.of_person(ordinal, i32::MIN..=i32::MAX)? {
                    partition.first_record.note(ordinal, time);
                    if let Some(channel) = run.details.channel(row) {
                        let firsts = partition.channels.entry(channel).or_default();
                        firsts.note(ordinal, if counts_as_seen { time } else { NEVER });
                    }
                }
            }
        }
        for run in partition.attributes.values().flat_map(|attribute| &attribute.runs) {
            for row in run.rows(ordinal)? {
                partition.first_record.note(ordinal, run.times.get(row));
            }
        }
        Ok(())
    }
}

impl Partition {
    /// Removes those of `channels` that no event uses any more.
    fn remove_unused_channels(&mut self, channels: &BTreeSet<u32>) -> Result<()> {
        let mut unused = channels.clone();
        for run in self.events.values().flat_map(|events| &events.runs) {
            if unused.is_empty() {
                return Ok(());
            }
            run.check()?;
            for channel in run.channels() {
                if unused.remove(&channel) && unused.is_empty() {
                    return Ok(());
                }
            }
        }
        unused.iter().for_each(|channel| drop(self.channels.remove(channel)));
        Ok(())
    }
}
