//! Deduplication: the first record of a key is accepted; equal ones are duplicates, others are conflicts.

use std::collections::{BTreeMap, HashMap};

use proptest::prelude::*;

use super::world::{Answer, NOW, Sample, World, answer, event, number, request, schema, value};
use crate::error::Error;
use crate::proto::decision::tests::encode;
use crate::proto::decision::{Decision, Kind};
use crate::proto::frame::{RawFrame, RejectFrame};
use crate::proto::schema::Schema;

#[derive(Clone, Debug)]
enum Step {
    /// Sends records of (source, id, note).
    Ingest(Vec<(usize, usize, usize)>),
    /// Closes and opens the ingestor.
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
    #![proptest_config(crate::testing::cases(40))]

    /// Covers sealed generations (100 keys each in tests), reopening, and the loss of all generations.
    #[test]
    fn the_first_record_of_a_key_is_accepted_and_later_ones_are_duplicates_or_conflicts(steps in steps()) {
        let mut world = World::new();
        let mut first: HashMap<(usize, usize), usize> = HashMap::new();
        let mut raw = Vec::new();
        let mut rejected = 0;
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
                    rejected += conflicts.len();
                }
            }
        }
        prop_assert_eq!(world.raw_records(), raw);
        let reject_frames = world.ingestor().rejects.read(0, usize::MAX).unwrap();
        let dead_letters: usize = reject_frames.iter().map(|(_, frame)| RejectFrame::decode(frame).unwrap().rejects.len()).sum();
        prop_assert_eq!(dead_letters, rejected);
        prop_assert_eq!(Schema::decode(&world.ingestor().schema()).unwrap(), schema());
    }
}

#[test]
fn property_order_and_number_format_do_not_cause_a_conflict() {
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
fn a_record_that_differs_in_any_field_is_a_conflict() {
    let world = World::new();
    world.ingest(&[Sample::default().record()]);
    let conflicting = [
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
    for other in conflicting {
        assert_eq!(world.reject(other.record()).0, "CONFLICTING_DUPLICATE");
    }
    assert_eq!(world.ingest(&[Sample::default().record()]).duplicates, 1);
}

#[test]
fn exactly_one_of_concurrent_equal_records_is_accepted() {
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
    let mut counts: BTreeMap<Vec<u8>, usize> = BTreeMap::new();
    world
        .raw_records()
        .into_iter()
        .for_each(|record| *counts.entry(record).or_default() += 1);
    assert!(counts.len() == 200 && counts.values().all(|count| *count == 1));
}

#[test]
fn keys_expire_after_thirty_days() {
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
fn a_log_shorter_than_the_acknowledged_offset_is_rejected() {
    let mut world = World::new();
    (0..250).for_each(|id| assert_eq!(world.ingest(&[event(0, id, 0)]).accepted, 1));
    world.ingestor = None;
    std::fs::remove_dir_all(world.folder.path().join("raw")).unwrap();
    assert!(matches!(world.open(), Err(Error::Corrupt { .. })));
}

#[test]
fn decisions_are_appended_between_records() {
    let mut world = World::new();
    let decision = encode(&Decision {
        kind: Kind::Erase { person: 5 },
        by: "zoe".into(),
        why: String::new(),
        key: "k".into(),
        contents: 0,
    });
    world.ingest(&[event(0, 0, 0)]);
    let offset = world.ingestor().record_decision(&decision, NOW).unwrap();
    world.ingest(&[event(0, 1, 0)]);
    assert!(matches!(
        world.ingestor().record_decision(b"", NOW),
        Err(Error::Invalid(_))
    ));
    world.reopen();
    assert_eq!(world.ingest(&[event(0, 0, 0), event(0, 1, 0)]).duplicates, 2);
    let frames = world.ingestor().raw.read(offset - 1, usize::MAX).unwrap();
    assert_eq!(frames.len(), 2);
    let frame = RawFrame::decode(&frames[0].1).unwrap();
    assert_eq!((frame.decision, frame.records.len()), (Some(&decision[..]), 0));
}
