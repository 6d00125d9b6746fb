//! Attribute values equal those of a plain list of changes, now and as known at earlier offsets.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use tempfile::tempdir;

use super::fixtures::encoded::{self, RecordFields};
use super::fixtures::folding::fold;
use super::fixtures::model::declared;
use crate::index::Index;
use crate::index::columns::cells::Cell;
use crate::index::view::{BLOCK, Scalar, Version, ordinal_of, partition_of, person_of};
use crate::proto::frame::{Change, IdentityChange};
use crate::proto::record::Value;

/// Two ordinals for each of two blocks.
const ORDINALS: [u32; 4] = [0, BLOCK - 1, BLOCK, BLOCK + 1];
const PARTITIONS: u32 = 2;
const CITIES: [&str; 4] = ["上海", "Köln", "Lima", "Oslo"];
const SOURCES: [&str; 3] = ["till", "app", "web"];
const INSTANTS: [i64; 4] = [i64::MIN + 1, 2, 4, i64::MAX];

/// The content of one frame. People are indexes into those not merged yet.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// An update with one of a few (source, id) pairs that sets or clears the city.
    Update {
        person: usize,
        time: Option<i64>,
        key: usize,
        city: Option<usize>,
    },
    Merge(usize, usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let time = prop::option::weighted(0.8, 0..6i64);
    let city = prop::option::weighted(0.8, 0..CITIES.len());
    let update = (any::<usize>(), time, 0..6usize, city).prop_map(|(person, time, key, city)| Step::Update {
        person,
        time,
        key,
        city,
    });
    let merge = any::<(usize, usize)>().prop_map(|(winner, loser)| Step::Merge(winner, loser));
    prop::collection::vec(prop_oneof![9 => update, 1 => merge], 1..60)
}

/// The city by person and (occurred_at, source, id); the first of two copies counts.
type Known = BTreeMap<u64, BTreeMap<(i64, String, String), Option<&'static str>>>;

fn everybody() -> Known {
    let people = (1..=PARTITIONS).flat_map(|number| ORDINALS.map(|ordinal| person_of(number, ordinal)));
    people.map(|person| (person, BTreeMap::new())).collect()
}

/// Returns the person with an index.
fn nth(known: &Known, number: usize) -> u64 {
    *known.keys().nth(number % known.len()).unwrap()
}

/// Builds the frame of a step and applies the step to `known`.
fn frame(step: Step, offset: u64, known: &mut Known) -> Vec<u8> {
    match step {
        Step::Update {
            person,
            time,
            key,
            city,
        } => {
            let (person, city) = (nth(known, person), city.map(|city| CITIES[city]));
            let (source, id) = (SOURCES[key % 3], (key / 3).to_string());
            let place = (time.unwrap_or(i64::MIN), source.to_owned(), id.clone());
            known.get_mut(&person).unwrap().entry(place).or_insert(city);
            let values = [("city", city.map_or(Value::Cleared, Value::Text))];
            let update = RecordFields {
                source,
                id: &id,
                kind: "",
                time,
                channel: "",
                values: &values,
            };
            encoded::frame(offset, vec![], &[(person, encoded::profile(&update))], None)
        }
        Step::Merge(winner, loser) => {
            let loser = nth(known, loser);
            let changes = known.remove(&loser).unwrap();
            let winner = nth(known, winner);
            for (place, city) in changes {
                known.get_mut(&winner).unwrap().entry(place).or_insert(city);
            }
            let change = Change::Merged { winner, loser };
            encoded::frame(offset, vec![IdentityChange { sequence: 1, change }], &[], None)
        }
    }
}

/// Returns the frames and the state before each of them and after the last.
fn frames_and_history(steps: &[Step]) -> (Vec<Vec<u8>>, Vec<Known>) {
    let mut known = everybody();
    let created = known.keys().map(|&person| IdentityChange {
        sequence: 1,
        change: Change::Created { person },
    });
    let schema = declared(true).encode();
    let mut frames = vec![encoded::frame(0, created.collect(), &[], Some(&schema))];
    let mut history = vec![known.clone(), known.clone()];
    for &step in steps {
        if known.len() > 1 || matches!(step, Step::Update { .. }) {
            frames.push(frame(step, frames.len() as u64, &mut known));
            history.push(known.clone());
        }
    }
    (frames, history)
}

