//! Filing the events of a batch into runs, and moving those of people who were merged into others.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::batch::{Aliases, Events as NewEvents};
use super::column::Pick;
use super::texts::Texts;
use super::view::{DAY_MS, Events, Partition, Run, Version, ordinal_of, partition_of};

/// First and last UTC day of a person's events; no events: the first is after the last.
type Span = (i32, i32);
const NO_DAYS: Span = (i32::MAX, i32::MIN);

/// Each person's days by partition and ordinal, so that a merge looks only into runs that may hold the loser. The writer's own.
#[derive(Default)]
pub struct Spans(HashMap<u32, Vec<Span>>);

/// An event on its way into a run: sorts by (partition, day, ordinal, time in the day).
struct Entry {
    key: u128,
    source: u32,
    row: u32,
}

impl Entry {
    fn new(person: u64, time: i64, source: usize, row: usize) -> Entry {
        // Days flip their sign bit, so that they sort as unsigned.
        let day = day_of(time) as u32 ^ 1 << 31;
        let key = [
            partition_of(person),
            day,
            ordinal_of(person),
            time.rem_euclid(DAY_MS) as u32,
        ];
        let key = key.iter().fold(0, |key, &part| key << 32 | u128::from(part));
        Entry {
            key,
            source: source as u32,
            row: row as u32,
        }
    }

    fn partition(&self) -> u32 {
        (self.key >> 96) as u32
    }

    fn day(&self) -> i32 {
        ((self.key >> 64) as u32 ^ 1 << 31) as i32
    }

    fn ordinal(&self) -> u32 {
        (self.key >> 32) as u32
    }
}

fn day_of(time: i64) -> i32 {
    time.div_euclid(DAY_MS).clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32
}

/// Files the events of one type: new ones, and those of the losers of merges.
pub fn file(version: &mut Version, spans: &mut Spans, kind: &str, new: Option<NewEvents>, aliases: &Aliases) {
    let mut sources = Vec::new();
    let mut entries = Vec::new();
    // What was moved comes first, so that of two copies the one that came earlier stays.
    take_losers(version, spans, kind, aliases, &mut sources, &mut entries);
    if let Some(new) = new {
        let (run, persons) = new.finish(aliases);
        let times = persons.iter().zip(&run.times).enumerate();
        entries.extend(times.map(|(row, (&person, &time))| Entry::new(person, time, sources.len(), row)));
        sources.push(Arc::new(run));
    }
    let texts = version.texts.clone();
    sort(&mut entries, &sources, &texts);
    let counts_as_seen = version
        .schema
        .event_types
        .get(kind)
        .is_some_and(|kind| kind.counts_as_seen);
    for group in entries.chunk_by(|a, b| a.key >> 64 == b.key >> 64) {
        let Some(partition) = version.partitions.get_mut(&group[0].partition()) else {
            continue;
        };
        let partition = Arc::make_mut(partition);
        let day = group[0].day();
        let Some(run) = new_run(partition, kind, group, &sources, &texts) else {
            continue;
        };
        spans.widen(partition.number, &run.persons, day);
        partition.note_first_records(&run);
        partition.note_channels(&run, counts_as_seen);
        let earliest = run.times.iter().copied().min();
        version.earliest_ms = version.earliest_ms.into_iter().chain(earliest).min();
        partition.events_mut(kind).add(day, run, &texts);
    }
}

fn sort(entries: &mut Vec<Entry>, sources: &[Arc<Run>], texts: &Texts) {
    let runs = |entry: &Entry| (&sources[entry.source as usize], entry.row as usize);
    let key_order = |a: &Entry, b: &Entry| {
        let ((run, row), (other, at)) = (runs(a), runs(b));
        run.key_order(row, other, at, texts)
    };
    entries.sort_unstable_by(|a, b| {
        let arrival = || (a.source, a.row).cmp(&(b.source, b.row));
        a.key.cmp(&b.key).then_with(|| key_order(a, b)).then_with(arrival)
    });
    entries.dedup_by(|later, first| later.key == first.key && key_order(later, first).is_eq());
}

/// The events of a group that the day's runs do not hold yet.
fn new_run(partition: &Partition, kind: &str, group: &[Entry], sources: &[Arc<Run>], texts: &Texts) -> Option<Run> {
    let held = partition
        .events
        .get(kind)
        .and_then(|events| events.days.get(&group[0].day()));
    let held = held.map_or(&[][..], Vec::as_slice);
    let (mut runs, mut numbers): (Vec<&Run>, Vec<u32>) = (Vec::new(), Vec::new());
    let (mut persons, mut picks): (Vec<u32>, Vec<Pick>) = (Vec::new(), Vec::new());
    for entry in group {
        let (source, row) = (&sources[entry.source as usize], entry.row as usize);
        if held.iter().any(|run| run.holds(entry.ordinal(), source, row, texts)) {
            continue;
        }
        let known = numbers.iter().position(|&number| number == entry.source);
        let number = known.unwrap_or_else(|| {
            numbers.push(entry.source);
            runs.push(source);
            runs.len() - 1
        });
        persons.push(entry.ordinal());
        picks.push((number as u32, entry.row));
    }
    (!picks.is_empty()).then(|| Run::gather(&runs, persons, &picks))
}

