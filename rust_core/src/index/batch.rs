//! What one call of `fold` brings, column by column in order of arrival, before it is filed into a version. Everything that can be
//! wrong with a frame is found here, so that filing cannot fail halfway.

use std::collections::BTreeMap;
use std::sync::Arc;

use hashbrown::HashMap;

use super::cells::Cell;
use super::learned::{Counts, Learned, count};
use super::texts::Texts;
use super::view::{DAY_MS, Details, Epoch, Origins, PARTITION, Scalar, Values, Version, ordinal_of, partition_of};
use crate::error::{Error, Result};
use crate::frame::{Change, ResolvedFrame};
use crate::record::{Entries, Event, Item, Profile, Record, Value};
use crate::schema::{EventType, Field, Schema, Type};

pub struct Batch {
    pub epoch: Epoch,
    pub schema: Arc<Schema>,
    pub texts: Texts,
    /// By partition: ordinals in use.
    pub people: BTreeMap<u32, u32>,
    pub aliases: Aliases,
    /// In order.
    pub merges: Vec<Merge>,
    /// By event type.
    pub events: HashMap<String, Events>,
    /// By attribute.
    pub changes: HashMap<String, Changes>,
    /// Who a profile update was about, and since when it holds.
    pub records: Vec<(u64, i64)>,
    /// By catalog.
    pub items: HashMap<String, Items>,
}

/// Losers of merges and their winners.
#[derive(Default)]
pub struct Aliases(HashMap<u64, u64>);

/// Two people turned out to be one.
pub struct Merge {
    pub loser: u64,
    /// Who is neither then merged into another.
    pub winner: u64,
    /// Raw offset of the frame that says so.
    pub arrival: i64,
}

/// Events of one type.
#[derive(Default)]
pub struct Events {
    pub persons: Vec<u64>,
    pub times: Vec<i64>,
    /// Its properties are still in `columns`.
    pub details: Details,
    columns: Vec<Property>,
    last_channel: Likely,
    last_source: Likely,
}

struct Property {
    name: String,
    kind: Type,
    values: Values,
    counts: Counts,
}

/// Changes of one attribute, in order of arrival.
pub struct Changes {
    persons: Vec<u64>,
    times: Vec<i64>,
    pub values: Values,
    pub origins: Origins,
    pub counts: Counts,
}

/// Items of one catalog.
#[derive(Default)]
pub struct Items {
    /// Text codes.
    pub keys: Vec<u32>,
    /// By attribute: the keys of the items that name it, and the values they give.
    pub attributes: HashMap<String, (Vec<u32>, Values)>,
}

impl Aliases {
    /// Who a person is now.
    pub fn resolve(&self, person: u64) -> u64 {
        let mut person = person;
        while let Some(&winner) = self.0.get(&person) {
            person = winner;
        }
        person
    }

    /// The final winner.
    fn add(&mut self, winner: u64, loser: u64) -> Result<u64> {
        let winner = self.resolve(winner);
        if winner == loser || self.0.insert(loser, winner).is_some() {
            return Err(Error::Invalid(format!(
                "person {loser} is merged into {winner} but already one with it or another"
            )));
        }
        Ok(winner)
    }

    /// By partition: (loser's ordinal, final winner), ascending.
    pub fn by_partition(&self) -> BTreeMap<u32, Vec<(u32, u64)>> {
        let mut partitions: BTreeMap<u32, Vec<(u32, u64)>> = BTreeMap::new();
        for &loser in self.0.keys() {
            let merges = partitions.entry(partition_of(loser)).or_default();
            merges.push((ordinal_of(loser), self.resolve(loser)));
        }
        partitions.values_mut().for_each(|merges| merges.sort_unstable());
        partitions
    }
}

impl Batch {
    pub fn new(version: &Version) -> Batch {
        Batch {
            epoch: version.epoch,
            schema: version.schema.clone(),
            texts: version.texts.clone(),
            people: version
                .partitions
                .iter()
                .map(|(&number, partition)| (number, partition.people))
                .collect(),
            aliases: Aliases::default(),
            merges: Vec::new(),
            events: HashMap::new(),
            changes: HashMap::new(),
            records: Vec::new(),
            items: HashMap::new(),
        }
    }

