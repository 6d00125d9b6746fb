//! Finds the rows whose membership may differ between two evaluations of a segment.
//!
//! A live segment is evaluated again only for these rows. Too many rows cost time; a missing row is a wrong answer.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use super::dependencies::Dependency;
use crate::error::Result;
use crate::index::partitioning::days_between;
use crate::index::summaries::firsts::FirstInstants;
use crate::index::view::{
    Attribute, BLOCK, Column, EventRun, Events, Partition, Unit, Version, ordinal_of, partition_of,
};
use crate::plan::Moment;

/// The rows of one block (65,536 people) that must be evaluated again.
#[derive(Clone, Debug, PartialEq)]
pub enum AffectedRows {
    /// Ordinals within the block, unsorted; duplicates are allowed.
    Rows(Vec<u16>),
    /// Every row: used when a change cannot be attributed, and when stored data is damaged (the evaluation then reports the damage).
    All,
}

impl AffectedRows {
    const NONE: AffectedRows = AffectedRows::Rows(Vec::new());

    fn all_if(condition: bool) -> AffectedRows {
        if condition {
            AffectedRows::All
        } else {
            AffectedRows::NONE
        }
    }

    fn add(&mut self, other: AffectedRows) {
        match (&mut *self, other) {
            (AffectedRows::Rows(rows), AffectedRows::Rows(more)) => rows.extend(more),
            _ => *self = AffectedRows::All,
        }
    }
}

/// Affects all rows if a run is damaged: the evaluation then reports the damage.
impl From<Result<Vec<u16>>> for AffectedRows {
    fn from(rows: Result<Vec<u16>>) -> AffectedRows {
        rows.map_or(AffectedRows::All, AffectedRows::Rows)
    }
}

/// Two versions of the index and the instants (ms since the epoch) at which each is evaluated; `as_of.0 <= as_of.1`.
pub struct Step<'a> {
    pub before: &'a Version,
    pub after: &'a Version,
    /// The as-of instants of the first and of the second evaluation.
    pub as_of: (i64, i64),
}

