//! A small world as plain rows, and its conversion to a version of the index.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::index::columns::texts::Texts;
use crate::index::history::History;
use crate::index::partitioning::EventKey;
use crate::index::summaries::firsts::FirstInstants;
use crate::index::summaries::learned::LearnedValues;
use crate::index::summaries::totals::Totals;
use crate::index::view::{
    Arrival, Attribute, ChangeRun, Column, Details, Epoch, EventRun, Events, Items, Latest, Origins, Partition, Scalar,
    Unit, Values, Version,
};
use crate::proto::schema::{Catalog, CatalogKind, EventType, Field, Schema, Type};

/// A value of an attribute or a property.
#[derive(Clone, Debug, PartialEq)]
pub enum Val {
    Bool(bool),
    /// A number in millionths.
    Num(i64),
    Text(String),
    Instant(i64),
    Date(i32),
    MonthDay(u16),
    Set(BTreeSet<String>),
    Map(BTreeMap<String, Val>),
    Point([f64; 2]),
}

#[derive(Clone, Debug)]
pub struct Event {
    /// The event type.
    pub kind: &'static str,
    pub time: i64,
    pub source: &'static str,
    pub id: String,
    pub channel: Option<&'static str>,
    pub properties: BTreeMap<&'static str, Val>,
    /// The number of the run that stores the event.
    pub run: usize,
}

#[derive(Clone, Debug)]
pub struct Person {
    pub partition: u32,
    pub ordinal: u32,
    /// The time of the first record, in ms.
    pub first_record: i64,
    /// The changes (occurred_at, value) of each attribute, in order of (occurred_at, source, id).
    pub changes: BTreeMap<&'static str, Vec<(i64, Option<Val>)>>,
    pub events: Vec<Event>,
}

impl Person {
    pub fn id(&self) -> u64 {
        u64::from(self.partition) << 32 | u64::from(self.ordinal)
    }
}

#[derive(Clone, Debug, Default)]
pub struct World {
    pub people: Vec<Person>,
    /// The items of the catalog `product`: the attributes of each key.
    pub products: BTreeMap<&'static str, BTreeMap<&'static str, Val>>,
}

pub const ATTRIBUTES: [(&str, Type); 9] = [
    ("vip", Type::Bool),
    ("balance", Type::Money),
    ("city", Type::Text),
    ("signup", Type::Instant),
    ("born", Type::Date),
    ("birthday", Type::MonthDay),
    ("tags", Type::Set),
    ("survey", Type::Map),
    ("home", Type::Point),
];
pub const PROPERTIES: [(&str, Type); 6] = [
    ("amount", Type::Money),
    ("product", Type::Text),
    ("gift", Type::Bool),
    ("due", Type::Instant),
    ("day", Type::Date),
    ("labels", Type::Set),
];
/// The attributes of the items of the catalog `product`.
pub const ITEM: [(&str, Type); 4] = [
    ("category", Type::Enum),
    ("price", Type::Money),
    ("labels", Type::Set),
    ("launched", Type::Date),
];
/// The event types; both have all properties, and only `order` counts as seen.
pub const TYPES: [&str; 2] = ["order", "scan"];

fn fields(types: &[(&str, Type)]) -> BTreeMap<String, Field> {
    let field = |&(name, kind): &(&str, Type)| Field {
        name: name.into(),
        kind,
        currency: String::new(),
        values: Vec::new(),
        ordered: false,
        aliases: Vec::new(),
        reference: String::new(),
    };
    types.iter().map(|named| (named.0.to_string(), field(named))).collect()
}

/// Returns the schema of all worlds.
pub fn schema() -> Schema {
    let event = |name: &str| EventType {
        name: name.into(),
        properties: fields(&PROPERTIES),
        counts_as_seen: name == "order",
        aliases: Vec::new(),
    };
    let product = Catalog {
        name: "product".into(),
        kind: CatalogKind::Goods,
        attributes: fields(&ITEM),
        aliases: Vec::new(),
    };
    Schema {
        event_types: TYPES.map(|name| (name.to_string(), event(name))).into(),
        attributes: fields(&ATTRIBUTES),
        catalogs: [("product".to_string(), product)].into(),
        settings: None,
    }
}

fn scalar(val: &Val, texts: &mut Texts) -> Scalar {
    match val {
        Val::Bool(value) => Scalar::Bool(*value),
        Val::Num(value) => Scalar::Number(*value),
        Val::Text(text) => Scalar::Text(texts.intern(text)),
        Val::Instant(ms) => Scalar::Instant(*ms),
        Val::Date(days) => Scalar::Date(*days),
        Val::MonthDay(day) => Scalar::MonthDay(*day),
        Val::Point(point) => Scalar::Point(*point),
        Val::Set(_) | Val::Map(_) => panic!("{val:?} is not a scalar"),
    }
}

