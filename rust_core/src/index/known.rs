//! The second clock: the index as it was when less of the raw log was folded. Rows say when they came to their person, and the history
//! says the rest; what is derived of rows is derived anew where some of them go, and shared where all of them stay.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use rayon::prelude::*;
use roaring::RoaringBitmap;

use super::aliases::Aliases;
use super::history::History;
use super::ints::Ints;
use super::learned::{Learned, Weight};
use super::place::Key;
use super::texts::Texts;
use super::view::{Attribute, Changes, Events, Latest, Partition, Run, Version, ordinal_of, partition_of};
use crate::error::Result;
use crate::schema::Schema;

impl Version {
    /// What was known when the raw log was folded up to an offset: as if the rest of it had not come yet.
    /// Corrupt if a file is damaged.
    pub fn known_at(self: &Arc<Version>, raw_offset: u64) -> Result<Arc<Version>> {
        if raw_offset >= self.epoch.raw_offset {
            return Ok(self.clone());
        }
        let offset = raw_offset as i64;
        let schema = self.history.schema(offset);
        let pasts = pasts(self, &schema, offset);
        let partitions = pasts.par_iter().map(Past::partition).collect::<Result<Vec<_>>>()?;
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

/// Instant of the first event.
pub fn earliest_ms(partitions: &BTreeMap<u32, Arc<Partition>>) -> Option<i64> {
    let events = partitions.values().flat_map(|partition| partition.events.values());
    events.filter_map(|events| events.spans.earliest()).min()
}

/// A partition, and what was known of its people at an offset.
pub struct Past<'a> {
    partition: &'a Arc<Partition>,
    offset: i64,
    texts: &'a Texts,
    schema: &'a Schema,
    schema_now: &'a Schema,
    people: u32,
    /// Those who were merged into others then, and those who are now.
    losers: RoaringBitmap,
    losers_now: RoaringBitmap,
    /// Those who were erased, of whom runs may still hold something.
    erased: RoaringBitmap,
    /// Since when people were known by updates that left no row.
    bare_records: Vec<(u32, i64)>,
    /// A merge or such an update that has come since is about its people.
    is_touched: bool,
}

/// Which rows of a run were known.
#[derive(Default)]
struct Sifted {
    rows: Vec<u32>,
    /// What that changes of what is learned.
    weights: Vec<Weight>,
    left_behind: usize,
}

fn pasts<'a>(version: &'a Version, schema: &'a Schema, offset: i64) -> Vec<Past<'a>> {
    let history = &version.history;
    let aliases = history.aliases(offset);
    let losers = losers(&aliases);
    let losers_now = self::losers(&history.aliases(version.epoch.raw_offset as i64));
    let people = people(history, offset);
    let mut bare_records = bare_records(history, &aliases, offset);
    let touched = touched(history, &aliases, offset);
    let of = |ordinals: &HashMap<u32, RoaringBitmap>, number: u32| ordinals.get(&number).cloned().unwrap_or_default();
    let past = |(&number, partition): (&u32, &'a Arc<Partition>)| Past {
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

/// By partition.
fn people(history: &History, offset: i64) -> HashMap<u32, u32> {
    let created = history.created.before(offset);
    created
        .map(|[_, number, people]| (number as u32, people as u32))
        .collect()
}

/// By partition.
fn bare_records(history: &History, aliases: &Aliases, offset: i64) -> HashMap<u32, Vec<(u32, i64)>> {
    let mut records: HashMap<u32, Vec<(u32, i64)>> = HashMap::new();
    for [_, person, time] in history.bare_records.before(offset) {
        let person = aliases.resolve(person as u64);
        let of_partition = records.entry(partition_of(person)).or_default();
        of_partition.push((ordinal_of(person), time));
    }
    records
}

/// The partitions of people whom merges and bare records have been about since.
fn touched(history: &History, aliases: &Aliases, offset: i64) -> HashSet<u32> {
    let merges = history.merges.since(offset);
    let merged = merges.flat_map(|[_, loser, winner]| [loser, winner]);
    let updated = history.bare_records.since(offset).map(|[_, person, _]| person);
    let people = merged.chain(updated);
    people
        .map(|person| partition_of(aliases.resolve(person as u64)))
        .collect()
}

/// By partition.
fn losers(aliases: &Aliases) -> HashMap<u32, RoaringBitmap> {
    let merges = aliases.by_partition().into_iter();
    merges
        .map(|(number, merges)| (number, merges.into_iter().map(|(loser, _)| loser).collect()))
        .collect()
}

impl<'a> Past<'a> {
    /// What is known now of all but the people who were erased.
    pub fn without_erased(version: &'a Version, number: u32) -> Option<Past<'a>> {
        let pasts = pasts(version, &version.schema, i64::MAX);
        pasts.into_iter().find(|past| past.partition.number == number)
    }

    /// The partition, if it had people, and what changes of what is learned.
    fn partition(&self) -> Result<(Option<Arc<Partition>>, Learned)> {
        let (mut learned, now) = (Learned::default(), self.partition);
        let (mut events, mut attributes) = (HashMap::new(), HashMap::new());
        for (kind, of_type) in &now.events {
            let known = self.events(kind, of_type, &mut learned)?;
            events.extend(known.map(|known| (kind.clone(), known)));
        }
        for (name, attribute) in &now.attributes {
            let known = self.attribute(name, attribute, &mut learned)?;
            attributes.extend(known.map(|known| (name.clone(), known)));
        }
        if self.people == 0 {
            return Ok((None, learned));
        }
        let is_same = !self.is_touched
            && self.erased.is_empty()
            && self.people == now.people
            && same(&events, &now.events)
            && same(&attributes, &now.attributes)
            && events
                .keys()
                .all(|kind| seen(self.schema, kind) == seen(self.schema_now, kind));
        if is_same {
            return Ok((Some(now.clone()), learned));
        }
        Ok((Some(Arc::new(self.anew(events, attributes)?)), learned))
    }

    /// A partition of such events and attributes, with what is derived of them.
    pub fn anew(
        &self,
        events: HashMap<String, Arc<Events>>,
        attributes: HashMap<String, Arc<Attribute>>,
    ) -> Result<Partition> {
        let mut partition = Partition {
            people: self.people,
            events,
            attributes,
            ..Partition::new(self.partition.number)
        };
        self.note_firsts(&mut partition)?;
        Ok(partition)
    }

    /// First records and channels, from the rows.
    fn note_firsts(&self, partition: &mut Partition) -> Result<()> {
        for (kind, events) in partition.events.clone() {
            for run in &events.runs {
                run.check()?;
                partition.note_first_records(run);
                partition.note_channels(run, seen(self.schema, &kind));
            }
        }
        for run in partition.attributes.values().flat_map(|attribute| &attribute.runs) {
            run.check()?;
            for (ordinal, time) in run.places() {
                partition.first_record.note(ordinal, time);
            }
        }
        for &(ordinal, time) in &self.bare_records {
            partition.first_record.note(ordinal, time);
        }
        partition.forget(self.losers.iter());
        Ok(())
    }

    pub fn events(&self, kind: &str, events: &Arc<Events>, learned: &mut Learned) -> Result<Option<Arc<Events>>> {
        if !self.is_touched && self.are_whole(&events.runs)? {
            return Ok(Some(events.clone()));
        }
        let mut known = Events {
            spans: events.spans.clone(),
            ..Events::default()
        };
        let mut cut = BTreeSet::new();
        for run in &events.runs {
            run.check()?;
            let sifted = self.sift(run.keys().map(Key::ordinal), &run.details.origins.arrivals);
            if let Some(event_type) = self.schema_now.event_types.get(kind) {
                learned.weigh_events(event_type, &run.details, &sifted.weights);
            }
            known.left_behind += sifted.left_behind;
            if sifted.rows.len() == run.len() {
                known.runs.push(run.clone());
                continue;
            }
            cut.extend(run.cells.iter().map(|cell| cell.block));
            if !sifted.rows.is_empty() {
                known.runs.push(Arc::new(run.pick(&sifted.rows)));
            }
        }
        cut.iter().for_each(|&block| known.spans.forget(block));
        let keys = known.runs.iter().flat_map(|run| run.keys());
        keys.filter(|key| cut.contains(&key.block()))
            .for_each(|key| known.spans.widen(key));
        Ok((!known.runs.is_empty()).then(|| Arc::new(known)))
    }

    pub fn attribute(
        &self,
        name: &str,
        attribute: &Arc<Attribute>,
        learned: &mut Learned,
    ) -> Result<Option<Arc<Attribute>>> {
        if !self.is_touched && self.are_whole(&attribute.runs)? {
            return Ok(Some(attribute.clone()));
        }
        let (mut runs, mut cut) = (Vec::new(), BTreeSet::new());
        for run in &attribute.runs {
            run.check()?;
            let sifted = self.sift(run.places().map(|(ordinal, _)| ordinal), &run.origins.arrivals);
            if let Some(field) = self.schema_now.attributes.get(name) {
                learned.weigh_changes(field, &run.values, &sifted.weights);
            }
            if sifted.rows.len() == run.len() {
                runs.push(run.clone());
                continue;
            }
            cut.extend((0..run.blocks.len() as u32).filter(|&block| !run.rows_of_block(block).is_empty()));
            if !sifted.rows.is_empty() {
                runs.push(Arc::new(run.pick(&sifted.rows)));
            }
        }
        let Some(blocks) = runs.iter().map(|run| run.blocks.len()).max() else {
            return Ok(None);
        };
        let mut known = Attribute {
            latest: attribute.latest[..blocks].to_vec(),
            runs: Vec::new(),
        };
        cut.retain(|&block| (block as usize) < blocks);
        cut.iter()
            .for_each(|&block| known.latest[block as usize] = Latest::default());
        for run in runs {
            for &block in &cut {
                known.renew(block, &run, self.texts)?;
            }
            known.runs.push(run);
        }
        Ok(Some(Arc::new(known)))
    }

    /// Whether all rows stay.
    fn are_whole<R: Arrived>(&self, runs: &[Arc<R>]) -> Result<bool> {
        if self.hold_erased(runs)? {
            return Ok(false);
        }
        for run in runs {
            run.check()?;
        }
        let mut arrivals = runs.iter().flat_map(|run| run.arrivals().iter());
        Ok(arrivals.all(|arrival| arrival < self.offset))
    }

    pub fn hold_erased<R: Arrived>(&self, runs: &[Arc<R>]) -> Result<bool> {
        for run in runs {
            for ordinal in &self.erased {
                if run.is_about(ordinal)? {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    fn sift(&self, ordinals: impl Iterator<Item = u32>, arrivals: &Ints) -> Sifted {
        let mut sifted = Sifted::default();
        for (row, (ordinal, arrival)) in ordinals.zip(arrivals.iter()).enumerate() {
            let (is_erased, is_left) = (self.erased.contains(ordinal), self.losers.contains(ordinal));
            let is_known = arrival < self.offset && !is_erased;
            let counts_now = !is_erased && !self.losers_now.contains(ordinal);
            let weight = i64::from(is_known && !is_left) - i64::from(counts_now);
            if weight != 0 {
                sifted.weights.push((row, weight));
            }
            if is_known {
                sifted.rows.push(row as u32);
                sifted.left_behind += usize::from(is_left);
            }
        }
        sifted
    }
}

/// Of a run.
pub trait Arrived {
    /// Before the arrivals are read. Corrupt if the file behind it is damaged.
    fn check(&self) -> Result<()>;

    fn arrivals(&self) -> &Ints;

    /// Whether a person has any. Corrupt like `check`.
    fn is_about(&self, ordinal: u32) -> Result<bool>;
}

impl Arrived for Run {
    fn check(&self) -> Result<()> {
        self.check()
    }

    fn arrivals(&self) -> &Ints {
        &self.details.origins.arrivals
    }

    fn is_about(&self, ordinal: u32) -> Result<bool> {
        Ok(self.of_person(ordinal, i32::MIN..=i32::MAX)?.next().is_some())
    }
}

impl Arrived for Changes {
    fn check(&self) -> Result<()> {
        self.check()
    }

    fn arrivals(&self) -> &Ints {
        &self.origins.arrivals
    }

    fn is_about(&self, ordinal: u32) -> Result<bool> {
        Ok(!self.rows(ordinal)?.is_empty())
    }
}

fn seen(schema: &Schema, kind: &str) -> bool {
    schema.event_types.get(kind).is_some_and(|kind| kind.counts_as_seen)
}

/// Whether all is shared.
fn same<T>(known: &HashMap<String, Arc<T>>, now: &HashMap<String, Arc<T>>) -> bool {
    let is_shared = |(name, one): (&String, &Arc<T>)| known.get(name).is_some_and(|other| Arc::ptr_eq(one, other));
    now.iter().all(is_shared)
}
