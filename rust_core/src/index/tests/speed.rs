//! Timings of 1.5 million events and of profiles: `cargo test --release speed -- --ignored --nocapture`.

use std::time::{Duration, Instant};

use tempfile::tempdir;

use super::fixtures::encoded::{self, RecordFields};
use super::fixtures::model::field;
use crate::index::Index;
use crate::index::view::{DAY_MS, person_of};
use crate::proto::frame::{Change, IdentityChange};
use crate::proto::record::Value;
use crate::proto::schema::{EventType, Schema, Type};

const EVENTS: usize = 1_500_000;
const PARTITIONS: u32 = 16;
const PROPERTIES: [(&str, Type); 9] = [
    ("amount", Type::Money),
    ("basket", Type::Text),
    ("coupon", Type::Money),
    ("discount", Type::Money),
    ("product", Type::Text),
    ("quantity", Type::Number),
    ("rebate", Type::Money),
    ("store", Type::Text),
    ("week", Type::Number),
];

fn schema() -> Schema {
    let properties = PROPERTIES
        .iter()
        .map(|&(name, kind)| (name.to_owned(), field(name, kind)))
        .collect();
    let order = EventType {
        name: "order".into(),
        properties,
        counts_as_seen: true,
        aliases: vec![],
    };
    Schema {
        event_types: [("order".to_owned(), order)].into(),
        ..Schema::default()
    }
}

fn person(number: u32) -> u64 {
    person_of(1 + number % PARTITIONS, number / PARTITIONS)
}

/// Returns a pseudo-random number.
fn mixed(i: usize) -> usize {
    xxhash_rust::xxh3::xxh3_64(&i.to_le_bytes()) as usize
}

fn event(i: usize, time: i64) -> Vec<u8> {
    let (basket, product) = ((i / 10).to_string(), (mixed(i) % 70_000).to_string());
    let (store, amount) = ((mixed(i) % 400).to_string(), mixed(i + 1) as f64 % 10_000.0 / 100.0);
    let values = [
        ("amount", Value::Number(amount.trunc())),
        ("basket", Value::Text(&basket)),
        ("coupon", Value::Number(0.0)),
        ("discount", Value::Number(0.25)),
        ("product", Value::Text(&product)),
        ("quantity", Value::Number(1.0)),
        ("rebate", Value::Number(0.5)),
        ("store", Value::Text(&store)),
        ("week", Value::Number((i % 53) as f64)),
    ];
    let id = format!("{i}-{product}");
    encoded::event(&RecordFields {
        source: "till",
        id: &id,
        kind: "order",
        time: Some(time),
        channel: "pos",
        values: &values,
    })
}

/// Returns a year of events in frames of 15,000, ordered by person if `by_person` and by time otherwise. `merges` people are merged
/// along the way.
fn world(people: u32, by_person: bool, merges: u32) -> Vec<Vec<u8>> {
    const FRAME: usize = 15_000;
    let created = (0..people).map(|number| Change::Created { person: person(number) });
    let change = |change| IdentityChange { sequence: 1, change };
    let mut frames = vec![encoded::frame(
        0,
        created.map(change).collect(),
        &[],
        Some(&schema().encode()),
    )];
    let calls = EVENTS / FRAME;
    for from in (0..EVENTS).step_by(FRAME) {
        let call = (from / FRAME) as u32;
        // Losers are odd numbers in ascending order; later frames do not mention them.
        let done = |calls_done: u32| u64::from(merges) * u64::from(calls_done) / calls as u64;
        let merged = (done(call)..done(call + 1)).map(|i| (2 * i + 1) as u32);
        let merged = merged.map(|loser| {
            change(Change::Merged {
                winner: person(loser - 1),
                loser: person(loser),
            })
        });
        let gone = done(call + 1) as u32;
        let records: Vec<(u64, Vec<u8>)> = (from..from + FRAME)
            .map(|i| {
                let (number, time) = match by_person {
                    true => ((i * people as usize / EVENTS) as u32, mixed(i) as i64 & i64::MAX),
                    false => (
                        (mixed(i) % people as usize) as u32,
                        (i as i64) * 365 * DAY_MS / EVENTS as i64,
                    ),
                };
                let number = if number % 2 == 1 && number < 2 * gone {
                    number - 1
                } else {
                    number
                };
                (person(number), event(i, time % (365 * DAY_MS)))
            })
            .collect();
        frames.push(encoded::frame(u64::from(call) + 1, merged.collect(), &records, None));
    }
    frames
}

