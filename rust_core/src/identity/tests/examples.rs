//! Examples of identity resolution.

use std::sync::atomic::{AtomicBool, Ordering};

use roaring::RoaringTreemap;

use super::properties::resolver;
use super::world::{DAY, Deed, Delivery, fold_one};
use crate::error::Error;
use crate::identity::violations::encode_identifier;
use crate::identity::{PARTITION, Policy, Resolver};
use crate::proto::frame::{RawFrame, ResolvedFrame};
use crate::proto::wire::{Reader, Wire, put_bytes, put_text};

pub fn empty() -> (tempfile::TempDir, Resolver) {
    let folder = tempfile::tempdir().unwrap();
    let resolver = Resolver::open(folder.path(), Policy::default(), PARTITION).unwrap();
    (folder, resolver)
}

fn one(resolver: &Resolver, received_at_ms: i64, identifiers: &[(&str, &str)]) -> u64 {
    fold_one(resolver, received_at_ms, &[Deed::of("r", identifiers)])[0]
}

fn fields(bytes: &[u8]) -> Vec<(u32, Wire<'_>)> {
    let mut reader = Reader::new(bytes);
    std::iter::from_fn(|| reader.field().unwrap()).collect()
}

fn packed(persons: &[u64]) -> Vec<u8> {
    persons.iter().flat_map(|person| person.to_le_bytes()).collect()
}

#[test]
fn new_people_are_assigned_round_robin_to_sixteen_partitions() {
    let (_folder, resolver) = empty();
    let ids: Vec<u64> = (1..40)
        .map(|n| one(&resolver, 0, &[("card", &n.to_string())]))
        .collect();
    let expected = (0..39u64).map(|n| ((n % 16 + 1) << 32) | (n / 16));
    assert_eq!(ids, expected.collect::<Vec<_>>());
}

#[test]
fn chains_of_merges_all_lead_to_the_oldest() {
    let (_folder, resolver) = empty();
    let ids: Vec<u64> = (1..5).map(|n| one(&resolver, 0, &[("card", &n.to_string())])).collect();
    // Merges the youngest pair first: 4 into 3, 3 into 2, 2 into 1.
    for n in (1..4).rev() {
        assert_eq!(
            one(
                &resolver,
                0,
                &[("card", &n.to_string()), ("card", &(n + 1).to_string())]
            ),
            ids[n - 1]
        );
    }
    let whole = resolver.person(ids[0]);
    for &id in &ids {
        assert_eq!(resolver.person(id), whole);
    }
    let parts = fields(&whole);
    assert_eq!(parts[0], (1, Wire::Fixed64(ids[0])));
    assert_eq!(parts[1..5].iter().filter(|(field, _)| *field == 2).count(), 4);
    assert_eq!(parts[5], (3, Wire::Bytes(&packed(&ids[1..]))));
    assert_eq!(resolver.statistics().persons, 1);
    assert_ne!(one(&resolver, 0, &[("card", "9")]), ids[3], "an id is never used again");
}

#[test]
fn a_merge_also_moves_earlier_records_of_its_frame() {
    let (_folder, resolver) = empty();
    let deeds = [
        Deed::of("a", &[("phone", "13912345678")]),
        Deed::of("b", &[("card", "7")]),
        Deed::of("c", &[("card", "7"), ("phone", "139 1234 5678")]),
    ];
    let first = 1 << 32;
    assert_eq!(fold_one(&resolver, 0, &deeds), [first, first, first]);
}

#[test]
fn identifiers_beyond_the_limits_are_dropped_and_reported() {
    let (_folder, resolver) = empty();
    let phones = ["13912345671", "13912345672", "13912345673", "13912345674"];
    let person = one(
        &resolver,
        0,
        &[
            ("member", "m1"),
            ("phone", phones[0]),
            ("phone", phones[1]),
            ("phone", phones[2]),
        ],
    );
    // The fourth phone exceeds the limit; the weaker email does not and is kept.
    assert_eq!(
        one(
            &resolver,
            1,
            &[("email", "a@b.cn"), ("phone", phones[3]), ("member", "m1")]
        ),
        person
    );
    assert_eq!(resolver.resolve(("phone", phones[3])), 0);
    assert_eq!(resolver.resolve(("email", "A@b.cn")), person);
    // Alone, it becomes a person of its own, which the records of the member do not change.
    let other = one(&resolver, 2, &[("phone", phones[3])]);
    assert_ne!(other, person);
    assert_eq!(one(&resolver, 3, &[("phone", phones[3]), ("member", "m1")]), person);
    assert_eq!(resolver.resolve(("phone", phones[3])), other);
    let mut expected = Vec::new();
    for offset in [3u8, 1] {
        let mut violation = vec![8, offset];
        put_text(&mut violation, 2, "LIMIT_EXCEEDED");
        put_bytes(
            &mut violation,
            3,
            &encode_identifier("phone", &format!("+86{}", phones[3])),
        );
        put_text(&mut violation, 4, "pos");
        put_text(&mut violation, 5, "r");
        put_bytes(&mut expected, 1, &violation);
    }
    assert_eq!(resolver.violations(0, 10), expected);
}

