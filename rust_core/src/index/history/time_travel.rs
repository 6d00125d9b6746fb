//! Rebuilds past versions: the index as it was when less of the raw log was folded.
//!
//! Rows record when they reached their person, and the history records everything else. Derived data is recomputed where rows drop
//! out and shared where all rows stay.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use rayon::prelude::*;
use roaring::RoaringBitmap;

use super::History;
use super::aliases::Aliases;
use super::split_history::{PersonRows, SplitRows};
use crate::error::Result;
use crate::index::columns::texts::Texts;
use crate::index::summaries::learned::{LearnedValues, RowWeight};
use crate::index::view::{Attribute, BLOCK, Events, Partition, Version, ordinal_of, partition_of};
use crate::proto::schema::Schema;

impl Version {
    /// Returns the version as it was when the raw log was folded up to an offset, as if later frames did not exist.
    ///
    /// Returns Corrupt if a file is damaged.
    pub fn known_at(self: &Arc<Version>, raw_offset: u64) -> Result<Arc<Version>> {
        if raw_offset >= self.epoch.raw_offset {
            return Ok(self.clone());
        }
        let offset = raw_offset as i64;
        let schema = self.history.schema(offset);
        let past_partitions = past_partitions(self, &schema, offset);
        let partitions = past_partitions
            .par_iter()
            .map(PastPartition::partition)
            .collect::<Result<Vec<_>>>()?;
        let mut learned = self.learned.clone();
        partitions.iter().for_each(|(_, change)| learned.add(change));
        let partitions: BTreeMap<u32, Arc<Partition>> = partitions
            .into_iter()
            .filter_map(|(partition, _)| partition.map(|partition| (partition.number, partition)))
            .collect();
        let catalogs = self.catalogs.iter();
        Ok(Arc::new(Version {
            epoch: self.history.epoch(offset),
            texts: self.texts.clone(),
            earliest_ms: earliest_ms(&partitions),
            catalogs: catalogs
                .filter_map(|(name, items)| Some((name.clone(), items.known_at(offset)?)))
                .collect(),
            schema,
            partitions,
            learned,
            history: self.history.clone(),
            erased: self.erased.clone(),
        }))
    }
}

/// Returns the instant of the first event.
pub fn earliest_ms(partitions: &BTreeMap<u32, Arc<Partition>>) -> Option<i64> {
    let events = partitions.values().flat_map(|partition| partition.events.values());
    events.filter_map(|events| events.spans.earliest()).min()
}

/// A partition and the facts needed to rebuild it as of an offset.
pub struct PastPartition<'a> {
    partition: &'a Arc<Partition>,
    /// The raw offset up to which the log was folded.
    offset: i64,
    texts: &'a Texts,
    /// The schema in force at the offset.
    schema: &'a Schema,
    /// The schema in force today.
    schema_now: &'a Schema,
    /// The number of people at the offset.
    people: u32,
    /// The losers of merges at the offset, and those of today.
    losers: RoaringBitmap,
    losers_now: RoaringBitmap,
    /// Erased people whose rows runs may still hold.
    erased: RoaringBitmap,
    /// Bare records: (ordinal, instant).
    bare_records: Vec<(u32, i64)>,
    /// Whether a later merge, split or bare record concerns people of this partition.
    is_touched: bool,
}

/// The rows of a run that were known at the offset.
#[derive(Default)]
struct SelectedRows {
    rows: Vec<u32>,
    /// The changes to the learned values.
    weights: Vec<RowWeight>,
    /// The number of selected rows that counted for nobody, because they belong to losers of merges.
    uncounted_rows: usize,
}

/// The known rows of an event type or attribute.
struct KnownRows<R> {
    runs: Vec<Arc<R>>,
    /// The number of known rows of each current run.
    rows: Vec<usize>,
    uncounted_rows: usize,
    /// Blocks whose rows differ from the current ones.
    changed_blocks: BTreeSet<u32>,
}

