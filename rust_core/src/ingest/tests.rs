use std::collections::{BTreeMap, HashMap};

use proptest::prelude::*;

use super::*;
use crate::schema::tests::{Declared, declared};
use crate::wire::{put_bytes, put_fixed64, put_text, put_varint};

const NOW: i64 = 1_800_000_000_000;

/// One event of the tests; `Default` is valid.
#[derive(Clone)]
struct Sample {
    source: String,
    id: String,
    kind: String,
    seconds: Option<i64>,
    identifiers: Vec<(String, String)>,
    properties: Vec<(String, Vec<u8>)>,
}

impl Default for Sample {
    fn default() -> Self {
        Sample {
            source: "till".into(),
            id: "1".into(),
            kind: "order".into(),
            seconds: Some(NOW / 1000 - 60),
            identifiers: vec![("card".into(), "7".into())],
            properties: vec![],
        }
    }
}

fn message(fields: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::new();
    fields(&mut out);
    out
}

fn entry(name: &str, value: &[u8]) -> Vec<u8> {
    message(|out| {
        put_text(out, 1, name);
        put_bytes(out, 2, value);
    })
}

fn pair(first: &str, second: &str) -> Vec<u8> {
    message(|out| {
        put_text(out, 1, first);
        put_text(out, 2, second);
    })
}

fn time(seconds: i64) -> Vec<u8> {
    message(|out| {
        put_varint(out, 1 << 3);
        put_varint(out, seconds as u64);
    })
}

impl Sample {
    fn record(&self) -> Vec<u8> {
        let body = message(|out| {
            put_text(out, 1, &self.source);
            put_text(out, 2, &self.id);
            put_text(out, 3, &self.kind);
            if let Some(seconds) = self.seconds {
                put_bytes(out, 4, &time(seconds));
            }
            for (namespace, value) in &self.identifiers {
                put_bytes(out, 5, &pair(namespace, value));
            }
            for (name, value) in &self.properties {
                put_bytes(out, 7, &entry(name, value));
            }
        });
        message(|out| put_bytes(out, 1, &body))
    }

    fn with(name: &str, value: Vec<u8>) -> Sample {
        Sample {
            properties: vec![(name.into(), value)],
            ..Sample::default()
        }
    }
}

fn number(value: f64) -> Vec<u8> {
    message(|out| put_fixed64(out, 2, value.to_bits()))
}

fn value(field: u32, text: &str) -> Vec<u8> {
    message(|out| put_bytes(out, field, text.as_bytes()))
}

fn request(records: &[Vec<u8>]) -> Vec<u8> {
    message(|out| {
        put_text(out, 1, "shop");
        for record in records {
            put_bytes(out, 2, record);
        }
        put_varint(out, 3 << 3);
        put_varint(out, 9);
    })
}

#[derive(Debug, Default, PartialEq)]
struct Answer {
    sequence: u64,
    accepted: u64,
    duplicates: u64,
    /// Index, reason, field, message.
    rejects: Vec<(u64, String, String, String)>,
    raw_offset: u64,
}

fn answer(bytes: &[u8]) -> Answer {
    let mut answer = Answer::default();
    let mut reader = crate::wire::Reader::new(bytes);
    while let Some((field, wire)) = reader.field().unwrap() {
        match field {
            1 => answer.sequence = wire.number().unwrap(),
            2 => answer.accepted = wire.number().unwrap(),
            3 => answer.duplicates = wire.number().unwrap(),
            4 => {
                let mut reject = (0, String::new(), String::new(), String::new());
                let mut reader = crate::wire::Reader::new(wire.bytes().unwrap());
                while let Some((field, wire)) = reader.field().unwrap() {
                    match field {
                        1 => reject.0 = wire.number().unwrap(),
                        2 => reject.1 = wire.text().unwrap().into(),
                        3 => reject.2 = wire.text().unwrap().into(),
                        _ => reject.3 = wire.text().unwrap().into(),
                    }
                }
                answer.rejects.push(reject);
            }
            _ => answer.raw_offset = wire.number().unwrap(),
        }
    }
    answer
}