#[test]
fn placeholder_identifiers_merge_nobody() {
    let (_folder, resolver) = empty();
    let people: Vec<u64> = (1..100)
        .map(|n| {
            one(
                &resolver,
                0,
                &[("unionid", "null"), ("phone", "13800138000"), ("card", &n.to_string())],
            )
        })
        .collect();
    assert_eq!(resolver.statistics().persons, people.len() as u64);
    assert_eq!(resolver.statistics().violations, 2 * people.len() as u64);
    assert_eq!(one(&resolver, 0, &[("unionid", "undefined")]), 0);
    assert_eq!(one(&resolver, 0, &[]), 0);
}

/// Many people use a few shop devices, some of which are reported under a gluing namespace.
#[test]
fn a_shared_shop_device_does_not_merge_its_users() {
    let (_folder, resolver) = empty();
    for person in 0..3000u64 {
        let phone = (13_900_000_001 + person * 7).to_string();
        let card = format!("c{person}");
        let (till, tablet) = (format!("t{}", person % 3), format!("d{}", person % 5));
        one(&resolver, 0, &[("phone", &phone), ("card", &card)]);
        one(&resolver, 0, &[("card", &card), ("device", &tablet)]);
        one(&resolver, 0, &[("phone", &phone), ("till", &till)]);
    }
    let graph = &resolver.state.read().graph;
    let largest = (0..graph.persons.len() as u32)
        .map(|person| graph.persons.get(graph.persons.root(person)).size)
        .max();
    assert_eq!(largest, Some(3 + 3 + 1), "three phones, their cards and the till");
    assert!(resolver.statistics().persons > 2980);
}

#[test]
fn a_device_belongs_to_the_last_sign_in_for_thirty_days() {
    let (_folder, resolver) = empty();
    let visitor = one(&resolver, 0, &[("device", "d")]);
    assert_eq!(one(&resolver, 0, &[("cookie", "c"), ("device", "d")]), visitor);
    let first = one(&resolver, DAY, &[("phone", "13912345678"), ("device", "d")]);
    assert_ne!(first, visitor);
    assert_eq!(one(&resolver, 2 * DAY, &[("device", "d")]), first);
    let second = one(&resolver, 3 * DAY, &[("phone", "13912345679"), ("device", "d")]);
    assert_ne!(second, first);
    // Attribution does not extend a sign-in.
    assert_eq!(one(&resolver, 32 * DAY, &[("device", "d")]), second);
    assert_eq!(one(&resolver, 33 * DAY, &[("device", "d")]), second);
    assert_eq!(resolver.resolve(("device", "d")), second);
    assert_eq!(one(&resolver, 33 * DAY + 1, &[("device", "d")]), visitor);
    assert_eq!(resolver.resolve(("device", "d")), visitor);
    assert_eq!(resolver.statistics().merges, 0);
}

