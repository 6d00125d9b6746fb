//! Segments that are kept up to date are those asked from scratch.

use std::fs;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value as Json, json};
use tempfile::{TempDir, tempdir};
use xxhash_rust::xxh3::xxh3_64;

use super::random::cond;
use crate::error::{Error, Result};
use crate::eval::{Limits, evaluate};
use crate::index::Index;
use crate::index::tests::encoded::{self, Sent};
use crate::index::tests::erasure;
use crate::index::tests::model::declared;
use crate::index::tests::random_history::{Step, decide, frames, steps};
use crate::index::view::{DAY_MS, Version, person_of};
use crate::live::Live;
use crate::live::frame::Frame;
use crate::proto::frame::{Change, IdentityChange};
use crate::proto::record::Value;
use crate::proto::wire::put_number;

/// A live membership with its log.
struct Followed {
    folder: TempDir,
    live: Live,
    log: Vec<Vec<u8>>,
}

impl Followed {
    fn new() -> Followed {
        let folder = tempdir().unwrap();
        let live = Live::open(folder.path()).unwrap();
        Followed {
            folder,
            live,
            log: Vec::new(),
        }
    }

    fn put(&self, roots: &[Json], version: u32) {
        for (number, root) in roots.iter().enumerate() {
            self.put_one(number, root, version);
        }
    }

    fn put_one(&self, number: usize, root: &Json, version: u32) {
        let root = root.to_string();
        self.live.put(&format!("s{number}"), version, root.as_bytes()).unwrap();
    }

    /// Until no segment is left. `torn`: only so many of the step's frames are appended.
    fn step(&mut self, version: &Arc<Version>, as_of: i64, torn: Option<usize>) -> Result<usize> {
        let mut count = 0;
        loop {
            let frames = self.live.step(version.clone(), as_of, &Limits::none())?.unwrap();
            for frame in frames.iter().take(torn.unwrap_or(usize::MAX)) {
                self.live.fold(self.log.len() as u64, frame)?;
                self.log.push(frame.clone());
            }
            count += frames.len();
            if torn.is_some() || !self.live.settle() {
                return Ok(count);
            }
        }
    }

    /// As after a kill: what was not saved is folded again from the log.
    fn reopen(&mut self) {
        self.live = Live::open(self.folder.path()).unwrap();
        for offset in self.live.offset() as usize..self.log.len() {
            self.live.fold(offset as u64, &self.log[offset]).unwrap();
        }
    }
}

fn root(cond: &Json) -> Json {
    json!({"name": "s", "cond": cond, "among": null})
}

fn from_scratch(version: &Version, as_of: i64, root: &Json) -> Vec<u64> {
    let plan = json!({"as_of": as_of, "roots": [root]}).to_string();
    evaluate(version, plan.as_bytes()).unwrap().roots[0]
        .members()
        .iter()
        .collect()
}

#[derive(Clone, Debug)]
struct Turn {
    /// How many frames are folded, and parts of who was erased purged, before the step.
    folded: usize,
    purged: usize,
    later: i64,
    torn: Option<usize>,
    saved: bool,
    killed: bool,
    /// Every so many of the rules are others.
    edited: Option<usize>,
}

