//! Random histories, the frames they travel in, and what a naive reader makes of them.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::send::{self, Sent};
use crate::frame::{Change, IdentityChange};
use crate::index::view::{DAY_MS, person_of};
use crate::record::Value;
use crate::schema::{Catalog, CatalogKind, EventType, Field, Schema, Type};

/// One thing that happens. People are numbers into those still there; a key decides everything else an event or update says, so
/// that equal keys are copies.
#[derive(Clone, Debug)]
pub enum Step {
    Create(u32),
    Merge(usize, usize),
    Event(usize, u32),
    Profile(usize, u32),
    Item(u32),
    /// Declares whether visits count as seen.
    Declare(bool),
}

pub fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => (1..4u32).prop_map(Step::Create),
        2 => any::<(usize, usize)>().prop_map(|(winner, loser)| Step::Merge(winner, loser)),
        12 => (any::<usize>(), 0..60u32).prop_map(|(person, key)| Step::Event(person, key)),
        6 => (any::<usize>(), 0..40u32).prop_map(|(person, key)| Step::Profile(person, key)),
        3 => (0..30u32).prop_map(Step::Item),
        1 => any::<bool>().prop_map(Step::Declare),
    ];
    prop::collection::vec(step, 1..150)
}

/// Steps with their people decided.
#[derive(Clone, Debug)]
pub enum Deed {
    Change(Change),
    Event(u64, u32),
    Profile(u64, u32),
    Item(u32),
    Declare(bool),
}

pub fn decide(steps: &[Step]) -> Vec<Deed> {
    let (mut people, mut created): (Vec<u64>, BTreeMap<u32, u32>) = (Vec::new(), BTreeMap::new());
    let mut deeds = vec![Deed::Declare(true)];
    for step in steps {
        let pick = |people: &[u64], at: usize| people[at % people.len()];
        match *step {
            Step::Create(partition) => {
                let ordinal = created.entry(partition).or_default();
                let person = person_of(partition, *ordinal);
                *ordinal += 1;
                people.push(person);
                deeds.push(Deed::Change(Change::Created { person }));
            }
            Step::Merge(winner, loser) if people.len() > 1 => {
                let loser = people.remove(loser % people.len());
                deeds.push(Deed::Change(Change::Merged {
                    winner: pick(&people, winner),
                    loser,
                }));
            }
            Step::Event(person, key) if !people.is_empty() => deeds.push(Deed::Event(pick(&people, person), key)),
            Step::Profile(person, key) if !people.is_empty() => deeds.push(Deed::Profile(pick(&people, person), key)),
            Step::Item(key) => deeds.push(Deed::Item(key)),
            Step::Declare(seen) => deeds.push(Deed::Declare(seen)),
            _ => {}
        }
    }
    deeds
}

/// The deeds as frames of up to `size` of them; what a frame is about is told as identity would: after all its changes.
pub fn frames(deeds: &[Deed], size: usize) -> Vec<Vec<u8>> {
    let mut aliases = BTreeMap::new();
    let mut frames = Vec::new();
    let mut sequence = 0;
    for deeds in deeds.chunks(size) {
        let mut changes = Vec::new();
        let mut schema = None;
        for deed in deeds {
            match *deed {
                Deed::Change(ref change) => {
                    sequence += 1;
                    let change = change.clone();
                    changes.push(IdentityChange {
                        sequence,
                        change: change.clone(),
                    });
                    if let Change::Merged { winner, loser } = change {
                        aliases.insert(loser, winner);
                    }
                }
                Deed::Declare(seen) => schema = Some(declared(seen).encode()),
                _ => {}
            }
        }
        let records: Vec<(u64, Vec<u8>)> = deeds.iter().filter_map(|deed| record(deed, &aliases)).collect();
        frames.push(send::frame(frames.len() as u64, changes, &records, schema.as_deref()));
    }
    frames
}

pub fn record(deed: &Deed, aliases: &BTreeMap<u64, u64>) -> Option<(u64, Vec<u8>)> {
    match *deed {
        Deed::Event(person, key) => Some((resolve(aliases, person), send::event(&event_of(key).sent()))),
        Deed::Profile(person, key) => Some((resolve(aliases, person), send::profile(&profile_of(key).sent()))),
        Deed::Item(key) => {
            let (item, values) = item_of(key);
            Some((0, send::item("goods", item, &values)))
        }
        _ => None,
    }
}

pub fn resolve(aliases: &BTreeMap<u64, u64>, person: u64) -> u64 {
    aliases.get(&person).map_or(person, |&winner| resolve(aliases, winner))
}

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
    fn sent(&self) -> Sent<'_> {
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

fn event_of(key: u32) -> Row {
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

fn profile_of(key: u32) -> Row {
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

fn item_of(key: u32) -> (&'static str, Vec<(&'static str, Value<'static>)>) {
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

/// Rows in order of (time, source, id, type), each once.
#[derive(Default)]
pub struct Person {
    pub events: Vec<Row>,
    pub changes: Vec<Row>,
}

impl Model {
    pub fn of(deeds: &[Deed]) -> Model {
        let mut model = Model::default();
        let mut aliases = BTreeMap::new();
        let mut losers = BTreeSet::new();
        for deed in deeds {
            if let Deed::Change(Change::Merged { winner, loser }) = *deed {
                aliases.insert(loser, winner);
                losers.insert(loser);
            }
        }
        for deed in deeds {
            match *deed {
                Deed::Change(Change::Created { person }) if !losers.contains(&person) => {
                    model.people.entry(person).or_default();
                }
                Deed::Event(person, key) => model.person(&aliases, person).events.push(event_of(key)),
                Deed::Profile(person, key) => model.person(&aliases, person).changes.push(profile_of(key)),
                Deed::Item(key) => {
                    let (item, values) = item_of(key);
                    let known = model.items.entry(item).or_default();
                    for (name, value) in values {
                        known.insert(name, value);
                    }
                }
                Deed::Declare(seen) => model.visits_are_seen = seen,
                _ => {}
            }
        }
        for person in model.people.values_mut() {
            person.events = sorted(std::mem::take(&mut person.events));
            person.changes = sorted(std::mem::take(&mut person.changes));
        }
        model
    }

    fn person(&mut self, aliases: &BTreeMap<u64, u64>, person: u64) -> &mut Person {
        self.people.entry(resolve(aliases, person)).or_default()
    }

    pub fn is_seen(&self, row: &Row) -> bool {
        row.kind == "order" || self.visits_are_seen
    }
}

fn sorted(mut rows: Vec<Row>) -> Vec<Row> {
    let key = |row: &Row| {
        (
            row.time.unwrap_or(i64::MIN),
            row.source.clone(),
            row.id.clone(),
            row.kind,
        )
    };
    rows.sort_by_key(key);
    rows.dedup_by_key(|row| key(row));
    rows
}

impl Person {
    pub fn first_record(&self) -> i64 {
        let rows = self.events.iter().chain(&self.changes);
        rows.map(|row| row.time.unwrap_or(i64::MIN)).min().unwrap_or(i64::MAX)
    }

    pub fn attributes(&self, as_of: i64) -> BTreeMap<&'static str, Value<'static>> {
        let mut known = BTreeMap::new();
        for row in self
            .changes
            .iter()
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
