//! Examples of queries.

use std::sync::atomic::{AtomicBool, Ordering};

use roaring::RoaringTreemap;

use super::examples::{empty, fields, fold_record, packed};
use super::world::{TestRecord, fold_one};
use crate::error::Error;
use crate::identity::violations::encode_identifier;
use crate::proto::wire::{Wire, put_bytes, put_text};

#[test]
fn explain_returns_a_path_between_two_identifiers() {
    let (_folder, resolver) = empty();
    let mut record = TestRecord::of("first", &[("phone", "13912345678"), ("card", "1")]);
    record.at_ms = Some(-1);
    fold_one(&resolver, 5000, &[record]);
    fold_one(
        &resolver,
        7250,
        &[TestRecord::of(
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
    fold_record(&resolver, 0, &[("card", "2")]);
    for unconnected in [("card", "2"), ("card", "3"), ("nothing", "1"), ("card", "null")] {
        assert!(resolver.explain(("card", "1"), unconnected).is_empty());
    }
}

#[test]
fn identifiers_returns_each_person_once_in_messages_of_limited_size() {
    let (_folder, resolver) = empty();
    let cards: Vec<String> = (1..=40).map(|n| n.to_string()).collect();
    let ids: Vec<u64> = cards
        .iter()
        .map(|card| fold_record(&resolver, 0, &[("card", card), ("openid:wx1", card)]))
        .collect();
    fold_record(
        &resolver,
        0,
        &[("card", "1"), ("openid:wx1", "late"), ("openid:wx2", "b")],
    );
    let mut people: RoaringTreemap = ids.iter().copied().collect();
    people.insert(99 << 32);
    let bytes = |people: &RoaringTreemap| {
        let mut bytes = Vec::new();
        people.serialize_into(&mut bytes).unwrap();
        bytes
    };
    let rows = |people: &RoaringTreemap, namespace: &str, max_rows: usize| {
        let messages = resolver.identifiers(&bytes(people), namespace, max_rows).unwrap();
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
    let (messages, found) = rows(&people, "openid:wx1", 7);
    let mut expected: Vec<(u64, String)> = ids.iter().copied().zip(cards.iter().cloned()).collect();
    expected.sort_unstable();
    assert_eq!((messages, &found), (6, &expected));
    assert_eq!(rows(&people, "openid:wx2", 7), (1, vec![(ids[0], "b".to_owned())]));
    assert_eq!(rows(&people, "openid:", 7), (0, vec![]));
    // 3 becomes an alias of 2: a request for both gets one row; a request for the alias alone gets a row, too.
    fold_record(&resolver, 0, &[("card", "2"), ("card", "3")]);
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
        resolver.identifiers(&bytes(&people), "card", 0),
        Err(Error::Invalid(_))
    ));
}

#[test]
fn violations_are_read_backwards_page_by_page() {
    let (_folder, resolver) = empty();
    for _ in 0..5 {
        fold_record(&resolver, 0, &[("card", "null")]);
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
fn batch_resolve_returns_the_person_of_each_identifier_or_zero() {
    let (_folder, resolver) = empty();
    let person = fold_record(&resolver, 0, &[("card", "1")]);
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
    let person = fold_record(&resolver, 0, &[("card", "first")]);
    let done = AtomicBool::new(false);
    let queries = std::thread::scope(|scope| {
        let querying = scope.spawn(|| {
            let mut queries = 0u64;
            while !done.load(Ordering::Relaxed) || queries == 0 {
                assert_eq!(resolver.resolve(("card", "first")), person);
                queries += 1;
            }
            queries
        });
        for batch in 0..20 {
            let record =
                |n: usize| TestRecord::of("r", &[("card", &format!("{batch}-{n}")), ("member", &format!("m{n}"))]);
            fold_one(&resolver, 0, &(0..500).map(record).collect::<Vec<_>>());
            resolver.snapshot().unwrap();
        }
        done.store(true, Ordering::Relaxed);
        querying.join().unwrap()
    });
    assert!(queries > 0);
}