fn turns() -> impl Strategy<Value = Vec<Turn>> {
    let later = prop::sample::select(vec![0, 1, DAY_MS / 2, DAY_MS, 3 * DAY_MS]);
    let rare = || prop::bool::weighted(0.15);
    let turn = (
        0..5usize,
        0..3usize,
        later,
        prop::option::weighted(0.15, 0..2usize),
        rare(),
        rare(),
        prop::option::weighted(0.3, 1..4usize),
    );
    let turn = turn.prop_map(|(folded, purged, later, torn, saved, killed, edited)| Turn {
        folded,
        purged,
        later,
        torn,
        saved,
        killed,
        edited,
    });
    prop::collection::vec(turn, 1..14)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 250, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn members_are_those_found_from_scratch(
        steps in steps(),
        conds in prop::collection::vec(cond(), 16),
        turns in turns(),
        begin in -2 * DAY_MS..6 * DAY_MS,
        erased in prop::option::of(any::<(prop::sample::Index, prop::sample::Index)>()),
    ) {
        let roots: Vec<Json> = conds.iter().map(root).collect();
        let (now, later) = roots.split_at(8);
        let (mut now, mut versions) = (now.to_vec(), [1; 8]);
        let mut as_of = begin;
        let folder = tempdir().unwrap();
        let index = Index::open(folder.path()).unwrap();
        let mut followed = Followed::new();
        followed.put(&now, 1);
        let mut steps = steps;
        steps.retain(|step| erased.is_none() || !matches!(step, Step::Split(..)));
        let deeds = decide(&steps);
        let erasure = erased.and_then(|(frame, person)| {
            let frame = frame.index(deeds.len().div_ceil(3));
            erasure::erasure(&deeds, 3, frame, person)
        });
        let history = match &erasure {
            Some(erasure) => erasure::frames(&deeds, 3, erasure, true),
            None => frames(&deeds, 3),
        };
        let mut coming = history.iter();
        // The first frame declares what the rules name.
        index.fold(&[(0, coming.next().unwrap())]).unwrap();
        let begun = index.version();
        for turn in turns {
            for frame in coming.by_ref().take(turn.folded) {
                index.fold(&[(index.offset(), frame)]).unwrap();
            }
            for _ in 0..turn.purged {
                index.purge().unwrap();
            }
            if turn.killed {
                followed.reopen();
                let last = followed.log.last().map(|frame| Frame::decode(frame).unwrap().epoch.raw_offset);
                if last.is_some_and(|last| last > begun.epoch.raw_offset) {
                    let early = followed.live.step(begun.clone(), as_of, &Limits::none()).unwrap();
                    prop_assert!(early.is_none(), "the index has not come so far again");
                }
                for (number, root) in now.iter().enumerate() {
                    followed.put_one(number, root, versions[number]);
                }
            }
            for number in turn.edited.into_iter().flat_map(|every| (0..8).step_by(every)) {
                now[number] = later[number].clone();
                versions[number] += 1;
                followed.put_one(number, &now[number], versions[number]);
            }
            as_of += turn.later;
            let version = index.version();
            followed.step(&version, as_of, turn.torn).unwrap();
            if turn.saved {
                followed.live.save().unwrap();
            }
            if turn.torn.is_some() {
                continue;
            }
            for (number, root) in now.iter().enumerate() {
                let name = format!("s{number}");
                let (_, held) = followed.live.members(std::slice::from_ref(&name));
                let expected = from_scratch(&version, as_of, root);
                prop_assert!(held[0].members.set().iter().eq(expected.iter().copied()), "{} {:?} {:?}", root, held[0].members.set(), expected);
                let (answer, answered_as_of) = followed.live.answer(&[name]).unwrap();
                prop_assert_eq!((answer.epoch, answered_as_of), (version.epoch, as_of));
                prop_assert_eq!(answer.roots[0].matched, expected.len() as u64);
            }
            prop_assert_eq!(followed.step(&version, as_of, None).unwrap(), 0, "nothing has changed since");
        }
    }
}

#[test]
fn what_was_said_beforehand_comes_true_when_its_time_has_come() {
    let person = person_of(1, 0);
    let sent = |id, time, values| Sent {
        source: "crm",
        id,
        kind: "",
        time: Some(time),
        channel: "",
        values,
    };
    let known = encoded::profile(&sent("a", -DAY_MS, &[("active", Value::Flag(true))]));
    let to_come = encoded::profile(&sent("b", DAY_MS, &[("city", Value::Text("Köln"))]));
    let created = IdentityChange {
        sequence: 1,
        change: Change::Created { person },
    };
    let schema = declared(true).encode();
    let frame = encoded::frame(0, vec![created], &[(person, known), (person, to_come)], Some(&schema));
    let folder = tempdir().unwrap();
    let index = Index::open(folder.path()).unwrap();
    index.fold(&[(0, &frame)]).unwrap();
    let mut followed = Followed::new();
    followed.put(
        &[root(
            &json!({"op": "known", "expr": {"op": "attribute", "name": "city", "key": null}}),
        )],
        1,
    );
    for (as_of, count) in [(0, 0), (DAY_MS, 0), (DAY_MS + 1, 1)] {
        followed.step(&index.version(), as_of, None).unwrap();
        assert_eq!(followed.live.statuses()[0].count, count, "{as_of}");
    }
}

