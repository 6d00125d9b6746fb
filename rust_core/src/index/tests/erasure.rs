//! Erased people are absent from all answers, present and past, and after purging from all files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use proptest::prelude::*;
use tempfile::tempdir;

use super::fixtures::answers::answers;
use super::fixtures::encoded::{self, RecordFields};
use super::fixtures::erasures::{choose_erasure, frames};
use super::fixtures::folding::fold;
use super::fixtures::invariants::check_runs;
use super::fixtures::model::declared;
use super::fixtures::random_history::{plan_operations, steps_without_splits};
use crate::index::Index;
use crate::index::runs::compaction::Compaction;
use crate::index::view::{DAY_MS, Version, person_of};
use crate::proto::frame::{Change, IdentityChange, Split};
use crate::proto::record::Value;

proptest! {
    #![proptest_config(crate::testing::cases(40))]

    #[test]
    fn erased_people_leave_no_trace_in_answers(
        steps in steps_without_splits(), size in 1..9usize, at_once in 1..9usize, frame in any::<prop::sample::Index>(), person in any::<prop::sample::Index>(),
        purged in 0..6u64
    ) {
        let operations = plan_operations(&steps);
        let frame = frame.index(operations.len().div_ceil(size));
        let Some(erasure) = choose_erasure(&operations, size, frame, person) else { return Ok(()) };
        let folders = (tempdir().unwrap(), tempdir().unwrap());
        let (erased, never) = (Index::open(folders.0.path()).unwrap(), Index::open(folders.1.path()).unwrap());
        let (log, log_of_others) = (frames(&operations, size, &erasure, true), frames(&operations, size, &erasure, false));
        fold(&never, &log_of_others, at_once);
        fold(&erased, &log[..frame + 1], at_once);
        // Part of the data is purged before the rest of the log arrives, and the state survives a restart.
        (0..purged).for_each(|_| { erased.purge().unwrap(); });
        erased.snapshot().unwrap();
        let erased = Index::open(folders.0.path()).unwrap();
        fold(&erased, &log[frame + 1..], at_once);

        // Until the purge, channels and the first event may still come from erased people.
        let (mut of_erased, mut of_never) = (answers(&erased.version()), answers(&never.version()));
        for answers in [&mut of_erased, &mut of_never] {
            answers.retain(|question, _| question != "channels" && question != "earliest");
        }
        prop_assert_eq!(of_erased, of_never);
        for at in 0..log.len() as u64 {
            let (one, other) = (erased.version().known_at(at).unwrap(), never.version().known_at(at).unwrap());
            prop_assert_eq!(answers(&one), answers(&other));
            prop_assert_eq!(one.digest().unwrap(), other.digest().unwrap());
        }
        while erased.purge().unwrap() {}
        check_runs(&erased.version());
        prop_assert_eq!(answers(&erased.version()), answers(&never.version()));
        erased.snapshot().unwrap();
        for index in [&erased, &Index::open(folders.0.path()).unwrap()] {
            prop_assert_eq!(index.version().digest().unwrap(), never.version().digest().unwrap());
        }
    }
}

proptest! {
    #![proptest_config(crate::testing::cases(40))]

    #[test]
    fn a_compaction_begun_before_a_purge_restores_nothing(
        steps in steps_without_splits(), size in 1..4usize, frame in any::<prop::sample::Index>(), person in any::<prop::sample::Index>()
    ) {
        let operations = plan_operations(&steps);
        let frame = frame.index(operations.len().div_ceil(size));
        let Some(erasure) = choose_erasure(&operations, size, frame, person) else { return Ok(()) };
        let folder = tempdir().unwrap();
        let index = Index::open(folder.path()).unwrap();
        fold(&index, &frames(&operations, size, &erasure, true), 1);
        let mut merging = Compaction::default();
        merging.begin(&index.version());
        while index.purge().unwrap() {}
        let mut version = Version::clone(&index.version());
        let before = (answers(&version), version.digest().unwrap());
        while merging.is_under_way() {
            merging.finish(&mut version).unwrap();
            std::thread::yield_now();
        }
        prop_assert_eq!((answers(&version), version.digest().unwrap()), before);
        check_runs(&version);
    }
}