struct World {
    folder: tempfile::TempDir,
    ingestor: Option<Ingestor>,
}

impl World {
    fn new() -> World {
        let mut world = World {
            folder: crate::log::tests::new_folder(),
            ingestor: None,
        };
        world.reopen();
        world.ingestor().put_schema(&schema().encode(), NOW).unwrap();
        world
    }

    fn ingestor(&self) -> &Ingestor {
        self.ingestor.as_ref().unwrap()
    }

    fn reopen(&mut self) {
        self.ingestor = None;
        self.ingestor = Some(self.open().unwrap());
    }

    fn open(&self) -> Result<Ingestor> {
        let log = |name: &str| LocalLog::create(&self.folder.path().join(name)).map(Arc::new);
        Ingestor::open(log("raw")?, log("rejects")?, &self.folder.path().join("keys"))
    }

    fn ingest(&self, records: &[Vec<u8>]) -> Answer {
        answer(&self.ingestor().ingest(&request(records), NOW).unwrap())
    }

    fn reject(&self, record: Vec<u8>) -> (String, String, String) {
        let answer = self.ingest(&[record]);
        assert_eq!((answer.accepted, answer.duplicates, answer.rejects.len()), (0, 0, 1));
        let (_, reason, field, message) = answer.rejects.into_iter().next().unwrap();
        (reason, field, message)
    }

    /// Records of the raw log, in order.
    fn raw(&self) -> Vec<Vec<u8>> {
        let frames = self.ingestor().raw.read(0, usize::MAX).unwrap();
        let records = frames
            .iter()
            .flat_map(|(_, frame)| RawFrame::decode(frame).unwrap().records);
        records.map(<[u8]>::to_vec).collect()
    }
}

fn schema() -> Schema {
    declared(&[
        Declared::Event(
            "order",
            &[
                ("amount", "money"),
                ("note", "text"),
                ("level", "enum:gold,ｓilver"),
                ("day", "date"),
            ],
        ),
        Declared::Event(
            "answer",
            &[
                ("when", "instant"),
                ("born", "month_day"),
                ("tags", "set:a,b"),
                ("more", "map"),
                ("at", "point"),
                ("ok", "bool"),
            ],
        ),
        Declared::Attribute("city", "text"),
        Declared::Catalog("product", &[("brand", "text")]),
    ])
}

fn event(source: usize, id: usize, note: usize) -> Vec<u8> {
    Sample {
        source: format!("s{source}"),
        id: id.to_string(),
        properties: vec![("note".into(), value(4, &note.to_string()))],
        ..Sample::default()
    }
    .record()
}