#[test]
fn who_entered_by_half_of_a_step_leaves_when_there_is_nobody_any_more() {
    let history = [
        Step::Create(1),
        Step::Event(0, 1),
        Step::Create(1),
        Step::Event(1, 1),
        Step::Merge(0, 1),
    ];
    let history = frames(&decide(&history), 1);
    let folder = tempdir().unwrap();
    let index = Index::open(folder.path()).unwrap();
    let mut followed = Followed::new();
    let roots = [root(&json!({"op": "constant", "value": true}))];
    followed.put(&roots, 1);
    for (offset, frame) in history.iter().enumerate() {
        index.fold(&[(offset as u64, frame)]).unwrap();
        // The second person is there by a step that is written, but not settled.
        let torn = (offset == 4).then_some(1);
        followed.step(&index.version(), 40 * DAY_MS, torn).unwrap();
        let (_, held) = followed.live.members(&["s0".into()]);
        let expected = from_scratch(&index.version(), 40 * DAY_MS, &roots[0]);
        assert!(held[0].members.set().iter().eq(expected), "after frame {offset}");
    }
}

#[test]
fn who_is_erased_leaves_every_segment() {
    let folder = tempdir().unwrap();
    let index = Index::open(folder.path()).unwrap();
    let [erased, stays] = [person_of(1, 0), person_of(1, 1)];
    let history = [Step::Create(1), Step::Create(1), Step::Event(0, 1), Step::Event(1, 1)];
    for frame in frames(&decide(&history), 9) {
        index.fold(&[(index.offset(), &frame)]).unwrap();
    }
    let everybody = json!({"op": "constant", "value": true});
    let not = |of: &Json| json!({"op": "not", "of": of});
    let mut followed = Followed::new();
    followed.put(&[root(&everybody), root(&not(&not(&everybody)))], 1);
    followed.step(&index.version(), 40 * DAY_MS, None).unwrap();
    let change = Change::Erased { person: erased };
    let frame = encoded::frame(1, vec![IdentityChange { sequence: 9, change }], &[], None);
    index.fold(&[(1, &frame)]).unwrap();
    let said = followed.log.len();
    followed.step(&index.version(), 40 * DAY_MS, None).unwrap();
    let moves: Vec<_> = followed.log[said..]
        .iter()
        .flat_map(|frame| Frame::decode(frame).unwrap().segments)
        .collect();
    assert_eq!(moves.len(), 2);
    for of_segment in &moves {
        assert_eq!((of_segment.entered.len(), of_segment.count), (0, 1));
        assert_eq!(of_segment.left.iter().collect::<Vec<_>>(), [erased]);
    }
    // What is purged afterwards changes nothing.
    while index.purge().unwrap() {
        assert_eq!(followed.step(&index.version(), 40 * DAY_MS, None).unwrap(), 0);
    }
    let (_, held) = followed.live.members(&["s0".into(), "s1".into()]);
    assert!(held.iter().all(|held| held.members.set().iter().eq([stays])));
}

#[test]
fn rows_that_come_where_as_many_were_purged_are_noticed() {
    let [erased, stays] = [person_of(1, 0), person_of(1, 1)];
    let order = |id| {
        encoded::event(&Sent {
            source: "pos",
            id,
            kind: "order",
            time: Some(DAY_MS),
            channel: "",
            values: &[],
        })
    };
    let change = |change| IdentityChange { sequence: 1, change };
    let created = [erased, stays].map(|person| change(Change::Created { person }));
    let first = [(erased, order("a")), (stays, order("b"))];
    let schema = declared(true).encode();
    let folder = tempdir().unwrap();
    let index = Index::open(folder.path()).unwrap();
    let erasure = vec![change(Change::Erased { person: erased })];
    for frame in [
        encoded::frame(0, created.to_vec(), &first, Some(&schema)),
        encoded::frame(1, erasure, &[], None),
    ] {
        index.fold(&[(index.offset(), &frame)]).unwrap();
    }
    let events = json!({"steps": [{"type": "order", "where": null}], "from": null, "to": {"ago": 0}});
    let mut followed = Followed::new();
    followed.put(
        &[root(
            &json!({"op": "happened", "events": events, "min": 2, "max": null}),
        )],
        1,
    );
    followed.step(&index.version(), 40 * DAY_MS, None).unwrap();
    assert_eq!(followed.live.statuses()[0].count, 0);
    index.purge().unwrap();
    index
        .fold(&[(2, &encoded::frame(2, vec![], &[(stays, order("c"))], None))])
        .unwrap();
    followed.step(&index.version(), 40 * DAY_MS, None).unwrap();
    assert_eq!(followed.live.statuses()[0].count, 1);
}

