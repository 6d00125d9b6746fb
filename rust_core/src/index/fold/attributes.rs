//! Adds the attribute changes of a batch to runs and copies the changes of losers of merges to their winners.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::batch::Merge;
use super::new_rows::NewChanges;
use crate::error::Result;
use crate::index::columns::picks::Pick;
use crate::index::columns::texts::Texts;
use crate::index::runs::changes::ChangeKey;
use crate::index::summaries::learned::RowWeight;
use crate::index::view::{Attribute, ChangeRun, Origins, Values, Version, ordinal_of, partition_of, person_of};

/// A change that is to be added to a run.
struct PendingChange {
    person: u64,
    time: i64,
    /// The raw offset of the frame that gives the change to its person.
    arrival: i64,
    /// The source of its value and origin, as an index into `ChangeRunBuilder::sources`, and the row there.
    source: u32,
    row: u32,
}

impl PendingChange {
    fn key(&self) -> ChangeKey {
        (ordinal_of(self.person), self.time)
    }
}

/// Collects changes from a batch and from merges, and builds a run per partition.
struct ChangeRunBuilder<'a> {
    /// Columns that hold the values and origins of the entries.
    sources: Vec<(&'a Values, &'a Origins)>,
    /// Changes to add; of two copies the one that arrived first comes first.
    entries: Vec<PendingChange>,
    /// For each loser of a merge, the indexes of the entries about them.
    loser_entries: HashMap<u64, Vec<usize>>,
}

/// Adds the changes of one attribute: new changes, and those that merges copy from losers to winners.
///
/// The losers' own changes stay where they are, for past versions.
pub fn add_changes(version: &mut Version, name: &str, new: Option<NewChanges>, merges: &[Merge]) -> Result<()> {
    let texts = version.texts.clone();
    let loser_runs = merges.iter().map(|merge| version.runs_of_person(name, merge.loser));
    let loser_runs = loser_runs.collect::<Result<Vec<Vec<Arc<ChangeRun>>>>>()?;
    version.subtract_loser_values(name, merges, &loser_runs)?;
    let losers: HashSet<u64> = merges.iter().map(|merge| merge.loser).collect();
    let schema = version.schema.clone();
    let mut builder = ChangeRunBuilder::of(merges);
    builder.collect(new.as_ref(), merges, &loser_runs)?;
    builder.sort(&texts);
    for group in builder
        .entries
        .chunk_by(|a, b| partition_of(a.person) == partition_of(b.person))
    {
        let number = partition_of(group[0].person);
        let Some(partition) = version.partitions.get_mut(&number) else {
            continue;
        };
        if let Some(run) = builder.new_run(partition.attributes.get(name), group, &texts)? {
            let counts = |ordinal: u32| !losers.contains(&person_of(number, ordinal));
            let keys = run.keys().zip(0..);
            let counted: Vec<RowWeight> = keys
                .filter_map(|((ordinal, _), row)| counts(ordinal).then_some((row, 1)))
                .collect();
            if let Some(field) = schema.attributes.get(name) {
                version.learned.add_attribute_values(field, &run.values, &counted);
            }
            let attributes = &mut Arc::make_mut(partition).attributes;
            Arc::make_mut(attributes.entry(name.to_owned()).or_default()).add(run, &texts)?;
        }
    }
    Ok(())
}

impl Version {
    /// Subtracts the losers' values from the learned values. `loser_runs` lists, for each merge, the runs with changes of its loser.
    fn subtract_loser_values(
        &mut self,
        attribute: &str,
        merges: &[Merge],
        loser_runs: &[Vec<Arc<ChangeRun>>],
    ) -> Result<()> {
        let Some(field) = self.schema.attributes.get(attribute) else {
            return Ok(());
        };
        for (merge, runs) in merges.iter().zip(loser_runs) {
            for run in runs {
                let left: Vec<RowWeight> = run.rows(ordinal_of(merge.loser))?.map(|row| (row, -1)).collect();
                self.learned.add_attribute_values(field, &run.values, &left);
            }
        }
        Ok(())
    }

    /// Returns the runs that hold changes of a person.
    fn runs_of_person(&self, attribute: &str, person: u64) -> Result<Vec<Arc<ChangeRun>>> {
        let partition = self.partitions.get(&partition_of(person));
        let attribute = partition.and_then(|partition| partition.attributes.get(attribute));
        let runs = attribute.map_or(&[][..], |attribute| &attribute.runs);
        let mut of_person = Vec::new();
        for run in runs {
            if !run.rows(ordinal_of(person))?.is_empty() {
                of_person.push(run.clone());
            }
        }
        Ok(of_person)
    }
}