/// Collects the facts of each partition as of an offset.
fn past_partitions<'a>(version: &'a Version, schema: &'a Schema, offset: i64) -> Vec<PastPartition<'a>> {
    let history = &version.history;
    let aliases = history.aliases(offset);
    let losers = losers(&aliases);
    let losers_now = self::losers(&history.aliases(version.epoch.raw_offset as i64));
    let people = people(history, offset);
    let mut bare_records = bare_records(version, offset);
    let touched = touched_partitions(history, offset);
    let of = |ordinals: &HashMap<u32, RoaringBitmap>, number: u32| ordinals.get(&number).cloned().unwrap_or_default();
    let past = |(&number, partition): (&u32, &'a Arc<Partition>)| PastPartition {
        partition,
        offset,
        texts: &version.texts,
        schema,
        schema_now: &version.schema,
        people: people.get(&number).copied().unwrap_or(0),
        losers: of(&losers, number),
        losers_now: of(&losers_now, number),
        erased: version.erased.in_runs.get(&number).cloned().unwrap_or_default(),
        bare_records: bare_records.remove(&number).unwrap_or_default(),
        is_touched: touched.contains(&number),
    };
    version.partitions.iter().map(past).collect()
}

/// Returns the number of people by partition number.
fn people(history: &History, offset: i64) -> HashMap<u32, u32> {
    let created = history.created.before(offset);
    created
        .map(|[_, number, people]| (number as u32, people as u32))
        .collect()
}

/// Returns the bare records, (ordinal, instant), by partition number.
fn bare_records(version: &Version, offset: i64) -> HashMap<u32, Vec<(u32, i64)>> {
    let mut records: HashMap<u32, Vec<(u32, i64)>> = HashMap::new();
    for (person, time) in version.history.bare_records(offset) {
        if !version.erased.contains(person) {
            let of_partition = records.entry(partition_of(person)).or_default();
            of_partition.push((ordinal_of(person), time));
        }
    }
    records
}

/// Returns the partitions whose people are concerned by later merges, splits and bare records.
fn touched_partitions(history: &History, offset: i64) -> HashSet<u32> {
    let merges = history.merges.since(offset);
    let merged = merges.flat_map(|[_, loser, winner]| [loser as u64, winner as u64]);
    let splits = history.splits.iter().filter(|&&(arrival, _)| arrival >= offset);
    let split = splits.flat_map(|(_, split)| [split.from, split.to]);
    let updated = history.bare_records.since(offset).map(|[_, person, ..]| person as u64);
    merged.chain(split).chain(updated).map(partition_of).collect()
}

/// Returns the ordinals of losers by partition number.
fn losers(aliases: &Aliases) -> HashMap<u32, RoaringBitmap> {
    let merges = aliases.by_partition().into_iter();
    merges
        .map(|(number, merges)| (number, merges.into_iter().map(|(loser, _)| loser).collect()))
        .collect()
}