/// Folds frames as the service does, without waiting for compaction.
fn fold(index: &Index, frames: &[Vec<u8>], at_once: usize) {
    for frames in frames.chunks(at_once) {
        let frames: Vec<(u64, &[u8])> = (index.offset()..).zip(frames.iter().map(|frame| &frame[..])).collect();
        index.fold(&frames).unwrap();
    }
}

/// Returns the processor time of this thread, so that other work on the machine does not count.
fn processor_time() -> Duration {
    let statistics = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    Duration::from_nanos(
        statistics
            .split(' ')
            .next()
            .and_then(|nanos| nanos.parse().ok())
            .unwrap_or(0),
    )
}

fn resident_mb() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS"))
        .unwrap_or_default();
    line.split_whitespace()
        .nth(1)
        .and_then(|kb| kb.parse::<usize>().ok())
        .unwrap_or(0)
        / 1024
}

fn measure(name: &str, frames: &[Vec<u8>], at_once: usize) {
    let folder = tempdir().unwrap();
    let index = Index::open(folder.path()).unwrap();
    let before = resident_mb();
    let started = processor_time();
    fold(&index, frames, at_once);
    let applied = processor_time() - started;
    let resident = resident_mb() - before;
    let version = index.version();
    let partitions = version.partitions.values();
    let events = partitions.flat_map(|partition| partition.events.values());
    let runs = events.map(|events| events.runs.len()).sum::<usize>();
    drop(version);
    let started = processor_time();
    let learned = index.version().learned_schema().event_types.len();
    let schema = processor_time() - started;
    let [half, most] = [1, 2].map(|twice| {
        let started = Instant::now();
        index
            .version()
            .known_at((frames.len() * twice / (twice + 1)) as u64)
            .unwrap();
        started.elapsed()
    });
    let started = processor_time();
    index.snapshot().unwrap();
    let saved = processor_time() - started;
    let started = processor_time();
    let reopened = Index::open(folder.path()).unwrap();
    let opened = processor_time() - started;
    let statistics = index.version().statistics();
    assert_eq!(reopened.version().statistics()["events"], statistics["events"]);
    println!(
        "{name}, {at_once} frames a call: applied {applied:.2?} ({:.0}k events/s), {runs} runs, snapshot {saved:.2?}, open {opened:.2?}, \
         {} bytes an event, {resident} MB resident more, schema of {learned} types {schema:.2?}, known at half of the frames {half:.2?}, at two thirds {most:.2?}",
        EVENTS as f64 / applied.as_secs_f64() / 1000.0,
        statistics["bytes"] / statistics["events"],
    );
}

macro_rules! timed {
    ($name:ident, $($world:expr, $at_once:expr);+) => {
        #[test]
        #[ignore = "takes seconds; prints timings"]
        fn $name() {
            $(measure(stringify!($world), &$world, $at_once);)+
        }
    };
}

timed!(speed_by_time, world(2_500, false, 0), 1; world(200_000, false, 0), 8);
timed!(speed_by_person, world(2_500, true, 0), 4);
timed!(speed_of_merges, world(200_000, false, 40_000), 4; world(200_000, false, 40_000), 1);

const ATTRIBUTES: [(&str, Type); 5] = [
    ("city", Type::Text),
    ("interests", Type::Set),
    ("joined", Type::Instant),
    ("level", Type::Enum),
    ("points", Type::Number),
];