#[derive(Clone, Debug)]
enum Step {
    /// (source, id, note)
    Ingest(Vec<(usize, usize, usize)>),
    Reopen,
    /// Reopens without the key generations.
    Forget,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let record = (
        0..2usize,
        0..200usize,
        prop_oneof![9 => Just(0usize), 1 => Just(1usize)],
    );
    let step = prop_oneof![
        8 => prop::collection::vec(record, 1..60).prop_map(Step::Ingest),
        1 => Just(Step::Reopen),
        1 => Just(Step::Forget),
    ];
    prop::collection::vec(step, 1..20)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Through seals (every 100 keys in tests), reopening and lost state: the first copy of each key counts, once.
    #[test]
    fn the_first_copy_of_a_key_counts(steps in steps()) {
        let mut world = World::new();
        let mut first: HashMap<(usize, usize), usize> = HashMap::new();
        let mut raw = Vec::new();
        let mut refused = 0;
        for step in steps {
            match step {
                Step::Reopen => world.reopen(),
                Step::Forget => {
                    std::fs::remove_dir_all(world.folder.path().join("keys")).unwrap();
                    world.reopen();
                }
                Step::Ingest(records) => {
                    let (mut accepted, mut duplicates, mut conflicts) = (0, 0, Vec::new());
                    for (at, &(source, id, note)) in records.iter().enumerate() {
                        match first.get(&(source, id)) {
                            None => {
                                first.insert((source, id), note);
                                raw.push(event(source, id, note));
                                accepted += 1;
                            }
                            Some(earlier) if *earlier == note => duplicates += 1,
                            Some(_) => conflicts.push(at as u64),
                        }
                    }
                    let sent: Vec<_> = records.iter().map(|&(source, id, note)| event(source, id, note)).collect();
                    let answer = world.ingest(&sent);
                    prop_assert_eq!((answer.sequence, answer.accepted, answer.duplicates), (9, accepted, duplicates));
                    prop_assert!(answer.rejects.iter().all(|reject| reject.1 == "CONFLICTING_DUPLICATE"));
                    prop_assert_eq!(answer.rejects.iter().map(|reject| reject.0).collect::<Vec<_>>(), conflicts.clone());
                    prop_assert_eq!(answer.raw_offset, world.ingestor().raw.end().unwrap());
                    refused += conflicts.len();
                }
            }
        }
        prop_assert_eq!(world.raw(), raw);
        let letters = world.ingestor().rejects.read(0, usize::MAX).unwrap();
        let letters: usize = letters.iter().map(|(_, frame)| RejectFrame::decode(frame).unwrap().rejects.len()).sum();
        prop_assert_eq!(letters, refused);
        prop_assert_eq!(Schema::decode(&world.ingestor().schema()).unwrap(), schema());
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes: Vec<u8>) {
        let schema = schema();
        for framed in [bytes.clone(), message(|out| put_bytes(out, 1, &bytes)), message(|out| put_bytes(out, 2, &bytes))] {
            check(&framed, &schema, NOW);
            let _ = Request::decode(&framed);
            let _ = peek_workspace(&framed);
        }
    }

    /// Bytes changed anywhere in good records: nothing panics, the others are taken, and each is either taken or refused.
    #[test]
    fn a_damaged_record_spoils_no_other(at in 0..60usize, byte: u8) {
        let mut damaged = event(0, 1, 0);
        let at = at % damaged.len();
        damaged[at] = byte;
        let world = World::new();
        let answer = world.ingest(&[event(0, 2, 0), damaged, event(0, 3, 0)]);
        prop_assert_eq!(answer.accepted + answer.duplicates + answer.rejects.len() as u64, 3);
        prop_assert!(answer.rejects.iter().all(|reject| reject.0 == 1));
    }
}

#[test]
fn the_order_of_maps_and_the_writing_of_numbers_are_no_difference() {
    let amount = |value: Vec<u8>| ("amount".to_string(), value);
    let note = ("note".to_string(), value(4, "x"));
    let mut sample = Sample {
        properties: vec![amount(number(12.5)), note.clone()],
        ..Sample::default()
    };
    let world = World::new();
    assert_eq!(world.ingest(&[sample.record()]).accepted, 1);
    sample.properties = vec![note.clone(), amount(value(3, "12.50"))];
    assert_eq!(world.ingest(&[sample.record()]).duplicates, 1);
    sample.properties = vec![note, amount(value(3, "12.51"))];
    assert_eq!(world.reject(sample.record()).0, "CONFLICTING_DUPLICATE");
}

#[test]
fn what_differs_in_any_field_is_a_conflict() {
    let world = World::new();
    world.ingest(&[Sample::default().record()]);
    let others = [
        Sample {
            kind: "answer".into(),
            ..Sample::default()
        },
        Sample {
            seconds: Some(NOW / 1000 - 61),
            ..Sample::default()
        },
        Sample {
            identifiers: vec![("card".into(), "8".into())],
            ..Sample::default()
        },
        Sample {
            identifiers: vec![("phone".into(), "7".into())],
            ..Sample::default()
        },
        Sample::with("note", value(4, "")),
        Sample::with("amount", number(0.0)),
    ];
    for other in others {
        assert_eq!(world.reject(other.record()).0, "CONFLICTING_DUPLICATE");
    }
    assert_eq!(world.ingest(&[Sample::default().record()]).duplicates, 1);
}

