//! Stores a partition as files: a head file with everything that changes, and a file for each large run, which is written once.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::index::history::split_history::{SplitHistory, SplitRows};
use crate::index::runs::merging::MergeableRun;
use crate::index::summaries::totals::Totals;
use crate::index::view::{Attribute, ChangeRun, DayCell, EventRun, Events, Latest, PARTITION, Partition};
use crate::storage::buffer::Buffer;
use crate::storage::file_check::FileCheck;
use crate::storage::sections::{Decoded, SectionReader, SectionWriter, Stored};

/// The number of rows from which a run gets a file of its own; lower in tests and fuzzers, which have few rows.
const LARGE: usize = if cfg!(any(test, fuzzing)) { 4 } else { 1 << 16 };

/// A decoded head file: a partition without its large runs.
pub struct PartitionHead {
    pub partition: Partition,
    /// The large runs of events that are missing.
    pub events: Vec<LargeRun<EventRun>>,
    /// The large runs of changes that are missing.
    pub changes: Vec<LargeRun<ChangeRun>>,
}

/// The position of a large run whose rows are in another file.
pub struct LargeRun<R: StoredRun> {
    /// The event type or attribute.
    name: String,
    /// The index among the runs of the type or attribute.
    at: usize,
    rows: u64,
    starts: R::Starts,
}

/// A run as it is stored. The starts of its blocks are in the head file, so that lookups of other people or days need not read the rows.
pub trait StoredRun: MergeableRun + Stored {
    /// The index of a run: where blocks and days begin.
    type Starts: Stored;
    /// Returns the index.
    fn starts(&self) -> &Self::Starts;
    /// Sets the index.
    fn begin(&mut self, starts: Self::Starts);
    /// Attaches the checksum of the file behind the run.
    fn set_file_check(&mut self, file_check: FileCheck);
    /// Returns whether the run is consistent in a partition of `people` ordinals.
    fn is_valid(&self, people: u32) -> bool;
}

macro_rules! stored_run {
    ($run:ty, $starts:ident, $element:ty) => {
        impl StoredRun for $run {
            type Starts = Buffer<$element>;

            fn starts(&self) -> &Self::Starts {
                &self.$starts
            }

            fn begin(&mut self, starts: Self::Starts) {
                self.$starts = starts;
            }

            fn set_file_check(&mut self, file_check: FileCheck) {
                self.file_check = file_check;
            }

            fn is_valid(&self, people: u32) -> bool {
                self.is_valid(people)
            }
        }
    };
}

stored_run!(EventRun, cells, DayCell);
stored_run!(ChangeRun, blocks, u32);

/// Writes the head file: everything but the rows of large runs.
pub fn put(partition: &Partition, out: &mut SectionWriter) {
    out.one(partition.number);
    out.one(partition.people);
    partition.first_record.put(out);
    out.one(partition.attributes.len() as u64);
    for (name, attribute) in in_order(&partition.attributes) {
        out.text(name);
        out.list(&attribute.latest);
        put_small(&attribute.runs, out);
    }
    out.one(partition.channels.len() as u64);
    for (&channel, firsts) in &partition.channels {
        out.one(channel);
        firsts.put(out);
    }
    out.one(partition.events.len() as u64);
    for (event_type, events) in in_order(&partition.events) {
        out.text(event_type);
        out.one(events.uncounted_rows as u64);
        events.spans.put(out);
        events.totals.put(out);
        put_small(&events.runs, out);
    }
    put_split_rows(&partition.split_history.events, out);
    put_split_rows(&partition.split_history.changes, out);
}

/// Writes the rows removed by splits.
fn put_split_rows<R: StoredRun>(parts: &BTreeMap<String, Vec<SplitRows<R>>>, out: &mut SectionWriter) {
    out.one(parts.len() as u64);
    for (name, parts) in parts {
        out.text(name);
        out.one(parts.len() as u64);
        for part in parts {
            out.one(part.split_offset);
            out.one(part.owner);
            part.run.starts().put(out);
            part.run.put(out);
        }
    }
}

/// Reads the rows removed by splits.
fn get_split_rows<R: StoredRun>(
    input: &mut SectionReader<'_>,
    people: u32,
) -> Decoded<BTreeMap<String, Vec<SplitRows<R>>>> {
    let part = |input: &mut SectionReader<'_>| {
        let (split_offset, owner, starts) = (input.one()?, input.one()?, R::Starts::get(input)?);
        let mut run = R::get(input)?;
        run.begin(starts);
        let run = Arc::new(run);
        match run.is_valid(people) {
            true => Ok(SplitRows {
                run,
                split_offset,
                owner,
            }),
            false => Err("the rows of a split are inconsistent".to_owned()),
        }
    };
    let parts = input.list(|input| Ok((input.text()?, input.list(part)?)))?;
    Ok(parts.into_iter().collect())
}

