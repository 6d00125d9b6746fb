//! The decoded frames of one call of `fold`, column by column in order of arrival.
//!
//! All errors in frames are found here, so that applying the batch cannot fail halfway.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use hashbrown::HashMap;

use super::new_rows::{NewChanges, NewEvents};
use crate::error::{Error, Result};
use crate::index::columns::cells::Cell;
use crate::index::columns::origins::Arrival;
use crate::index::columns::texts::Texts;
use crate::index::erasure::erased::ErasedPeople;
use crate::index::history::History;
use crate::index::history::aliases::Aliases;
use crate::index::view::{DAY_MS, Epoch, ItemUpdates, PARTITION, Values, Version, ordinal_of, partition_of};
use crate::proto::frame::{Change, IdentityChange, ResolvedFrame, Split};
use crate::proto::record::{Entries, Event, Item, Profile, Record, Value};
use crate::proto::schema::Schema;

/// The contents of several frames, not yet applied to a version.
pub struct FrameBatch {
    pub epoch: Epoch,
    pub schema: Arc<Schema>,
    pub texts: Texts,
    pub history: History,
    pub erased: Arc<ErasedPeople>,
    /// The people erased by these frames, with everybody who was merged into them.
    pub newly_erased: Vec<u64>,
    /// The number of ordinals in use, by partition number.
    pub people: BTreeMap<u32, u32>,
    /// Resolves the losers of this batch's merges to their winners.
    pub aliases: Aliases,
    /// The merges of this batch, in order.
    pub merges: Vec<Merge>,
    /// A split and its arrival. A batch ends with the frame of a split.
    pub split: Option<(i64, Arc<Split>)>,
    /// New events by type.
    pub events: HashMap<String, NewEvents>,
    /// New changes by attribute.
    pub changes: HashMap<String, NewChanges>,
    /// The profile updates of this batch.
    pub records: Vec<ProfileRecord>,
    /// New item updates by catalog.
    pub items: HashMap<String, ItemUpdates>,
}

/// A merge of two people.
pub struct Merge {
    pub loser: u64,
    /// The person who remains: itself not merged into another at this point.
    pub winner: u64,
    /// The raw offset of the frame with the merge.
    pub arrival: i64,
}

/// A profile update, without its values.
pub struct ProfileRecord {
    pub person: u64,
    /// The instant from which it holds, in ms since the epoch.
    pub time: i64,
    pub arrival: Arrival,
    /// Whether it changes no attribute.
    pub is_bare: bool,
}

impl FrameBatch {
    /// Creates an empty batch on top of a version.
    pub fn new(version: &Version) -> FrameBatch {
        FrameBatch {
            epoch: version.epoch,
            schema: version.schema.clone(),
            texts: version.texts.clone(),
            history: version.history.clone(),
            erased: version.erased.clone(),
            newly_erased: Vec::new(),
            people: version
                .partitions
                .iter()
                .map(|(&number, partition)| (number, partition.people))
                .collect(),
            aliases: Aliases::default(),
            merges: Vec::new(),
            split: None,
            events: HashMap::new(),
            changes: HashMap::new(),
            records: Vec::new(),
            items: HashMap::new(),
        }
    }

    /// Decodes and adds a frame.
    ///
    /// Returns Invalid if the frame is malformed or names a person who was never created. No frame may be added after one with a
    /// split, because a split moves rows that are in runs already.
    pub fn add_frame(&mut self, bytes: &[u8]) -> Result<()> {
        let frame = ResolvedFrame::decode(bytes)?;
        let arrival = i64::try_from(frame.raw_offset)
            .map_err(|_| Error::Invalid(format!("raw offset {} is out of range", frame.raw_offset)))?;
        if let Some(schema) = frame.schema {
            self.merge_schema(schema, arrival)?;
        }
        for change in &frame.changes {
            match &change.change {
                Change::Created { person } => self.create(*person)?,
                Change::Merged { winner, loser } => self.merge(*winner, *loser, arrival)?,
                Change::Erased { person } => self.erase(*person)?,
                Change::Split(split) => self.split(split, arrival)?,
            }
        }
        self.record_created(&frame.changes, arrival);
        let schema = self.schema.clone();
        for ((&person, &node), record) in frame.persons.iter().zip(&frame.nodes).zip(&frame.records) {
            if person != 0 {
                self.check_person(person)?;
            }
            if record.is_empty() {
                // The record of an erased person.
                continue;
            }
            let arrival = Arrival {
                raw_offset: arrival,
                node,
            };
            match Record::decode(record)? {
                Record::Event(event) => self.add_event(person, &event, &schema, arrival),
                Record::Profile(profile) => self.add_profile(person, &profile, &schema, arrival),
                Record::Item(item) => self.add_item(&item, &schema, arrival.raw_offset),
            }
        }
        self.history.frames.push([arrival, frame.received_at_ms]);
        self.epoch.raw_offset = self.epoch.raw_offset.max(frame.raw_offset + 1);
        self.epoch.received_at_ms = self.epoch.received_at_ms.max(frame.received_at_ms);
        Ok(())
    }

    /// Merges a declared schema into the current one.
    fn merge_schema(&mut self, schema: &[u8], arrival: i64) -> Result<()> {
        let mut declared = Schema::clone(&self.schema);
        declared.merge(Schema::decode(schema)?)?;
        if declared != *self.schema {
            self.schema = Arc::new(declared);
            self.history.schemas.push((arrival, self.schema.clone()));
        }
        Ok(())
    }

