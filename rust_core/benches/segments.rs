//! Questions asked of an index in memory, beside the time that reading as many bytes takes: `cargo bench --bench segments`.
//!
//! `PEOPLE` (default 1,000,000) people have ten times as many events in 180 days; most of them browse, a few do most.

use std::hint::black_box;
use std::time::Instant;

use quanyu_core::error::Result;
use quanyu_core::eval::evaluate;
use quanyu_core::frame::{Change, IdentityChange, ResolvedFrame};
use quanyu_core::index::Index;
use quanyu_core::index::view::person_of;
use quanyu_core::schema::{EventType, Field, Schema, Type};
use quanyu_core::wire::{put_bytes, put_number, put_text};
use serde_json::{Value as Json, json};
use xxhash_rust::xxh3::xxh3_64;

const PARTITIONS: u64 = 16;
const DAYS: u64 = 180;
const DAY_MS: u64 = 86_400_000;
const AS_OF: u64 = DAYS * DAY_MS;
/// Events of a frame.
const FRAME: u64 = 50_000;
/// Types and how many of a hundred events are of them.
const TYPES: [(&str, u64); 5] = [
    ("browse", 55),
    ("order", 25),
    ("scan", 14),
    ("review", 4),
    ("refund", 2),
];
const CHANNELS: [&str; 5] = ["pos", "miniapp", "web", "app", "delivery"];

/// A number that looks random.
fn mixed(a: u64, b: u64) -> u64 {
    xxh3_64(&[a.to_le_bytes(), b.to_le_bytes()].concat())
}

/// Small numbers are likely, as 1 / n.
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

/// An entry of a map of values; `kind` is the field of Value.
fn put_value(out: &mut Vec<u8>, field: u32, name: &str, kind: u32, text: &str) {
    let (mut value, mut entry) = (Vec::new(), Vec::new());
    put_bytes(&mut value, kind, text.as_bytes());
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
    };
    let bytes = frame.encode();
    index.fold(&[(offset, &bytes)])
}

fn load(people: u64) -> Result<Index> {
    // A follower of a folder that is not there: nothing is read or written.
    let index = Index::follow(&std::env::temp_dir().join("no-such-index"))?;
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
    let mut folding = 0.0;
    for from in (0..events).step_by(FRAME as usize) {
        let numbers = from..events.min(from + FRAME);
        let persons = numbers
            .clone()
            .map(|number| person(skewed(mixed(number, 7), people) * 7919 % people))
            .collect();
        let records: Vec<Vec<u8>> = numbers.map(|number| event(number, events)).collect();
        let started = Instant::now();
        fold(&index, Vec::new(), persons, &records, None)?;
        folding += started.elapsed().as_secs_f64();
    }
    let statistics = index.version().statistics();
    println!(
        "{people} people, {events} events, folded at {:.0} thousand a second",
        events as f64 / folding / 1000.0
    );
    println!(
        "{} bytes an event in memory, attributes and ids included",
        statistics["bytes"] / events
    );
    Ok(index)
}

fn happened(types: &[&str], days: u64, min: u64) -> Json {
    let steps: Vec<Json> = types.iter().map(|name| json!({"type": name, "where": null})).collect();
    let events = json!({"steps": steps, "from": AS_OF - days * DAY_MS, "to": AS_OF});
    json!({"op": "happened", "events": events, "min": min, "max": null})
}

fn aggregate(function: &str, value: Option<&str>, types: &[&str], days: u64, channel: Option<&str>) -> Json {
    let text = |text: &str| json!({"op": "literal", "value": {"text": text}});
    let filter = channel.map(|channel| json!({"op": "in", "expr": {"op": "event_channel"}, "items": [text(channel)]}));
    let steps: Vec<Json> = types
        .iter()
        .map(|name| json!({"type": name, "where": filter}))
        .collect();
    let value = value.map(|name| json!({"op": "property", "name": name}));
    let events = json!({"steps": steps, "from": AS_OF - days * DAY_MS, "to": AS_OF});
    json!({"op": "aggregate", "fn": function, "events": events, "value": value, "day_starts": null})
}

fn more(left: Json, number: &str) -> Json {
    json!({"op": "compare", "cmp": ">", "left": left, "right": {"op": "literal", "value": {"num": number}}})
}

fn among(attribute: &str, texts: &[&str]) -> Json {
    let items: Vec<Json> = texts
        .iter()
        .map(|text| json!({"op": "literal", "value": {"text": text}}))
        .collect();
    json!({"op": "in", "expr": {"op": "attribute", "name": attribute, "key": null}, "items": items})
}

