//! Whatever happens, in whatever frames it travels, the index says what the model says.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use tempfile::tempdir;

use super::encoded;
use super::invariants::check_runs;
use super::model::{Model, Row, declared};
use super::random_history::{decide, frames, steps, steps_without_splits};
use crate::error::Result;
use crate::index::Index;
use crate::index::columns::cells::Cell;
use crate::index::columns::texts::normalise;
use crate::index::runs::merging::left;
use crate::index::view::{DAY_MS, Events, Scalar, Version, ordinal_of, partition_of, person_of};
use crate::number::from_decimal;
use crate::proto::frame::{Change, IdentityChange};
use crate::proto::record::{Record, Value};
use crate::proto::wire::{Reader, Wire, put_bytes};

/// Folds frames, `at_once` a call. In the midst of them all is settled, so that there are merged runs and totals, and others come.
pub fn fold(index: &Index, frames: &[Vec<u8>], at_once: usize) {
    let calls = frames.len().div_ceil(at_once);
    for (call, frames) in frames.chunks(at_once).enumerate() {
        if call == calls - calls / 3 {
            settle(index);
        }
        let from = index.offset();
        let frames: Vec<(u64, &[u8])> = (from..).zip(frames.iter().map(|frame| &frame[..])).collect();
        index.fold(&frames).unwrap();
    }
}

/// Folds nothing until nothing is left to be merged or summed up.
pub fn settle(index: &Index) {
    while !is_settled(&index.version()) {
        index.fold(&[]).unwrap();
        std::thread::yield_now();
    }
}

fn is_settled(version: &Version) -> bool {
    version.partitions.values().all(|partition| {
        let mut attributes = partition.attributes.values();
        let is_settled = |events: &Events| {
            let left = left(&events.runs);
            left.is_none() && events.totals.due(&events.runs, left).is_none()
        };
        partition.events.values().all(|events| is_settled(events))
            && attributes.all(|attribute| left(&attribute.runs).is_none())
    })
}

/// Everything that readers can ask, as text.
pub fn told(version: &Version) -> BTreeMap<String, String> {
    asked(version).unwrap()
}

/// The same of files that may be damaged.
pub fn asked(version: &Version) -> Result<BTreeMap<String, String>> {
    let mut told = BTreeMap::new();
    for (&number, partition) in &version.partitions {
        for ordinal in 0..partition.people {
            let person = u64::from(number) << 32 | u64::from(ordinal);
            let first = partition.first_record.get(ordinal);
            told.insert(format!("first record of {person:x}"), first.to_string());
            told.insert(format!("timeline of {person:x}"), timeline(version, person)?);
            for as_of in INSTANTS {
                told.insert(
                    format!("profile of {person:x} at {as_of}"),
                    profile(version, person, as_of)?,
                );
            }
        }
    }
    let schema = version.learned_schema();
    let seen = schema
        .event_types
        .get("order")
        .map(|order| &order.properties["item"].values);
    told.insert("items ordered".into(), format!("{:?}", seen.unwrap_or(&vec![])));
    told.insert("schema".into(), format!("{schema:?}"));
    told.insert("channels".into(), format!("{:?}", version.channels()));
    told.insert("earliest".into(), format!("{:?}", version.earliest_ms));
    told.insert("items".into(), items(version));
    for (name, number) in version.statistics() {
        if name != "bytes" {
            told.insert(name.into(), number.to_string());
        }
    }
    Ok(told)
}

const INSTANTS: [i64; 6] = [-3 * DAY_MS, 0, 1, DAY_MS, 30 * DAY_MS, i64::MAX];

fn profile(version: &Version, person: u64, as_of: i64) -> Result<String> {
    let bytes = version.profile(person, as_of)?;
    let (mut attributes, mut channels, mut seen) = (Vec::new(), Vec::new(), Vec::new());
    let mut reader = Reader::new(&bytes);
    while let Some((field, wire)) = reader.field().unwrap() {
        match field {
            1 => assert_eq!(wire.fixed().unwrap(), person),
            2 => put_bytes(&mut attributes, 7, wire.bytes().unwrap()),
            3 => channels.push(wire.text().unwrap()),
            _ => seen.push(time(wire)),
        }
    }
    if bytes.is_empty() {
        return Ok("nobody".into());
    }
    Ok(format!("{:?} {channels:?} {seen:?}", values(&attributes)))
}