/// Returns the contents of all files of a folder by name.
fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap());
    files
        .map(|file| (file.file_name().into_string().unwrap(), fs::read(file.path()).unwrap()))
        .collect()
}

/// Returns the marks that occur in any file of a folder.
fn marks_found<'m>(folder: &Path, marks: &[&'m str]) -> BTreeSet<&'m str> {
    let files = contents(folder).into_values();
    let holds = |bytes: &[u8], mark: &str| bytes.windows(mark.len()).any(|window| window == mark.as_bytes());
    files
        .flat_map(|bytes| {
            marks
                .iter()
                .copied()
                .filter(|mark| holds(&bytes, mark))
                .collect::<Vec<_>>()
        })
        .collect()
}

/// Returns an order and a profile of a person that contain `mark` in every text.
fn records_of(person: u64, mark: &str, time: i64) -> Vec<(u64, Vec<u8>)> {
    let texts = [mark; 2].map(|mark| [mark, "1"].concat());
    let [set, key] = &texts;
    let sent = |kind: &'static str, values: &[(&str, Value)]| {
        let sent = RecordFields {
            source: &format!("{mark}2"),
            id: &format!("{mark}3"),
            kind,
            time: Some(time),
            channel: &format!("{mark}4"),
            values,
        };
        if kind.is_empty() {
            encoded::profile(&sent)
        } else {
            encoded::event(&sent)
        }
    };
    let order = [("item", Value::Text(mark)), ("tags", Value::Set(vec![set, "b"]))];
    let profile = [
        ("city", Value::Text(mark)),
        ("likes", Value::Set(vec![set, "tea"])),
        (
            "survey",
            Value::Map(vec![(key, Value::Text(mark)), ("fit", Value::Flag(true))]),
        ),
        ("points", Value::Number(7.0)),
    ];
    vec![(person, sent("order", &order)), (person, sent("", &profile))]
}

#[test]
fn purged_folders_hold_no_bytes_of_erased_people() {
    let marks = ["Zoe was here", "Zoe with another card", "Xavier stays"];
    let [zoe, other_zoe, xavier] = [person_of(1, 0), person_of(2, 0), person_of(1, 1)];
    let change = |change| IdentityChange { sequence: 1, change };
    let created = [zoe, other_zoe, xavier].map(|person| change(Change::Created { person }));
    let merged = vec![change(Change::Merged {
        winner: zoe,
        loser: other_zoe,
    })];
    let erased = vec![change(Change::Erased { person: other_zoe })];
    let all: Vec<_> = [zoe, other_zoe, xavier]
        .into_iter()
        .zip(marks)
        .flat_map(|(person, mark)| (0..3).flat_map(move |day| records_of(person, mark, day * DAY_MS)))
        .collect();
    let log = [
        encoded::frame(0, created.to_vec(), &all, Some(&declared(true).encode())),
        encoded::frame(1, merged, &[], None),
        encoded::frame(2, erased, &[], None),
    ];
    let folder = tempdir().unwrap();
    let index = Index::open(folder.path()).unwrap();
    fold(&index, &log[..2], 1);
    index.snapshot().unwrap();
    assert_eq!(marks_found(folder.path(), &marks), BTreeSet::from(marks));
    fold(&index, &log[2..], 1);
    index.snapshot().unwrap();
    for as_of in [0, i64::MAX] {
        assert!(index.version().profile(zoe, as_of).unwrap().is_empty());
        assert!(
            index
                .known_at(Some(1))
                .unwrap()
                .profile(other_zoe, as_of)
                .unwrap()
                .is_empty()
        );
    }

    let former = contents(folder.path());
    for kind in ["events-1-", "changes-1-"] {
        assert!(former.keys().any(|name| name.starts_with(kind)), "no large run {kind}");
    }
    while index.purge().unwrap() {}
    index.snapshot().unwrap();
    assert_eq!(marks_found(folder.path(), &marks), BTreeSet::from([marks[2]]));
    // No file of the previous snapshot was overwritten.
    for (name, bytes) in contents(folder.path()) {
        assert!(name == "manifest" || former.get(&name).is_none_or(|before| *before == bytes));
    }
    let reopened = Index::open(folder.path()).unwrap();
    assert_eq!(reopened.version().digest().unwrap(), index.version().digest().unwrap());
    // A new person with the same texts is not affected by the erasure.
    let newcomer = person_of(1, 2);
    let create = vec![change(Change::Created { person: newcomer })];
    let same_words = records_of(newcomer, marks[0], 0);
    fold(&reopened, &[encoded::frame(3, create, &same_words, None)], 1);
    check_runs(&reopened.version());
    assert!(!reopened.version().profile(newcomer, i64::MAX).unwrap().is_empty());
    assert!(!reopened.purge().unwrap());
    reopened.snapshot().unwrap();
    assert_eq!(marks_found(folder.path(), &marks), BTreeSet::from([marks[0], marks[2]]));
}

