//! What events and updates say, and what a naive reader makes of a history.

use std::collections::BTreeMap;

use super::encoded::Sent;
use super::random_history::{Deed, grouped, note, resolve};
use crate::index::view::DAY_MS;
use crate::proto::frame::Change;
use crate::proto::record::Value;
use crate::proto::schema::{Catalog, CatalogKind, EventType, Field, Schema, Type};

pub fn declared(visits_are_seen: bool) -> Schema {
    let fields = |fields: &[(&str, Type)]| {
        fields
            .iter()
            .map(|&(name, kind)| (name.to_owned(), field(name, kind)))
            .collect()
    };
    let properties = [
        ("amount", Type::Money),
        ("item", Type::Enum),
        ("gift", Type::Bool),
        ("tags", Type::Set),
    ];
    let event_type = |name: &str, counts_as_seen| EventType {
        name: name.into(),
        properties: fields(&properties),
        counts_as_seen,
        aliases: vec![],
    };
    let goods = Catalog {
        name: "goods".into(),
        kind: CatalogKind::Goods,
        attributes: fields(&[("brand", Type::Enum), ("labels", Type::Set), ("price", Type::Money)]),
        aliases: vec![],
    };
    Schema {
        event_types: [event_type("order", true), event_type("visit", visits_are_seen)]
            .map(|e| (e.name.clone(), e))
            .into(),
        attributes: fields(&ATTRIBUTES),
        catalogs: [("goods".to_owned(), goods)].into(),
        settings: None,
    }
}

pub fn field(name: &str, kind: Type) -> Field {
    Field {
        name: name.into(),
        kind,
        currency: if kind == Type::Money {
            "CNY".into()
        } else {
            String::new()
        },
        values: vec![],
        ordered: false,
        aliases: vec![],
        reference: String::new(),
    }
}

pub const ATTRIBUTES: [(&str, Type); 9] = [
    ("active", Type::Bool),
    ("birthday", Type::MonthDay),
    ("born", Type::Date),
    ("city", Type::Text),
    ("home", Type::Point),
    ("joined", Type::Instant),
    ("likes", Type::Set),
    ("points", Type::Number),
    ("survey", Type::Map),
];

#[derive(Clone, Debug)]
pub struct Row {
    pub source: String,
    pub id: String,
    pub kind: &'static str,
    pub time: Option<i64>,
    pub channel: &'static str,
    pub values: Vec<(&'static str, Value<'static>)>,
}

impl Row {
    pub fn sent(&self) -> Sent<'_> {
        let Row {
            source,
            id,
            kind,
            time,
            channel,
            values,
        } = self;
        Sent {
            source,
            id,
            kind,
            time: *time,
            channel,
            values,
        }
    }
}

const TIMES: [i64; 9] = [
    -3 * DAY_MS - 1,
    -1,
    0,
    1,
    DAY_MS - 1,
    DAY_MS,
    2 * DAY_MS + 7,
    9 * DAY_MS,
    40 * DAY_MS,
];

pub fn event_of(key: u32) -> Row {
    let amounts = ["12.5", "-3", "0"];
    let items = ["tea", "茶", "ｔｅａ", "cake"];
    let mut values = Vec::new();
    if !key.is_multiple_of(4) {
        values.push(("amount", Value::Decimal(amounts[key as usize % 3])));
    }
    if !key.is_multiple_of(3) {
        values.push(("item", Value::Text(items[key as usize % 4])));
    }
    if key.is_multiple_of(7) {
        values.push(("gift", Value::Flag(key.is_multiple_of(2))));
        values.push(("tags", Value::Set(vec!["b", "a", "b"])));
    }
    if key.is_multiple_of(2) {
        values.reverse();
    }
    Row {
        // Codes are given in order of arrival, texts are ordered otherwise.
        source: ["till", "app", "web"][key as usize % 3].into(),
        id: format!("{}", key / 3),
        kind: if key % 5 < 3 { "order" } else { "visit" },
        time: Some(TIMES[key as usize % TIMES.len()]),
        channel: ["", "pos", "mini"][key as usize / 2 % 3],
        values,
    }
}

pub fn profile_of(key: u32) -> Row {
    let all = [
        ("active", Value::Flag(key.is_multiple_of(2))),
        ("birthday", Value::Date("02-29")),
        ("born", Value::Date(["1999-12-31", "2000-02-29"][key as usize % 2])),
        ("city", Value::Text(["上海", "Köln"][key as usize % 2])),
        ("home", Value::Point([31.2, 121.5])),
        ("joined", Value::Instant(TIMES[key as usize % 9])),
        (
            "likes",
            Value::Set([vec![], vec!["tea", "cake"]][key as usize % 2].clone()),
        ),
        ("points", Value::Decimal(["7", "0.000001"][key as usize % 2])),
        (
            "survey",
            Value::Map(vec![("size", Value::Text("l")), ("fit", Value::Flag(true))]),
        ),
    ];
    // Some updates say nothing but that there is somebody.
    let chosen = all
        .into_iter()
        .enumerate()
        .filter(|(i, _)| !key.is_multiple_of(7) && (key as usize + i).is_multiple_of(3));
    let values = chosen.map(|(i, (name, value))| {
        (
            name,
            if (key as usize + i).is_multiple_of(4) {
                Value::Cleared
            } else {
                value
            },
        )
    });
    Row {
        source: ["crm", "app"][key as usize % 2].into(),
        id: format!("{}", key / 2),
        kind: "",
        time: (!key.is_multiple_of(5)).then_some(TIMES[key as usize % 9]),
        channel: "",
        values: values.collect(),
    }
}

