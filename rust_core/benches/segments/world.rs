//! A synthetic world: people, their events, and the index of them.

use std::ops::Range;
use std::path::Path;

use quanyu_core::error::Result;
use quanyu_core::index::Index;
use quanyu_core::index::view::person_of;
use quanyu_core::proto::frame::{Change, IdentityChange, ResolvedFrame};
use quanyu_core::proto::schema::{EventType, Field, Schema, Type};
use quanyu_core::proto::wire::{put_bytes, put_number, put_text};
use xxhash_rust::xxh3::xxh3_64;

const PARTITIONS: u64 = 16;
pub const DAYS: u64 = 180;
pub const DAY_MS: u64 = 86_400_000;
pub const AS_OF: u64 = DAYS * DAY_MS;
/// The number of events in a frame.
const FRAME: u64 = 50_000;
/// The event types with their share of the events in percent.
const TYPES: [(&str, u64); 5] = [
    ("browse", 55),
    ("order", 25),
    ("scan", 14),
    ("review", 4),
    ("refund", 2),
];
const TASTES: [&str; 8] = ["spicy", "sweet", "light", "vegan", "sour", "raw", "smoked", "iced"];
const CHANNELS: [&str; 5] = ["pos", "miniapp", "web", "app", "delivery"];

/// Returns a pseudo-random number.
pub fn mixed(a: u64, b: u64) -> u64 {
    xxh3_64(&[a.to_le_bytes(), b.to_le_bytes()].concat())
}

/// Returns a number with a probability proportional to 1 / n.
fn skewed(random: u64, most: u64) -> u64 {
    let share = (random >> 11) as f64 / (1u64 << 53) as f64;
    ((most as f64).powf(share) as u64 - 1).min(most - 1)
}

fn person(number: u64) -> u64 {
    person_of((1 + number % PARTITIONS) as u32, (number / PARTITIONS) as u32)
}

fn schema() -> Schema {
    let field = |(name, kind): (&str, Type)| {
        let field = Field {
            name: name.into(),
            kind,
            currency: if kind == Type::Money {
                "CNY".into()
            } else {
                String::new()
            },
            values: Vec::new(),
            ordered: false,
            aliases: Vec::new(),
            reference: String::new(),
        };
        (name.to_owned(), field)
    };
    let event_type = |&(name, _): &(&str, u64)| {
        let properties = [("amount", Type::Money), ("store", Type::Text)];
        let event_type = EventType {
            name: name.into(),
            properties: properties.into_iter().map(field).collect(),
            counts_as_seen: true,
            aliases: Vec::new(),
        };
        (name.to_owned(), event_type)
    };
    let attributes = [
        ("city", Type::Enum),
        ("level", Type::Enum),
        ("score", Type::Number),
        ("birthday", Type::Date),
        ("tastes", Type::Set),
    ];
    Schema {
        event_types: TYPES.iter().map(event_type).collect(),
        attributes: attributes.into_iter().map(field).collect(),
        ..Schema::default()
    }
}

fn put_time(out: &mut Vec<u8>, field: u32, ms: u64) {
    let mut time = Vec::new();
    put_number(&mut time, 1, ms / 1000);
    put_number(&mut time, 2, ms % 1000 * 1_000_000);
    put_bytes(out, field, &time);
}

/// Encodes an entry of a map of values; `kind` is the field of Value.
fn put_value(out: &mut Vec<u8>, field: u32, name: &str, kind: u32, text: &str) {
    let (mut value, mut entry) = (Vec::new(), Vec::new());
    put_bytes(&mut value, kind, text.as_bytes());
    put_text(&mut entry, 1, name);
    put_bytes(&mut entry, 2, &value);
    put_bytes(out, field, &entry);
}

/// Encodes an entry with a set of texts.
fn put_set<'t>(out: &mut Vec<u8>, field: u32, name: &str, texts: impl Iterator<Item = &'t str>) {
    let (mut set, mut value, mut entry) = (Vec::new(), Vec::new(), Vec::new());
    texts.for_each(|text| put_text(&mut set, 1, text));
    put_bytes(&mut value, 7, &set);
    put_text(&mut entry, 1, name);
    put_bytes(&mut entry, 2, &value);
    put_bytes(out, field, &entry);
}

fn wrapped(field: u32, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    put_bytes(&mut out, field, body);
    out
}

