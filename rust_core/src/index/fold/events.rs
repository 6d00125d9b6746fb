//! Adds the events of a batch to runs and copies the events of losers of merges to their winners.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::batch::Merge;
use super::new_rows::NewEvents;
use crate::error::Result;
use crate::index::columns::picks::Pick;
use crate::index::columns::texts::Texts;
use crate::index::partitioning::EventKey;
use crate::index::summaries::learned::RowWeight;
use crate::index::view::{Details, EventRun, Events, Partition, Version, ordinal_of, partition_of, person_of};

/// An event that is to be added to a run.
struct PendingEvent {
    partition: u32,
    key: EventKey,
    /// The raw offset of the frame that gives the event to its person.
    arrival: i64,
    /// The source of its details, as an index into `EventRunBuilder::sources`, and the row there.
    source: u32,
    row: u32,
    /// Whether a merge gives the event to its person.
    moved: bool,
}

impl PendingEvent {
    fn person(&self) -> u64 {
        person_of(self.partition, self.key.ordinal())
    }

    /// Returns a key that sorts in log order: a merge precedes the records of its frame.
    fn arrival(&self) -> (i64, bool) {
        (self.arrival, !self.moved)
    }

    /// Returns the same event as an event of another person, given by a merge that arrived at `arrival`.
    fn reassigned(&self, person: u64, arrival: i64) -> PendingEvent {
        PendingEvent {
            partition: partition_of(person),
            key: EventKey::new(ordinal_of(person), self.key.time()),
            arrival,
            moved: true,
            ..*self
        }
    }
}

/// Collects events from a batch and from merges, and builds a run per partition.
#[derive(Default)]
struct EventRunBuilder {
    entries: Vec<PendingEvent>,
    sources: Vec<Source>,
}

/// Columns that hold the details of events.
enum Source {
    Run(Arc<EventRun>),
    New(Box<Details>),
}

impl Source {
    fn details(&self) -> &Details {
        match self {
            Source::Run(run) => &run.details,
            Source::New(details) => details,
        }
    }
}

/// Adds the events of one type: new events, and those that merges copy from losers to winners.
pub fn add_events(version: &mut Version, kind: &str, new: Option<NewEvents>, merges: &[Merge]) -> Result<()> {
    let mut builder = EventRunBuilder::default();
    if let Some(new) = new {
        builder.add_new(new);
    }
    builder.add_merges(version, kind, merges)?;
    let texts = version.texts.clone();
    builder.sort(&texts);
    let schema = version.schema.clone();
    let event_type = schema.event_types.get(kind);
    let losers: HashSet<u64> = merges.iter().map(|merge| merge.loser).collect();
    for group in builder.entries.chunk_by(|a, b| a.partition == b.partition) {
        let Some(partition) = version.partitions.get_mut(&group[0].partition) else {
            continue;
        };
        let Some(run) = builder.new_run(partition, kind, group, &texts)? else {
            continue;
        };
        let earliest = run.keys().map(EventKey::time).min();
        version.earliest_ms = version.earliest_ms.into_iter().chain(earliest).min();
        let partition = Arc::make_mut(partition);
        partition.note_first_records(&run);
        partition.note_channels(&run, event_type.is_some_and(|kind| kind.counts_as_seen));
        let is_loser = |key: EventKey| losers.contains(&person_of(partition.number, key.ordinal()));
        let counted: Vec<RowWeight> = run
            .keys()
            .zip(0..)
            .filter_map(|(key, row)| (!is_loser(key)).then_some((row, 1)))
            .collect();
        if let Some(event_type) = event_type {
            version.learned.add_event_values(event_type, &run.details, &counted);
        }
        let events = partition.events_mut(kind);
        events.uncounted_rows += run.len() - counted.len();
        run.keys().for_each(|key| events.spans.widen(key));
        events.add(run, &texts)?;
    }
    Ok(())
}

impl EventRunBuilder {
    /// Adds the events of the batch.
    fn add_new(&mut self, new: NewEvents) {
        let rows = new
            .persons
            .iter()
            .zip(&new.times)
            .zip(new.details.origins.arrivals.iter());
        let entries = rows.enumerate().map(|(row, ((&person, &time), arrival))| PendingEvent {
            partition: partition_of(person),
            key: EventKey::new(ordinal_of(person), time),
            arrival,
            source: 0,
            row: row as u32,
            moved: false,
        });
        self.entries.extend(entries);
        self.sources.push(Source::New(Box::new(new.details)));
    }

    /// Adds copies of the losers' events as events of their winners. The losers' own events stay where they are, for past versions.
    fn add_merges(&mut self, version: &mut Version, kind: &str, merges: &[Merge]) -> Result<()> {
        let mut loser_entries: HashMap<u64, Vec<usize>> =
            merges.iter().map(|merge| (merge.loser, Vec::new())).collect();
        for (at, entry) in self.entries.iter().enumerate() {
            if let Some(entries) = loser_entries.get_mut(&entry.person()) {
                entries.push(at);
            }
        }
        for merge in merges {
            // The first of two copies is kept, so events from before this call come first.
            let mut moved = self.events_of_loser(version, kind, merge)?;
            let mut of_call = loser_entries.get(&merge.loser).cloned().unwrap_or_default();
            of_call.sort_by_key(|&at| self.entries[at].arrival());
            moved.extend(
                of_call
                    .iter()
                    .map(|&at| self.entries[at].reassigned(merge.winner, merge.arrival)),
            );
            if let Some(of_winner) = loser_entries.get_mut(&merge.winner) {
                of_winner.extend(self.entries.len()..self.entries.len() + moved.len());
            }
            self.entries.append(&mut moved);
        }
        Ok(())
    }

