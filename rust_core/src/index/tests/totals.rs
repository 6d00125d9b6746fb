//! Totals are what the rows of their runs come to, whatever happens to those.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::prelude::*;
use tempfile::tempdir;

use super::equivalence::{fold, settle};
use super::invariants::check_runs;
use super::random_history::{decide, frames, steps};
use crate::index::Index;
use crate::index::columns::cells::{Cell, Scalar};
use crate::index::columns::origins::Arrival;
use crate::index::columns::texts::Texts;
use crate::index::columns::values::{Details, Values};
use crate::index::partitioning::{BLOCK, DAY_MS, EventKey};
use crate::index::runs::merging::Rows;
use crate::index::summaries::totals::{BlockTotals, Totals};
use crate::index::view::{EventRun, Events, Version};
use crate::proto::schema::Type;

/// What the rows of a block come to.
#[derive(Default)]
struct Naive<'r> {
    counts: BTreeMap<u16, u32>,
    /// By property, then by person.
    sums: BTreeMap<&'r str, BTreeMap<u16, i128>>,
    /// Properties of which the numbers, all with the same sign, are more than 64 bits hold.
    large: BTreeSet<&'r str>,
    times: Vec<i64>,
}

impl<'r> Naive<'r> {
    fn of(runs: &'r [Arc<EventRun>], block: u32) -> Naive<'r> {
        let mut naive = Naive::default();
        let mut sizes: BTreeMap<&str, i128> = BTreeMap::new();
        for run in runs {
            for (row, key) in run.keys().enumerate().filter(|(_, key)| key.block() == block) {
                *naive.counts.entry(key.person()).or_default() += 1;
                naive.times.push(key.time());
                for (name, values) in &run.details.properties {
                    if let Cell::One(Scalar::Number(number)) = values.cell(row) {
                        let sums = naive.sums.entry(name).or_default();
                        *sums.entry(key.person()).or_default() += i128::from(number);
                        *sizes.entry(name).or_default() += i128::from(number).abs();
                    }
                }
            }
        }
        let large = sizes.into_iter().filter(|(_, size)| *size > i128::from(i64::MAX));
        naive.large = large.map(|(name, _)| name).collect();
        naive
    }

    fn check(&self, total: &BlockTotals) {
        let counts = total.counts.all();
        assert_eq!(
            counts.len(),
            self.counts.keys().last().map_or(0, |&last| usize::from(last) + 1)
        );
        for (person, &count) in (0..).zip(&counts) {
            assert_eq!(count, self.counts.get(&person).copied().unwrap_or(0));
        }
        assert_eq!(Some(&total.first), self.times.iter().min());
        assert_eq!(Some(&total.last), self.times.iter().max());
        let none = BTreeMap::new();
        for (name, sums) in &total.sums {
            let expected = self.sums.get(&name[..]).unwrap_or(&none);
            let Some(sums) = sums else {
                assert!(self.large.contains(&name[..]), "{name} fits");
                continue;
            };
            assert_eq!(sums.len(), counts.len());
            for (person, sum) in (0..).zip(sums.iter()) {
                assert_eq!(i128::from(sum), expected.get(&person).copied().unwrap_or(0));
            }
        }
        assert!(self.sums.keys().all(|&name| total.sums.contains_key(name)));
    }
}

/// In how many blocks events have totals, all of which are checked.
pub fn check_totals(events: &Events) -> usize {
    let last = events
        .runs
        .iter()
        .filter_map(|run| run.cells.last())
        .map(|cell| cell.block);
    let blocks = (0..=last.max().unwrap_or(0)).filter_map(|block| {
        let (total, rest) = events.total(block)?;
        let held = &events.runs[..events.runs.len() - rest.len()];
        Naive::of(held, block).check(total);
        Some(())
    });
    blocks.count()
}

fn blocks_with_totals(version: &Version) -> usize {
    let events = version
        .partitions
        .values()
        .flat_map(|partition| partition.events.values());
    events.map(|events| check_totals(events)).sum()
}

/// Ordinal, day and amount.
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
    #[test]
    fn they_are_the_sums_of_the_rows_of_more_and_more_runs(
        runs in prop::collection::vec(prop::collection::vec(row(), 1..20), 1..7),
        ends in prop::collection::vec(any::<prop::sample::Index>(), 1..4),
        merged in any::<(prop::sample::Index, prop::sample::Index)>()
    ) {
        let runs: Vec<Arc<EventRun>> = runs.into_iter().enumerate().map(run).map(Arc::new).collect();
        let mut ends: Vec<usize> = ends.iter().map(|end| end.index(runs.len() + 1)).collect();
        ends.sort_unstable();
        let mut events = Events { runs, ..Events::default() };
        for &end in &ends {
            events.totals = Arc::new(events.totals.extended(&events.runs[..end]).unwrap());
            check_totals(&events);
        }
        let from_nothing = Totals::default().extended(&events.runs[..ends[ends.len() - 1]]).unwrap();
        let blocks = check_totals(&events);
        let (from, to) = (merged.0.index(events.runs.len()), merged.1.index(events.runs.len()));
        let merged = from.min(to)..from.max(to) + 1;
        let run = EventRun::merge(&events.runs[merged.clone()], &Texts::default()).unwrap();
        let straddles = ends.last().is_some_and(|&end| merged.start < end && end < merged.end);
        events.runs.splice(merged, [Arc::new(run)]);
        prop_assert_eq!(check_totals(&events), if straddles { 0 } else { blocks });
        if !straddles {
            events.totals = Arc::new(from_nothing);
            prop_assert_eq!(check_totals(&events), blocks);
        }
    }

}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(30))]

    #[test]
    fn they_become_those_of_most_rows(steps in steps(), size in 1..4usize) {
        let folder = tempdir().unwrap();
        let index = Index::open(folder.path()).unwrap();
        for frame in frames(&decide(&steps), size) {
            fold(&index, &[frame], 1);
            settle(&index);
            let version = index.version();
            check_runs(&version);
            for events in version.partitions.values().flat_map(|partition| partition.events.values()) {
                prop_assert!(events.totals.due(&events.runs, None).is_none());
            }
        }
    }
}

/// Random histories without any would prove nothing.
#[test]
fn random_histories_have_some() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut with, mut past) = (0, 0);
    for _ in 0..60 {
        let steps = proptest::strategy::ValueTree::current(&steps().new_tree(&mut runner).unwrap());
        let folder = tempdir().unwrap();
        let index = Index::open(folder.path()).unwrap();
        fold(&index, &frames(&decide(&steps), 3), 1);
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