/// Reads a head file.
pub fn get(input: &mut SectionReader<'_>) -> Decoded<PartitionHead> {
    let (number, people) = (input.one()?, input.one()?);
    if people > PARTITION {
        return Err("the partition holds too many people".into());
    }
    let first_record = Stored::get(input)?;
    let (mut events, mut changes) = (Vec::new(), Vec::new());
    let attributes = input.list(|input| {
        let name = input.text()?;
        let latest: Vec<Latest> = input.list(Stored::get)?;
        let runs = get_small(input, people, &name, &mut changes)?;
        Ok((name, Arc::new(Attribute { latest, runs })))
    })?;
    let channels = input.list(|input| Ok((input.one()?, Stored::get(input)?)))?;
    let kinds = input.list(|input| {
        let event_type = input.text()?;
        let (uncounted_rows, spans) = (input.length()?, Stored::get(input)?);
        let totals: Arc<Totals> = Stored::get(input)?;
        if !totals.are_valid(people) {
            return Err(format!("the totals of {event_type} are inconsistent"));
        }
        let runs = get_small(input, people, &event_type, &mut events)?;
        let of_type = Events {
            runs,
            uncounted_rows,
            spans,
            totals,
        };
        Ok((event_type, Arc::new(of_type)))
    })?;
    let split_history = SplitHistory {
        events: get_split_rows(input, people)?,
        changes: get_split_rows(input, people)?,
    };
    let partition = Partition {
        number,
        split_history: Arc::new(split_history),
        people,
        first_record,
        attributes: attributes.into_iter().collect(),
        channels: channels.into_iter().collect(),
        events: kinds.into_iter().collect(),
    };
    Ok(PartitionHead {
        partition,
        events,
        changes,
    })
}

/// Writes the index of each run, and the rows of small runs.
fn put_small<R: StoredRun>(runs: &[Arc<R>], out: &mut SectionWriter) {
    out.one(runs.len() as u64);
    for run in runs {
        out.one(run.rows() as u64);
        run.starts().put(out);
        if !is_large(run.rows()) {
            run.put(out);
        }
    }
}

/// Reads the small runs of an event type or attribute, and adds the positions of large ones to `large`.
fn get_small<R: StoredRun>(
    input: &mut SectionReader<'_>,
    people: u32,
    name: &str,
    large: &mut Vec<LargeRun<R>>,
) -> Decoded<Vec<Arc<R>>> {
    let mut runs = Vec::new();
    for at in 0..input.length()? {
        let (rows, starts) = (input.one()?, R::Starts::get(input)?);
        if is_large(rows as usize) {
            let name = name.to_owned();
            large.push(LargeRun { name, at, rows, starts });
            continue;
        }
        let mut run = R::get(input)?;
        run.begin(starts);
        if run.rows() as u64 != rows || !run.is_valid(people) {
            return Err(format!("a run of {name} is inconsistent"));
        }
        runs.push(Arc::new(run));
    }
    Ok(runs)
}

/// Iterates over the large runs of events, in the order of `PartitionHead::events`.
pub fn large_events(partition: &Partition) -> impl Iterator<Item = &Arc<EventRun>> {
    let runs = in_order(&partition.events)
        .into_iter()
        .flat_map(|(_, events)| &events.runs);
    runs.filter(|run| is_large(run.len()))
}

/// Iterates over the large runs of changes, in the order of `PartitionHead::changes`.
pub fn large_changes(partition: &Partition) -> impl Iterator<Item = &Arc<ChangeRun>> {
    let attributes = in_order(&partition.attributes).into_iter();
    let runs = attributes.flat_map(|(_, attribute)| &attribute.runs);
    runs.filter(|run| is_large(run.len()))
}

impl PartitionHead {
    /// Inserts the large runs and returns the complete partition.
    pub fn complete(mut self, events: Vec<EventRun>, changes: Vec<ChangeRun>) -> Decoded<Partition> {
        for (large, run) in self.events.into_iter().zip(events) {
            if let Some(events) = self.partition.events.get_mut(&large.name) {
                large.fill(run, &mut Arc::make_mut(events).runs)?;
            }
        }
        for (large, run) in self.changes.into_iter().zip(changes) {
            if let Some(attribute) = self.partition.attributes.get_mut(&large.name) {
                large.fill(run, &mut Arc::make_mut(attribute).runs)?;
            }
        }
        Ok(self.partition)
    }
}

impl<R: StoredRun> LargeRun<R> {
    /// Inserts the run at its position among `runs`.
    fn fill(self, mut run: R, runs: &mut Vec<Arc<R>>) -> Decoded<()> {
        if run.rows() as u64 != self.rows {
            return Err(format!("a run of {} and its file differ in length", self.name));
        }
        run.begin(self.starts);
        runs.insert(self.at, Arc::new(run));
        Ok(())
    }
}

fn is_large(rows: usize) -> bool {
    rows >= LARGE
}

/// Sorts entries by name, so that equal contents give equal bytes.
fn in_order<V>(named: &HashMap<String, V>) -> Vec<(&String, &V)> {
    let mut named: Vec<_> = named.iter().collect();
    named.sort_unstable_by_key(|&(name, _)| name);
    named
}