/// Takes the losers' events out of the runs, as entries about their winners.
fn take_losers(
    version: &mut Version,
    spans: &mut Spans,
    kind: &str,
    aliases: &Aliases,
    sources: &mut Vec<Arc<Run>>,
    entries: &mut Vec<Entry>,
) {
    for (number, merges) in aliases.by_partition() {
        let days = spans.of(number);
        let mut by_day: BTreeMap<i32, Vec<(u32, u64)>> = BTreeMap::new();
        let Some(partition) = version.partitions.get_mut(&number) else {
            continue;
        };
        let Some(events) = partition.events.get(kind) else {
            continue;
        };
        for &(loser, winner) in &merges {
            let (first, last) = days.get(loser as usize).copied().unwrap_or(NO_DAYS);
            if first <= last {
                for (&day, _) in events.days.range(first..=last) {
                    by_day.entry(day).or_default().push((loser, winner));
                }
            }
        }
        let mut rewritten = Vec::new();
        for (day, merges) in by_day {
            for (at, run) in events.days[&day].iter().enumerate() {
                let taken = rows_of(run, &merges);
                if taken.is_empty() {
                    continue;
                }
                let of_run = taken
                    .iter()
                    .map(|&(row, winner)| Entry::new(winner, run.times[row], sources.len(), row));
                entries.extend(of_run);
                sources.push(run.clone());
                rewritten.push((day, at, without(run, &taken)));
            }
        }
        if !rewritten.is_empty() {
            Arc::make_mut(partition).events_mut(kind).replace(rewritten);
        }
    }
}

/// The rows of the losers (ascending), each with its winner.
fn rows_of(run: &Run, merges: &[(u32, u64)]) -> Vec<(usize, u64)> {
    let mut rows = Vec::new();
    for &(loser, winner) in merges {
        rows.extend(run.rows(loser..loser + 1).map(|row| (row, winner)));
    }
    rows
}

fn without(run: &Run, taken: &[(usize, u64)]) -> Run {
    let mut taken = taken.iter().map(|&(row, _)| row).peekable();
    let kept = (0..run.len()).filter(|row| taken.next_if_eq(row).is_none());
    let (persons, picks) = kept
        .map(|row| (run.persons[row], (0, row as u32)))
        .unzip::<_, _, _, Vec<Pick>>();
    Run::gather(&[run], persons, &picks)
}

impl Events {
    /// Puts runs in the place of others, by day and position; one left empty goes.
    fn replace(&mut self, runs: Vec<(i32, usize, Run)>) {
        for (day, at, run) in runs {
            if let Some(place) = self.days.get_mut(&day).and_then(|runs| runs.get_mut(at)) {
                *place = Arc::new(run);
            }
        }
        for runs in self.days.values_mut() {
            runs.retain(|run| !run.is_empty());
        }
        self.days.retain(|_, runs| !runs.is_empty());
    }
}

impl Partition {
    fn events_mut(&mut self, kind: &str) -> &mut Events {
        if !self.events.contains_key(kind) {
            self.events.insert(kind.to_owned(), Arc::default());
        }
        Arc::make_mut(self.events.entry(kind.to_owned()).or_default())
    }

    fn note_first_records(&mut self, run: &Run) {
        let first_record = Arc::make_mut(&mut self.first_record);
        for (&person, &time) in run.persons.iter().zip(&run.times) {
            if let Some(first) = first_record.get_mut(person as usize) {
                *first = time.min(*first);
            }
        }
    }

    /// Channels of events that do not count as seen are known, though nobody has them.
    pub fn note_channels(&mut self, run: &Run, counts_as_seen: bool) {
        let rows = run.persons.iter().zip(&run.times).zip(&run.channels);
        for ((&person, &time), &channel) in rows.filter(|&(_, &channel)| channel != Texts::NONE) {
            if counts_as_seen {
                self.note_seen(person, channel, time);
            } else {
                self.channels.entry(channel).or_default();
            }
        }
    }

    pub fn note_seen(&mut self, ordinal: u32, channel: u32, time: i64) {
        let people = self.people as usize;
        let firsts = Arc::make_mut(self.channels.entry(channel).or_default());
        if firsts.len() <= ordinal as usize {
            firsts.resize(people, i64::MAX);
        }
        firsts[ordinal as usize] = time.min(firsts[ordinal as usize]);
    }
}

impl Spans {
    /// Those of a loaded version.
    pub fn of_version(version: &Version) -> Spans {
        let mut spans = Spans::default();
        for (&number, partition) in &version.partitions {
            for (&day, runs) in partition.events.values().flat_map(|events| &events.days) {
                runs.iter().for_each(|run| spans.widen(number, &run.persons, day));
            }
        }
        spans
    }

    fn of(&self, partition: u32) -> &[Span] {
        self.0.get(&partition).map_or(&[], Vec::as_slice)
    }

    fn widen(&mut self, partition: u32, persons: &[u32], day: i32) {
        let spans = self.0.entry(partition).or_default();
        let people = persons.last().map_or(0, |&last| last as usize + 1);
        if spans.len() < people {
            spans.resize(people, NO_DAYS);
        }
        for &person in persons {
            let (first, last) = &mut spans[person as usize];
            (*first, *last) = (day.min(*first), day.max(*last));
        }
    }

    /// Who was merged has no events any more.
    pub fn clear(&mut self, aliases: &Aliases) {
        for (number, merges) in aliases.by_partition() {
            if let Some(spans) = self.0.get_mut(&number) {
                for (loser, _) in merges {
                    if let Some(span) = spans.get_mut(loser as usize) {
                        *span = NO_DAYS;
                    }
                }
            }
        }
    }
}