fn recency(types: &[&str], days: u64) -> Json {
    let elapsed = json!({"op": "elapsed", "of": aggregate("latest", None, types, DAYS, None)});
    json!({"op": "compare", "cmp": ">", "left": elapsed, "right": {"op": "literal", "value": {"duration": days * DAY_MS}}})
}

fn channels(names: &[&str]) -> Json {
    let items: Vec<Json> = names
        .iter()
        .map(|text| json!({"op": "literal", "value": {"text": text}}))
        .collect();
    json!({"op": "in", "expr": {"op": "channels"}, "items": items})
}

fn all(of: Vec<Json>) -> Json {
    json!({"op": "all", "of": of})
}

const ANY: [&str; 5] = ["browse", "order", "scan", "review", "refund"];

fn questions() -> Vec<(&'static str, Json)> {
    let five = vec![
        channels(&["pos", "miniapp"]),
        among("city", &["city 1", "city 5"]),
        among("level", &["gold", "black"]),
        more(json!({"op": "attribute", "name": "score", "key": null}), "500"),
        json!({"op": "within", "expr": {"op": "attribute", "name": "birthday", "key": null}, "from": 3650, "to": 7300}),
    ];
    let touch = ["order", "scan"];
    let full = vec![
        recency(&touch, 30),
        channels(&["pos", "miniapp"]),
        among("city", &["city 1", "city 5"]),
        happened(&["browse"], 30, 2),
    ];
    vec![
        ("attributes", all(five)),
        (
            "recency and channel",
            all(vec![recency(&touch, 30), channels(&["pos", "miniapp"])]),
        ),
        ("two orders in 30d", happened(&["order"], 30, 2)),
        ("two events in 30d", happened(&ANY, 30, 2)),
        (
            "browsed, not ordered",
            all(vec![
                happened(&["browse"], 30, 1),
                json!({"op": "not", "of": happened(&["order"], 30, 1)}),
            ]),
        ),
        (
            "sum by channel in 90d",
            more(aggregate("sum", Some("amount"), &["order"], 90, Some("pos")), "300"),
        ),
        (
            "orders ever",
            more(aggregate("count", None, &["order"], DAYS, None), "3"),
        ),
        (
            "spend ever",
            more(aggregate("sum", Some("amount"), &["order"], DAYS, None), "500"),
        ),
        (
            "top tenth by spend",
            json!({
                "op": "rank", "expr": aggregate("sum", Some("amount"), &["order"], DAYS, None),
                "side": "top", "percent": "0.1", "count": null, "population": null,
            }),
        ),
        ("the full rule", all(full)),
    ]
}

fn ask(index: &Index, roots: &[(&str, &Json)]) -> Result<(f64, u64)> {
    let roots: Vec<Json> = roots
        .iter()
        .map(|(name, cond)| json!({"name": name, "cond": cond, "among": null}))
        .collect();
    let plan = json!({"as_of": AS_OF, "roots": roots}).to_string();
    let version = index.version();
    let mut times = Vec::new();
    let mut matched = 0;
    for _ in 0..7 {
        let started = Instant::now();
        matched = evaluate(&version, plan.as_bytes())?.root(0)?.matched;
        times.push(started.elapsed().as_secs_f64() * 1000.0);
    }
    times.sort_by(f64::total_cmp);
    Ok((times[times.len() / 2], matched))
}

/// Milliseconds to read so many bytes that are not in any cache.
fn reading_ms(bytes: usize) -> f64 {
    let memory = vec![1u64; (256 << 20) / 8];
    let started = Instant::now();
    black_box(memory.iter().fold(0u64, |sum, word| sum.wrapping_add(*word)));
    started.elapsed().as_secs_f64() * 1000.0 * bytes as f64 / (256 << 20) as f64
}

fn main() -> Result<()> {
    let people: u64 = std::env::var("PEOPLE")
        .ok()
        .and_then(|people| people.parse().ok())
        .unwrap_or(1_000_000);
    let index = load(people)?;
    println!("reading a byte a person takes {:.3} ms", reading_ms(people as usize));
    let questions = questions();
    for (name, cond) in &questions {
        let (median, matched) = ask(&index, &[(name, cond)])?;
        println!("{name:<24} {median:>9.2} ms   {matched:>9} people");
    }
    let many: Vec<(String, Json)> = (0..1000u64)
        .map(|number| {
            let city = format!("city {}", number % 100);
            let cond = all(vec![
                among("city", &[&city]),
                questions[(number % 8) as usize].1.clone(),
            ]);
            (format!("segment {number}"), cond)
        })
        .collect();
    let many: Vec<(&str, &Json)> = many.iter().map(|(name, cond)| (&name[..], cond)).collect();
    println!("a thousand segments      {:>9.2} ms", ask(&index, &many)?.0);
    Ok(())
}
