//! Queries with a past as-of instant and a past known-at offset.
//!
//! The records of a random world arrive in random order, and people are merged along the way. An answer at an offset must equal that of the
//! oracle for the records up to it.

use std::collections::BTreeMap;
use std::path::Path;

use proptest::prelude::*;
use tempfile::tempdir;

use super::properties::check_plan;
use super::random::{Random, plan, world};
use super::world::{ATTRIBUTES, Event, Person, Val, World, schema};
use crate::index::Index;
use crate::index::partitioning::{DAY_MS, ordinal_of, partition_of, person_of};
use crate::index::tests::fixtures::encoded::{self, RecordFields};
use crate::index::tests::fixtures::folding::fold;
use crate::proto::frame::{Change, IdentityChange};
use crate::proto::record::Value;
use crate::proto::schema::Type;

/// An entry of the log about a person of the world, who is two people in the index until they are merged.
#[derive(Clone, Copy)]
enum Fact<'w> {
    Merge,
    Event(&'w Event),
    Update(Update<'w>),
}

/// A change of an attribute.
#[derive(Clone, Copy)]
struct Update<'w> {
    attribute: &'static str,
    time: i64,
    /// The number of the change among those of the person and attribute.
    number: usize,
    value: Option<&'w Val>,
}

/// A person of the world, and one of the two people of the index (0 or 1).
type Side = (usize, usize);

/// The state after a prefix of the log.
#[derive(Default)]
struct State<'w> {
    ids: BTreeMap<Side, u64>,
    people: BTreeMap<u64, Vec<Fact<'w>>>,
    /// The next ordinal of each partition.
    next_ordinal: BTreeMap<u32, u32>,
    /// The winner of each loser.
    merges: BTreeMap<u64, u64>,
}

impl<'w> State<'w> {
    /// Creates and merges the people of a fact; returns these identity changes.
    fn identify(&mut self, random: &mut Random, (person, side): Side, fact: &Fact<'w>) -> Vec<Change> {
        let sides = if matches!(fact, Fact::Merge) {
            vec![0, 1]
        } else {
            vec![side]
        };
        let mut changes = Vec::new();
        for side in sides {
            if !self.ids.contains_key(&(person, side)) {
                let partition = random.pick(&[1, 2, 7]);
                let ordinal = self.next_ordinal.entry(partition).or_default();
                let id = person_of(partition, *ordinal);
                *ordinal += 1;
                self.ids.insert((person, side), id);
                self.people.insert(id, Vec::new());
                changes.push(Change::Created { person: id });
            }
        }
        if let Fact::Merge = fact {
            let (winner, loser) = (self.ids[&(person, side)], self.ids[&(person, 1 - side)]);
            let facts = self.people.remove(&loser).unwrap();
            self.people.get_mut(&winner).unwrap().extend(facts);
            self.ids.insert((person, 1 - side), winner);
            self.merges.insert(loser, winner);
            changes.push(Change::Merged { winner, loser });
        }
        changes
    }

    /// Returns the people of this state, and all products, which exist from the start.
    fn world(&self, products: &World) -> World {
        let people = self.people.iter().map(|(&id, facts)| person(id, facts));
        World {
            people: people.collect(),
            products: products.products.clone(),
        }
    }
}

/// Builds a person from their facts.
fn person(id: u64, facts: &[Fact]) -> Person {
    let mut person = Person {
        partition: partition_of(id),
        ordinal: ordinal_of(id),
        first_record: i64::MAX,
        changes: ATTRIBUTES.map(|(name, _)| (name, Vec::new())).into(),
        events: Vec::new(),
    };
    let mut updates: Vec<&Update> = Vec::new();
    for fact in facts {
        let time = match fact {
            Fact::Merge => continue,
            Fact::Event(event) => {
                person.events.push((*event).clone());
                event.time
            }
            Fact::Update(update) => {
                updates.push(update);
                update.time
            }
        };
        person.first_record = person.first_record.min(time);
    }
    updates.sort_by_key(|update| (update.time, update.number));
    for update in updates {
        let changes = person.changes.get_mut(update.attribute).unwrap();
        changes.push((update.time, update.value.cloned()));
    }
    person
}

