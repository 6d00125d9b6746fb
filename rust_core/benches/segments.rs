//! Questions asked of an index in memory and of one mapped from its snapshot, beside the time that reading as many bytes takes:
//! `cargo bench --bench segments`.
//!
//! `PEOPLE` (default 1,000,000) people have ten times as many events in 180 days; most of them browse, a few do most.

use std::collections::HashMap;
use std::hint::black_box;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use quanyu_core::error::{Error, Result};
use quanyu_core::eval::{BlockRoots, Limits, evaluate, evaluate_blocks, explain};
use quanyu_core::frame::{Change, IdentityChange, ResolvedFrame};
use quanyu_core::index::Index;
use quanyu_core::index::view::person_of;
use quanyu_core::plan::Plan;
use quanyu_core::schema::{EventType, Field, Schema, Type};
use quanyu_core::wire::{put_bytes, put_number, put_text};
use serde_json::{Value as Json, json};
use xxhash_rust::xxh3::xxh3_64;

/// Environment variable with the folder that a second process opens.
const REOPENED: &str = "REOPENED";
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
const TASTES: [&str; 8] = ["spicy", "sweet", "light", "vegan", "sour", "raw", "smoked", "iced"];
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

/// An entry of a map of values; `kind` is the field of Value.
fn put_value(out: &mut Vec<u8>, field: u32, name: &str, kind: u32, text: &str) {
    let (mut value, mut entry) = (Vec::new(), Vec::new());
    put_bytes(&mut value, kind, text.as_bytes());
    put_text(&mut entry, 1, name);
    put_bytes(&mut entry, 2, &value);
    put_bytes(out, field, &entry);
}

/// The same of a set of texts.
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
    };
    let bytes = frame.encode();
    index.fold(&[(offset, &bytes)])
}

/// Seconds that this thread was on a processor: other work on the machine does not count.
fn processor_time() -> f64 {
    let statistics = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos: f64 = statistics
        .split(' ')
        .next()
        .and_then(|nanos| nanos.parse().ok())
        .unwrap_or(0.0);
    nanos / 1e9
}

fn load(people: u64, folder: &Path) -> Result<Index> {
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

/// Some of these texts in a set.
fn has_any(attribute: &str, texts: &[&str]) -> Json {
    let mut cond = among(attribute, texts);
    cond["op"] = json!("has");
    cond["mode"] = json!("any");
    cond
}

/// At least so many events of the type for which the filter is true.
fn happened_where(name: &str, filter: Json, days: u64, min: u64) -> Json {
    let mut cond = happened(&[name], days, min);
    cond["events"]["steps"][0]["where"] = filter;
    cond
}

fn property_among(name: &str, texts: &[&str]) -> Json {
    let mut cond = among(name, texts);
    cond["expr"] = json!({"op": "property", "name": name});
    cond
}

/// One event, then within some days the other.
fn funnel(first: &str, second: &str, within_days: u64) -> Json {
    let step = |name: &str, within: Option<u64>| json!({"events": [{"type": name, "where": null}], "after": null, "within": within, "without": []});
    let steps = [step(first, None), step(second, Some(within_days * DAY_MS))];
    json!({"op": "sequence", "steps": steps, "by": null, "from": null, "to": AS_OF})
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
    let profile = vec![
        among("city", &["city 1", "city 2", "city 3", "city 4"]),
        among("level", &["silver", "gold", "black"]),
        has_any("tastes", &["spicy", "vegan"]),
        more(json!({"op": "attribute", "name": "score", "key": null}), "400"),
    ];
    let favourite = json!({
        "op": "in", "expr": aggregate("most", Some("store"), &["order"], 90, None),
        "items": [{"op": "literal", "value": {"text": "store 1"}}],
    });
    vec![
        ("nobody", json!({"op": "constant", "value": false})),
        ("attributes", all(five)),
        ("attributes and a set", all(profile)),
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
        (
            "distinct stores in 90d",
            more(aggregate("distinct", Some("store"), &["order"], 90, None), "2"),
        ),
        (
            "two orders at 3 stores",
            happened_where(
                "order",
                property_among("store", &["store 1", "store 2", "store 3"]),
                90,
                2,
            ),
        ),
        ("favourite store in 90d", favourite),
        ("browse, then order", funnel("browse", "order", 7)),
        ("the full rule", all(full)),
    ]
}

fn plan(roots: &[(&str, &Json)]) -> String {
    let root = |(name, cond): &(&str, &Json)| json!({"name": name, "cond": cond, "among": null});
    json!({"as_of": AS_OF, "roots": roots.iter().map(root).collect::<Vec<_>>()}).to_string()
}

/// How long an answer took: milliseconds.
struct Took {
    first: f64,
    median: f64,
}

fn ask(index: &Index, roots: &[(&str, &Json)]) -> Result<(Took, u64)> {
    let plan = plan(roots);
    let version = index.version();
    let mut times = Vec::new();
    let mut matched = 0;
    for _ in 0..7 {
        let started = Instant::now();
        matched = evaluate(&version, plan.as_bytes())?.root(0)?.matched;
        times.push(started.elapsed().as_secs_f64() * 1000.0);
    }
    let first = times[0];
    let median = median(times);
    Ok((Took { first, median }, matched))
}

/// Milliseconds to find who has joined or left each of the segments since a day before.
fn changes(index: &Index, roots: &[(&str, &Json)]) -> Result<f64> {
    let plan = Plan::parse(plan(roots).as_bytes())?;
    let version = index.version();
    let all = |_: u32, _: u32| true;
    let members = |block: &BlockRoots| {
        let of = |root| {
            let mut words = Vec::new();
            block.members(root, &mut words)?;
            Ok(words)
        };
        (0..roots.len()).map(of).collect::<Result<Vec<Vec<u64>>>>()
    };
    let blocks = evaluate_blocks(&version, &plan, all, |block| {
        Ok(((block.partition(), block.block()), members(block)?))
    })?;
    let before: HashMap<(u32, u32), Vec<Vec<u64>>> = blocks.into_iter().collect();
    let changed = |block: &BlockRoots| {
        let (mut words, mut changed) = (Vec::new(), 0);
        for (root, before) in before[&(block.partition(), block.block())].iter().enumerate() {
            block.members(root, &mut words)?;
            let pairs = words.iter().zip(before);
            changed += pairs
                .map(|(now, before)| u64::from((now ^ before).count_ones()))
                .sum::<u64>();
        }
        Ok(changed)
    };
    let mut times = Vec::new();
    for _ in 0..7 {
        let started = Instant::now();
        black_box(evaluate_blocks(&version, &plan, all, changed)?);
        times.push(started.elapsed().as_secs_f64() * 1000.0);
    }
    Ok(median(times))
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// Milliseconds to read so many bytes that are not in any cache.
fn reading_ms(bytes: usize) -> f64 {
    let memory = vec![1u64; (256 << 20) / 8];
    let started = Instant::now();
    black_box(memory.iter().fold(0u64, |sum, word| sum.wrapping_add(*word)));
    started.elapsed().as_secs_f64() * 1000.0 * bytes as f64 / (256 << 20) as f64
}

/// Megabytes of this process: its own, and mapped from files.
fn resident() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let megabytes = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        kilobytes.unwrap_or(0) / 1024
    };
    format!("{} MB and {} MB mapped", megabytes("RssAnon:"), megabytes("RssFile:"))
}