/// Encodes a column. Rows without a value hold a filler that must not be read.
fn values(kind: Type, rows: &[Option<Val>], texts: &mut Texts) -> Values {
    let mut known = vec![0u64; rows.len().div_ceil(64)];
    for (row, _) in rows.iter().enumerate().filter(|(_, value)| value.is_some()) {
        known[row / 64] |= 1 << (row % 64);
    }
    macro_rules! filled {
        ($variant:ident, $filler:expr) => {
            rows.iter().map(|row| match row {
                Some(Val::$variant(value)) => *value,
                _ => $filler,
            })
        };
    }
    macro_rules! ints {
        ($unit:ident, $variant:ident, $filler:expr) => {
            Column::Ints(Unit::$unit, filled!($variant, $filler).map(i64::from).collect())
        };
    }
    macro_rules! plain {
        ($column:ident, $variant:ident, $filler:expr) => {
            Column::$column(filled!($variant, $filler).collect())
        };
    }
    let data = match kind {
        Type::Bool => plain!(Bool, Bool, true),
        Type::Number | Type::Money => ints!(Millionths, Num, 77),
        Type::Instant => ints!(Instant, Instant, 77),
        Type::Date => ints!(Date, Date, 77),
        Type::MonthDay => ints!(MonthDay, MonthDay, 101),
        Type::Point => plain!(Point, Point, [1.0, 2.0]),
        Type::Text | Type::Enum => {
            let mut code = |row: &Option<Val>| match row {
                Some(Val::Text(text)) => texts.intern(text),
                _ => Texts::NONE,
            };
            Column::Ints(Unit::Code, rows.iter().map(|row| i64::from(code(row))).collect())
        }
        Type::Set => {
            let (mut ends, mut codes) = (Vec::new(), Vec::new());
            for row in rows {
                if let Some(Val::Set(set)) = row {
                    let mut row: Vec<u32> = set.iter().map(|text| texts.intern(text)).collect();
                    row.sort_unstable();
                    codes.extend(row);
                }
                ends.push(codes.len() as u32);
            }
            Column::Set {
                ends: ends.into(),
                codes: codes.into(),
            }
        }
        Type::Map => {
            let (mut ends, mut entries) = (Vec::new(), Vec::new());
            for row in rows {
                if let Some(Val::Map(map)) = row {
                    let entry = |(key, value): (&String, &Val)| (texts.intern(key), scalar(value, texts));
                    let mut row: Vec<(u32, Scalar)> = map.iter().map(entry).collect();
                    row.sort_unstable_by_key(|entry| entry.0);
                    entries.extend(row);
                }
                ends.push(entries.len() as u32);
            }
            Column::Map {
                ends: ends.into(),
                entries,
            }
        }
    };
    Values {
        known: known.into(),
        data,
    }
}

fn attribute(people: &[&Person], name: &str, kind: Type, texts: &mut Texts) -> Attribute {
    let mut runs: BTreeMap<usize, ChangeRows> = BTreeMap::new();
    let mut latest: Vec<Option<Val>> = Vec::new();
    let mut changed_until_ms = i64::MIN;
    for person in people {
        for (number, (occurred_at, value)) in person.changes.get(name).into_iter().flatten().enumerate() {
            // A later change of a person can be in an earlier run.
            let run = (person.ordinal as usize + number) % 6 / 2;
            let (keys, changes, origins) = runs.entry(run).or_default();
            keys.push((person.ordinal, *occurred_at));
            changes.push(value.clone());
            origins.push(
                texts.intern(["app", "till", "web"][number.min(2)]),
                &number.to_string(),
                Arrival::default(),
            );
            latest.resize(latest.len().max(person.ordinal as usize + 1), None);
            latest[person.ordinal as usize] = value.clone();
            changed_until_ms = changed_until_ms.max(*occurred_at);
        }
    }
    let latest = Latest {
        values: Arc::new(values(kind, &latest, texts)),
        changed_until_ms,
    };
    let run = |(keys, changes, origins): ChangeRows| ChangeRun::of(&keys, values(kind, &changes, texts), origins);
    Attribute {
        latest: vec![latest],
        runs: runs.into_values().map(run).map(Arc::new).collect(),
    }
}

/// The rows of a run of changes: person and time, value, and origin.
type ChangeRows = (Vec<(u32, i64)>, Vec<Option<Val>>, Origins);