/// Splits each person in two, adds a merge, and shuffles the facts of all people.
fn shuffled_facts<'w>(random: &mut Random, world: &'w World) -> Vec<(Side, Fact<'w>)> {
    let mut facts = Vec::new();
    for (person_number, person) in world.people.iter().enumerate() {
        let mut add = |fact| facts.push(((person_number, random.below(2)), fact));
        add(Fact::Merge);
        person.events.iter().map(Fact::Event).for_each(&mut add);
        for (&attribute, changes) in &person.changes {
            let updates = changes.iter().enumerate().map(|(number, (time, value))| Update {
                attribute,
                time: *time,
                number,
                value: value.as_ref(),
            });
            updates.map(Fact::Update).for_each(&mut add);
        }
    }
    facts.sort_by_cached_key(|_| random.next());
    facts
}

/// Encodes the record of a fact; a merge has none.
fn record(fact: &Fact) -> Option<Vec<u8>> {
    match fact {
        Fact::Merge => None,
        Fact::Event(event) => {
            let values: Vec<_> = event
                .properties
                .iter()
                .map(|(&name, value)| (name, record_value(value)))
                .collect();
            Some(encoded::event(&RecordFields {
                source: event.source,
                id: &event.id,
                kind: event.kind,
                time: Some(event.time),
                channel: event.channel.unwrap_or_default(),
                values: &values,
            }))
        }
        Fact::Update(update) => {
            let value = update.value.map_or(Value::Cleared, record_value);
            Some(encoded::profile(&RecordFields {
                source: "crm",
                id: &update.number.to_string(),
                kind: "",
                time: (update.time != i64::MIN).then_some(update.time),
                channel: "",
                values: &[(update.attribute, value)],
            }))
        }
    }
}

/// Converts a value of the world to a value of a record.
fn record_value(value: &Val) -> Value<'_> {
    match value {
        Val::Bool(flag) => Value::Flag(*flag),
        Val::Num(millionths) => Value::Number(*millionths as f64 / 1e6),
        Val::Text(text) => Value::Text(text),
        Val::Instant(time) => Value::Instant(*time),
        Val::Date(days) => {
            let (year, month, day) = crate::index::columns::cells::date_of(*days);
            Value::Date(format!("{year:04}-{month:02}-{day:02}").leak())
        }
        Val::MonthDay(day) => Value::Date(format!("{:02}-{:02}", day / 100, day % 100).leak()),
        Val::Set(items) => Value::Set(items.iter().map(String::as_str).collect()),
        Val::Map(entries) => Value::Map(
            entries
                .iter()
                .map(|(key, value)| (&key[..], record_value(value)))
                .collect(),
        ),
        Val::Point(point) => Value::Point(*point),
    }
}

/// Returns the frame that declares the schema and the products, which exist from the start.
fn first_frame(world: &World) -> Vec<u8> {
    let mut schema = schema();
    let event_types = schema.event_types.values_mut().map(|kind| &mut kind.properties);
    let catalogs = schema.catalogs.values_mut().map(|catalog| &mut catalog.attributes);
    for field in event_types
        .chain(catalogs)
        .chain([&mut schema.attributes])
        .flat_map(|fields| fields.values_mut())
    {
        if field.kind == Type::Money {
            field.currency = "CNY".into();
        }
    }
    let item = |(key, values): (&&str, &BTreeMap<&'static str, Val>)| {
        let values: Vec<_> = values
            .iter()
            .map(|(&name, value)| (name, record_value(value)))
            .collect();
        (0, encoded::item("product", key, &values))
    };
    let items: Vec<_> = world.products.iter().map(item).collect();
    encoded::frame(0, vec![], &items, Some(&schema.encode()))
}