#[test]
fn records_of_erased_people_are_rejected() {
    let person = person_of(1, 0);
    let change = |change| vec![IdentityChange { sequence: 1, change }];
    let folder = tempdir().unwrap();
    let index = Index::open(folder.path()).unwrap();
    let schema = declared(true).encode();
    let log = [
        encoded::frame(0, change(Change::Created { person }), &[], Some(&schema)),
        encoded::frame(1, change(Change::Erased { person }), &[], None),
    ];
    fold(&index, &log, 2);
    let late = encoded::frame(2, vec![], &records_of(person, "late", 0), None);
    let error = index.fold(&[(2, &late)]).unwrap_err().to_string();
    assert_eq!(error, format!("resolved frame 2: person {person} was erased"));
}

#[test]
fn erasing_one_side_of_a_split_keeps_the_other() {
    let marks = ["Zoe was here", "Xavier stays"];
    let [from, to] = [person_of(1, 0), person_of(2, 0)];
    let change = |change| IdentityChange { sequence: 1, change };
    let mut records = Vec::new();
    for (mark, node) in marks.into_iter().zip(1..) {
        for day in 0..3 {
            let of_day = records_of(from, mark, day * DAY_MS).into_iter();
            records.extend(of_day.map(|(person, record)| (person, node, record)));
        }
    }
    let split = Split {
        from,
        to,
        nodes: vec![2],
        aliases: vec![],
    };
    let created = [from, to].map(|person| change(Change::Created { person })).to_vec();
    for (erased, left, mark) in [(from, to, marks[1]), (to, from, marks[0])] {
        let folder = tempdir().unwrap();
        let index = Index::open(folder.path()).unwrap();
        let schema = declared(true).encode();
        let log = [
            encoded::frame_by_nodes(0, created.clone(), &records, Some(&schema)),
            encoded::frame(1, vec![change(Change::Split(split.clone()))], &[], None),
            encoded::frame(2, vec![change(Change::Erased { person: erased })], &[], None),
        ];
        fold(&index, &log[..2], 1);
        index.snapshot().unwrap();
        let before = index.version().profile(left, i64::MAX).unwrap();
        fold(&index, &log[2..], 1);
        while index.purge().unwrap() {}
        index.snapshot().unwrap();
        assert_eq!(marks_found(folder.path(), &marks), BTreeSet::from([mark]));
        let reopened = Index::open(folder.path()).unwrap();
        assert_eq!(reopened.version().profile(left, i64::MAX).unwrap(), before);
        for at in 0..=3 {
            let known = reopened.known_at(Some(at)).unwrap();
            assert!(known.profile(erased, i64::MAX).unwrap().is_empty(), "at {at}");
        }
        let then = reopened.known_at(Some(1)).unwrap().profile(left, i64::MAX).unwrap();
        assert_eq!(then.is_empty(), left == to, "until the split it was the other's");
    }
}
