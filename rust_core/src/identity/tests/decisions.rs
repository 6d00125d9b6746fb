//! Examples of splits and erasures.

use super::examples::empty;
use super::world::{Deed, decide, fold_one};
use crate::identity::Resolver;
use crate::identity::decisions::split::Refusal;
use crate::identity::violations::Reason;
use crate::proto::decision::{Decision, Kind};
use crate::proto::frame::{Change, Split};
use crate::proto::wire::{put_bytes, put_number, put_text};

#[test]
fn erase_removes_the_whole_merged_person_once() {
    let (_folder, resolver) = empty();
    let [one, other] = ["1", "2"].map(|card| fold_one(&resolver, 0, &[Deed::of("r", &[("card", card)])])[0]);
    fold_one(&resolver, 0, &[Deed::of("r", &[("card", "1"), ("card", "2")])]);
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

fn seen(resolver: &Resolver, identifiers: &[(&str, &str)]) -> u64 {
    fold_one(resolver, 0, &[Deed::of("r", identifiers)])[0]
}

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
    let first = seen(&resolver, &[one, card]);
    let second = seen(&resolver, &[other]);
    assert_eq!(seen(&resolver, &[other, card, ("device", "d")]), first);
    let moved = Split {
        from: first,
        to: second,
        nodes: vec![3],
        aliases: vec![],
    };
    assert_eq!(split(&resolver, second, &[other], "k"), [Change::Split(moved)]);
    assert_eq!(resolver.resolve(other), second, "who was merged is there again");
    assert_eq!(
        resolver.resolve(("device", "d")),
        second,
        "who signed in by what left has left"
    );
    // The stronger or first phone of a record wins; neither the card nor later records glue the two.
    assert_eq!(seen(&resolver, &[other, card]), second);
    assert_eq!(seen(&resolver, &[other, ("email", "a@b.cn")]), second);
    assert_eq!(seen(&resolver, &[one, ("email", "a@b.cn")]), first);
    assert_eq!(seen(&resolver, &[card, ("email", "a@b.cn")]), first);
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
    let mut decided = Vec::new();
    put_text(&mut decided, 1, "zoe");
    put_text(&mut decided, 2, "two people");
    put_number(&mut decided, 3, 3);
    put_bytes(&mut decided, 4, &[]);
    let mut expected = Vec::new();
    put_bytes(&mut expected, 4, &decided);
    assert_eq!(explained, expected);
}

#[test]
fn splitting_off_the_first_identifier_moves_the_others_to_a_new_person() {
    let (_folder, resolver) = empty();
    let person = seen(&resolver, &[("card", "1"), ("card", "2"), ("card", "3")]);
    let changes = split(&resolver, person, &[("card", "1")], "k");
    let [Change::Created { person: other }, Change::Split(moved)] = &changes[..] else {
        panic!("{changes:?}");
    };
    assert_eq!((moved.from, moved.to, &moved.nodes[..]), (person, *other, &[2, 3][..]));
    assert_eq!(
        ["1", "2", "3"].map(|card| resolver.resolve(("card", card))),
        [person, *other, *other]
    );
    // The centre of the star left; the decision connects the others.
    let explained = resolver.explain(("card", "2"), ("card", "3"));
    assert!(explained.windows(3).any(|window| window == b"zoe"));
    assert_eq!(seen(&resolver, &[("card", "3"), ("card", "2")]), *other);
}

#[test]
fn an_impossible_decision_changes_nothing_and_is_recorded() {
    let (_folder, resolver) = empty();
    let person = seen(&resolver, &[("card", "1"), ("card", "2")]);
    let stranger = seen(&resolver, &[("card", "3")]);
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
