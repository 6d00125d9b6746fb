//! New rows of one event type or attribute, column by column in order of arrival.

use std::collections::BTreeMap;

use crate::index::columns::cells::Cell;
use crate::index::columns::origins::Arrival;
use crate::index::columns::texts::Texts;
use crate::index::view::{Details, Origins, Scalar, Values};
use crate::proto::record::{Entries, Event, Value};
use crate::proto::schema::{EventType, Field, Type};

/// New events of one type.
#[derive(Default)]
pub struct NewEvents {
    pub persons: Vec<u64>,
    pub times: Vec<i64>,
    /// Details of the events; properties are kept in `columns` until `finish`.
    pub details: Details,
    columns: Vec<PropertyColumn>,
    last_channel: LastText,
    last_source: LastText,
}

/// The new values of one property.
struct PropertyColumn {
    name: String,
    kind: Type,
    values: Values,
}

/// New changes of one attribute, in order of arrival.
pub struct NewChanges {
    persons: Vec<u64>,
    times: Vec<i64>,
    pub values: Values,
    pub origins: Origins,
}

impl NewEvents {
    /// Appends an event. `time` is in ms since the epoch.
    pub fn push(
        &mut self,
        person: u64,
        time: i64,
        arrival: Arrival,
        event: &Event<'_>,
        kind: &EventType,
        texts: &mut Texts,
    ) {
        let details = &mut self.details;
        details.channels.push(&match event.channel {
            "" => Cell::Unknown,
            channel => Cell::One(Scalar::Text(self.last_channel.intern(channel, texts))),
        });
        let source = self.last_source.intern(event.source, texts);
        details.origins.push(source, event.id, arrival);
        self.persons.push(person);
        self.times.push(time);
        self.add_properties(&event.properties, &kind.properties, texts);
    }

    /// Appends the properties of the event that was just pushed.
    fn add_properties(&mut self, entries: &Entries<'_>, declared: &BTreeMap<String, Field>, texts: &mut Texts) {
        let row = self.persons.len() - 1;
        // Events of one type mostly list their properties in the same order, so the next column is tried first.
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
                column.values.push(&cell);
            }
        }
    }

    /// Finds or creates the column of a property, trying position `likely` first; `None` for an undeclared property.
    fn column(&mut self, name: &str, likely: usize, declared: &BTreeMap<String, Field>) -> Option<usize> {
        if self.columns.get(likely).is_some_and(|column| column.name == name) {
            return Some(likely);
        }
        let found = self.columns.iter().position(|column| column.name == name);
        if found.is_some() {
            return found;
        }
        let kind = declared.get(name)?.kind;
        self.columns.push(PropertyColumn {
            name: name.to_owned(),
            kind,
            values: Values::of_type(kind),
        });
        Some(self.columns.len() - 1)
    }

    /// Completes the property columns and moves them into the details.
    pub fn finish(mut self) -> NewEvents {
        for mut column in std::mem::take(&mut self.columns) {
            column.values.pad(self.persons.len());
            self.details.properties.insert(column.name, column.values);
        }
        self
    }
}

/// Remembers the previous text and its code, because the next text is often the same.
#[derive(Default)]
struct LastText(Option<u32>);

impl LastText {
    fn intern(&mut self, text: &str, texts: &mut Texts) -> u32 {
        match self.0 {
            Some(code) if texts.get(code) == text => code,
            _ => *self.0.insert(texts.intern(text)),
        }
    }
}

impl NewChanges {
    /// Creates an empty column for a declared type.
    pub fn of_type(kind: Type) -> NewChanges {
        NewChanges {
            persons: Vec::new(),
            times: Vec::new(),
            values: Values::of_type(kind),
            origins: Origins::default(),
        }
    }

    /// Appends a change; the caller appends its origin.
    pub fn push(&mut self, person: u64, time: i64, cell: &Cell) {
        self.persons.push(person);
        self.times.push(time);
        self.values.push(cell);
    }

    /// Iterates over (row, person, occurred_at, arrival).
    pub fn rows(&self) -> impl Iterator<Item = (usize, u64, i64, i64)> {
        let rows = self.persons.iter().zip(&self.times).zip(self.origins.arrivals.iter());
        rows.enumerate()
            .map(|(row, ((&person, &time), arrival))| (row, person, time, arrival))
    }
}
