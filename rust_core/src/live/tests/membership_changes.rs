//! Single changes that add members to live segments or remove them.

use serde_json::{Value as Json, json};
use tempfile::tempdir;

use super::followed_segments::{FollowedSegments, evaluate_fully, root};
use crate::index::Index;
use crate::index::tests::fixtures::encoded::{self, RecordFields};
use crate::index::tests::fixtures::model::declared;
use crate::index::tests::fixtures::random_history::{Step, frames, plan_operations};
use crate::index::view::{DAY_MS, person_of};
use crate::live::frame::MembershipFrame;
use crate::proto::frame::{Change, IdentityChange};
use crate::proto::record::Value;

#[test]
fn a_future_change_takes_effect_at_its_time() {
    let person = person_of(1, 0);
    let sent = |id, time, values| RecordFields {
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
    let mut followed = FollowedSegments::new();
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
fn members_added_by_an_unsettled_step_leave_when_merged_away() {
    let history = [
        Step::Create(1),
        Step::Event(0, 1),
        Step::Create(1),
        Step::Event(1, 1),
        Step::Merge(0, 1),
    ];
    let history = frames(&plan_operations(&history), 1);
    let folder = tempdir().unwrap();
    let index = Index::open(folder.path()).unwrap();
    let mut followed = FollowedSegments::new();
    let roots = [root(&json!({"op": "constant", "value": true}))];
    followed.put(&roots, 1);
    for (offset, frame) in history.iter().enumerate() {
        index.fold(&[(offset as u64, frame)]).unwrap();
        // The second person enters by a step that is written but not settled.
        let torn = (offset == 4).then_some(1);
        followed.step(&index.version(), 40 * DAY_MS, torn).unwrap();
        let (_, held) = followed.live.members(&["s0".into()]);
        let expected = evaluate_fully(&index.version(), 40 * DAY_MS, &roots[0]);
        assert!(held[0].members.set().iter().eq(expected), "after frame {offset}");
    }
}

#[test]
fn erased_people_leave_every_segment() {
    let folder = tempdir().unwrap();
    let index = Index::open(folder.path()).unwrap();
    let [erased, stays] = [person_of(1, 0), person_of(1, 1)];
    let history = [Step::Create(1), Step::Create(1), Step::Event(0, 1), Step::Event(1, 1)];
    for frame in frames(&plan_operations(&history), 9) {
        index.fold(&[(index.offset(), &frame)]).unwrap();
    }
    let everybody = json!({"op": "constant", "value": true});
    let not = |of: &Json| json!({"op": "not", "of": of});
    let mut followed = FollowedSegments::new();
    followed.put(&[root(&everybody), root(&not(&not(&everybody)))], 1);
    followed.step(&index.version(), 40 * DAY_MS, None).unwrap();
    let change = Change::Erased { person: erased };
    let frame = encoded::frame(1, vec![IdentityChange { sequence: 9, change }], &[], None);
    index.fold(&[(1, &frame)]).unwrap();
    let said = followed.log.len();
    followed.step(&index.version(), 40 * DAY_MS, None).unwrap();
    let moves: Vec<_> = followed.log[said..]
        .iter()
        .flat_map(|frame| MembershipFrame::decode(frame).unwrap().segments)
        .collect();
    assert_eq!(moves.len(), 2);
    for of_segment in &moves {
        assert_eq!((of_segment.entered.len(), of_segment.count), (0, 1));
        assert_eq!(of_segment.left.iter().collect::<Vec<_>>(), [erased]);
    }
    // Purging afterwards changes no members.
    while index.purge().unwrap() {
        assert_eq!(followed.step(&index.version(), 40 * DAY_MS, None).unwrap(), 0);
    }
    let (_, held) = followed.live.members(&["s0".into(), "s1".into()]);
    assert!(held.iter().all(|held| held.members.set().iter().eq([stays])));
}

#[test]
fn new_rows_are_noticed_after_as_many_were_purged() {
    let [erased, stays] = [person_of(1, 0), person_of(1, 1)];
    let order = |id| {
        encoded::event(&RecordFields {
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
    let mut followed = FollowedSegments::new();
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
fn a_failing_segment_keeps_its_members_and_blocks_no_other() {
    let folder = tempdir().unwrap();
    let index = Index::open(folder.path()).unwrap();
    for frame in frames(&plan_operations(&[Step::Create(1), Step::Event(0, 1)]), 9) {
        index.fold(&[(index.offset(), &frame)]).unwrap();
    }
    let (everybody, wrong) = (
        json!({"op": "constant", "value": true}),
        json!({"op": "known", "expr": {"op": "attribute", "name": "age", "key": null}}),
    );
    let mut followed = FollowedSegments::new();
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