#[test]
fn explain_returns_a_path_between_two_identifiers() {
    let (_folder, resolver) = empty();
    let mut deed = Deed::of("first", &[("phone", "13912345678"), ("card", "1")]);
    deed.at_ms = Some(-1);
    fold_one(&resolver, 5000, &[deed]);
    fold_one(
        &resolver,
        7250,
        &[Deed::of(
            "second",
            &[("card", "1"), ("phone", "13912345678"), ("email", "a@b.cn")],
        )],
    );
    let answer = resolver.explain(("card", "1"), ("email", "A@B.cn"));
    let parts = fields(&answer);
    assert_eq!(parts[0], (1, Wire::Varint(1)));
    assert_eq!(parts.len(), 3);
    let edge = fields(parts[1].1.bytes().unwrap());
    assert_eq!(edge[0].1, Wire::Bytes(&encode_identifier("card", "1")));
    assert_eq!(edge[1].1, Wire::Bytes(&encode_identifier("phone", "+8613912345678")));
    assert_eq!(edge[2].1, Wire::Bytes(b"pos"));
    assert_eq!(edge[3].1, Wire::Bytes(b"first"));
    // -1 ms: -1 s and 999,000,000 ns.
    let first = fields(edge[4].1.bytes().unwrap());
    assert_eq!(first, [(1, Wire::Varint(-1i64 as u64)), (2, Wire::Varint(999_000_000))]);
    let last = fields(edge[5].1.bytes().unwrap());
    assert_eq!(last, [(1, Wire::Varint(7)), (2, Wire::Varint(250_000_000))]);
    assert_eq!(&edge[6..], [(7, Wire::Varint(2)), (8, Wire::Varint(1))]);
    let edge = fields(parts[2].1.bytes().unwrap());
    assert_eq!(edge[0].1, Wire::Bytes(&encode_identifier("phone", "+8613912345678")));
    assert_eq!(edge[1].1, Wire::Bytes(&encode_identifier("email", "a@b.cn")));
    assert_eq!(resolver.explain(("card", "1"), ("card", "1")), [8, 1]);
    one(&resolver, 0, &[("card", "2")]);
    for strange in [("card", "2"), ("card", "3"), ("nothing", "1"), ("card", "null")] {
        assert!(resolver.explain(("card", "1"), strange).is_empty());
    }
}

#[test]
fn identifiers_are_listed_in_chunks_with_each_person_once() {
    let (_folder, resolver) = empty();
    let cards: Vec<String> = (1..=40).map(|n| n.to_string()).collect();
    let ids: Vec<u64> = cards
        .iter()
        .map(|card| one(&resolver, 0, &[("card", card), ("openid:wx1", card)]))
        .collect();
    one(
        &resolver,
        0,
        &[("card", "1"), ("openid:wx1", "late"), ("openid:wx2", "b")],
    );
    let mut asked: RoaringTreemap = ids.iter().copied().collect();
    asked.insert(99 << 32);
    let bytes = |asked: &RoaringTreemap| {
        let mut bytes = Vec::new();
        asked.serialize_into(&mut bytes).unwrap();
        bytes
    };
    let rows = |asked: &RoaringTreemap, namespace: &str, max_rows: usize| {
        let messages = resolver.identifiers(&bytes(asked), namespace, max_rows).unwrap();
        let mut rows = Vec::new();
        for message in &messages {
            let parts = fields(message);
            let (persons, _) = parts[0].1.bytes().unwrap().as_chunks::<8>();
            assert!(persons.len() <= max_rows && parts.len() == persons.len() + 1);
            let values = parts[1..].iter().map(|(_, value)| value.text().unwrap().to_owned());
            rows.extend(persons.iter().map(|person| u64::from_le_bytes(*person)).zip(values));
        }
        (messages.len(), rows)
    };
    let (messages, found) = rows(&asked, "openid:wx1", 7);
    let mut expected: Vec<(u64, String)> = ids.iter().copied().zip(cards.iter().cloned()).collect();
    expected.sort_unstable();
    assert_eq!((messages, &found), (6, &expected));
    assert_eq!(rows(&asked, "openid:wx2", 7), (1, vec![(ids[0], "b".to_owned())]));
    assert_eq!(rows(&asked, "openid:", 7), (0, vec![]));
    // 3 becomes an alias of 2: a request for both gets one row; a request for the alias alone gets a row, too.
    one(&resolver, 0, &[("card", "2"), ("card", "3")]);
    let both: RoaringTreemap = [ids[1], ids[2]].into_iter().collect();
    assert_eq!(rows(&both, "openid:wx1", 7).1, [(ids[1], "2".to_owned())]);
    assert_eq!(
        rows(&[ids[2]].into_iter().collect(), "openid:wx1", 7).1,
        [(ids[2], "2".to_owned())]
    );
    assert!(matches!(
        resolver.identifiers(b"junk", "card", 7),
        Err(Error::Invalid(_))
    ));
    assert!(matches!(
        resolver.identifiers(&bytes(&asked), "card", 0),
        Err(Error::Invalid(_))
    ));
}