/// The resolved log of a world.
struct Log {
    frames: Vec<Vec<u8>>,
    /// The world after each frame.
    worlds: Vec<World>,
    /// The winner of each loser.
    merges: BTreeMap<u64, u64>,
}

impl Log {
    /// Folds the log, `at_once` frames at a time.
    fn fold(&self, folder: &Path, at_once: usize) -> Index {
        let index = Index::open(folder).unwrap();
        fold(&index, &self.frames, at_once);
        index
    }
}

/// Writes the records of a world in random order, a few in each frame.
fn log(random: &mut Random, world: &World) -> Log {
    let facts = shuffled_facts(random, world);
    let mut state = State::default();
    let (mut frames, mut worlds) = (vec![first_frame(world)], vec![state.world(world)]);
    let mut rest = &facts[..];
    while !rest.is_empty() {
        let (facts, later) = rest.split_at(rest.len().min(1 + random.below(5)));
        rest = later;
        let mut changes = Vec::new();
        for (side, fact) in facts {
            changes.extend(state.identify(random, *side, fact));
        }
        let mut records = Vec::new();
        for (side, fact) in facts {
            if let Some(record) = record(fact) {
                let id = state.ids[side];
                state.people.get_mut(&id).unwrap().push(*fact);
                records.push((id, record));
            }
        }
        let changes = changes.into_iter().map(|change| IdentityChange { sequence: 1, change });
        frames.push(encoded::frame(frames.len() as u64, changes.collect(), &records, None));
        worlds.push(state.world(world));
    }
    Log {
        frames,
        worlds,
        merges: state.merges,
    }
}

/// Moves all instants of a world by `ms`, so that the as-of of a plan is at another point of its history.
fn shifted(mut world: World, ms: i64) -> World {
    let times = world.people.iter_mut().flat_map(|person| {
        let changes = person.changes.values_mut().flatten().map(|(time, _)| time);
        changes.chain(person.events.iter_mut().map(|event| &mut event.time))
    });
    times.filter(|time| **time != i64::MIN).for_each(|time| *time += ms);
    world
}

proptest! {
    #![proptest_config(crate::testing::cases(64))]

    #[test]
    fn answers_at_any_offset_and_instant_equal_the_oracle(
        seed in any::<u64>(), days in -15..5i64, at_once in 1..9usize, known_at in any::<prop::sample::Index>()
    ) {
        let (world, plan) = (shifted(world(seed), days * DAY_MS), plan(seed));
        let log = log(&mut Random(seed), &world);
        let folder = tempdir().unwrap();
        let index = log.fold(folder.path(), at_once);
        let known_at = known_at.index(log.frames.len());
        check_plan(&index.known_at(Some(known_at as u64 + 1)).unwrap(), &log.worlds[known_at], &plan)?;
    }

    #[test]
    fn erased_people_are_in_no_answer_at_any_offset(seed in any::<u64>(), at_once in 1..9usize, known_at in any::<prop::sample::Index>()) {
        let (world, plan) = (world(seed), plan(seed));
        let mut log = log(&mut Random(seed), &world);
        let known_at = known_at.index(log.frames.len());
        let last = log.worlds.len() - 1;
        prop_assume!(!log.worlds[last].people.is_empty());
        let person = log.worlds[last].people[seed as usize % log.worlds[last].people.len()].id();
        let change = IdentityChange { sequence: 1, change: Change::Erased { person } };
        log.frames.push(encoded::frame(log.frames.len() as u64, vec![change], &[], None));
        let folder = tempdir().unwrap();
        let index = log.fold(folder.path(), at_once);
        for world in &mut log.worlds {
            world.people.retain(|other| other.id() != person && log.merges.get(&other.id()) != Some(&person));
        }
        check_plan(&index.version(), &log.worlds[last], &plan)?;
        check_plan(&index.known_at(Some(known_at as u64 + 1)).unwrap(), &log.worlds[known_at], &plan)?;
        while index.purge().unwrap() {}
        check_plan(&index.version(), &log.worlds[last], &plan)?;
    }
}
