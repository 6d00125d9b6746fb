//! Only people whose inputs changed or whose instants crossed a window end are affected.

use std::sync::Arc;

use tempfile::tempdir;

use crate::index::Index;
use crate::index::tests::fixtures::encoded::{self, RecordFields};
use crate::index::tests::fixtures::model::declared;
use crate::index::view::{DAY_MS, Version, person_of};
use crate::live::affected_rows::{AffectedRows, Step};
use crate::live::dependencies::Dependency;
use crate::plan::Moment;
use crate::proto::frame::{Change, IdentityChange};
use crate::proto::record::Value;

/// An index with some people in one partition.
struct TestIndex {
    index: Index,
    sequence: u64,
    _folder: tempfile::TempDir,
}

impl TestIndex {
    fn of(people: u32) -> TestIndex {
        let folder = tempdir().unwrap();
        let index = Index::open(folder.path()).unwrap();
        let mut test = TestIndex {
            index,
            sequence: 0,
            _folder: folder,
        };
        let created = (0..people).map(|ordinal| Change::Created {
            person: person_of(1, ordinal),
        });
        test.fold(created.collect(), &[], Some(&declared(true).encode()));
        test
    }

    fn fold(&mut self, changes: Vec<Change>, records: &[(u64, Vec<u8>)], schema: Option<&[u8]>) -> Arc<Version> {
        let changes = changes.into_iter().map(|change| {
            self.sequence += 1;
            IdentityChange {
                sequence: self.sequence,
                change,
            }
        });
        let offset = self.index.offset();
        let frame = encoded::frame(offset, changes.collect(), records, schema);
        self.index.fold(&[(offset, &frame)]).unwrap();
        self.index.version()
    }

    fn order(&mut self, ordinal: u32, time: i64) -> Arc<Version> {
        let id = self.index.offset().to_string();
        let sent = sent(&id, "order", time, &[]);
        self.fold(vec![], &[(person_of(1, ordinal), encoded::event(&sent))], None)
    }

    fn set_joined(&mut self, ordinal: u32, said: i64, joined: i64) -> Arc<Version> {
        let id = self.index.offset().to_string();
        let values = [("joined", Value::Instant(joined))];
        let sent = sent(&id, "", said, &values);
        self.fold(vec![], &[(person_of(1, ordinal), encoded::profile(&sent))], None)
    }
}

fn sent<'a>(id: &'a str, kind: &'a str, time: i64, values: &'a [(&'a str, Value<'a>)]) -> RecordFields<'a> {
    RecordFields {
        source: "pos",
        id,
        kind,
        time: Some(time),
        channel: "pos",
        values,
    }
}

fn affected(before: &Version, after: &Version, as_of: (i64, i64), dependency: &Dependency) -> Vec<u16> {
    let step = Step { before, after, as_of };
    match &step.affected_rows(dependency)[..] {
        [AffectedRows::Rows(rows)] => {
            let mut rows = rows.clone();
            rows.sort_unstable();
            rows.dedup();
            rows
        }
        other => panic!("{other:?}"),
    }
}

fn orders() -> Dependency {
    Dependency::Events("order".into())
}

#[test]
fn new_events_affect_their_people_across_run_merges() {
    let mut test = TestIndex::of(9);
    let mut before = test.order(0, DAY_MS);
    for ordinal in [3, 5, 3, 8, 1, 7, 2, 6, 4, 0, 5] {
        let after = test.order(ordinal, DAY_MS + i64::from(ordinal));
        assert_eq!(affected(&before, &after, (0, 0), &orders()), [ordinal as u16]);
        before = after;
    }
}

#[test]
fn a_merge_affects_the_winner_and_the_loser() {
    let mut test = TestIndex::of(3);
    test.order(0, DAY_MS);
    let before = test.order(2, DAY_MS);
    let (winner, loser) = (person_of(1, 0), person_of(1, 2));
    let after = test.fold(vec![Change::Merged { winner, loser }], &[], None);
    let as_of = (9 * DAY_MS, 9 * DAY_MS);
    assert_eq!(affected(&before, &after, as_of, &orders()), [0]);
    assert_eq!(affected(&before, &after, as_of, &Dependency::People(Moment::NOW)), [2]);
}

#[test]
fn an_earlier_first_record_affects_queries_at_earlier_instants() {
    let mut test = TestIndex::of(2);
    test.order(0, 5 * DAY_MS);
    let before = test.order(1, 5 * DAY_MS);
    let after = test.order(1, 2 * DAY_MS);
    let as_of = (9 * DAY_MS, 9 * DAY_MS);
    assert_eq!(
        affected(&before, &after, as_of, &Dependency::People(Moment::NOW)),
        [] as [u16; 0]
    );
    assert_eq!(
        affected(&before, &after, as_of, &Dependency::People(Moment::At(3 * DAY_MS))),
        [1]
    );
    assert_eq!(
        affected(&before, &after, as_of, &Dependency::Channels(Moment::At(3 * DAY_MS))),
        [1]
    );
}

#[test]
fn elapsed_time_affects_people_whose_instants_cross_a_window_edge() {
    let mut test = TestIndex::of(3);
    for ordinal in 0..3 {
        test.order(ordinal, i64::from(ordinal) * DAY_MS + 7);
        test.set_joined(ordinal, -DAY_MS, i64::from(ordinal) * DAY_MS + 7);
    }
    let version = test.index.version();
    let at = |day: i64| 10 * DAY_MS + day * DAY_MS;
    let ago = 10 * DAY_MS;
    let event_type = "order".to_owned();
    let name = "joined".to_owned();
    for dependency in [
        Dependency::EventAge {
            event_type,
            age_ms: ago,
        },
        Dependency::AttributeAge { name, age_ms: ago },
    ] {
        assert_eq!(affected(&version, &version, (at(1), at(2)), &dependency), [1]);
        assert_eq!(affected(&version, &version, (at(0), at(2)), &dependency), [0, 1]);
        assert_eq!(
            affected(&version, &version, (at(4), at(9)), &dependency),
            [] as [u16; 0]
        );
    }
}

#[test]
fn a_change_affects_its_person_on_arrival_and_when_it_takes_effect() {
    let mut test = TestIndex::of(3);
    let before = test.set_joined(0, DAY_MS, 0);
    let after = test.set_joined(2, 5 * DAY_MS, 0);
    let dependency = Dependency::Attribute("joined".into());
    assert_eq!(affected(&before, &after, (2 * DAY_MS, 2 * DAY_MS), &dependency), [2]);
    assert_eq!(affected(&after, &after, (2 * DAY_MS, 6 * DAY_MS), &dependency), [2]);
    assert_eq!(
        affected(&after, &after, (6 * DAY_MS, 7 * DAY_MS), &dependency),
        [] as [u16; 0]
    );
}

#[test]
fn purging_affects_nobody() {
    let mut test = TestIndex::of(2);
    test.order(0, DAY_MS);
    test.order(1, DAY_MS);
    let person = person_of(1, 0);
    let before = test.fold(vec![Change::Erased { person }], &[], None);
    assert!(test.index.purge().unwrap());
    let after = test.index.version();
    assert_eq!(
        affected(&before, &after, (9 * DAY_MS, 9 * DAY_MS), &orders()),
        [] as [u16; 0]
    );
}