#[test]
fn a_segment_that_cannot_be_asked_keeps_its_members_and_holds_up_no_other() {
    let folder = tempdir().unwrap();
    let index = Index::open(folder.path()).unwrap();
    for frame in frames(&decide(&[Step::Create(1), Step::Event(0, 1)]), 9) {
        index.fold(&[(index.offset(), &frame)]).unwrap();
    }
    let (everybody, wrong) = (
        json!({"op": "constant", "value": true}),
        json!({"op": "known", "expr": {"op": "attribute", "name": "age", "key": null}}),
    );
    let mut followed = Followed::new();
    followed.put(&[root(&everybody), root(&everybody)], 1);
    followed.step(&index.version(), 40 * DAY_MS, None).unwrap();
    let before = followed.live.statuses();
    assert_eq!((before[0].count, before[1].count), (1, 1));
    followed.put(&[root(&wrong), root(&json!({"op": "not", "of": everybody}))], 2);
    followed.step(&index.version(), 41 * DAY_MS, None).unwrap();
    let after = followed.live.statuses();
    assert_eq!(
        (after[0].count, after[0].version, after[0].fresh),
        (1, 1, before[0].fresh)
    );
    assert!(after[0].error.as_ref().unwrap().contains("age"));
    assert_eq!((after[1].count, after[1].version, &after[1].error), (0, 2, &None));
}

#[test]
fn a_damaged_file_and_a_frame_of_another_log_are_refused() {
    let folder = tempdir().unwrap();
    let index = Index::open(folder.path()).unwrap();
    for frame in frames(&decide(&[Step::Create(1), Step::Event(0, 1)]), 9) {
        index.fold(&[(index.offset(), &frame)]).unwrap();
    }
    let mut followed = Followed::new();
    followed.put(&[root(&json!({"op": "constant", "value": true}))], 1);
    followed.step(&index.version(), 40 * DAY_MS, None).unwrap();
    followed.live.save().unwrap();
    let again = followed.live.fold(1, &followed.log[0]).unwrap_err().to_string();
    assert!(again.contains("another log"), "{again}");
    let file = followed.folder.path().join("memberships");
    let whole = fs::read(&file).unwrap();
    for at in 0..whole.len() {
        let mut flipped = whole.clone();
        flipped[at] ^= 1;
        for damaged in [&flipped[..], &whole[..at]] {
            fs::write(&file, damaged).unwrap();
            assert!(matches!(Live::open(followed.folder.path()), Err(Error::Corrupt { path, .. }) if path == file));
        }
    }
}

#[test]
fn memberships_after_the_last_offset_are_damage() {
    let folder = tempdir().unwrap();
    let mut bytes = Vec::new();
    put_number(&mut bytes, 1, u64::MAX);
    bytes.extend(xxh3_64(&bytes).to_le_bytes());
    fs::write(folder.path().join("memberships"), bytes).unwrap();
    assert!(matches!(Live::open(folder.path()), Err(Error::Corrupt { .. })));
}

#[test]
fn who_reads_does_not_wait_for_a_step() {
    let folder = tempdir().unwrap();
    let index = Index::open(folder.path()).unwrap();
    for frame in frames(&decide(&[Step::Create(1), Step::Event(0, 1)]), 9) {
        index.fold(&[(index.offset(), &frame)]).unwrap();
    }
    let mut followed = Followed::new();
    followed.put(&[root(&json!({"op": "constant", "value": true}))], 1);
    followed.step(&index.version(), 40 * DAY_MS, None).unwrap();
    let live = &followed.live;
    // As a step does, for as long as it takes.
    let (rules, memberships) = (live.rules.lock(), live.memberships.read());
    std::thread::scope(|scope| {
        let (tell, told) = mpsc::channel();
        scope.spawn(move || {
            let answer = live.answer(&["s0".into()]).unwrap().0;
            tell.send((live.statuses()[0].count, answer.roots[0].matched))
        });
        let read = told.recv_timeout(Duration::from_secs(60));
        // A reader that waits is let go, so that this ends.
        drop((rules, memberships));
        assert_eq!(read, Ok((1, 1)));
    });
}