fn time(wire: Wire<'_>) -> i64 {
    let (mut event, mut record) = (Vec::new(), Vec::new());
    put_bytes(&mut event, 4, wire.bytes().unwrap());
    put_bytes(&mut record, 1, &event);
    let Record::Event(event) = Record::decode(&record).unwrap() else {
        unreachable!()
    };
    event.occurred_at_ms.unwrap()
}

/// Entries of a map of values, written as the properties of an event.
fn values(properties: &[u8]) -> BTreeMap<String, String> {
    let mut record = Vec::new();
    put_bytes(&mut record, 1, properties);
    let Record::Event(event) = Record::decode(&record).unwrap() else {
        unreachable!()
    };
    event
        .properties
        .iter()
        .map(|(name, value)| ((*name).to_owned(), shown(value)))
        .collect()
}

/// A value as all of its ways of being sent read: sets and maps in order, texts after NFKC.
fn shown(value: &Value<'_>) -> String {
    match value {
        Value::Text(text) => normalise(text).into_owned(),
        Value::Set(items) => format!(
            "{:?}",
            items.iter().map(|item| normalise(item)).collect::<BTreeSet<_>>()
        ),
        Value::Map(entries) => {
            format!(
                "{:?}",
                entries
                    .iter()
                    .map(|(key, value)| (*key, shown(value)))
                    .collect::<BTreeMap<_, _>>()
            )
        }
        other => format!("{other:?}"),
    }
}

/// All pages, two events each.
fn timeline(version: &Version, person: u64) -> Result<String> {
    let (mut token, mut told) = (Vec::new(), String::new());
    loop {
        let bytes = version.timeline(person, &token, 2)?;
        token.clear();
        let mut reader = Reader::new(&bytes);
        while let Some((field, wire)) = reader.field().unwrap() {
            match field {
                1 => told += &event(wire.bytes().unwrap()),
                _ => token = wire.bytes().unwrap().to_vec(),
            }
        }
        if token.is_empty() {
            return Ok(told);
        }
    }
}

fn event(bytes: &[u8]) -> String {
    let (mut kind, mut at, mut channel, mut properties) = ("", 0, "", Vec::new());
    let mut reader = Reader::new(bytes);
    while let Some((field, wire)) = reader.field().unwrap() {
        match field {
            1 => kind = wire.text().unwrap(),
            2 => at = time(wire),
            3 => channel = wire.text().unwrap(),
            _ => put_bytes(&mut properties, 7, wire.bytes().unwrap()),
        }
    }
    format!("{kind} {at} {channel} {:?}\n", values(&properties))
}

fn items(version: &Version) -> String {
    let mut told = BTreeMap::new();
    for (name, catalog) in &version.catalogs {
        for (&key, &row) in &catalog.rows {
            let known = catalog
                .attributes
                .iter()
                .map(|(attribute, values)| (attribute, values.cell(row as usize)));
            let known = known.filter(|(_, cell)| *cell != Cell::Unknown);
            let known: BTreeMap<_, _> = known
                .map(|(attribute, cell)| (attribute, cell_shown(&cell, version)))
                .collect();
            told.insert((name, version.texts.get(key)), known);
        }
    }
    format!("{told:?}")
}

fn cell_shown(cell: &Cell, version: &Version) -> String {
    match cell {
        Cell::One(Scalar::Text(code)) => version.texts.get(*code).to_owned(),
        Cell::Set(codes) => {
            format!(
                "{:?}",
                codes
                    .iter()
                    .map(|&code| version.texts.get(code))
                    .collect::<BTreeSet<_>>()
            )
        }
        other => format!("{other:?}"),
    }
}

/// What the model says where `told` says what the index says.
fn expected(model: &Model) -> BTreeMap<String, String> {
    let mut told = BTreeMap::new();
    for (person, rows) in &model.people {
        let first = rows.first_record();
        told.insert(format!("first record of {person:x}"), first.to_string());
        told.insert(
            format!("timeline of {person:x}"),
            rows.events().rev().map(row_shown).collect(),
        );
        for as_of in INSTANTS {
            let shown = if first == i64::MAX {
                "nobody".into()
            } else {
                profile_expected(model, *person, as_of)
            };
            told.insert(format!("profile of {person:x} at {as_of}"), shown);
        }
    }
    let rows = || model.people.values().flat_map(|person| person.events());
    let channels: BTreeSet<_> = rows()
        .map(|row| row.channel)
        .filter(|channel| !channel.is_empty())
        .collect();
    told.insert("channels".into(), format!("{:?}", channels.iter().collect::<Vec<_>>()));
    told.insert(
        "earliest".into(),
        format!("{:?}", rows().filter_map(|row| row.time).min()),
    );
    told.insert("items".into(), items_expected(model));
    told.insert("items ordered".into(), format!("{:?}", ordered_expected(model)));
    told.insert("events".into(), rows().count().to_string());
    told.insert("catalog_items".into(), model.items.len().to_string());
    let known = model.people.values().filter(|person| person.first_record() != i64::MAX);
    told.insert("persons".into(), known.count().to_string());
    told
}

