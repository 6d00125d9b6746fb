//! What one call of `fold` brings, column by column in order of arrival, before it is filed into a version. Everything that can be
//! wrong with a frame is found here, so that filing cannot fail halfway.

use std::collections::BTreeMap;
use std::sync::Arc;

use hashbrown::HashMap;

use super::column::Cell;
use super::texts::Texts;
use super::view::{Attribute, DAY_MS, Epoch, PARTITION, Run, Values, Version, ordinal_of, partition_of};
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

/// Events of one type; `rows.persons` and `rows.properties` are still empty.
#[derive(Default)]
pub struct Events {
    pub persons: Vec<u64>,
    rows: Run,
    columns: Vec<Property>,
}

struct Property {
    name: String,
    kind: Type,
    values: Values,
}

/// Changes of one attribute, in order of arrival; the history's ordinals are not yet set.
pub struct Changes {
    pub persons: Vec<u64>,
    pub rows: Attribute,
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

    fn add(&mut self, winner: u64, loser: u64) -> Result<()> {
        let winner = self.resolve(winner);
        if winner == loser || self.0.insert(loser, winner).is_some() {
            return Err(Error::Invalid(format!(
                "person {loser} is merged into {winner} but already one with it or another"
            )));
        }
        Ok(())
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
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
            events: HashMap::new(),
            changes: HashMap::new(),
            records: Vec::new(),
            items: HashMap::new(),
        }
    }

    /// Invalid if the frame is malformed or speaks of a person never created.
    pub fn take(&mut self, bytes: &[u8]) -> Result<()> {
        let frame = ResolvedFrame::decode(bytes)?;
        if let Some(schema) = frame.schema {
            Arc::make_mut(&mut self.schema).merge(Schema::decode(schema)?)?;
        }
        for change in &frame.changes {
            match change.change {
                Change::Created { person } => self.create(person)?,
                Change::Merged { winner, loser } => {
                    self.check(winner)?;
                    self.check(loser)?;
                    self.aliases.add(winner, loser)?;
                }
            }
        }
        let schema = self.schema.clone();
        for (&person, record) in frame.persons.iter().zip(&frame.records) {
            if person != 0 {
                self.check(person)?;
            }
            match Record::decode(record)? {
                Record::Event(event) => self.take_event(person, &event, &schema),
                Record::Profile(profile) => self.take_profile(person, &profile, &schema),
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

    fn take_event(&mut self, person: u64, event: &Event<'_>, schema: &Schema) {
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
            .push(person, time, event, kind, &mut self.texts);
    }

    fn take_profile(&mut self, person: u64, profile: &Profile<'_>, schema: &Schema) {
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
            let changes = self.changes.entry(name.to_owned()).or_insert_with(|| Changes {
                persons: Vec::new(),
                rows: Attribute::of_type(field.kind),
            });
            changes.push(person, time, source, profile.id, &cell);
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
    fn push(&mut self, person: u64, time: i64, event: &Event<'_>, kind: &EventType, texts: &mut Texts) {
        let channel = match event.channel {
            "" => Texts::NONE,
            channel => intern_again(self.rows.channels.last(), channel, texts),
        };
        let source = intern_again(self.rows.sources.last(), event.source, texts);
        self.persons.push(person);
        self.rows.times.push(time);
        self.rows.channels.push(channel);
        self.rows.sources.push(source);
        self.rows.ids.push(event.id.as_bytes());
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
                column.values.push(&Cell::of(value, column.kind, texts));
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
        });
        Some(self.columns.len() - 1)
    }

    /// The rows with their ordinals, and each row's person.
    pub fn finish(mut self, aliases: &Aliases) -> (Run, Vec<u64>) {
        if !aliases.is_empty() {
            self.persons
                .iter_mut()
                .for_each(|person| *person = aliases.resolve(*person));
        }
        self.rows.persons = self.persons.iter().copied().map(ordinal_of).collect();
        for mut column in self.columns {
            column.values.pad(self.persons.len());
            self.rows.properties.insert(column.name, column.values);
        }
        (self.rows, self.persons)
    }
}

/// The code of a text that is likely the one of the row before.
fn intern_again(before: Option<&u32>, text: &str, texts: &mut Texts) -> u32 {
    match before {
        Some(&code) if code != Texts::NONE && texts.get(code) == text => code,
        _ => texts.intern(text),
    }
}

impl Changes {
    fn push(&mut self, person: u64, time: i64, source: u32, id: &str, cell: &Cell) {
        self.persons.push(person);
        Arc::make_mut(&mut self.rows.history).push((ordinal_of(person), time));
        Arc::make_mut(&mut self.rows.sources).push(source);
        Arc::make_mut(&mut self.rows.ids).push(id.as_bytes());
        Arc::make_mut(&mut self.rows.changes).push(cell);
    }
}