#[test]
fn violations_are_read_backwards_page_by_page() {
    let (_folder, resolver) = empty();
    for _ in 0..5 {
        one(&resolver, 0, &[("card", "null")]);
    }
    let page = |before: u64| {
        let bytes = resolver.violations(before, 2);
        let (mut offsets, parts) = (Vec::new(), fields(&bytes));
        for (_, wire) in parts.iter().filter(|(field, _)| *field == 1) {
            let first = fields(wire.bytes().unwrap())[0];
            // Offset 0 is the default and is not encoded.
            offsets.push(if first.0 == 1 { first.1.number().unwrap() } else { 0 });
        }
        let token = parts
            .iter()
            .find(|(field, _)| *field == 2)
            .map(|(_, wire)| wire.text().unwrap().to_owned());
        (offsets, token)
    };
    assert_eq!(page(0), (vec![4, 3], Some("3".into())));
    assert_eq!(page(3), (vec![2, 1], Some("1".into())));
    assert_eq!(page(1), (vec![0], None));
}

#[test]
fn a_frame_that_cannot_be_read_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let resolver = resolver(&folder, Policy::default());
    let good = Deed::of("r", &[("card", "1")]).encode();
    let frame = RawFrame {
        received_at_ms: 5,
        records: vec![&good, b"\x0a\x05abc"],
        ..RawFrame::default()
    }
    .encode();
    assert!(matches!(resolver.fold(0, &frame), Err(Error::Invalid(message)) if message.contains("raw frame 0")));
    assert_eq!(resolver.statistics().identifiers, 0);
    let frame = Delivery {
        received_at_ms: 5,
        ..Delivery::default()
    }
    .encode();
    for offset in [1, 7] {
        assert!(matches!(resolver.fold(offset, &frame), Err(Error::Invalid(_))));
    }
    resolver.fold(0, &frame).unwrap();
    assert!(matches!(resolver.fold(0, &frame), Err(Error::Invalid(_))));
    assert_eq!((resolver.offset(), resolver.received_at_ms()), (1, 5));
}

#[test]
fn records_items_and_schemas_pass_through_unchanged() {
    let (_folder, resolver) = empty();
    let mut item = Vec::new();
    put_text(&mut item, 1, "product");
    let mut record = Vec::new();
    put_bytes(&mut record, 3, &item);
    let event = Deed::of("r", &[("card", "1")]).encode();
    let raw = RawFrame {
        received_at_ms: 9,
        records: vec![&record, &event],
        ..RawFrame::default()
    };
    let resolved = resolver.fold(0, &raw.encode()).unwrap();
    let resolved = ResolvedFrame::decode(&resolved).unwrap();
    assert_eq!((resolved.records, resolved.persons), (raw.records, vec![0, 1 << 32]));
    let raw = RawFrame {
        received_at_ms: 9,
        schema: Some(b"\x0a\x00"),
        ..RawFrame::default()
    };
    let resolved = resolver.fold(1, &raw.encode()).unwrap();
    let resolved = ResolvedFrame::decode(&resolved).unwrap();
    assert_eq!(
        (resolved.schema, resolved.raw_offset, resolved.received_at_ms),
        (raw.schema, 1, 9)
    );
}

#[test]
fn resolve_many_equals_resolving_one_by_one() {
    let (_folder, resolver) = empty();
    let person = one(&resolver, 0, &[("card", "1")]);
    let mut request = Vec::new();
    put_text(&mut request, 1, "workspace");
    for value in ["1", "2", "1", "null"] {
        put_bytes(&mut request, 2, &encode_identifier("card", value));
    }
    let answer = resolver.batch_resolve(&request).unwrap();
    assert_eq!(fields(&answer), [(1, Wire::Bytes(&packed(&[person, 0, person, 0])))]);
    assert!(resolver.batch_resolve(b"\x12\x09").is_err());
}

#[test]
fn queries_are_answered_while_frames_are_folded() {
    let (_folder, resolver) = empty();
    let person = one(&resolver, 0, &[("card", "first")]);
    let done = AtomicBool::new(false);
    let asked = std::thread::scope(|scope| {
        let asking = scope.spawn(|| {
            let mut asked = 0u64;
            while !done.load(Ordering::Relaxed) || asked == 0 {
                assert_eq!(resolver.resolve(("card", "first")), person);
                asked += 1;
            }
            asked
        });
        for batch in 0..20 {
            let deed = |n: usize| Deed::of("r", &[("card", &format!("{batch}-{n}")), ("member", &format!("m{n}"))]);
            fold_one(&resolver, 0, &(0..500).map(deed).collect::<Vec<_>>());
            resolver.snapshot().unwrap();
        }
        done.store(true, Ordering::Relaxed);
        asking.join().unwrap()
    });
    assert!(asked > 0);
}