#[test]
fn each_fault_has_its_reason_and_field() {
    let long = |bytes: usize| "x".repeat(bytes);
    let sample = Sample::default;
    let answer = |name: &str, value: Vec<u8>| Sample {
        kind: "answer".into(),
        ..Sample::with(name, value)
    };
    let identified = |namespace: &str, value: &str| Sample {
        identifiers: vec![(namespace.into(), value.into())],
        ..sample()
    };
    let point = |latitude: f64| {
        message(|out| {
            let point = message(|out| put_fixed64(out, 1, latitude.to_bits()));
            put_bytes(out, 9, &point);
        })
    };
    let set = |item: &str| message(|out| put_bytes(out, 7, &message(|out| put_text(out, 1, item))));
    let map = |held: Vec<u8>| message(|out| put_bytes(out, 8, &message(|out| put_bytes(out, 1, &entry("k", &held)))));
    let cleared = message(|out| put_varint(out, 10 << 3))
        .into_iter()
        .chain([0])
        .collect::<Vec<u8>>();
    let cases: Vec<(Sample, &str, &str)> = vec![
        (
            Sample {
                source: String::new(),
                ..sample()
            },
            "MISSING_SOURCE",
            "source",
        ),
        (
            Sample {
                id: String::new(),
                ..sample()
            },
            "MISSING_ID",
            "id",
        ),
        (
            Sample {
                id: long(513),
                ..sample()
            },
            "TOO_LONG",
            "id",
        ),
        (
            Sample {
                kind: String::new(),
                ..sample()
            },
            "MISSING_TYPE",
            "type",
        ),
        (
            Sample {
                kind: "oder".into(),
                ..sample()
            },
            "UNKNOWN_TYPE",
            "type",
        ),
        (
            Sample {
                seconds: None,
                ..sample()
            },
            "MISSING_TIME",
            "occurred_at",
        ),
        (
            Sample {
                seconds: Some(NOW / 1000 + 86_401),
                ..sample()
            },
            "FUTURE_TIME",
            "occurred_at",
        ),
        (
            Sample {
                seconds: Some(-2_208_988_801),
                ..sample()
            },
            "TIME_BEFORE_1900",
            "occurred_at",
        ),
        (
            Sample {
                seconds: Some(i64::MAX),
                ..sample()
            },
            "MALFORMED",
            "",
        ),
        (
            Sample {
                identifiers: vec![],
                ..sample()
            },
            "MISSING_IDENTIFIER",
            "identifiers",
        ),
        (identified("", "7"), "INVALID_NAMESPACE", "identifiers[0].namespace"),
        (identified("a b", "7"), "INVALID_NAMESPACE", "identifiers[0].namespace"),
        (identified("card", " "), "EMPTY_IDENTIFIER", "identifiers[0].value"),
        (identified("card", &long(1025)), "TOO_LONG", "identifiers[0].value"),
        (
            Sample::with("amout", number(1.0)),
            "UNKNOWN_PROPERTY",
            "properties.amout",
        ),
        (
            Sample::with("amount", number(f64::NAN)),
            "INVALID_NUMBER",
            "properties.amount",
        ),
        (
            Sample::with("amount", number(1e13)),
            "INVALID_NUMBER",
            "properties.amount",
        ),
        (
            Sample::with("amount", value(3, "1,000")),
            "INVALID_NUMBER",
            "properties.amount",
        ),
        (Sample::with("amount", value(4, "1")), "WRONG_TYPE", "properties.amount"),
        (Sample::with("amount", vec![]), "WRONG_TYPE", "properties.amount"),
        (Sample::with("note", cleared), "CLEARED_VALUE", "properties.note"),
        (
            Sample::with("note", value(4, &long((64 << 10) + 1))),
            "TOO_LONG",
            "properties.note",
        ),
        (
            Sample::with("level", value(4, "bronze")),
            "UNKNOWN_VALUE",
            "properties.level",
        ),
        (
            Sample::with("day", value(6, "2026-02-30")),
            "INVALID_DATE",
            "properties.day",
        ),
        (
            answer("born", value(6, "2026-02-20")),
            "INVALID_DATE",
            "properties.born",
        ),
        (
            answer("when", message(|out| put_bytes(out, 5, &time(1 << 40)))),
            "INVALID_TIME",
            "properties.when",
        ),
        (answer("tags", set("c")), "UNKNOWN_VALUE", "properties.tags"),
        (
            answer("more", map(number(f64::INFINITY))),
            "INVALID_NUMBER",
            "properties.more",
        ),
        (answer("more", map(map(number(1.0)))), "WRONG_TYPE", "properties.more"),
        (answer("at", point(90.1)), "INVALID_POINT", "properties.at"),
        (answer("at", point(f64::NAN)), "INVALID_POINT", "properties.at"),
    ];
    let world = World::new();
    for (sample, reason, field) in cases {
        let (found, path, message) = world.reject(sample.record());
        assert_eq!((found.as_str(), path.as_str()), (reason, field), "{message}");
        assert!(!message.is_empty());
    }
    assert!(
        world
            .reject(Sample::with("amout", number(1.0)).record())
            .2
            .contains("did you mean amount?")
    );
    for malformed in [b"\x0a\xff".to_vec(), b"".to_vec(), b"\xff".to_vec()] {
        assert_eq!(world.reject(malformed).0, "MALFORMED");
    }
    for (number, field) in [(1, "source"), (2, "id"), (3, "type"), (6, "channel")] {
        let event = message(|out| put_bytes(out, number, b"\xff"));
        let (reason, _, text) = world.reject(message(|out| put_bytes(out, 1, &event)));
        assert_eq!(reason, "MALFORMED");
        assert!(
            text.starts_with(&format!("{field}: ")) && text.contains("UTF-8"),
            "{text}"
        );
    }
    let not_utf8 = Sample::with("note", message(|out| put_bytes(out, 4, b"\xff"))).record();
    let (_, _, text) = world.reject(not_utf8);
    assert!(text.starts_with("properties: note: "), "{text}");
    for (id, level) in ["gold", "silver", "ｓilver"].into_iter().enumerate() {
        let good = Sample {
            id: id.to_string(),
            ..Sample::with("level", value(4, level))
        };
        assert_eq!(world.ingest(&[good.record()]).accepted, 1);
    }
    let good = [
        ("born", value(6, "02-29")),
        ("tags", set("a")),
        ("more", map(value(4, "x"))),
        ("at", point(-90.0)),
    ];
    for (id, (name, value)) in good.into_iter().enumerate() {
        let good = Sample {
            id: format!("good {id}"),
            ..answer(name, value)
        };
        assert_eq!(world.ingest(&[good.record()]).accepted, 1, "{name}");
    }
}