    /// Registers a new person.
    fn create(&mut self, person: u64) -> Result<()> {
        let (number, ordinal) = (partition_of(person), ordinal_of(person));
        if number == 0 || ordinal >= PARTITION {
            return Err(Error::Invalid(format!(
                "person {person} is outside the partitions: they are numbered from 1 and hold up to {PARTITION} people"
            )));
        }
        let people = self.people.entry(number).or_default();
        *people = (*people).max(ordinal + 1);
        Ok(())
    }

    /// Records the new sizes of the partitions in which a frame created people.
    fn record_created(&mut self, changes: &[IdentityChange], arrival: i64) {
        let created = changes.iter().filter_map(|change| match change.change {
            Change::Created { person } => Some(partition_of(person)),
            _ => None,
        });
        for number in created.collect::<BTreeSet<u32>>() {
            let row = [arrival, number.into(), self.people[&number].into()];
            self.history.created.push(row);
        }
    }

    /// Registers a merge.
    fn merge(&mut self, winner: u64, loser: u64, arrival: i64) -> Result<()> {
        self.check_person(winner)?;
        self.check_person(loser)?;
        let winner = self.aliases.add(winner, loser)?;
        self.merges.push(Merge { loser, winner, arrival });
        self.history.merges.push([arrival, loser as i64, winner as i64]);
        Ok(())
    }

    /// Registers a split.
    fn split(&mut self, split: &Split, arrival: i64) -> Result<()> {
        self.check_person(split.from)?;
        self.check_person(split.to)?;
        if split.from == split.to || self.split.is_some() {
            return Err(Error::Invalid(format!(
                "person {} cannot be split: a split needs two people, and a frame holds at most one",
                split.from
            )));
        }
        self.split = Some((arrival, Arc::new(split.clone())));
        Ok(())
    }

    /// Erases a person and everybody who was merged into the same person.
    fn erase(&mut self, person: u64) -> Result<()> {
        self.check_person(person)?;
        let aliases = self.history.aliases(i64::MAX);
        let erased = Arc::make_mut(&mut self.erased);
        for person in aliases.group_of(person) {
            erased.add(person);
            self.newly_erased.push(person);
        }
        Ok(())
    }

    /// Returns Invalid if the person was never created or was erased.
    fn check_person(&self, person: u64) -> Result<()> {
        let people = self.people.get(&partition_of(person)).copied().unwrap_or(0);
        let wrong = match ordinal_of(person) < people {
            true if self.erased.contains(person) => "was erased",
            true => return Ok(()),
            false => "was never created",
        };
        Err(Error::Invalid(format!("person {person} {wrong}")))
    }

    fn add_event(&mut self, person: u64, event: &Event<'_>, schema: &Schema, arrival: Arrival) {
        let (Some(time), Some(kind)) = (event.occurred_at_ms, schema.event_types.get(event.kind)) else {
            return;
        };
        if person == 0 {
            return;
        }
        // Timestamps are specified up to the year 9999; later days would overflow their type.
        let time = time.clamp(i64::from(i32::MIN) * DAY_MS, i64::from(i32::MAX) * DAY_MS);
        self.events
            .entry_ref(event.kind)
            .or_default()
            .push(person, time, arrival, event, kind, &mut self.texts);
    }

    fn add_profile(&mut self, person: u64, profile: &Profile<'_>, schema: &Schema, arrival: Arrival) {
        if person == 0 {
            return;
        }
        let time = profile.occurred_at_ms.unwrap_or(i64::MIN);
        let source = self.texts.intern(profile.source);
        let mut is_bare = true;
        for (name, value) in last_values(&profile.attributes) {
            let Some(field) = schema.attributes.get(name) else {
                continue;
            };
            let cell = Cell::of(value, field.kind, &mut self.texts);
            let changes = self.changes.entry_ref(name);
            let changes = changes.or_insert_with(|| NewChanges::of_type(field.kind));
            changes.push(person, time, &cell);
            changes.origins.push(source, profile.id, arrival);
            is_bare = false;
        }
        self.records.push(ProfileRecord {
            person,
            time,
            arrival,
            is_bare,
        });
    }

    fn add_item(&mut self, item: &Item<'_>, schema: &Schema, arrival: i64) {
        let Some(catalog) = schema.catalogs.get(item.catalog) else {
            return;
        };
        let key = self.texts.intern(item.key);
        let items = self.items.entry(item.catalog.to_owned()).or_default();
        let update = items.keys.len() as u32;
        items.keys.push(key);
        items.arrivals.push(arrival);
        for (name, value) in last_values(&item.attributes) {
            let Some(field) = catalog.attributes.get(name) else {
                continue;
            };
            let cell = Cell::of(value, field.kind, &mut self.texts);
            let (of, values) = items
                .attributes
                .entry(name.to_owned())
                .or_insert_with(|| (Vec::new(), Values::of_type(field.kind)));
            of.push(update);
            values.push(&cell);
        }
    }
}

/// Iterates over the entries, keeping the last of equal names. An entry without a value counts as absent.
fn last_values<'a, 'b>(entries: &'b Entries<'a>) -> impl Iterator<Item = (&'a str, &'b Value<'a>)> {
    entries.iter().enumerate().filter_map(|(i, (name, value))| {
        let is_last = entries[i + 1..].iter().all(|(later, _)| later != name);
        (is_last && *value != Value::Missing).then_some((*name, value))
    })
}
