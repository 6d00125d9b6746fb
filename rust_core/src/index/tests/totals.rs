//! Totals equal the sums of the rows of their runs, through merges, purges and time travel.

use std::ops::Range;
use std::sync::Arc;

use proptest::prelude::*;
use tempfile::tempdir;

use super::fixtures::folding::{fold, settle};
use super::fixtures::invariants::check_runs;
use super::fixtures::random_history::{frames, plan_operations, steps};
use super::fixtures::totals_check::check_totals;
use crate::index::Index;
use crate::index::columns::cells::{Cell, Scalar};
use crate::index::columns::origins::Arrival;
use crate::index::columns::texts::Texts;
use crate::index::columns::values::{Details, Values};
use crate::index::partitioning::{BLOCK, DAY_MS, EventKey};
use crate::index::runs::merging::MergeableRun;
use crate::index::summaries::totals::Totals;
use crate::index::view::{EventRun, Events, Version};
use crate::proto::schema::Type;

fn blocks_with_totals(version: &Version) -> usize {
    let events = version
        .partitions
        .values()
        .flat_map(|partition| partition.events.values());
    events.map(|events| check_totals(events)).sum()
}

/// (ordinal, day, amount).
type Row = (u32, i64, Option<i64>);

fn row() -> impl Strategy<Value = Row> {
    let amount = prop_oneof![
        6 => -300..300i64,
        1 => prop::sample::select(vec![i64::MAX, i64::MIN, i64::MAX / 2]),
    ];
    let ordinal = prop_oneof![0..5u32, BLOCK..BLOCK + 4, Just(3 * BLOCK - 1)];
    (ordinal, -3..3i64, prop::option::weighted(0.8, amount))
}

fn run((number, mut rows): (usize, Vec<Row>)) -> EventRun {
    let key = |&(ordinal, day, _): &Row| EventKey::new(ordinal, day * DAY_MS + 5);
    rows.sort_by_key(key);
    let (mut details, mut amounts) = (Details::default(), Values::of_type(Type::Number));
    for (row, &(_, _, amount)) in rows.iter().enumerate() {
        amounts.push(&amount.map_or(Cell::Unknown, |amount| Cell::One(Scalar::Number(amount))));
        details
            .origins
            .push(Texts::NONE, &format!("{number:04} {row:04}"), Arrival::default());
    }
    details.channels.pad(rows.len());
    if amounts.any_known() {
        details.properties.insert("amount".into(), amounts);
    }
    EventRun::of(rows.iter().map(key), details)
}

proptest! {
    #![proptest_config(crate::testing::cases(256))]

    #[test]
    fn totals_equal_row_sums_as_runs_are_added(
        runs in prop::collection::vec(prop::collection::vec(row(), 1..20), 1..7),
        ends in prop::collection::vec(any::<prop::sample::Index>(), 1..4),
        merged in any::<(prop::sample::Index, prop::sample::Index)>()
    ) {
        let ends = ends.iter().map(|end| end.index(runs.len() + 1)).collect();
        let (from, to) = (merged.0.index(runs.len()), merged.1.index(runs.len()));
        check_as_runs_are_added(runs, ends, from.min(to)..from.max(to) + 1);
    }
}

/// Extends totals to each of the ends, then merges some runs.
fn check_as_runs_are_added(runs: Vec<Vec<Row>>, mut ends: Vec<usize>, merged: Range<usize>) {
    let runs: Vec<Arc<EventRun>> = runs.into_iter().enumerate().map(run).map(Arc::new).collect();
    ends.sort_unstable();
    let mut events = Events {
        runs,
        ..Events::default()
    };
    for &end in &ends {
        events.totals = Arc::new(events.totals.extended(&events.runs[..end]).unwrap());
        check_totals(&events);
    }
    let from_nothing = Totals::default()
        .extended(&events.runs[..ends[ends.len() - 1]])
        .unwrap();
    let blocks = check_totals(&events);
    let run = EventRun::merge(&events.runs[merged.clone()], &Texts::default()).unwrap();
    let straddles = ends.last().is_some_and(|&end| merged.start < end && end < merged.end);
    events.runs.splice(merged, [Arc::new(run)]);
    assert_eq!(check_totals(&events), if straddles { 0 } else { blocks });
    if !straddles {
        events.totals = Arc::new(from_nothing);
        assert_eq!(check_totals(&events), blocks);
    }
}

#[test]
fn a_block_that_becomes_sparse_loses_its_total() {
    let run = |ordinal| vec![(ordinal, 0, None)];
    check_as_runs_are_added(vec![run(0), run(4), run(0)], vec![1, 2], 0..1);
}

proptest! {
    #![proptest_config(crate::testing::cases(30))]

    #[test]
    fn compaction_leaves_no_totals_due(steps in steps(), size in 1..4usize) {
        let folder = tempdir().unwrap();
        let index = Index::open(folder.path()).unwrap();
        for frame in frames(&plan_operations(&steps), size) {
            fold(&index, &[frame], 1);
            settle(&index);
            let version = index.version();
            check_runs(&version);
            for events in version.partitions.values().flat_map(|partition| partition.events.values()) {
                prop_assert!(events.totals.due_runs(&events.runs, None).is_none());
            }
        }
    }
}

/// Guards the other tests: histories without totals would prove nothing.
#[test]
fn random_histories_produce_totals() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut with, mut past) = (0, 0);
    for _ in 0..60 {
        let steps = proptest::strategy::ValueTree::current(&steps().new_tree(&mut runner).unwrap());
        let folder = tempdir().unwrap();
        let index = Index::open(folder.path()).unwrap();
        fold(&index, &frames(&plan_operations(&steps), 3), 1);
        let version = index.version();
        with += usize::from(blocks_with_totals(&version) > 0);
        let known = version.known_at(version.epoch.raw_offset - 1).unwrap();
        past += usize::from(blocks_with_totals(&known) > 0);
        index.snapshot().unwrap();
        let reopened = Index::open(folder.path()).unwrap().version();
        assert_eq!(blocks_with_totals(&reopened), blocks_with_totals(&version));
    }
    assert!(with > 20 && past > 20, "{with} {past}");
}