fn row_shown(row: &Row) -> String {
    let properties: BTreeMap<_, _> = row.values.iter().map(|(name, value)| (*name, shown(value))).collect();
    format!("{} {} {} {properties:?}\n", row.kind, row.time.unwrap(), row.channel)
}

fn profile_expected(model: &Model, person: u64, as_of: i64) -> String {
    let person = &model.people[&person];
    let attributes: BTreeMap<_, _> = person
        .attributes(as_of)
        .iter()
        .map(|(name, value)| (*name, shown(value)))
        .collect();
    let seen = person
        .events()
        .filter(|row| model.is_seen(row) && row.time.unwrap() < as_of);
    let seen: Vec<&Row> = seen.collect();
    let channels: BTreeSet<_> = seen
        .iter()
        .map(|row| row.channel)
        .filter(|channel| !channel.is_empty())
        .collect();
    let times: Vec<i64> = seen.iter().map(|row| row.time.unwrap()).collect();
    let times: Vec<i64> = times.first().into_iter().chain(times.last()).copied().collect();
    format!("{attributes:?} {:?} {times:?}", channels.iter().collect::<Vec<_>>())
}

fn items_expected(model: &Model) -> String {
    let mut told = BTreeMap::new();
    for (key, values) in &model.items {
        let known = values.iter().filter(|(_, value)| **value != Value::Cleared);
        let known: BTreeMap<_, _> = known
            .map(|(name, value)| match value {
                Value::Decimal(text) => (
                    *name,
                    format!("{:?}", Cell::One(Scalar::Number(from_decimal(text).unwrap()))),
                ),
                other => (*name, shown(other)),
            })
            .collect();
        told.insert(("goods", *key), known);
    }
    format!("{told:?}")
}

/// The items of orders, the most frequent first.
fn ordered_expected(model: &Model) -> Vec<String> {
    let orders = model
        .people
        .values()
        .flat_map(|person| person.events())
        .filter(|row| row.kind == "order");
    let mut counts: BTreeMap<String, i32> = BTreeMap::new();
    for (name, value) in orders.flat_map(|row| &row.values) {
        if *name == "item" {
            *counts.entry(shown(value)).or_default() -= 1;
        }
    }
    let mut items: Vec<(i32, String)> = counts.into_iter().map(|(item, count)| (count, item)).collect();
    items.sort();
    items.into_iter().map(|(_, item)| item).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn the_index_says_what_the_model_says(steps in steps(), size in 1..20usize, at_once in 1..4usize) {
        let deeds = decide(&steps);
        let folder = tempdir().unwrap();
        let index = Index::open(folder.path()).unwrap();
        fold(&index, &frames(&deeds, size), at_once);
        let (told, model) = (told(&index.version()), Model::of(&deeds, size));
        check_runs(&index.version());
        for (question, answer) in expected(&model) {
            prop_assert_eq!(told.get(&question), Some(&answer), "{}", question);
        }
    }

    #[test]
    fn frames_and_calls_may_be_cut_anywhere(steps in steps_without_splits(), size in 1..20usize, at_once in 1..4usize) {
        let deeds = decide(&steps);
        let folders = (tempdir().unwrap(), tempdir().unwrap());
        let (one, other) = (Index::open(folders.0.path()).unwrap(), Index::open(folders.1.path()).unwrap());
        fold(&one, &frames(&deeds, size), at_once);
        fold(&other, &frames(&deeds, deeds.len()), 1);
        prop_assert_eq!(told(&one.version()), told(&other.version()));
    }

    #[test]
    fn calls_may_be_cut_anywhere_where_people_are_split(steps in steps(), size in 1..20usize, at_once in 1..9usize) {
        let frames = frames(&decide(&steps), size);
        let folders = (tempdir().unwrap(), tempdir().unwrap());
        let (one, other) = (Index::open(folders.0.path()).unwrap(), Index::open(folders.1.path()).unwrap());
        fold(&one, &frames, at_once);
        fold(&other, &frames, 1);
        prop_assert_eq!(told(&one.version()), told(&other.version()));
        prop_assert_eq!(one.version().digest().unwrap(), other.version().digest().unwrap());
    }

    #[test]
    fn a_failed_fold_changes_nothing(steps in steps(), size in 1..20usize, cut in any::<prop::sample::Index>()) {
        let deeds = decide(&steps);
        let folder = tempdir().unwrap();
        let index = Index::open(folder.path()).unwrap();
        let mut frames = frames(&deeds, size);
        let cut = cut.index(frames.len());
        fold(&index, &frames[..cut], 1);
        let before = told(&index.version());
        let rest: Vec<Vec<u8>> = frames.drain(cut..).collect();
        let stray = encoded::frame(0, vec![], &[(7 << 32, vec![])], None);
        let mut call: Vec<(u64, &[u8])> = (cut as u64..).zip(rest.iter().map(|frame| &frame[..])).collect();
        call.push(((cut + rest.len()) as u64, &stray));
        prop_assert!(index.fold(&call).is_err());
        prop_assert_eq!(told(&index.version()), before);
        fold(&index, &rest, 1);
        check_runs(&index.version());
        prop_assert_eq!(index.offset(), (cut + rest.len()) as u64);
    }
}