fn profile(number: u64) -> Vec<u8> {
    let mut body = Vec::new();
    put_text(&mut body, 1, "crm");
    put_text(&mut body, 2, &number.to_string());
    let random = mixed(number, 1);
    put_value(&mut body, 5, "city", 4, &format!("city {}", skewed(random, 300)));
    put_value(
        &mut body,
        5,
        "level",
        4,
        ["bronze", "silver", "gold", "black"][skewed(mixed(number, 2), 4) as usize],
    );
    if !random.is_multiple_of(3) {
        put_value(&mut body, 5, "score", 3, &format!("{}", random % 1000));
    }
    let birthday = format!(
        "{:04}-{:02}-{:02}",
        1950 + random % 55,
        1 + random % 12,
        1 + random % 28
    );
    put_value(&mut body, 5, "birthday", 6, &birthday);
    let tastes = (0..TASTES.len()).filter(|taste| mixed(number, 8) >> (2 * taste) & 3 == 0);
    put_set(&mut body, 5, "tastes", tastes.map(|taste| TASTES[taste]));
    wrapped(2, &body)
}

fn event(number: u64, events: u64) -> Vec<u8> {
    let mut share = mixed(number, 3) % 100;
    let kind = TYPES.iter().find(|(_, of)| {
        let found = share < *of;
        share = share.saturating_sub(*of);
        found
    });
    let mut body = Vec::new();
    put_text(&mut body, 1, "till");
    put_text(&mut body, 2, &format!("{number:x}"));
    put_text(&mut body, 3, kind.unwrap_or(&TYPES[0]).0);
    put_time(&mut body, 4, number * AS_OF / events);
    put_text(&mut body, 6, CHANNELS[skewed(mixed(number, 4), 5) as usize]);
    let cents = 500 + skewed(mixed(number, 5), 40_000);
    put_value(
        &mut body,
        7,
        "amount",
        3,
        &format!("{}.{:02}", cents / 100, cents % 100),
    );
    put_value(
        &mut body,
        7,
        "store",
        4,
        &format!("store {}", skewed(mixed(number, 6), 2000)),
    );
    wrapped(1, &body)
}

fn fold(
    index: &Index,
    changes: Vec<IdentityChange>,
    persons: Vec<u64>,
    records: &[Vec<u8>],
    schema: Option<&[u8]>,
) -> Result<()> {
    let offset = index.offset();
    let frame = ResolvedFrame {
        raw_offset: offset,
        received_at_ms: offset as i64,
        changes,
        persons,
        records: records.iter().map(|record| &record[..]).collect(),
        schema,
        ..ResolvedFrame::default()
    };
    let bytes = frame.encode();
    index.fold(&[(offset, &bytes)])
}

/// Returns events after all others, each of another person.
pub fn happen(index: &Index, numbers: Range<u64>) -> Result<()> {
    let people = index
        .version()
        .partitions
        .values()
        .map(|partition| u64::from(partition.people))
        .sum::<u64>();
    let persons = numbers.clone().map(|number| person(number * 7919 % people)).collect();
    // Each person has ten earlier events before the as-of; these follow within ten seconds.
    let records: Vec<Vec<u8>> = numbers
        .map(|number| event(10 * people + number % 6, 10 * people))
        .collect();
    fold(index, Vec::new(), persons, &records, None)
}

/// Returns the CPU time of this thread in seconds, which other work on the machine does not affect.
fn processor_time() -> f64 {
    let statistics = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos: f64 = statistics
        .split(' ')
        .next()
        .and_then(|nanos| nanos.parse().ok())
        .unwrap_or(0.0);
    nanos / 1e9
}

pub fn load(people: u64, folder: &Path) -> Result<Index> {
    let index = Index::open(folder)?;
    let created = |number| IdentityChange {
        sequence: number + 1,
        change: Change::Created { person: person(number) },
    };
    fold(
        &index,
        (0..people).map(created).collect(),
        Vec::new(),
        &[],
        Some(&schema().encode()),
    )?;
    let profiles: Vec<Vec<u8>> = (0..people).map(profile).collect();
    fold(&index, Vec::new(), (0..people).map(person).collect(), &profiles, None)?;
    let events = 10 * people;
    let (mut folding, mut longest) = (0.0, 0.0f64);
    for from in (0..events).step_by(FRAME as usize) {
        let numbers = from..events.min(from + FRAME);
        let persons = numbers
            .clone()
            .map(|number| person(skewed(mixed(number, 7), people) * 7919 % people))
            .collect();
        let records: Vec<Vec<u8>> = numbers.map(|number| event(number, events)).collect();
        let started = processor_time();
        fold(&index, Vec::new(), persons, &records, None)?;
        let took = processor_time() - started;
        folding += took;
        longest = longest.max(took);
    }
    let statistics = index.version().statistics();
    println!(
        "{people} people, {events} events, folded at {:.0} thousand a second; the longest fold of {FRAME} took {:.0} ms",
        events as f64 / folding / 1000.0,
        1000.0 * longest
    );
    println!(
        "{} bytes an event in memory, attributes and ids included",
        statistics["bytes"] / events
    );
    Ok(index)
}