impl<'a> ChangeRunBuilder<'a> {
    fn of(merges: &[Merge]) -> Self {
        ChangeRunBuilder {
            sources: Vec::new(),
            entries: Vec::new(),
            loser_entries: merges.iter().map(|merge| (merge.loser, Vec::new())).collect(),
        }
    }

    /// Collects the entries in log order; a merge precedes the records of its frame. `loser_runs` lists, for each merge, the runs with
    /// changes of its loser.
    fn collect(
        &mut self,
        new: Option<&'a NewChanges>,
        merges: &[Merge],
        loser_runs: &'a [Vec<Arc<ChangeRun>>],
    ) -> Result<()> {
        let mut rows = new.into_iter().flat_map(NewChanges::rows).peekable();
        self.sources.extend(new.map(|new| (&new.values, &new.origins)));
        let entry = |(row, person, time, arrival): (usize, u64, i64, i64)| PendingChange {
            person,
            time,
            arrival,
            source: 0,
            row: row as u32,
        };
        for (merge, loser_runs) in merges.iter().zip(loser_runs) {
            while let Some(row) = rows.next_if(|&(.., arrival)| arrival < merge.arrival) {
                self.push(entry(row));
            }
            self.add_merge(merge, loser_runs)?;
        }
        rows.for_each(|row| self.push(entry(row)));
        Ok(())
    }

    /// Adds copies of the loser's changes as changes of the winner.
    fn add_merge(&mut self, merge: &Merge, loser_runs: &'a [Arc<ChangeRun>]) -> Result<()> {
        let moved = |time, source, row| PendingChange {
            person: merge.winner,
            time,
            arrival: merge.arrival,
            source,
            row,
        };
        for run in loser_runs {
            let source = self.sources.len() as u32;
            self.sources.push((&run.values, &run.origins));
            for row in run.rows(ordinal_of(merge.loser))? {
                self.push(moved(run.times.get(row), source, row as u32));
            }
        }
        for at in self.loser_entries.remove(&merge.loser).unwrap_or_default() {
            let PendingChange { time, source, row, .. } = self.entries[at];
            self.push(moved(time, source, row));
        }
        Ok(())
    }

    fn push(&mut self, entry: PendingChange) {
        if let Some(entries) = self.loser_entries.get_mut(&entry.person) {
            entries.push(self.entries.len());
        }
        self.entries.push(entry);
    }

    /// Sorts the entries and keeps the first of equal copies.
    fn sort(&mut self, texts: &Texts) {
        let sources = &self.sources;
        let origins = |entry: &PendingChange| sources[entry.source as usize].1;
        let by_id =
            |a: &PendingChange, b: &PendingChange| origins(a).order(a.row as usize, origins(b), b.row as usize, texts);
        let order = |a: &PendingChange, b: &PendingChange| {
            let keys = (a.person, a.time).cmp(&(b.person, b.time));
            keys.then_with(|| by_id(a, b))
        };
        self.entries.sort_by(order);
        self.entries.dedup_by(|later, first| order(later, first).is_eq());
    }

    /// Builds a run of the entries of a partition that its runs do not hold yet; `None` if they hold all.
    fn new_run(
        &self,
        attribute: Option<&Arc<Attribute>>,
        group: &[PendingChange],
        texts: &Texts,
    ) -> Result<Option<ChangeRun>> {
        let mut new: Vec<&PendingChange> = Vec::with_capacity(group.len());
        for entry in group {
            let origins = self.sources[entry.source as usize].1;
            let is_held = attribute.map(|attribute| attribute.holds(entry.key(), origins, entry.row as usize, texts));
            if !is_held.transpose()?.unwrap_or(false) {
                new.push(entry);
            }
        }
        let keys: Vec<ChangeKey> = new.iter().map(|entry| entry.key()).collect();
        let picks: Vec<Pick> = new.iter().map(|entry| (entry.source, entry.row)).collect();
        let (values, origins): (Vec<Option<&Values>>, Vec<&Origins>) = self
            .sources
            .iter()
            .map(|&(values, origins)| (Some(values), origins))
            .unzip();
        let mut origins = Origins::gather(&origins, &picks);
        origins.arrivals = new.iter().map(|entry| entry.arrival).collect();
        Ok((!new.is_empty()).then(|| ChangeRun::of(&keys, Values::gather(&values, &picks), origins)))
    }
}
