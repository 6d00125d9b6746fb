//! Background compaction: merges runs and computes totals in a thread of its own, from immutable runs. A later fold installs the results.

use std::ops::Range;
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};

use super::merging::{self, MergeableRun};
use crate::error::Result;
use crate::index::columns::texts::Texts;
use crate::index::summaries::totals::Totals;
use crate::index::view::{ChangeRun, EventRun, Partition, Version};

/// The number of rows after which further runs wait for the next compaction.
const MAX_ROWS: usize = 1 << 22;

/// The compaction in progress, if any. There is at most one, which bounds processor time and memory.
#[derive(Default)]
pub struct Compaction(Option<JoinHandle<Result<Compacted>>>);

/// The results of a compaction.
#[derive(Default)]
struct Compacted {
    totals: Vec<(Group<EventRun>, Totals)>,
    events: Vec<(Group<EventRun>, EventRun)>,
    changes: Vec<(Group<ChangeRun>, ChangeRun)>,
}

/// Adjacent runs of one event type or attribute of a partition.
struct Group<R> {
    partition: u32,
    name: String,
    runs: Vec<Arc<R>>,
}

impl Compaction {
    /// Installs the results of a finished compaction into a version. Returns Corrupt if the file of a merged run is damaged.
    pub fn finish(&mut self, version: &mut Version) -> Result<()> {
        let Some(merging) = self.0.take_if(|merging| merging.is_finished()) else {
            return Ok(());
        };
        let merged = merging
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        for (group, totals) in merged.totals {
            group.put_totals(version, totals);
        }
        for (group, run) in merged.events {
            group.replace_runs(version, run, |partition, name| {
                let events = partition.events.get_mut(name)?;
                Some(&mut Arc::make_mut(events).runs)
            });
        }
        for (group, run) in merged.changes {
            group.replace_runs(version, run, |partition, name| {
                let attribute = partition.attributes.get_mut(name)?;
                Some(&mut Arc::make_mut(attribute).runs)
            });
        }
        Ok(())
    }

    /// Returns whether a compaction is in progress or not yet installed.
    #[cfg(test)]
    pub fn is_under_way(&self) -> bool {
        self.0.is_some()
    }

    /// Starts a compaction of the version's runs and totals that are due, unless one is in progress.
    pub fn begin(&mut self, version: &Version) {
        if self.0.is_some() {
            return;
        }
        let (mut totals, mut events, mut changes, mut budget) = (Vec::new(), Vec::new(), Vec::new(), MAX_ROWS);
        for partition in version.partitions.values() {
            let number = partition.number;
            for (name, of_type) in &partition.events {
                let merged = next_merge(&of_type.runs, &mut budget);
                if let Some(covered) = of_type.totals.due_runs(&of_type.runs, merged.clone()) {
                    totals.push((
                        Group::of(number, name, &of_type.runs[..covered]),
                        of_type.totals.clone(),
                    ));
                }
                events.extend(merged.map(|merged| Group::of(number, name, &of_type.runs[merged])));
            }
            for (name, attribute) in &partition.attributes {
                let merged = next_merge(&attribute.runs, &mut budget);
                changes.extend(merged.map(|merged| Group::of(number, name, &attribute.runs[merged])));
            }
        }
        if totals.is_empty() && events.is_empty() && changes.is_empty() {
            return;
        }
        let texts = version.texts.clone();
        let merge = move || {
            Ok(Compacted {
                totals: sum_all(totals)?,
                events: merge_all(events, &texts)?,
                changes: merge_all(changes, &texts)?,
            })
        };
        // If no thread can be started, a later fold tries again.
        self.0 = Builder::new().name("compaction".into()).spawn(merge).ok();
    }
}

/// Merges the runs of each group.
fn merge_all<R: MergeableRun>(groups: Vec<Group<R>>, texts: &Texts) -> Result<Vec<(Group<R>, R)>> {
    let merged = groups.into_iter().map(|group| {
        let run = R::merge(&group.runs, texts)?;
        Ok((group, run))
    });
    merged.collect()
}

/// Returns the runs to merge next, if the row budget allows.
fn next_merge<R: MergeableRun>(runs: &[Arc<R>], budget: &mut usize) -> Option<Range<usize>> {
    let left = merging::deferred_merge(runs).filter(|_| *budget > 0)?;
    *budget = budget.saturating_sub(merging::count_rows(&runs[left.clone()]));
    Some(left)
}

/// Computes the totals of each group.
fn sum_all(groups: Vec<(Group<EventRun>, Arc<Totals>)>) -> Result<Vec<(Group<EventRun>, Totals)>> {
    let totals = groups.into_iter().map(|(group, before)| {
        let totals = before.extended(&group.runs)?;
        Ok((group, totals))
    });
    totals.collect()
}

impl Group<EventRun> {
    /// Installs totals, unless the first runs have changed meanwhile.
    fn put_totals(self, version: &mut Version, totals: Totals) {
        let partition = version.partitions.get_mut(&self.partition).map(Arc::make_mut);
        let events = partition.and_then(|partition| partition.events.get_mut(&self.name));
        if let Some(events) = events.filter(|events| self.position_among(&events.runs) == Some(0)) {
            Arc::make_mut(events).totals = Arc::new(totals);
        }
    }
}

impl<R: MergeableRun> Group<R> {
    fn of(partition: u32, name: &str, runs: &[Arc<R>]) -> Group<R> {
        Group {
            partition,
            name: name.to_owned(),
            runs: runs.to_vec(),
        }
    }

    /// Returns the position of the group's runs among `runs`.
    fn position_among(&self, runs: &[Arc<R>]) -> Option<usize> {
        let is_it = |found: &[Arc<R>]| found.iter().zip(&self.runs).all(|(run, own)| Arc::ptr_eq(run, own));
        runs.windows(self.runs.len()).position(is_it)
    }

    /// Replaces the group's runs by the merged one, unless they are gone: merged, mapped or purged meanwhile. A later compaction then
    /// works on the current runs.
    fn replace_runs(
        self,
        version: &mut Version,
        merged: R,
        runs_of: impl for<'a> Fn(&'a mut Partition, &str) -> Option<&'a mut Vec<Arc<R>>>,
    ) {
        let partition = version.partitions.get_mut(&self.partition).map(Arc::make_mut);
        let Some(runs) = partition.and_then(|partition| runs_of(partition, &self.name)) else {
            return;
        };
        if let Some(at) = self.position_among(runs) {
            runs.splice(at..at + self.runs.len(), [Arc::new(merged)]);
        }
    }
}