/// The city by person and as-of.
type Cities = BTreeMap<(u64, i64), Option<String>>;

fn expected(known: &Known) -> Cities {
    let city = |person: &u64, as_of: i64| {
        let before = known[person].range(..(as_of, String::new(), String::new()));
        before.last().and_then(|(_, city)| city.map(str::to_owned))
    };
    let asked = known.keys().flat_map(|person| INSTANTS.map(|as_of| (person, as_of)));
    asked
        .map(|(person, as_of)| ((*person, as_of), city(person, as_of)))
        .collect()
}

/// Reads the city of all people of `known` at all instants.
fn read_cities(known: &Known, version: &Version, ask: impl Fn(u64, i64) -> Cell) -> Cities {
    let asked = known.keys().flat_map(|&person| INSTANTS.map(|as_of| (person, as_of)));
    let city = |(person, as_of)| match ask(person, as_of) {
        Cell::One(Scalar::Text(code)) => Some(version.texts.get(code).to_owned()),
        _ => None,
    };
    asked.map(|asked| (asked, city(asked))).collect()
}

fn current_cities(known: &Known, version: &Version) -> Cities {
    read_cities(known, version, |person, as_of| {
        let attribute = version.partitions[&partition_of(person)].attributes.get("city");
        attribute.map_or(Cell::Unknown, |city| {
            city.as_of(ordinal_of(person), as_of, &version.texts).unwrap()
        })
    })
}

/// Reads cities from the runs alone, ignoring changes that arrived at `known_at` or later.
fn cities_known_at(known: &Known, version: &Version, known_at: i64) -> Cities {
    read_cities(known, version, |person, as_of| {
        let attribute = version.partitions[&partition_of(person)].attributes.get("city");
        let runs = attribute.map_or(&[][..], |city| &city.runs);
        let rows = runs
            .iter()
            .flat_map(|run| run.rows(ordinal_of(person)).unwrap().map(move |row| (run, row)));
        let known = rows.filter(|(run, row)| run.times.get(*row) < as_of && run.origins.arrivals.get(*row) < known_at);
        let last = known.max_by(|(run, row), (other, at)| run.order(*row, other, *at, &version.texts));
        last.map_or(Cell::Unknown, |(run, row)| run.values.cell(row))
    })
}

proptest! {
    #![proptest_config(crate::testing::cases(100))]

    #[test]
    fn as_of_returns_the_last_earlier_change_for_any_batching(steps in steps(), at_once in 1..9usize) {
        let (frames, history) = frames_and_history(&steps);
        let folder = tempdir().unwrap();
        let index = Index::open(folder.path()).unwrap();
        for frames in frames.chunks(at_once) {
            fold(&index, frames, at_once);
            let known = &history[index.offset() as usize];
            prop_assert_eq!(current_cities(known, &index.version()), expected(known));
        }
        let version = index.version();
        for (known_at, known) in history.iter().enumerate() {
            prop_assert_eq!(cities_known_at(known, &version, known_at as i64), expected(known));
        }
    }
}

#[test]
fn a_fold_copies_only_the_blocks_that_change() {
    let update = |person, time, city| Step::Update {
        person,
        time: Some(time),
        key: 0,
        city: Some(city),
    };
    let (frames, _) = frames_and_history(&[
        update(0, 1, 0),
        update(2, 1, 0),
        update(2, 2, 1),
        update(2, 3, 1),
        update(2, 0, 2),
    ]);
    let folder = tempdir().unwrap();
    let index = Index::open(folder.path()).unwrap();
    let blocks = || index.version().partitions[&1].attributes["city"].latest.clone();
    fold(&index, &frames[..3], 3);
    let before = blocks();
    fold(&index, &frames[3..4], 1);
    let after = blocks();
    assert!(Arc::ptr_eq(&before[0].values, &after[0].values));
    assert!(!Arc::ptr_eq(&before[1].values, &after[1].values));
    // The same city again and an earlier change leave the current values unchanged.
    fold(&index, &frames[4..], 1);
    assert!(Arc::ptr_eq(&blocks()[1].values, &after[1].values));
    let until: Vec<i64> = blocks().iter().map(|latest| latest.changed_until_ms).collect();
    assert_eq!(until, [1, 3]);
}