fn seconds<T>(what: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let started = Instant::now();
    let done = work()?;
    println!(
        "{what}: {:.2} s, resident {}",
        started.elapsed().as_secs_f64(),
        resident()
    );
    Ok(done)
}

/// Takes the files of a folder out of the page cache, as they are after the machine has started.
fn forget_pages(folder: &Path) -> std::io::Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        let file = std::fs::File::open(entry?.path())?;
        rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed)?;
        bytes += file.metadata()?.len();
    }
    Ok(bytes)
}

/// What a process that starts anew on the folder sees.
fn reopened(folder: &Path) -> Result<()> {
    let index = seconds("opened", || Index::open(folder))?;
    println!("{:<24} {:>12} {:>12}", "", "first", "then");
    for (name, cond) in &questions() {
        let (Took { first, median }, matched) = ask(&index, &[(name, cond)])?;
        println!("{name:<24} {first:>9.2} ms {median:>9.2} ms   {matched:>9} people");
    }
    println!("resident {}", resident());
    Ok(())
}

/// Runs this program again on a folder.
fn reopen(folder: &Path, pages: &str) -> std::io::Result<()> {
    println!("\n{pages}");
    let status = Command::new(std::env::current_exe()?).env(REOPENED, folder).status()?;
    assert!(status.success());
    Ok(())
}

fn segments(index: &Index, questions: &[(&str, Json)]) -> Result<()> {
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
    println!("a thousand segments      {:>9.2} ms", ask(index, &many)?.0.median);
    println!("who joined and left      {:>9.2} ms", changes(index, &many)?);
    Ok(())
}

fn main() -> Result<()> {
    if let Some(folder) = std::env::var_os(REOPENED) {
        return reopened(Path::new(&folder));
    }
    let people: u64 = std::env::var("PEOPLE")
        .ok()
        .and_then(|people| people.parse().ok())
        .unwrap_or(1_000_000);
    let questions = questions();
    let folder = tempfile::tempdir().map_err(Error::io(std::env::temp_dir()))?;
    let folder = folder.path();
    let index = load(people, folder)?;
    println!("resident {}", resident());
    println!("reading a byte a person takes {:.3} ms", reading_ms(people as usize));
    for (name, cond) in &questions {
        let (Took { median, .. }, matched) = ask(&index, &[(name, cond)])?;
        let plan = plan(&[(name, cond)]);
        let bytes = explain(&index.version(), plan.as_bytes(), &Limits::none())?.1.bytes();
        let (read, share) = (bytes as f64 / people as f64, reading_ms(bytes as usize));
        println!(
            "{name:<24} {median:>9.2} ms   {share:>9.2} ms to read {read:>6.2} bytes a person   {matched:>9} people"
        );
    }
    segments(&index, &questions)?;
    seconds("snapshot", || index.snapshot())?;
    println!(
        "{} bytes in memory beside the files",
        index.version().statistics()["bytes"]
    );
    drop(index);
    reopen(folder, "Opened again, with its files in the page cache").map_err(Error::io(folder))?;
    let bytes = forget_pages(folder).map_err(Error::io(folder))?;
    println!(
        "{} bytes an event on disk, ids and attributes included",
        bytes / (10 * people)
    );
    reopen(folder, "Opened again, from the disk").map_err(Error::io(folder))
}