    /// Invalid if the frame is malformed or speaks of a person never created.
    pub fn take(&mut self, bytes: &[u8]) -> Result<()> {
        let frame = ResolvedFrame::decode(bytes)?;
        let arrival = i64::try_from(frame.raw_offset)
            .map_err(|_| Error::Invalid(format!("no log has a frame {}", frame.raw_offset)))?;
        if let Some(schema) = frame.schema {
            Arc::make_mut(&mut self.schema).merge(Schema::decode(schema)?)?;
        }
        for change in &frame.changes {
            match change.change {
                Change::Created { person } => self.create(person)?,
                Change::Merged { winner, loser } => {
                    self.check(winner)?;
                    self.check(loser)?;
                    let winner = self.aliases.add(winner, loser)?;
                    self.merges.push(Merge { loser, winner, arrival });
                }
            }
        }
        let schema = self.schema.clone();
        for (&person, record) in frame.persons.iter().zip(&frame.records) {
            if person != 0 {
                self.check(person)?;
            }
            match Record::decode(record)? {
                Record::Event(event) => self.take_event(person, &event, &schema, arrival),
                Record::Profile(profile) => self.take_profile(person, &profile, &schema, arrival),
                Record::Item(item) => self.take_item(&item, &schema),
            }
        }
        self.epoch.raw_offset = self.epoch.raw_offset.max(frame.raw_offset + 1);
        self.epoch.received_at_ms = self.epoch.received_at_ms.max(frame.received_at_ms);
        Ok(())
    }

    fn create(&mut self, person: u64) -> Result<()> {
        let (number, ordinal) = (partition_of(person), ordinal_of(person));
        if number == 0 || ordinal >= PARTITION {
            return Err(Error::Invalid(format!(
                "person {person} is outside partitions of {PARTITION} people numbered from 1"
            )));
        }
        let people = self.people.entry(number).or_default();
        *people = (*people).max(ordinal + 1);
        Ok(())
    }

    fn check(&self, person: u64) -> Result<()> {
        let people = self.people.get(&partition_of(person)).copied().unwrap_or(0);
        if ordinal_of(person) < people {
            return Ok(());
        }
        Err(Error::Invalid(format!("person {person} was never created")))
    }

    fn take_event(&mut self, person: u64, event: &Event<'_>, schema: &Schema, arrival: i64) {
        let (Some(time), Some(kind)) = (event.occurred_at_ms, schema.event_types.get(event.kind)) else {
            return;
        };
        if person == 0 {
            return;
        }
        // Timestamps end with the year 9999 by their specification; beyond, days would not fit their type.
        let time = time.clamp(i64::from(i32::MIN) * DAY_MS, i64::from(i32::MAX) * DAY_MS);
        self.events
            .entry_ref(event.kind)
            .or_default()
            .push(person, time, arrival, event, kind, &mut self.texts);
    }

    fn take_profile(&mut self, person: u64, profile: &Profile<'_>, schema: &Schema, arrival: i64) {
        if person == 0 {
            return;
        }
        let time = profile.occurred_at_ms.unwrap_or(i64::MIN);
        let source = self.texts.intern(profile.source);
        self.records.push((person, time));
        for (name, value) in last_of_each(&profile.attributes) {
            let Some(field) = schema.attributes.get(name) else {
                continue;
            };
            let cell = Cell::of(value, field.kind, &mut self.texts);
            let changes = self.changes.entry_ref(name);
            let changes = changes.or_insert_with(|| Changes::of_type(field.kind));
            count(&mut changes.counts, field.kind, &cell);
            changes.push(person, time, &cell);
            changes.origins.push(source, profile.id, arrival);
        }
    }

    fn take_item(&mut self, item: &Item<'_>, schema: &Schema) {
        let Some(catalog) = schema.catalogs.get(item.catalog) else {
            return;
        };
        let key = self.texts.intern(item.key);
        let items = self.items.entry(item.catalog.to_owned()).or_default();
        items.keys.push(key);
        for (name, value) in last_of_each(&item.attributes) {
            let Some(field) = catalog.attributes.get(name) else {
                continue;
            };
            let cell = Cell::of(value, field.kind, &mut self.texts);
            let (keys, values) = items
                .attributes
                .entry(name.to_owned())
                .or_insert_with(|| (Vec::new(), Values::of_type(field.kind)));
            keys.push(key);
            values.push(&cell);
        }
    }
}

