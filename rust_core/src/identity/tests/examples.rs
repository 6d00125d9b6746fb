//! Examples of identity resolution.

use super::properties::resolver;
use super::world::{DAY, TestFrame, TestRecord, fold_one};
use crate::error::Error;
use crate::identity::violations::encode_identifier;
use crate::identity::{PARTITION, Policy, Resolver};
use crate::proto::frame::{RawFrame, ResolvedFrame};
use crate::proto::wire::{Reader, Wire, put_bytes, put_text};

/// Opens a resolver with the default policy in an empty folder.
pub fn empty() -> (tempfile::TempDir, Resolver) {
    let folder = tempfile::tempdir().unwrap();
    let resolver = Resolver::open(folder.path(), Policy::default(), PARTITION).unwrap();
    (folder, resolver)
}

/// Folds a record with these identifiers; returns its person.
pub fn fold_record(resolver: &Resolver, received_at_ms: i64, identifiers: &[(&str, &str)]) -> u64 {
    fold_one(resolver, received_at_ms, &[TestRecord::of("r", identifiers)])[0]
}

/// Decodes the fields of a message.
pub fn fields(bytes: &[u8]) -> Vec<(u32, Wire<'_>)> {
    let mut reader = Reader::new(bytes);
    std::iter::from_fn(|| reader.field().unwrap()).collect()
}

/// Encodes ids as a packed fixed64 field.
pub fn packed(persons: &[u64]) -> Vec<u8> {
    persons.iter().flat_map(|person| person.to_le_bytes()).collect()
}

#[test]
fn new_people_are_assigned_round_robin_to_sixteen_partitions() {
    let (_folder, resolver) = empty();
    let ids: Vec<u64> = (1..40)
        .map(|n| fold_record(&resolver, 0, &[("card", &n.to_string())]))
        .collect();
    let expected = (0..39u64).map(|n| ((n % 16 + 1) << 32) | (n / 16));
    assert_eq!(ids, expected.collect::<Vec<_>>());
}

#[test]
fn chains_of_merges_all_lead_to_the_oldest() {
    let (_folder, resolver) = empty();
    let ids: Vec<u64> = (1..5)
        .map(|n| fold_record(&resolver, 0, &[("card", &n.to_string())]))
        .collect();
    // Merges the youngest pair first: 4 into 3, 3 into 2, 2 into 1.
    for n in (1..4).rev() {
        assert_eq!(
            fold_record(
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
    assert_ne!(
        fold_record(&resolver, 0, &[("card", "9")]),
        ids[3],
        "an id must not be used again"
    );
}

#[test]
fn a_merge_also_moves_earlier_records_of_its_frame() {
    let (_folder, resolver) = empty();
    let records = [
        TestRecord::of("a", &[("phone", "13912345678")]),
        TestRecord::of("b", &[("card", "7")]),
        TestRecord::of("c", &[("card", "7"), ("phone", "139 1234 5678")]),
    ];
    let first = 1 << 32;
    assert_eq!(fold_one(&resolver, 0, &records), [first, first, first]);
}

#[test]
fn identifiers_beyond_the_limits_are_dropped_and_reported() {
    let (_folder, resolver) = empty();
    let phones = ["13912345671", "13912345672", "13912345673", "13912345674"];
    let person = fold_record(
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
        fold_record(
            &resolver,
            1,
            &[("email", "a@b.cn"), ("phone", phones[3]), ("member", "m1")]
        ),
        person
    );
    assert_eq!(resolver.resolve(("phone", phones[3])), 0);
    assert_eq!(resolver.resolve(("email", "A@b.cn")), person);
    // In a record of its own, the dropped phone becomes another person; later records of the member do not merge the two.
    let other = fold_record(&resolver, 2, &[("phone", phones[3])]);
    assert_ne!(other, person);
    assert_eq!(
        fold_record(&resolver, 3, &[("phone", phones[3]), ("member", "m1")]),
        person
    );
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
            fold_record(
                &resolver,
                0,
                &[("unionid", "null"), ("phone", "13800138000"), ("card", &n.to_string())],
            )
        })
        .collect();
    assert_eq!(resolver.statistics().persons, people.len() as u64);
    assert_eq!(resolver.statistics().violations, 2 * people.len() as u64);
    assert_eq!(fold_record(&resolver, 0, &[("unionid", "undefined")]), 0);
    assert_eq!(fold_record(&resolver, 0, &[]), 0);
}

/// Many people use a few shop devices, some of which are reported under a gluing namespace.
#[test]
fn a_shared_shop_device_does_not_merge_its_users() {
    let (_folder, resolver) = empty();
    for person in 0..3000u64 {
        let phone = (13_900_000_001 + person * 7).to_string();
        let card = format!("c{person}");
        let (till, tablet) = (format!("t{}", person % 3), format!("d{}", person % 5));
        fold_record(&resolver, 0, &[("phone", &phone), ("card", &card)]);
        fold_record(&resolver, 0, &[("card", &card), ("device", &tablet)]);
        fold_record(&resolver, 0, &[("phone", &phone), ("till", &till)]);
    }
    let graph = &resolver.state.read().graph;
    let largest = (0..graph.persons.len() as u32)
        .map(|person| graph.persons.get(graph.persons.root(person)).size)
        .max();
    assert_eq!(
        largest,
        Some(3 + 3 + 1),
        "the largest person has three phones, their cards and the till"
    );
    assert!(resolver.statistics().persons > 2980);
}

#[test]
fn a_device_belongs_to_the_last_sign_in_for_thirty_days() {
    let (_folder, resolver) = empty();
    let visitor = fold_record(&resolver, 0, &[("device", "d")]);
    assert_eq!(fold_record(&resolver, 0, &[("cookie", "c"), ("device", "d")]), visitor);
    let first = fold_record(&resolver, DAY, &[("phone", "13912345678"), ("device", "d")]);
    assert_ne!(first, visitor);
    assert_eq!(fold_record(&resolver, 2 * DAY, &[("device", "d")]), first);
    let second = fold_record(&resolver, 3 * DAY, &[("phone", "13912345679"), ("device", "d")]);
    assert_ne!(second, first);
    // Attribution does not extend a sign-in.
    assert_eq!(fold_record(&resolver, 32 * DAY, &[("device", "d")]), second);
    assert_eq!(fold_record(&resolver, 33 * DAY, &[("device", "d")]), second);
    assert_eq!(resolver.resolve(("device", "d")), second);
    assert_eq!(fold_record(&resolver, 33 * DAY + 1, &[("device", "d")]), visitor);
    assert_eq!(resolver.resolve(("device", "d")), visitor);
    assert_eq!(resolver.statistics().merges, 0);
}

#[test]
fn a_frame_that_cannot_be_read_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let resolver = resolver(&folder, Policy::default());
    let good = TestRecord::of("r", &[("card", "1")]).encode();
    let frame = RawFrame {
        received_at_ms: 5,
        records: vec![&good, b"\x0a\x05abc"],
        ..RawFrame::default()
    }
    .encode();
    assert!(matches!(resolver.fold(0, &frame), Err(Error::Invalid(message)) if message.contains("raw frame 0")));
    assert_eq!(resolver.statistics().identifiers, 0);
    let frame = TestFrame {
        received_at_ms: 5,
        ..TestFrame::default()
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
    let event = TestRecord::of("r", &[("card", "1")]).encode();
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