/// A copy of one event, about a person.
fn copy(person: u64, amount: &str) -> (u64, Vec<u8>) {
    let values = [("amount", Value::Decimal(amount))];
    let sent = encoded::Sent {
        source: "till",
        id: "1",
        kind: "order",
        time: Some(5),
        channel: "",
        values: &values,
    };
    (person, encoded::event(&sent))
}

#[test]
fn of_two_copies_the_first_received_wins() {
    let folder = tempdir().unwrap();
    let index = Index::open(folder.path()).unwrap();
    let person = 1 << 32;
    let created = vec![IdentityChange {
        sequence: 1,
        change: Change::Created { person },
    }];
    let schema = declared(true).encode();
    let first = encoded::frame(0, created, &[copy(person, "1"), copy(person, "2")], Some(&schema));
    fold(
        &index,
        &[first, encoded::frame(1, vec![], &[copy(person, "3")], None)],
        1,
    );
    assert_eq!(
        timeline(&index.version(), person).unwrap(),
        "order 5  {\"amount\": \"Decimal(\\\"1\\\")\"}\n"
    );
}

#[test]
fn of_two_copies_the_first_received_goes_with_every_merge() {
    let people = [1, 2, 3].map(|ordinal| person_of(1, ordinal));
    let change = |change| IdentityChange { sequence: 1, change };
    let merge = |winner, loser| vec![change(Change::Merged { winner, loser })];
    let created = people.map(|person| change(Change::Created { person })).to_vec();
    let schema = declared(true).encode();
    let frames = [
        encoded::frame(0, created, &[copy(people[0], "1")], Some(&schema)),
        encoded::frame(1, merge(people[1], people[0]), &[], None),
        encoded::frame(2, vec![], &[copy(people[1], "2")], None),
        encoded::frame(3, merge(people[2], people[1]), &[], None),
    ];
    for at_once in [1, 4] {
        let folder = tempdir().unwrap();
        let index = Index::open(folder.path()).unwrap();
        fold(&index, &frames, at_once);
        assert_eq!(
            timeline(&index.version(), people[2]).unwrap(),
            "order 5  {\"amount\": \"Decimal(\\\"1\\\")\"}\n"
        );
    }
}

#[test]
fn frames_that_make_no_sense_are_refused() {
    let folder = tempdir().unwrap();
    let index = Index::open(folder.path()).unwrap();
    let change = |change| vec![IdentityChange { sequence: 1, change }];
    for (frame, said) in [
        (
            encoded::frame(0, change(Change::Created { person: 5 }), &[], None),
            "outside partitions",
        ),
        (
            encoded::frame(
                0,
                change(Change::Merged {
                    winner: 1 << 32,
                    loser: 2 << 32,
                }),
                &[],
                None,
            ),
            "never created",
        ),
        (encoded::frame(u64::MAX, vec![], &[], None), "no log has"),
        (vec![0xff], "malformed"),
    ] {
        let error = index.fold(&[(0, &frame)]).unwrap_err().to_string();
        assert!(
            error.starts_with("resolved frame 0: ") && error.contains(said),
            "{error}"
        );
    }
    let error = index.fold(&[(3, &[])]).unwrap_err().to_string();
    assert_eq!(error, "resolved frame 3: the next to fold is 0");
    assert!(index.version().timeline(0, b"x", 1).is_ok());
    assert_eq!((partition_of(7 << 32 | 3), ordinal_of(7 << 32 | 3)), (7, 3));
}