#[test]
fn profiles_clear_and_items_repeat() {
    let world = World::new();
    let profile = |id: &str, name: &str, value: &[u8]| {
        let body = message(|out| {
            put_text(out, 1, "crm");
            put_text(out, 2, id);
            put_bytes(out, 4, &pair("card", "7"));
            put_bytes(out, 5, &entry(name, value));
        });
        message(|out| put_bytes(out, 2, &body))
    };
    let item = |name: &str, key: &str, held: &[u8]| {
        let body = message(|out| {
            put_text(out, 1, name);
            put_text(out, 2, key);
            put_bytes(out, 3, &entry("brand", held));
        });
        message(|out| put_bytes(out, 3, &body))
    };
    let cleared = [10 << 3, 0];
    assert_eq!(
        world
            .ingest(&[profile("1", "city", &cleared), profile("1", "city", &cleared)])
            .duplicates,
        1
    );
    assert_eq!(world.reject(profile("2", "town", &cleared)).0, "UNKNOWN_ATTRIBUTE");
    let brand = value(4, "x");
    assert_eq!(
        world
            .ingest(&[item("product", "1", &brand), item("product", "1", &brand)])
            .accepted,
        2
    );
    assert_eq!(world.reject(item("product", "", &brand)).0, "MISSING_KEY");
    assert_eq!(world.reject(item("produkt", "1", &brand)).0, "UNKNOWN_CATALOG");
    assert_eq!(world.reject(item("product", "1", &cleared)).0, "CLEARED_VALUE");
}