impl<'a> PastPartition<'a> {
    /// Prepares the current contents of a partition without erased people.
    pub fn without_erased(version: &'a Version, number: u32) -> Option<PastPartition<'a>> {
        let past_partitions = past_partitions(version, &version.schema, i64::MAX);
        past_partitions.into_iter().find(|past| past.partition.number == number)
    }

    /// Rebuilds the partition, `None` if it had no people, and returns the changes to the learned values.
    fn partition(&self) -> Result<(Option<Arc<Partition>>, LearnedValues)> {
        let (mut learned, now) = (LearnedValues::default(), self.partition);
        let (mut events, mut attributes) = (HashMap::new(), HashMap::new());
        let kinds: BTreeSet<&String> = now.events.keys().chain(now.split_history.events.keys()).collect();
        for kind in kinds {
            let of_type = now.events.get(kind).cloned().unwrap_or_default();
            let known = self.events(kind, &of_type, &mut learned)?;
            events.extend(known.map(|known| (kind.clone(), known)));
        }
        let names: BTreeSet<&String> = now.attributes.keys().chain(now.split_history.changes.keys()).collect();
        for name in names {
            let attribute = now.attributes.get(name).cloned().unwrap_or_default();
            let known = self.attribute(name, &attribute, &mut learned)?;
            attributes.extend(known.map(|known| (name.clone(), known)));
        }
        if self.people == 0 {
            return Ok((None, learned));
        }
        let is_same = !self.is_touched
            && self.erased.is_empty()
            && self.people == now.people
            && now.split_history.all_before(self.offset)
            && all_shared(&events, &now.events)
            && all_shared(&attributes, &now.attributes)
            && events
                .keys()
                .all(|kind| counts_as_seen(self.schema, kind) == counts_as_seen(self.schema_now, kind));
        if is_same {
            return Ok((Some(now.clone()), learned));
        }
        Ok((Some(Arc::new(self.rebuild(events, attributes)?)), learned))
    }

    /// Builds a partition from events and attributes, and derives first records and channels.
    pub fn rebuild(
        &self,
        events: HashMap<String, Arc<Events>>,
        attributes: HashMap<String, Arc<Attribute>>,
    ) -> Result<Partition> {
        let mut partition = Partition {
            people: self.people,
            events,
            attributes,
            split_history: Arc::new(self.partition.split_history.before(self.offset)),
            ..Partition::new(self.partition.number)
        };
        self.compute_firsts(&mut partition)?;
        Ok(partition)
    }

    /// Computes first records and channels from the rows.
    fn compute_firsts(&self, partition: &mut Partition) -> Result<()> {
        for (kind, events) in partition.events.clone() {
            for run in &events.runs {
                run.check()?;
                partition.note_first_records(run);
                partition.note_channels(run, counts_as_seen(self.schema, &kind));
            }
        }
        for run in partition.attributes.values().flat_map(|attribute| &attribute.runs) {
            run.check()?;
            for (ordinal, time) in run.keys() {
                partition.first_record.note(ordinal, time);
            }
        }
        for &(ordinal, time) in &self.bare_records {
            partition.first_record.note(ordinal, time);
        }
        partition.clear_firsts(self.losers.iter());
        Ok(())
    }

    /// Returns the known events of a type; `None` if there are none. Adds the changes of learned values to `learned`.
    pub fn events(&self, kind: &str, events: &Arc<Events>, learned: &mut LearnedValues) -> Result<Option<Arc<Events>>> {
        let returned = self.rows_split_off_later(self.partition.split_history.events.get(kind));
        if !self.is_touched && returned.is_empty() && self.all_rows_known(&events.runs)? {
            return Ok((!events.runs.is_empty()).then(|| events.clone()));
        }
        let event_type = self.schema_now.event_types.get(kind);
        let known = self.select_known(&events.runs, &returned, |run, weights| {
            if let Some(event_type) = event_type {
                learned.add_event_values(event_type, &run.details, weights);
            }
        })?;
        let events = Events {
            runs: known.runs,
            uncounted_rows: known.uncounted_rows,
            spans: events.spans.clone(),
            totals: events.totals.with_remaining_rows(&events.runs, &known.rows),
        };
        Ok(events.rebuild_blocks(&known.changed_blocks).map(Arc::new))
    }

    /// Returns the known changes of an attribute; `None` if there are none. Adds the changes of learned values to `learned`.
    pub fn attribute(
        &self,
        name: &str,
        attribute: &Arc<Attribute>,
        learned: &mut LearnedValues,
    ) -> Result<Option<Arc<Attribute>>> {
        let returned = self.rows_split_off_later(self.partition.split_history.changes.get(name));
        if !self.is_touched && returned.is_empty() && self.all_rows_known(&attribute.runs)? {
            return Ok((!attribute.runs.is_empty()).then(|| attribute.clone()));
        }
        let field = self.schema_now.attributes.get(name);
        let known = self.select_known(&attribute.runs, &returned, |run, weights| {
            if let Some(field) = field {
                learned.add_attribute_values(field, &run.values, weights);
            }
        })?;
        let attribute = Attribute::rebuild_blocks(&attribute.latest, known.runs, &known.changed_blocks, self.texts)?;
        Ok(attribute.map(Arc::new))
    }

    /// Returns the rows that splits removed at the offset or later.
    fn rows_split_off_later<R>(&self, parts: Option<&Vec<SplitRows<R>>>) -> Vec<Arc<R>> {
        let parts = parts
            .into_iter()
            .flatten()
            .filter(|part| part.split_offset >= self.offset);
        parts.map(|part| part.run.clone()).collect()
    }

    /// Selects the known rows of current runs and of `returned` ones; calls `weigh` with the changes to the learned values of each run.
    fn select_known<R: PersonRows>(
        &self,
        runs: &[Arc<R>],
        returned: &[Arc<R>],
        mut weigh: impl FnMut(&R, &[RowWeight]),
    ) -> Result<KnownRows<R>> {
        let mut known = KnownRows {
            runs: Vec::new(),
            rows: Vec::new(),
            uncounted_rows: 0,
            changed_blocks: BTreeSet::new(),
        };
        let runs = runs.iter().map(|run| (run, true));
        for (run, is_current) in runs.chain(returned.iter().map(|run| (run, false))) {
            run.check()?;
            let selected = self.select_rows(&**run, is_current);
            weigh(run, &selected.weights);
            known.rows.push(selected.rows.len());
            known.uncounted_rows += selected.uncounted_rows;
            let is_whole = selected.rows.len() == run.rows();
            if !is_whole || !is_current {
                known
                    .changed_blocks
                    .extend(run.ordinals().map(|ordinal| ordinal / BLOCK));
            }
            if is_whole {
                known.runs.push(run.clone());
            } else if !selected.rows.is_empty() {
                known.runs.push(Arc::new(run.pick(&selected.rows)));
            }
        }
        Ok(known)
    }

    /// Returns whether all rows of the runs were known at the offset.
    fn all_rows_known<R: PersonRows>(&self, runs: &[Arc<R>]) -> Result<bool> {
        if self.contain_erased(runs)? {
            return Ok(false);
        }
        for run in runs {
            run.check()?;
        }
        let mut arrivals = runs.iter().flat_map(|run| run.origins().arrivals.iter());
        Ok(arrivals.all(|arrival| arrival < self.offset))
    }

    /// Returns whether any run holds rows of erased people.
    pub fn contain_erased<R: PersonRows>(&self, runs: &[Arc<R>]) -> Result<bool> {
        for run in runs {
            for ordinal in &self.erased {
                if !run.rows_of(ordinal)?.is_empty() {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// Selects the known rows of a run. `is_current` says whether the run is in the current version, so that its rows count today.
    fn select_rows<R: PersonRows>(&self, run: &R, is_current: bool) -> SelectedRows {
        let mut selected = SelectedRows::default();
        for (row, (ordinal, arrival)) in run.ordinals().zip(run.origins().arrivals.iter()).enumerate() {
            let (is_erased, is_loser) = (self.erased.contains(ordinal), self.losers.contains(ordinal));
            let is_known = arrival < self.offset && !is_erased;
            let counts_now = is_current && !is_erased && !self.losers_now.contains(ordinal);
            let weight = i64::from(is_known && !is_loser) - i64::from(counts_now);
            if weight != 0 {
                selected.weights.push((row, weight));
            }
            if is_known {
                selected.rows.push(row as u32);
                selected.uncounted_rows += usize::from(is_loser);
            }
        }
        selected
    }
}

/// Returns whether events of a type count as seen.
fn counts_as_seen(schema: &Schema, kind: &str) -> bool {
    schema.event_types.get(kind).is_some_and(|kind| kind.counts_as_seen)
}

/// Returns whether each current entry is shared with `known`.
fn all_shared<T>(known: &HashMap<String, Arc<T>>, now: &HashMap<String, Arc<T>>) -> bool {
    let is_shared = |(name, one): (&String, &Arc<T>)| known.get(name).is_some_and(|other| Arc::ptr_eq(one, other));
    now.iter().all(is_shared)
}
