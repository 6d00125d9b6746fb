//! Tracks which partitions and runs the files of a snapshot hold, so that nothing is written twice and written runs leave memory.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Weak};

use super::manifest::{FileEntry, Files};
use super::partition::{large_changes, large_events};
use crate::index::view::{ChangeRun, EventRun, Partition, Version};

/// Written partitions by number. References are weak, so that data shared with newer versions can be dropped.
#[derive(Default)]
pub struct WrittenFiles(BTreeMap<u32, WrittenPartition>);

/// A partition, its large runs, and the files that hold them.
struct WrittenPartition {
    partition: Weak<Partition>,
    events: Vec<(Weak<EventRun>, FileEntry)>,
    changes: Vec<(Weak<ChangeRun>, FileEntry)>,
    files: Files,
}

/// Runs mapped from the files that were just written, by the address of the run in memory.
#[derive(Default)]
pub struct Mapped {
    pub events: HashMap<*const EventRun, Arc<EventRun>>,
    pub changes: HashMap<*const ChangeRun, Arc<ChangeRun>>,
}

impl WrittenFiles {
    /// Records the files of a partition.
    pub fn add(&mut self, partition: &Arc<Partition>, files: Files) {
        let events = large_events(partition).map(Arc::downgrade);
        let changes = large_changes(partition).map(Arc::downgrade);
        let written = WrittenPartition {
            partition: Arc::downgrade(partition),
            events: events.zip(files.events.iter().cloned()).collect(),
            changes: changes.zip(files.changes.iter().cloned()).collect(),
            files,
        };
        self.0.insert(partition.number, written);
    }

    /// Returns the files of a partition, unless it has changed since.
    pub fn files(&self, partition: &Arc<Partition>) -> Option<&Files> {
        let written = self.0.get(&partition.number)?;
        (written.partition.as_ptr() == Arc::as_ptr(partition)).then_some(&written.files)
    }

    /// Returns the file of a run of events, if it is written.
    pub fn events(&self, partition: u32, run: &Arc<EventRun>) -> Option<&FileEntry> {
        find(&self.0.get(&partition)?.events, run)
    }

    /// Returns the file of a run of changes, if it is written.
    pub fn changes(&self, partition: u32, run: &Arc<ChangeRun>) -> Option<&FileEntry> {
        find(&self.0.get(&partition)?.changes, run)
    }

    /// Returns a version that uses the mapped runs instead of those in memory, and keeps track of what is written.
    pub fn exchange(&mut self, version: &Version, mapped: &Mapped) -> Version {
        let mut next = version.clone();
        for (number, partition) in &mut next.partitions {
            let before = Arc::as_ptr(partition);
            mapped.put_into(partition);
            if let Some(written) = self.0.get_mut(number) {
                if written.partition.as_ptr() == before {
                    written.partition = Arc::downgrade(partition);
                }
                written
                    .events
                    .iter_mut()
                    .for_each(|(run, _)| replace_mapped(run, &mapped.events));
                written
                    .changes
                    .iter_mut()
                    .for_each(|(run, _)| replace_mapped(run, &mapped.changes));
            }
        }
        next
    }
}

fn find<'a, R>(written: &'a [(Weak<R>, FileEntry)], run: &Arc<R>) -> Option<&'a FileEntry> {
    let same = |(other, _): &&(Weak<R>, FileEntry)| other.as_ptr() == Arc::as_ptr(run);
    written.iter().find(same).map(|(_, entry)| entry)
}

fn replace_mapped<R>(run: &mut Weak<R>, mapped: &HashMap<*const R, Arc<R>>) {
    if let Some(mapped) = mapped.get(&run.as_ptr()) {
        *run = Arc::downgrade(mapped);
    }
}

impl Mapped {
    /// Replaces the runs of a partition.
    fn put_into(&self, partition: &mut Arc<Partition>) {
        let is_in_memory = large_events(partition).any(|run| self.events.contains_key(&Arc::as_ptr(run)))
            || large_changes(partition).any(|run| self.changes.contains_key(&Arc::as_ptr(run)));
        if !is_in_memory {
            return;
        }
        let partition = Arc::make_mut(partition);
        for events in partition.events.values_mut() {
            exchange(&mut Arc::make_mut(events).runs, &self.events);
        }
        for attribute in partition.attributes.values_mut() {
            exchange(&mut Arc::make_mut(attribute).runs, &self.changes);
        }
    }
}

fn exchange<R>(runs: &mut [Arc<R>], mapped: &HashMap<*const R, Arc<R>>) {
    for run in runs {
        if let Some(mapped) = mapped.get(&Arc::as_ptr(run)) {
            *run = mapped.clone();
        }
    }
}