#[test]
fn of_concurrent_copies_one_is_accepted() {
    let world = World::new();
    let answers: Vec<Answer> = std::thread::scope(|scope| {
        let send = |turn: usize| {
            let world = &world;
            move || {
                let batches =
                    (0..10).map(|batch| (0..20).map(|at| event(0, (batch + turn) % 10 * 20 + at, 0)).collect());
                batches
                    .map(|records: Vec<_>| world.ingest(&records))
                    .collect::<Vec<_>>()
            }
        };
        let threads: Vec<_> = (0..4).map(|turn| scope.spawn(send(turn))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let sum = |count: fn(&Answer) -> u64| answers.iter().map(count).sum::<u64>();
    assert_eq!(
        (sum(|answer| answer.accepted), sum(|answer| answer.duplicates)),
        (200, 600)
    );
    let mut counted: BTreeMap<Vec<u8>, usize> = BTreeMap::new();
    world
        .raw()
        .into_iter()
        .for_each(|record| *counted.entry(record).or_default() += 1);
    assert!(counted.len() == 200 && counted.values().all(|count| *count == 1));
}

#[test]
fn keys_are_forgotten_after_thirty_days_but_not_before() {
    let world = World::new();
    let at = |days: i64| NOW + days * 24 * 60 * 60 * 1000;
    let send = |id: usize, days: i64| answer(&world.ingestor().ingest(&request(&[event(0, id, 0)]), at(days)).unwrap());
    (0..250).for_each(|id| assert_eq!(send(id, 0).accepted, 1));
    assert!((0..250).all(|id| send(id, 30).duplicates == 1));
    (250..500).for_each(|id| assert_eq!(send(id, 31).accepted, 1));
    assert!((250..500).all(|id| send(id, 31).duplicates == 1));
    assert_eq!(send(0, 31).accepted, 1);
}

#[test]
fn a_log_shorter_than_what_was_acknowledged_is_refused() {
    let mut world = World::new();
    (0..250).for_each(|id| assert_eq!(world.ingest(&[event(0, id, 0)]).accepted, 1));
    world.ingestor = None;
    std::fs::remove_dir_all(world.folder.path().join("raw")).unwrap();
    assert!(matches!(world.open(), Err(Error::Corrupt { .. })));
}

#[test]
fn a_request_that_cannot_be_read_is_refused_as_a_whole() {
    let world = World::new();
    let too_many = b"\x12\x00".repeat(100_001);
    for (sent, says) in [
        (b"\x12\x05a".to_vec(), "send it whole"),
        (vec![0; (64 << 20) + 1], "at most 67108864"),
        (too_many.clone(), "at most 100000"),
    ] {
        match world.ingestor().ingest(&sent, NOW) {
            Err(Error::Invalid(message)) => assert!(message.contains(says), "{message}"),
            _ => panic!("{says}"),
        }
    }
    // Dead letters of a whole request fit a frame.
    let most = answer(&world.ingestor().ingest(&too_many[2..], NOW).unwrap());
    assert_eq!(most.rejects.len(), 100_000);
    assert_eq!(peek_workspace(&request(&[])).unwrap(), "shop");
    assert_eq!(peek_workspace(b"").unwrap(), "");
    assert!(peek_workspace(b"\x0a\x05a").is_err());
}

#[test]
fn a_refused_declaration_changes_nothing() {
    let world = World::new();
    let (before, end) = (world.ingestor().schema(), world.ingestor().raw.end().unwrap());
    let wrong = declared(&[Declared::Event("order", &[("amount", "text")])]);
    assert!(world.ingestor().put_schema(&wrong.encode(), NOW).is_err());
    assert_eq!(world.ingestor().put_schema(&before, NOW).unwrap(), end);
    assert_eq!(
        (world.ingestor().schema(), world.ingestor().raw.end().unwrap()),
        (before, end)
    );
    let more = declared(&[Declared::Event("visit", &[])]);
    assert_eq!(world.ingestor().put_schema(&more.encode(), NOW).unwrap(), end + 1);
}