fn schema_of_profiles() -> Schema {
    let attributes = ATTRIBUTES.map(|(name, kind)| (name.to_owned(), field(name, kind)));
    Schema {
        attributes: attributes.into(),
        ..Schema::default()
    }
}

/// Returns update number `i` with the attributes for which `is_named` holds.
fn profile(i: usize, time: i64, is_named: impl Fn(usize) -> bool) -> Vec<u8> {
    let number = |among: usize| mixed(i) / 7 % among;
    let (city, level) = (format!("city {}", number(340)), format!("level {}", number(6)));
    let interests = [number(40).to_string(), (40 + number(60)).to_string()];
    let values = [
        ("city", Value::Text(&city)),
        (
            "interests",
            Value::Set(interests.iter().map(|interest| &interest[..]).collect()),
        ),
        ("joined", Value::Instant(number(3_000_000_000) as i64 * 1000)),
        ("level", Value::Text(&level)),
        ("points", Value::Number(number(20_000) as f64)),
    ];
    let named: Vec<_> = values.into_iter().enumerate().filter(|&(at, _)| is_named(at)).collect();
    let values: Vec<_> = named.into_iter().map(|(_, value)| value).collect();
    encoded::profile(&RecordFields {
        source: "crm",
        id: &format!("update {i}"),
        kind: "",
        time: Some(time),
        channel: "",
        values: &values,
    })
}

/// Measures loading the profiles of all people and then folding 1,000 updates of random people with two attributes each.
fn measure_profiles(people: u32, partitions: u32) {
    const FRAME: usize = 20_000;
    const FOLDS: usize = 200;
    const UPDATES: usize = 1_000;
    let person = |number: usize| person_of(1 + number as u32 % partitions, number as u32 / partitions);
    let created = (0..people as usize).map(|number| IdentityChange {
        sequence: 1,
        change: Change::Created { person: person(number) },
    });
    let schema = schema_of_profiles().encode();
    let mut frames = vec![encoded::frame(0, created.collect(), &[], Some(&schema))];
    for from in (0..people as usize).step_by(FRAME) {
        let numbers = from..(from + FRAME).min(people as usize);
        let records: Vec<_> = numbers.map(|i| (person(i), profile(i, 0, |_| true))).collect();
        frames.push(encoded::frame(frames.len() as u64, vec![], &records, None));
    }
    let folder = tempdir().unwrap();
    let index = Index::open(folder.path()).unwrap();
    let started = processor_time();
    fold(&index, &frames, 26);
    let loaded = processor_time() - started;
    let mut took = Vec::with_capacity(FOLDS);
    for number in 0..FOLDS {
        let update = |i: usize| {
            let (who, two) = (mixed(i) % people as usize, mixed(i + 1));
            let named = (two % ATTRIBUTES.len(), two / 8 % ATTRIBUTES.len());
            (
                person(who),
                profile(people as usize + i, i as i64, |at| at == named.0 || at == named.1),
            )
        };
        let records: Vec<_> = (number * UPDATES..(number + 1) * UPDATES).map(update).collect();
        let frame = encoded::frame(index.offset(), vec![], &records, None);
        let started = processor_time();
        fold(&index, &[frame], 1);
        took.push(processor_time() - started);
    }
    let mean = took.iter().sum::<Duration>() / FOLDS as u32;
    took.sort_unstable();
    println!(
        "{people} people in {partitions} partitions: loaded {loaded:.2?}, a fold of {UPDATES} updates {mean:.2?} (median {:.2?}, \
         longest {:.2?}), {} bytes a person",
        took[FOLDS / 2],
        took[FOLDS - 1],
        index.version().statistics()["bytes"] / u64::from(people),
    );
}

#[test]
#[ignore = "takes seconds; prints timings"]
fn speed_of_profiles() {
    measure_profiles(500_000, 16);
}

#[test]
#[ignore = "takes seconds; prints timings"]
fn speed_of_many_profiles() {
    measure_profiles(2_000_000, 4);
}
