//! Whom something that has happened between two questions may concern.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use super::dependencies::Sense;
use crate::error::Result;
use crate::index::partitioning::days_between;
use crate::index::summaries::firsts::Firsts;
use crate::index::view::{Attribute, BLOCK, Column, Events, Partition, Run, Unit, Version, ordinal_of, partition_of};
use crate::plan::Moment;

/// Of one block.
#[derive(Clone, Debug, PartialEq)]
pub enum Concern {
    /// Rows of the block, in no order; some more than once.
    Some(Vec<u16>),
    Everybody,
}

impl Concern {
    const NOBODY: Concern = Concern::Some(Vec::new());

    fn all(whether: bool) -> Concern {
        if whether { Concern::Everybody } else { Concern::NOBODY }
    }

    fn add(&mut self, other: Concern) {
        match (&mut *self, other) {
            (Concern::Some(rows), Concern::Some(more)) => rows.extend(more),
            _ => *self = Concern::Everybody,
        }
    }
}

/// What a damaged run holds is not known: who asks it is told what is wrong.
impl From<Result<Vec<u16>>> for Concern {
    fn from(rows: Result<Vec<u16>>) -> Concern {
        rows.map_or(Concern::Everybody, Concern::Some)
    }
}

/// What has happened between two questions.
pub struct Between<'a> {
    pub before: &'a Version,
    pub after: &'a Version,
    /// The as-of of the first and of the second, which is not earlier.
    pub as_of: (i64, i64),
}

impl Between<'_> {
    /// Of every block of `after`, in order.
    pub fn concerns(&self, sense: &Sense) -> Vec<Concern> {
        let partitions = self.after.partitions.values();
        let mut concerns: BTreeMap<u32, Vec<Concern>> = partitions
            .map(|after| (after.number, self.of_partition(sense, after)))
            .collect();
        for person in self.parted() {
            let ordinal = ordinal_of(person);
            let of_partition = concerns.get_mut(&partition_of(person));
            if let Some(concern) = of_partition.and_then(|of| of.get_mut((ordinal / BLOCK) as usize)) {
                concern.add(Concern::Some(vec![(ordinal % BLOCK) as u16]));
            }
        }
        concerns.into_values().flatten().collect()
    }

    /// People of splits since: of their rows some have gone.
    fn parted(&self) -> impl Iterator<Item = u64> {
        let splits = self.after.history.splits.iter();
        let since = splits.filter(|&&(arrival, _)| arrival >= self.since());
        since.flat_map(|(_, split)| [split.from, split.to])
    }

    fn of_partition(&self, sense: &Sense, after: &Partition) -> Vec<Concern> {
        let blocks = 0..after.people.div_ceil(BLOCK);
        let each = |of: &dyn Fn(u32) -> Concern| blocks.clone().map(of).collect();
        let Some(before) = self.before.partitions.get(&after.number) else {
            return each(&|_| Concern::Everybody);
        };
        match sense {
            Sense::People(moment) => {
                let at = self.instants(*moment);
                each(&|block| Concern::Some(after.first_record.changed(&before.first_record, block, at)))
            }
            Sense::Channels(moment) => each(&|block| channels(before, after, block, self.instants(*moment))),
            Sense::Attribute(name) => {
                let mut concerns = new_changes(
                    before.attributes.get(name),
                    after.attributes.get(name),
                    self.since(),
                    blocks.len(),
                );
                if let Some(before) = before.attributes.get(name) {
                    for (block, concern) in (0..).zip(&mut concerns) {
                        concern.add(self.changes_to_come(before, block).into());
                    }
                }
                concerns
            }
            Sense::PassingAttribute { name, ago } => each(&|block| {
                let attribute = after.attributes.get(name);
                attribute.map_or(Concern::NOBODY, |attribute| self.passing_of(attribute, *ago, block))
            }),
            Sense::Events(event_type) => {
                let held = |partition: &Partition| partition.events.get(event_type).cloned();
                new_events(held(before), held(after), self.since(), blocks.len())
            }
            Sense::Passing { event_type, ago } => each(&|block| {
                let events = after.events.get(event_type);
                events.map_or(Concern::NOBODY, |events| self.passing(events, *ago, block).into())
            }),
            Sense::Catalog(name) => {
                let is_same = same(self.before.catalogs.get(name), self.after.catalogs.get(name));
                each(&|_| Concern::all(!is_same))
            }
            Sense::Time => each(&|_| Concern::all(self.as_of.0 != self.as_of.1)),
        }
    }

    /// What a moment means to the first and to the second question.
    fn instants(&self, moment: Moment) -> (i64, i64) {
        (moment.resolve(self.as_of.0), moment.resolve(self.as_of.1))
    }

    /// The raw offset of the first frame that `before` has not.
    fn since(&self) -> i64 {
        i64::try_from(self.before.epoch.raw_offset).unwrap_or(i64::MAX)
    }

    /// People with a change that was to come for the first question.
    fn changes_to_come(&self, before: &Attribute, block: u32) -> Result<Vec<u16>> {
        let mut rows = Vec::new();
        let latest = before.latest.get(block as usize);
        if latest.is_some_and(|latest| latest.changed_until_ms >= self.as_of.0) {
            for run in &before.runs {
                run.check()?;
                let to_come = run.times.rows_between(run.rows_of_block(block), self.as_of.0, i64::MAX);
                rows.extend(to_come.into_iter().map(|row| run.persons[row]));
            }
        }
        Ok(rows)
    }

    /// One more on both sides, whichever of a window's ends is in it.
    fn passed(&self, ago: i64) -> Range<i64> {
        self.as_of.0.saturating_sub(ago).saturating_sub(1)..self.as_of.1.saturating_sub(ago).saturating_add(1)
    }

    /// People of whose latest values some come to lie so long before the as-of. Where these are not yet those of the as-of, the
    /// attribute itself is sensed.
    fn passing_of(&self, attribute: &Attribute, ago: i64, block: u32) -> Concern {
        let Some(latest) = attribute.latest.get(block as usize) else {
            return Concern::NOBODY;
        };
        let Column::Ints(Unit::Instant, instants) = &latest.values.data else {
            return Concern::all(latest.values.any_known() && self.as_of.0 != self.as_of.1);
        };
        let passed = self.passed(ago);
        let rows = instants.rows_between(0..instants.len(), passed.start, passed.end);
        let known = rows.into_iter().filter(|&row| latest.values.is_known(row));
        Concern::Some(known.map(|row| row as u16).collect())
    }

    fn passing(&self, events: &Events, ago: i64, block: u32) -> Result<Vec<u16>> {
        let passed = self.passed(ago);
        let mut rows = Vec::new();
        for run in &events.runs {
            let cells = run.cells_of(block, days_between(passed.start, passed.end));
            if !cells.is_empty() {
                run.check()?;
                cells.for_each(|cell| passing_in(run, cell, &passed, &mut rows));
            }
        }
        Ok(rows)
    }
}

