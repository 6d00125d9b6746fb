//! Rejected records, requests and schemas; a rejected record does not affect others.

use proptest::prelude::*;

use super::world::{NOW, Sample, World, answer, entry, event, message, number, pair, request, schema, time, value};
use crate::error::Error;
use crate::ingest::request::Request;
use crate::ingest::{check, peek_workspace};
use crate::proto::schema::tests::{Declared, declared};
use crate::proto::wire::{put_bytes, put_fixed64, put_text, put_varint};

proptest! {
    #![proptest_config(crate::testing::cases(40))]

    #[test]
    fn arbitrary_bytes_never_panic(bytes: Vec<u8>) {
        let schema = schema();
        for framed in [bytes.clone(), message(|out| put_bytes(out, 1, &bytes)), message(|out| put_bytes(out, 2, &bytes))] {
            check(&framed, &schema, NOW);
            let _ = Request::decode(&framed);
            let _ = peek_workspace(&framed);
        }
    }

    #[test]
    fn a_malformed_record_does_not_affect_the_others(at in 0..60usize, byte: u8) {
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
fn an_invalid_record_is_rejected_with_reason_and_field() {
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
        let valid_sample = Sample {
            id: id.to_string(),
            ..Sample::with("level", value(4, level))
        };
        assert_eq!(world.ingest(&[valid_sample.record()]).accepted, 1);
    }
    let valid_values = [
        ("born", value(6, "02-29")),
        ("tags", set("a")),
        ("more", map(value(4, "x"))),
        ("at", point(-90.0)),
    ];
    for (id, (name, value)) in valid_values.into_iter().enumerate() {
        let valid_sample = Sample {
            id: format!("valid {id}"),
            ..answer(name, value)
        };
        assert_eq!(world.ingest(&[valid_sample.record()]).accepted, 1, "{name}");
    }
}

#[test]
fn profiles_can_clear_attributes_and_items_are_never_duplicates() {
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
fn a_malformed_request_is_rejected_as_a_whole() {
    let world = World::new();
    let too_many = b"\x12\x00".repeat(100_001);
    for (request, expected) in [
        (b"\x12\x05a".to_vec(), "generated from the protos"),
        (vec![0; (64 << 20) + 1], "at most 67108864"),
        (too_many.clone(), "at most 100000"),
    ] {
        match world.ingestor().ingest(&request, NOW) {
            Err(Error::Invalid(message)) => assert!(message.contains(expected), "{message}"),
            _ => panic!("the request is not rejected with {expected:?}"),
        }
    }
    // The dead letters of the largest request fit into one frame.
    let largest = answer(&world.ingestor().ingest(&too_many[2..], NOW).unwrap());
    assert_eq!(largest.rejects.len(), 100_000);
    assert_eq!(peek_workspace(&request(&[])).unwrap(), "shop");
    assert_eq!(peek_workspace(b"").unwrap(), "");
    assert!(peek_workspace(b"\x0a\x05a").is_err());
}

#[test]
fn a_rejected_schema_changes_nothing() {
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
