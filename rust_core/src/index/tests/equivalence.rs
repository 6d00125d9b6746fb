//! Compares the index with the naive model over random histories.

use proptest::prelude::*;
use tempfile::tempdir;

use super::fixtures::answers::{answers, timeline};
use super::fixtures::encoded;
use super::fixtures::expected_answers::expected_answers;
use super::fixtures::folding::fold;
use super::fixtures::invariants::check_runs;
use super::fixtures::model::{Model, declared};
use super::fixtures::random_history::{frames, plan_operations, steps, steps_without_splits};
use crate::index::Index;
use crate::index::view::{ordinal_of, partition_of, person_of};
use crate::proto::frame::{Change, IdentityChange};
use crate::proto::record::Value;

proptest! {
    #![proptest_config(crate::testing::cases(200))]

    #[test]
    fn the_index_answers_like_the_model(steps in steps(), size in 1..20usize, at_once in 1..4usize) {
        let operations = plan_operations(&steps);
        let folder = tempdir().unwrap();
        let index = Index::open(folder.path()).unwrap();
        fold(&index, &frames(&operations, size), at_once);
        let (answers, model) = (answers(&index.version()), Model::of(&operations, size));
        check_runs(&index.version());
        for (question, answer) in expected_answers(&model) {
            prop_assert_eq!(answers.get(&question), Some(&answer), "{}", question);
        }
    }

    #[test]
    fn answers_do_not_depend_on_frame_and_call_boundaries(steps in steps_without_splits(), size in 1..20usize, at_once in 1..4usize) {
        let operations = plan_operations(&steps);
        let folders = (tempdir().unwrap(), tempdir().unwrap());
        let (one, other) = (Index::open(folders.0.path()).unwrap(), Index::open(folders.1.path()).unwrap());
        fold(&one, &frames(&operations, size), at_once);
        fold(&other, &frames(&operations, operations.len()), 1);
        prop_assert_eq!(answers(&one.version()), answers(&other.version()));
    }

    #[test]
    fn answers_with_splits_do_not_depend_on_call_boundaries(steps in steps(), size in 1..20usize, at_once in 1..9usize) {
        let frames = frames(&plan_operations(&steps), size);
        let folders = (tempdir().unwrap(), tempdir().unwrap());
        let (one, other) = (Index::open(folders.0.path()).unwrap(), Index::open(folders.1.path()).unwrap());
        fold(&one, &frames, at_once);
        fold(&other, &frames, 1);
        prop_assert_eq!(answers(&one.version()), answers(&other.version()));
        prop_assert_eq!(one.version().digest().unwrap(), other.version().digest().unwrap());
    }

    #[test]
    fn a_failed_fold_changes_nothing(steps in steps(), size in 1..20usize, cut in any::<prop::sample::Index>()) {
        let operations = plan_operations(&steps);
        let folder = tempdir().unwrap();
        let index = Index::open(folder.path()).unwrap();
        let mut frames = frames(&operations, size);
        let cut = cut.index(frames.len());
        fold(&index, &frames[..cut], 1);
        let before = answers(&index.version());
        let rest: Vec<Vec<u8>> = frames.drain(cut..).collect();
        let stray = encoded::frame(0, vec![], &[(7 << 32, vec![])], None);
        let mut call: Vec<(u64, &[u8])> = (cut as u64..).zip(rest.iter().map(|frame| &frame[..])).collect();
        call.push(((cut + rest.len()) as u64, &stray));
        prop_assert!(index.fold(&call).is_err());
        prop_assert_eq!(answers(&index.version()), before);
        fold(&index, &rest, 1);
        check_runs(&index.version());
        prop_assert_eq!(index.offset(), (cut + rest.len()) as u64);
    }
}

/// Returns a copy of one event of a person; copies differ in the amount.
fn copy(person: u64, amount: &str) -> (u64, Vec<u8>) {
    let values = [("amount", Value::Decimal(amount))];
    let sent = encoded::RecordFields {
        source: "till",
        id: "1",
        kind: "order",
        time: Some(5),
        channel: "",
        values: &values,
    };
    (person, encoded::event(&sent))
}

#[test]
fn the_first_received_copy_of_an_event_wins() {
    let folder = tempdir().unwrap();
    let index = Index::open(folder.path()).unwrap();
    let person = 1 << 32;
    let created = vec![IdentityChange {
        sequence: 1,
        change: Change::Created { person },
    }];
    let schema = declared(true).encode();
    let first = encoded::frame(0, created, &[copy(person, "1"), copy(person, "2")], Some(&schema));
    fold(
        &index,
        &[first, encoded::frame(1, vec![], &[copy(person, "3")], None)],
        1,
    );
    assert_eq!(
        timeline(&index.version(), person).unwrap(),
        "order 5  {\"amount\": \"Decimal(\\\"1\\\")\"}\n"
    );
}

#[test]
fn merges_keep_the_first_received_copy() {
    let people = [1, 2, 3].map(|ordinal| person_of(1, ordinal));
    let change = |change| IdentityChange { sequence: 1, change };
    let merge = |winner, loser| vec![change(Change::Merged { winner, loser })];
    let created = people.map(|person| change(Change::Created { person })).to_vec();
    let schema = declared(true).encode();
    let frames = [
        encoded::frame(0, created, &[copy(people[0], "1")], Some(&schema)),
        encoded::frame(1, merge(people[1], people[0]), &[], None),
        encoded::frame(2, vec![], &[copy(people[1], "2")], None),
        encoded::frame(3, merge(people[2], people[1]), &[], None),
    ];
    for at_once in [1, 4] {
        let folder = tempdir().unwrap();
        let index = Index::open(folder.path()).unwrap();
        fold(&index, &frames, at_once);
        assert_eq!(
            timeline(&index.version(), people[2]).unwrap(),
            "order 5  {\"amount\": \"Decimal(\\\"1\\\")\"}\n"
        );
    }
}

#[test]
fn inconsistent_frames_are_rejected() {
    let folder = tempdir().unwrap();
    let index = Index::open(folder.path()).unwrap();
    let change = |change| vec![IdentityChange { sequence: 1, change }];
    for (frame, said) in [
        (
            encoded::frame(0, change(Change::Created { person: 5 }), &[], None),
            "outside the partitions",
        ),
        (
            encoded::frame(
                0,
                change(Change::Merged {
                    winner: 1 << 32,
                    loser: 2 << 32,
                }),
                &[],
                None,
            ),
            "never created",
        ),
        (encoded::frame(u64::MAX, vec![], &[], None), "out of range"),
        (vec![0xff], "malformed"),
    ] {
        let error = index.fold(&[(0, &frame)]).unwrap_err().to_string();
        assert!(
            error.starts_with("resolved frame 0: ") && error.contains(said),
            "{error}"
        );
    }
    let error = index.fold(&[(3, &[])]).unwrap_err().to_string();
    assert_eq!(
        error,
        "resolved frame 3: out of order; the next frame to fold has offset 0"
    );
    assert!(index.version().timeline(0, b"x", 1).is_ok());
    assert_eq!((partition_of(7 << 32 | 3), ordinal_of(7 << 32 | 3)), (7, 3));
}