impl Step<'_> {
    /// Returns the affected rows of every block of `after`, in order of the blocks.
    pub fn affected_rows(&self, dependency: &Dependency) -> Vec<AffectedRows> {
        let partitions = self.after.partitions.values();
        let mut affected_rows: BTreeMap<u32, Vec<AffectedRows>> = partitions
            .map(|after| (after.number, self.of_partition(dependency, after)))
            .collect();
        for person in self.split_people() {
            let ordinal = ordinal_of(person);
            let of_partition = affected_rows.get_mut(&partition_of(person));
            if let Some(affected) = of_partition.and_then(|of| of.get_mut((ordinal / BLOCK) as usize)) {
                affected.add(AffectedRows::Rows(vec![(ordinal % BLOCK) as u16]));
            }
        }
        affected_rows.into_values().flatten().collect()
    }

    /// Returns both sides of the splits since `before`, because rows may have left them.
    fn split_people(&self) -> impl Iterator<Item = u64> {
        let splits = self.after.history.splits.iter();
        let since = splits.filter(|&&(arrival, _)| arrival >= self.since());
        since.flat_map(|(_, split)| [split.from, split.to])
    }

    /// Returns the affected rows of every block of a partition.
    fn of_partition(&self, dependency: &Dependency, after: &Partition) -> Vec<AffectedRows> {
        let blocks = 0..after.people.div_ceil(BLOCK);
        let each = |of: &dyn Fn(u32) -> AffectedRows| blocks.clone().map(of).collect();
        let Some(before) = self.before.partitions.get(&after.number) else {
            return each(&|_| AffectedRows::All);
        };
        match dependency {
            Dependency::People(moment) => {
                let at = self.instants(*moment);
                each(&|block| AffectedRows::Rows(after.first_record.changed(&before.first_record, block, at)))
            }
            Dependency::Channels(moment) => each(&|block| channels(before, after, block, self.instants(*moment))),
            Dependency::Attribute(name) => {
                let mut affected_rows = new_changes(
                    before.attributes.get(name),
                    after.attributes.get(name),
                    self.since(),
                    blocks.len(),
                );
                if let Some(before) = before.attributes.get(name) {
                    for (block, affected) in (0..).zip(&mut affected_rows) {
                        affected.add(self.changes_to_come(before, block).into());
                    }
                }
                affected_rows
            }
            Dependency::AttributeAge { name, age_ms } => each(&|block| {
                let attribute = after.attributes.get(name);
                attribute.map_or(AffectedRows::NONE, |attribute| {
                    self.attribute_crossings(attribute, *age_ms, block)
                })
            }),
            Dependency::Events(event_type) => {
                let events_of = |partition: &Partition| partition.events.get(event_type).cloned();
                new_events(events_of(before), events_of(after), self.since(), blocks.len())
            }
            Dependency::EventAge { event_type, age_ms } => each(&|block| {
                let events = after.events.get(event_type);
                events.map_or(AffectedRows::NONE, |events| {
                    self.event_crossings(events, *age_ms, block).into()
                })
            }),
            Dependency::Catalog(name) => {
                let is_same = same(self.before.catalogs.get(name), self.after.catalogs.get(name));
                each(&|_| AffectedRows::all_if(!is_same))
            }
            Dependency::Time => each(&|_| AffectedRows::all_if(self.as_of.0 != self.as_of.1)),
        }
    }

    /// Resolves a moment at the first and at the second as-of.
    fn instants(&self, moment: Moment) -> (i64, i64) {
        (moment.resolve(self.as_of.0), moment.resolve(self.as_of.1))
    }

    /// Returns the raw offset of the first frame that `before` does not contain.
    fn since(&self) -> i64 {
        i64::try_from(self.before.epoch.raw_offset).unwrap_or(i64::MAX)
    }

    /// Finds people with a change that lay in the future at the first as-of.
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

    /// Returns the instants that cross the age between the two evaluations, widened by 1 ms on both sides so that inclusive and exclusive
    /// window ends are both covered.
    fn crossed_instants(&self, age_ms: i64) -> Range<i64> {
        self.as_of.0.saturating_sub(age_ms).saturating_sub(1)..self.as_of.1.saturating_sub(age_ms).saturating_add(1)
    }

    /// Finds people whose current value, an instant, crosses an age. Where the current values are not those of the as-of, the
    /// `Attribute` dependency covers the change.
    fn attribute_crossings(&self, attribute: &Attribute, age_ms: i64, block: u32) -> AffectedRows {
        let Some(latest) = attribute.latest.get(block as usize) else {
            return AffectedRows::NONE;
        };
        let Column::Ints(Unit::Instant, instants) = &latest.values.data else {
            return AffectedRows::all_if(latest.values.any_known() && self.as_of.0 != self.as_of.1);
        };
        let crossed = self.crossed_instants(age_ms);
        let rows = instants.rows_between(0..instants.len(), crossed.start, crossed.end);
        let known = rows.into_iter().filter(|&row| latest.values.is_known(row));
        AffectedRows::Rows(known.map(|row| row as u16).collect())
    }

    /// Finds people with an event that crosses an age.
    fn event_crossings(&self, events: &Events, age_ms: i64, block: u32) -> Result<Vec<u16>> {
        let crossed = self.crossed_instants(age_ms);
        let mut rows = Vec::new();
        for run in &events.runs {
            let cells = run.cells_of(block, days_between(crossed.start, crossed.end));
            if !cells.is_empty() {
                run.check()?;
                cells.for_each(|cell| push_crossings(run, cell, &crossed, &mut rows));
            }
        }
        Ok(rows)
    }
}