fn channels(before: &Partition, after: &Partition, block: u32, at: (i64, i64)) -> Concern {
    let none = Firsts::default();
    let codes: BTreeSet<&u32> = before.channels.keys().chain(after.channels.keys()).collect();
    let changed = codes.into_iter().flat_map(|code| {
        let (before, after) = (before.channels.get(code), after.channels.get(code));
        after.unwrap_or(&none).changed(before.unwrap_or(&none), block, at)
    });
    Concern::Some(changed.collect())
}

/// People of one cell with an event at such a time.
fn passing_in(run: &Run, cell: usize, passed: &Range<i64>, people: &mut Vec<u16>) {
    let (start, rows) = (run.start_of(cell), run.rows_of(cell..cell + 1));
    // Within the day, so that no number is wider than those compared.
    let of_day = |time: i64| time.saturating_sub(start).clamp(0, u32::MAX.into()) as u32;
    let (from, to) = (of_day(passed.start), of_day(passed.end));
    let times = &run.times[rows.clone()];
    let passes = |time: u32| (from <= time) & (time < to);
    if times.iter().fold(false, |any, &time| any | passes(time)) {
        let persons = run.persons[rows].iter().zip(times);
        people.extend(persons.filter(|&(_, &time)| passes(time)).map(|(&person, _)| person));
    }
}

/// People of whom rows have come since a raw offset: runs that both have are as they were.
fn new_events(before: Option<Arc<Events>>, after: Option<Arc<Events>>, since: i64, blocks: usize) -> Vec<Concern> {
    let mut concerns = vec![Concern::NOBODY; blocks];
    let held = before.as_ref().map_or(&[][..], |before| &before.runs);
    for run in new_runs(held, after.as_ref().map_or(&[][..], |after| &after.runs)) {
        if run.check().is_err() {
            return vec![Concern::Everybody; blocks];
        }
        let arrivals = &run.details.origins.arrivals;
        for row in arrivals.rows_between(0..arrivals.len(), since, i64::MAX) {
            let cell = run.cells.partition_point(|cell| cell.from as usize <= row) - 1;
            let block = run.cells[cell].block as usize;
            concerns[block].add(Concern::Some(vec![run.persons[row]]));
        }
    }
    concerns
}

fn new_changes(
    before: Option<&Arc<Attribute>>,
    after: Option<&Arc<Attribute>>,
    since: i64,
    blocks: usize,
) -> Vec<Concern> {
    let mut concerns = vec![Concern::NOBODY; blocks];
    let held = before.map_or(&[][..], |before| &before.runs);
    for run in new_runs(held, after.map_or(&[][..], |after| &after.runs)) {
        if run.check().is_err() {
            return vec![Concern::Everybody; blocks];
        }
        for (block, concern) in (0..).zip(&mut concerns) {
            let new = run
                .origins
                .arrivals
                .rows_between(run.rows_of_block(block), since, i64::MAX);
            concern.add(Concern::Some(new.into_iter().map(|row| run.persons[row]).collect()));
        }
    }
    concerns
}

fn new_runs<'a, R>(before: &'a [Arc<R>], after: &'a [Arc<R>]) -> impl Iterator<Item = &'a Arc<R>> {
    after
        .iter()
        .filter(|run| !before.iter().any(|held| Arc::ptr_eq(held, run)))
}

fn same<T>(before: Option<&Arc<T>>, after: Option<&Arc<T>>) -> bool {
    match (before, after) {
        (Some(before), Some(after)) => Arc::ptr_eq(before, after),
        (before, after) => before.is_none() && after.is_none(),
    }
}