/// Builds a run of events of one type.
fn run(mut rows: Vec<EventRow>, texts: &mut Texts) -> EventRun {
    let key = |(person, event): &EventRow| EventKey::new(*person, event.time);
    rows.sort_by_key(|row| (key(row), row.1.source, row.1.id.clone()));
    let mut details = Details::default();
    for (_, event) in &rows {
        details
            .origins
            .push(texts.intern(event.source), &event.id, Arrival::default());
    }
    let channel = |(_, event): &EventRow| event.channel.map(|channel| Val::Text(channel.into()));
    details.channels = values(Type::Text, &rows.iter().map(channel).collect::<Vec<_>>(), texts);
    for (name, kind) in PROPERTIES {
        let column: Vec<Option<Val>> = rows
            .iter()
            .map(|(_, event)| event.properties.get(name).cloned())
            .collect();
        if column.iter().any(Option::is_some) {
            details
                .properties
                .insert(name.to_string(), values(kind, &column, texts));
        }
    }
    EventRun::of(rows.iter().map(key), details)
}

/// The ordinal of a person and an event of theirs.
type EventRow<'w> = (u32, &'w Event);

fn partition(number: u32, people: &[&Person], texts: &mut Texts) -> Partition {
    let size = people.iter().map(|person| person.ordinal + 1).max().unwrap_or(0);
    let mut first_record = FirstInstants::default();
    let mut channels: BTreeMap<u32, FirstInstants> = BTreeMap::new();
    let mut event_rows: BTreeMap<(&str, usize), Vec<EventRow>> = BTreeMap::new();
    for person in people {
        first_record.note(person.ordinal, person.first_record);
        for event in &person.events {
            event_rows
                .entry((event.kind, event.run))
                .or_default()
                .push((person.ordinal, event));
            if let (Some(channel), "order") = (event.channel, event.kind) {
                let firsts = channels.entry(texts.intern(channel)).or_default();
                firsts.note(person.ordinal, event.time);
            }
        }
    }
    let mut events: HashMap<String, Events> = HashMap::new();
    for ((kind, _), rows) in event_rows {
        let run = Arc::new(run(rows, texts));
        let events = events.entry(kind.to_string()).or_default();
        for key in run.keys() {
            events.spans.widen(key);
        }
        events.runs.push(run);
    }
    for events in events.values_mut() {
        // The totals cover some of the runs, as they do after a fold.
        let covered = people.len() % (events.runs.len() + 1);
        events.totals = Arc::new(Totals::default().extended(&events.runs[..covered]).unwrap());
    }
    let attributes = ATTRIBUTES
        .iter()
        .map(|(name, kind)| (name.to_string(), Arc::new(attribute(people, name, *kind, texts))));
    Partition {
        people: size,
        first_record,
        attributes: attributes.collect(),
        channels,
        events: events
            .into_iter()
            .map(|(kind, events)| (kind, Arc::new(events)))
            .collect(),
        ..Partition::new(number)
    }
}

impl World {
    /// Returns the version of the index that a fold of this world would publish.
    pub fn version(&self) -> Version {
        let mut texts = Texts::default();
        // The order of the codes differs from that of the texts, so that an order by code is detected.
        for text in ["web", "pos", "app", "till"] {
            texts.intern(text);
        }
        let mut by_partition: BTreeMap<u32, Vec<&Person>> = BTreeMap::new();
        for person in &self.people {
            by_partition.entry(person.partition).or_default().push(person);
        }
        let mut partitions = BTreeMap::new();
        for (number, mut people) in by_partition {
            people.sort_by_key(|person| person.ordinal);
            partitions.insert(number, Arc::new(partition(number, &people, &mut texts)));
        }
        let mut items = Items::default();
        for (row, key) in self.products.keys().enumerate() {
            items.rows.insert(texts.intern(key), row as u32);
        }
        for (name, kind) in ITEM {
            let column: Vec<Option<Val>> = self.products.values().map(|item| item.get(name).cloned()).collect();
            items
                .attributes
                .insert(name.to_string(), values(kind, &column, &mut texts));
        }
        let events = self.people.iter().flat_map(|person| &person.events);
        Version {
            epoch: Epoch::default(),
            schema: Arc::new(schema()),
            texts,
            partitions,
            catalogs: [("product".to_string(), Arc::new(items))].into(),
            learned: LearnedValues::default(),
            history: History::default(),
            erased: Arc::default(),
            earliest_ms: events.map(|event| event.time).min(),
        }
    }
}