/// Returns the people of a block whose channels differ.
fn channels(before: &Partition, after: &Partition, block: u32, at: (i64, i64)) -> AffectedRows {
    let none = FirstInstants::default();
    let codes: BTreeSet<&u32> = before.channels.keys().chain(after.channels.keys()).collect();
    let changed = codes.into_iter().flat_map(|code| {
        let (before, after) = (before.channels.get(code), after.channels.get(code));
        after.unwrap_or(&none).changed(before.unwrap_or(&none), block, at)
    });
    AffectedRows::Rows(changed.collect())
}

/// Adds the people of a cell who have an event within the crossed instants.
fn push_crossings(run: &EventRun, cell: usize, crossed: &Range<i64>, people: &mut Vec<u16>) {
    let (start, rows) = (run.start_of(cell), run.rows_of(cell..cell + 1));
    // Times within the day fit the 32 bits of the compared numbers.
    let of_day = |time: i64| time.saturating_sub(start).clamp(0, u32::MAX.into()) as u32;
    let (from, to) = (of_day(crossed.start), of_day(crossed.end));
    let times = &run.times[rows.clone()];
    let crosses = |time: u32| (from <= time) & (time < to);
    if times.iter().fold(false, |any, &time| any | crosses(time)) {
        let persons = run.persons[rows].iter().zip(times);
        people.extend(persons.filter(|&(_, &time)| crosses(time)).map(|(&person, _)| person));
    }
}

/// Returns the people, by block, with rows that arrived since a raw offset. Runs in both versions are unchanged.
fn new_events(before: Option<Arc<Events>>, after: Option<Arc<Events>>, since: i64, blocks: usize) -> Vec<AffectedRows> {
    let mut affected_rows = vec![AffectedRows::NONE; blocks];
    let old_runs = before.as_ref().map_or(&[][..], |before| &before.runs);
    for run in new_runs(old_runs, after.as_ref().map_or(&[][..], |after| &after.runs)) {
        if run.check().is_err() {
            return vec![AffectedRows::All; blocks];
        }
        let arrivals = &run.details.origins.arrivals;
        for row in arrivals.rows_between(0..arrivals.len(), since, i64::MAX) {
            let cell = run.cells.partition_point(|cell| cell.from as usize <= row) - 1;
            let block = run.cells[cell].block as usize;
            affected_rows[block].add(AffectedRows::Rows(vec![run.persons[row]]));
        }
    }
    affected_rows
}

/// Returns the people, by block, with changes that arrived since a raw offset.
fn new_changes(
    before: Option<&Arc<Attribute>>,
    after: Option<&Arc<Attribute>>,
    since: i64,
    blocks: usize,
) -> Vec<AffectedRows> {
    let mut affected_rows = vec![AffectedRows::NONE; blocks];
    let old_runs = before.map_or(&[][..], |before| &before.runs);
    for run in new_runs(old_runs, after.map_or(&[][..], |after| &after.runs)) {
        if run.check().is_err() {
            return vec![AffectedRows::All; blocks];
        }
        for (block, affected) in (0..).zip(&mut affected_rows) {
            let new = run
                .origins
                .arrivals
                .rows_between(run.rows_of_block(block), since, i64::MAX);
            affected.add(AffectedRows::Rows(
                new.into_iter().map(|row| run.persons[row]).collect(),
            ));
        }
    }
    affected_rows
}

/// Iterates over the runs that only the later version has.
fn new_runs<'a, R>(before: &'a [Arc<R>], after: &'a [Arc<R>]) -> impl Iterator<Item = &'a Arc<R>> {
    after
        .iter()
        .filter(|run| !before.iter().any(|old| Arc::ptr_eq(old, run)))
}

/// Returns whether both versions share the value, or neither has one.
fn same<T>(before: Option<&Arc<T>>, after: Option<&Arc<T>>) -> bool {
    match (before, after) {
        (Some(before), Some(after)) => Arc::ptr_eq(before, after),
        (before, after) => before.is_none() && after.is_none(),
    }
}
