//! Examples of splits and erasures.

use super::examples::empty;
use super::world::{TestRecord, decide, fold_one};
use crate::identity::Resolver;
use crate::identity::decisions::split::Refusal;
use crate::identity::violations::Reason;
use crate::proto::decision::{Decision, Kind};
use crate::proto::frame::{Change, Split};
use crate::proto::wire::{put_bytes, put_number, put_text};

#[test]
fn erase_removes_the_whole_merged_person_once() {
    let (_folder, resolver) = empty();
    let [one, other] = ["1", "2"].map(|card| fold_one(&resolver, 0, &[TestRecord::of("r", &[("card", card)])])[0]);
    fold_one(&resolver, 0, &[TestRecord::of("r", &[("card", "1"), ("card", "2")])]);
    let erase = |person, key: &str| Decision {
        kind: Kind::Erase { person },
        by: "zoe".into(),
        why: "asked to".into(),
        key: key.into(),
        contents: 0,
    };
    assert_eq!(decide(&resolver, &erase(7, "unknown")), []);
    let erased = [(4, Change::Erased { person: one })];
    assert_eq!(decide(&resolver, &erase(other, "first")), erased);
    assert_eq!(decide(&resolver, &erase(one, "second")), []);
    assert_eq!(decide(&resolver, &erase(one, "first")), []);
    assert_eq!(split(&resolver, one, &[("card", "2")], "third"), []);
}

/// Folds a record with these identifiers; returns its person.
fn fold_record(resolver: &Resolver, identifiers: &[(&str, &str)]) -> u64 {
    fold_one(resolver, 0, &[TestRecord::of("r", identifiers)])[0]
}

/// Folds a split; returns its changes.
fn split(resolver: &Resolver, person: u64, identifiers: &[(&str, &str)], key: &str) -> Vec<Change> {
    let kind = Kind::Split {
        person,
        identifiers: identifiers
            .iter()
            .map(|&(namespace, value)| (namespace.into(), value.into()))
            .collect(),
    };
    let decision = Decision {
        kind,
        by: "zoe".into(),
        why: "two people".into(),
        key: key.into(),
        contents: 0,
    };
    let changes = decide(resolver, &decision);
    changes.into_iter().map(|(_, change)| change).collect()
}

#[test]
fn a_split_person_is_not_merged_again_by_the_same_pair() {
    let (_folder, resolver) = empty();
    let (one, other, card) = (("phone", "13912345671"), ("phone", "13912345672"), ("card", "1"));
    let first = fold_record(&resolver, &[one, card]);
    let second = fold_record(&resolver, &[other]);
    assert_eq!(fold_record(&resolver, &[other, card, ("device", "d")]), first);
    let moved = Split {
        from: first,
        to: second,
        nodes: vec![3],
        aliases: vec![],
    };
    assert_eq!(split(&resolver, second, &[other], "k"), [Change::Split(moved)]);
    assert_eq!(resolver.resolve(other), second, "the merged person exists again");
    assert_eq!(
        resolver.resolve(("device", "d")),
        second,
        "the device moves with the identifier of its sign-in"
    );
    // A record belongs to its strongest or first identifier; neither the card nor the email merges the two people.
    assert_eq!(fold_record(&resolver, &[other, card]), second);
    assert_eq!(fold_record(&resolver, &[other, ("email", "a@b.cn")]), second);
    assert_eq!(fold_record(&resolver, &[one, ("email", "a@b.cn")]), first);
    assert_eq!(fold_record(&resolver, &[card, ("email", "a@b.cn")]), first);
    assert_ne!(resolver.resolve(one), resolver.resolve(other));
    let reasons: Vec<_> = resolver
        .state
        .read()
        .graph
        .violations
        .kept()
        .map(|kept| kept.reason)
        .collect();
    assert_eq!(reasons, [Reason::KeptApart; 3]);
    let explained = resolver.explain(card, ("email", "a@b.cn"));
    let mut decided_by = Vec::new();
    put_text(&mut decided_by, 1, "zoe");
    put_text(&mut decided_by, 2, "two people");
    put_number(&mut decided_by, 3, 3);
    put_bytes(&mut decided_by, 4, &[]);
    let mut expected = Vec::new();
    put_bytes(&mut expected, 4, &decided_by);
    assert_eq!(explained, expected);
}

#[test]
fn splitting_off_the_first_identifier_moves_the_others_to_a_new_person() {
    let (_folder, resolver) = empty();
    let person = fold_record(&resolver, &[("card", "1"), ("card", "2"), ("card", "3")]);
    let changes = split(&resolver, person, &[("card", "1")], "k");
    let [Change::Created { person: other }, Change::Split(moved)] = &changes[..] else {
        panic!("{changes:?}");
    };
    assert_eq!((moved.from, moved.to, &moved.nodes[..]), (person, *other, &[2, 3][..]));
    assert_eq!(
        ["1", "2", "3"].map(|card| resolver.resolve(("card", card))),
        [person, *other, *other]
    );
    // The identifier that connected the others has left; the decision connects them instead.
    let explained = resolver.explain(("card", "2"), ("card", "3"));
    assert!(explained.windows(3).any(|window| window == b"zoe"));
    assert_eq!(fold_record(&resolver, &[("card", "3"), ("card", "2")]), *other);
}

#[test]
fn an_impossible_decision_changes_nothing_and_is_recorded() {
    let (_folder, resolver) = empty();
    let person = fold_record(&resolver, &[("card", "1"), ("card", "2")]);
    let stranger = fold_record(&resolver, &[("card", "3")]);
    for (key, id, identifiers, refusal) in [
        ("a", 7, vec![("card", "1")], Refusal::UnknownPerson),
        ("b", person, vec![("card", "1"), ("card", "3")], Refusal::NotOfPerson(1)),
        ("c", person, vec![("card", "null")], Refusal::NotOfPerson(0)),
        ("d", person, vec![], Refusal::NothingLeaves),
        (
            "e",
            person,
            vec![("card", "2"), ("card", " 1"), ("card", "1")],
            Refusal::NothingStays,
        ),
        ("f", stranger, vec![("card", "3")], Refusal::NothingStays),
    ] {
        let fragments = resolver.state.read().graph.fragments(id, &identifiers, &[]);
        assert_eq!(fragments.err(), Some(refusal));
        assert_eq!(split(&resolver, id, &identifiers, key), []);
    }
    assert_eq!(resolver.statistics().violations, 6);
    assert_eq!(resolver.resolve(("card", "2")), person);
    // A repeated key changes nothing.
    assert_eq!(split(&resolver, person, &[("card", "1")], "a"), []);
}