pub fn item_of(key: u32) -> (&'static str, Vec<(&'static str, Value<'static>)>) {
    let mut values = Vec::new();
    if key.is_multiple_of(2) {
        values.push(("brand", Value::Text(["a", "b"][key as usize % 4 / 2])));
    }
    if key.is_multiple_of(3) {
        values.push((
            "price",
            if key.is_multiple_of(9) {
                Value::Cleared
            } else {
                Value::Decimal("5")
            },
        ));
    }
    if key.is_multiple_of(5) {
        values.push(("labels", Value::Set(vec!["new", "hot"])));
    }
    (["tea", "cake", "bun"][key as usize % 3], values)
}

/// What a naive reader knows at the end.
#[derive(Default)]
pub struct Model {
    pub people: BTreeMap<u64, Person>,
    pub items: BTreeMap<&'static str, BTreeMap<&'static str, Value<'static>>>,
    pub visits_are_seen: bool,
}

/// Rows in order of (time, source, id, type), with the nodes that they came by.
#[derive(Default)]
pub struct Person {
    pub events: Vec<(Row, u32)>,
    pub changes: Vec<(Row, u32)>,
}

impl Model {
    /// Of deeds in frames of up to `size`.
    pub fn of(deeds: &[Deed], size: usize) -> Model {
        let mut model = Model::default();
        let mut aliases = BTreeMap::new();
        for deeds in grouped(deeds, size) {
            for deed in deeds {
                if let Deed::Change(change) = deed {
                    note(&mut aliases, change);
                    model.change(change);
                }
            }
            deeds.iter().for_each(|deed| model.take(deed, &aliases));
        }
        model
    }

    fn change(&mut self, change: &Change) {
        match change {
            Change::Created { person } => drop(self.people.insert(*person, Person::default())),
            Change::Merged { winner, loser } => {
                let lost = self.people.remove(loser).unwrap_or_default();
                let winner = self.people.entry(*winner).or_default();
                lost.events
                    .into_iter()
                    .for_each(|(row, node)| winner.add_event(row, node));
                lost.changes
                    .into_iter()
                    .for_each(|(row, node)| winner.add_change(row, node));
            }
            Change::Split(split) => {
                let from = self.people.entry(split.from).or_default();
                let leaves = |(_, node): &(Row, u32)| split.nodes.contains(node);
                let (events, kept) = std::mem::take(&mut from.events).into_iter().partition(leaves);
                from.events = kept;
                let (changes, kept) = std::mem::take(&mut from.changes).into_iter().partition(leaves);
                from.changes = kept;
                self.people.insert(split.to, Person { events, changes });
            }
            Change::Erased { .. } => {}
        }
    }

    fn take(&mut self, deed: &Deed, aliases: &BTreeMap<u64, u64>) {
        match *deed {
            Deed::Event(person, key, node) => self.person(aliases, person).add_event(event_of(key), node),
            Deed::Profile(person, key, node) => self.person(aliases, person).add_change(profile_of(key), node),
            Deed::Item(key) => {
                let (item, values) = item_of(key);
                let known = self.items.entry(item).or_default();
                for (name, value) in values {
                    known.insert(name, value);
                }
            }
            Deed::Declare(seen) => self.visits_are_seen = seen,
            Deed::Change(_) => {}
        }
    }

    fn person(&mut self, aliases: &BTreeMap<u64, u64>, person: u64) -> &mut Person {
        self.people.entry(resolve(aliases, person)).or_default()
    }

    pub fn is_seen(&self, row: &Row) -> bool {
        row.kind == "order" || self.visits_are_seen
    }
}

fn key_of(row: &Row) -> (i64, &str, &str, &str) {
    (row.time.unwrap_or(i64::MIN), &row.source, &row.id, row.kind)
}

/// Of two copies the first stays.
fn add(rows: &mut Vec<(Row, u32)>, row: Row, node: u32) {
    match rows.binary_search_by(|(held, _)| key_of(held).cmp(&key_of(&row))) {
        Ok(_) => {}
        Err(at) => rows.insert(at, (row, node)),
    }
}

impl Person {
    fn add_event(&mut self, row: Row, node: u32) {
        add(&mut self.events, row, node);
    }

    fn add_change(&mut self, row: Row, node: u32) {
        // What changes nothing only says that there is somebody, each time.
        if row.values.is_empty() {
            self.changes.push((row, node));
            self.changes
                .sort_by(|(one, _), (other, _)| key_of(one).cmp(&key_of(other)));
        } else {
            add(&mut self.changes, row, node);
        }
    }

    pub fn events(&self) -> impl DoubleEndedIterator<Item = &Row> {
        self.events.iter().map(|(row, _)| row)
    }

    pub fn first_record(&self) -> i64 {
        let rows = self.events.iter().chain(&self.changes);
        rows.map(|(row, _)| row.time.unwrap_or(i64::MIN))
            .min()
            .unwrap_or(i64::MAX)
    }

    pub fn attributes(&self, as_of: i64) -> BTreeMap<&'static str, Value<'static>> {
        let mut known = BTreeMap::new();
        for row in self
            .changes
            .iter()
            .map(|(row, _)| row)
            .filter(|row| row.time.is_none_or(|time| time < as_of))
        {
            for (name, value) in &row.values {
                known.insert(*name, value.clone());
            }
        }
        known.retain(|_, value| *value != Value::Cleared);
        known
    }
}