/// Of a name sent twice the last counts; a name without a value is as good as not sent.
fn last_of_each<'a, 'b>(entries: &'b Entries<'a>) -> impl Iterator<Item = (&'a str, &'b Value<'a>)> {
    entries.iter().enumerate().filter_map(|(i, (name, value))| {
        let is_last = entries[i + 1..].iter().all(|(later, _)| later != name);
        (is_last && *value != Value::Missing).then_some((*name, value))
    })
}

impl Events {
    fn push(&mut self, person: u64, time: i64, arrival: i64, event: &Event<'_>, kind: &EventType, texts: &mut Texts) {
        let details = &mut self.details;
        details.channels.push(&match event.channel {
            "" => Cell::Unknown,
            channel => Cell::One(Scalar::Text(self.last_channel.intern(channel, texts))),
        });
        let source = self.last_source.intern(event.source, texts);
        details.origins.push(source, event.id, arrival);
        self.persons.push(person);
        self.times.push(time);
        self.take_properties(&event.properties, &kind.properties, texts);
    }

    /// The properties of the event just pushed.
    fn take_properties(&mut self, entries: &Entries<'_>, declared: &BTreeMap<String, Field>, texts: &mut Texts) {
        let row = self.persons.len() - 1;
        // Events of one type mostly name their properties in one order, so the next column is the likely one.
        let mut next = 0;
        for (name, value) in entries.iter().rev() {
            let Some(at) = self.column(name, next, declared) else {
                continue;
            };
            next = at + 1;
            let column = &mut self.columns[at];
            if column.values.len() <= row && *value != Value::Missing {
                column.values.pad(row);
                let cell = Cell::of(value, column.kind, texts);
                count(&mut column.counts, column.kind, &cell);
                column.values.push(&cell);
            }
        }
    }

    fn column(&mut self, name: &str, likely: usize, declared: &BTreeMap<String, Field>) -> Option<usize> {
        if self.columns.get(likely).is_some_and(|column| column.name == name) {
            return Some(likely);
        }
        let found = self.columns.iter().position(|column| column.name == name);
        if found.is_some() {
            return found;
        }
        let kind = declared.get(name)?.kind;
        self.columns.push(Property {
            name: name.to_owned(),
            kind,
            values: Values::of_type(kind),
            counts: Counts::new(),
        });
        Some(self.columns.len() - 1)
    }

    /// With the properties among the details, and their values learned.
    pub fn finish(mut self, event_type: &str, learned: &mut Learned) -> Events {
        for mut column in std::mem::take(&mut self.columns) {
            learned.add_property(event_type, &column.name, &column.counts);
            column.values.pad(self.persons.len());
            self.details.properties.insert(column.name, column.values);
        }
        self
    }
}

/// The text before, which the next one is likely to be.
#[derive(Default)]
struct Likely(Option<u32>);

impl Likely {
    fn intern(&mut self, text: &str, texts: &mut Texts) -> u32 {
        match self.0 {
            Some(code) if texts.get(code) == text => code,
            _ => *self.0.insert(texts.intern(text)),
        }
    }
}

impl Changes {
    pub fn of_type(kind: Type) -> Changes {
        Changes {
            persons: Vec::new(),
            times: Vec::new(),
            values: Values::of_type(kind),
            origins: Origins::default(),
            counts: Counts::new(),
        }
    }

    /// All but where it comes from.
    pub fn push(&mut self, person: u64, time: i64, cell: &Cell) {
        self.persons.push(person);
        self.times.push(time);
        self.values.push(cell);
    }

    /// (row, person, occurred_at, arrival), row by row.
    pub fn rows(&self) -> impl Iterator<Item = (usize, u64, i64, i64)> {
        let rows = self.persons.iter().zip(&self.times).zip(self.origins.arrivals.iter());
        rows.enumerate()
            .map(|(row, ((&person, &time), arrival))| (row, person, time, arrival))
    }
}