    /// Returns the loser's events that are in runs already, as events of the winner, and stops counting the loser's rows.
    fn events_of_loser(&mut self, version: &mut Version, kind: &str, merge: &Merge) -> Result<Vec<PendingEvent>> {
        let mut moved = Vec::new();
        let (number, ordinal) = (partition_of(merge.loser), ordinal_of(merge.loser));
        let Some(events) = version
            .partitions
            .get(&number)
            .and_then(|partition| partition.events.get(kind))
        else {
            return Ok(moved);
        };
        let Some(days) = events.spans.of_person(ordinal) else {
            return Ok(moved);
        };
        let event_type = version.schema.event_types.get(kind);
        for run in &events.runs {
            let source = self.sources.len() as u32;
            let events_of_run = run.of_person(ordinal, days.clone())?.map(|(row, time)| PendingEvent {
                partition: partition_of(merge.winner),
                key: EventKey::new(ordinal_of(merge.winner), time),
                arrival: merge.arrival,
                source,
                row: row as u32,
                moved: true,
            });
            let found = moved.len();
            moved.extend(events_of_run);
            if moved.len() > found {
                self.sources.push(Source::Run(run.clone()));
                let left: Vec<RowWeight> = moved[found..].iter().map(|entry| (entry.row as usize, -1)).collect();
                if let Some(event_type) = event_type {
                    version.learned.add_event_values(event_type, &run.details, &left);
                }
            }
        }
        if !moved.is_empty()
            && let Some(partition) = version.partitions.get_mut(&number)
        {
            Arc::make_mut(partition).events_mut(kind).uncounted_rows += moved.len();
        }
        Ok(moved)
    }

    /// Sorts the entries and keeps the first of equal copies.
    fn sort(&mut self, texts: &Texts) {
        let sources = &self.sources;
        let by_id = |a: &PendingEvent, b: &PendingEvent| {
            let origins = |entry: &PendingEvent| &sources[entry.source as usize].details().origins;
            origins(a).order(a.row as usize, origins(b), b.row as usize, texts)
        };
        self.entries.sort_by(|a, b| {
            let keys = (a.partition, a.key).cmp(&(b.partition, b.key));
            keys.then_with(|| by_id(a, b))
                .then_with(|| a.arrival().cmp(&b.arrival()))
        });
        self.entries.dedup_by(|later, first| {
            (later.partition, later.key) == (first.partition, first.key) && by_id(later, first).is_eq()
        });
    }

    /// Builds a run of the entries of a partition that its runs do not hold yet; `None` if they hold all.
    fn new_run(
        &self,
        partition: &Partition,
        kind: &str,
        group: &[PendingEvent],
        texts: &Texts,
    ) -> Result<Option<EventRun>> {
        let runs = partition.events.get(kind).map_or(&[][..], |events| &events.runs);
        let mut new: Vec<&PendingEvent> = Vec::with_capacity(group.len());
        for entry in group {
            let details = self.sources[entry.source as usize].details();
            let mut is_held = false;
            for run in runs {
                is_held = is_held || run.holds(entry.key, details, entry.row as usize, texts)?;
            }
            if !is_held {
                new.push(entry);
            }
        }
        let picks: Vec<Pick> = new.iter().map(|entry| (entry.source, entry.row)).collect();
        let sources: Vec<&Details> = self.sources.iter().map(Source::details).collect();
        let mut details = Details::gather(&sources, &picks);
        details.origins.arrivals = new.iter().map(|entry| entry.arrival).collect();
        Ok((!new.is_empty()).then(|| EventRun::of(new.iter().map(|entry| entry.key), details)))
    }
}

impl Partition {
    /// Returns the events of a type, for writing.
    pub fn events_mut(&mut self, kind: &str) -> &mut Events {
        if !self.events.contains_key(kind) {
            self.events.insert(kind.to_owned(), Arc::default());
        }
        Arc::make_mut(self.events.entry(kind.to_owned()).or_default())
    }

    /// Lowers the first records of people to the instants of their events in a run.
    pub fn note_first_records(&mut self, run: &EventRun) {
        run.keys()
            .for_each(|key| self.first_record.note(key.ordinal(), key.time()));
    }

    /// Records the channels of a run's events. Channels whose events do not count as seen are known, but no person has them.
    pub fn note_channels(&mut self, run: &EventRun, counts_as_seen: bool) {
        for (row, key) in run.keys().enumerate() {
            let Some(channel) = run.details.channel(row) else {
                continue;
            };
            let firsts = self.channels.entry(channel).or_default();
            if counts_as_seen {
                firsts.note(key.ordinal(), key.time());
            }
        }
    }
}
