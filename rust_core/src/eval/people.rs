//! The scope of expressions over the people of one block.

use std::cell::RefCell;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_64;

use super::evaluator::{Evaluator, Scope};
use super::kernels::bits::{Bits, Tri};
use super::kernels::column::{Column, Data};
use super::kernels::gather::gather;
use super::kernels::range_masks::{self, between_values};
use super::kernels::ratio::UNIT;
use super::kernels::sets::Sets;
use super::limits::Reservation;
use super::operators::aggregates::tally::Measured;
use super::operators::exists::exists;
use super::operators::rank::RankResult;
use super::operators::scan::scan;
use super::operators::sequence::sequence;
use super::program::{Cond, Expr};
use super::query::Query;
use super::task::Task;
use crate::error::{Error, Result};
use crate::index::columns::picks::{NO_ROW, Pick};
use crate::index::summaries::firsts::FirstInstants;
use crate::index::view::{Attribute, ChangeRun, Column as Stored, Partition, Values, person_of};

/// The people of one block, or selected ones of them.
pub struct People<'a> {
    pub task: Task<'a>,
    /// The people whose first record occurred before the as-of.
    pub universe: Rc<Bits>,
    scans: RefCell<Vec<Option<Rc<Vec<Measured<'a>>>>>>,
    reservation: Reservation<'a>,
}

impl<'a> People<'a> {
    pub fn of(query: &'a Query<'a>, task: Task<'a>) -> Evaluator<'a, People<'a>> {
        let universe = Rc::new(universe(task, query.program.as_of));
        let scans = RefCell::new(vec![None; query.program.scans.len()]);
        let reservation = Reservation::new(&query.budget);
        let people = People {
            task,
            universe,
            scans,
            reservation,
        };
        Evaluator::new(query, people, Rc::default())
    }
}

impl<'a> Evaluator<'a, People<'a>> {
    /// Returns the people in the universe of an instant for whom a condition is true; without a condition, the universe.
    pub fn population(&self, among: Option<usize>, as_of: i64) -> Result<Rc<Bits>> {
        let universe = match as_of {
            now if now == self.query.program.as_of => self.scope.universe.clone(),
            past => Rc::new(universe(self.scope.task, past)),
        };
        among.map_or(Ok(universe.clone()), |among| {
            Ok(Rc::new(self.cond(among)?.t.and(&universe)))
        })
    }

    /// Returns the results of a scan; runs it on the first call.
    fn measures(&self, number: usize) -> Result<Rc<Vec<Measured<'a>>>> {
        if let Some(columns) = &self.scope.scans.borrow()[number] {
            return Ok(columns.clone());
        }
        let columns = Rc::new(scan(self, self.scope.task, &self.query.program.scans[number])?);
        self.scope.scans.borrow_mut()[number] = Some(columns.clone());
        Ok(columns)
    }

    /// Returns the people with at least one event if the first and last event days answer that; else `None`.
    fn with_any_event(&self, count: usize, min: i64, max: i64) -> Result<Option<Bits>> {
        match &self.query.program.exprs[count] {
            Expr::Measure { scan, .. } if (min, max) == (UNIT, i64::MAX) => {
                let some = exists(self.scope.task, &self.query.program.scans[*scan])?;
                // Reads one first or last day for each person and type.
                if some.is_some() {
                    let types = self.query.program.scans[*scan].steps.len();
                    self.touched.add(types * self.rows(), 2 * types * self.rows());
                }
                Ok(some)
            }
            _ => Ok(None),
        }
    }

    /// Returns the result of a ranking for the block.
    fn rank_result(&self, ranking: usize) -> Result<&'a RankResult> {
        let result = self
            .query
            .rank_results
            .get(ranking)
            .and_then(|blocks| blocks.get(self.scope.task.number));
        result.ok_or_else(|| Error::Invalid("a rank depends on itself".into()))
    }

    /// Reads an attribute as of an instant with `read`: the latest values if they are valid then, else the changes before it.
    fn attribute(
        &self,
        name: &str,
        as_of: i64,
        read: impl for<'v> Fn(&'v Values, Range<usize>) -> Column<'v>,
    ) -> Result<Column<'a>> {
        let task = self.scope.task;
        let partition: &'a Partition = task.partition;
        let Some(attribute) = partition.attributes.get(name) else {
            return Ok(Column::unknown(self.rows()));
        };
        if let Some(latest) = latest(attribute, task, as_of) {
            self.touched.add(self.rows(), range_masks::bytes(latest, self.rows()));
            return Ok(match task.selected {
                None => read(latest, 0..self.rows()),
                Some(rows) => Column::picked(latest, rows.iter().map(|&row| row.into()), read),
            });
        }
        attribute.runs.iter().try_for_each(|run| run.check())?;
        if task.selected.is_some() {
            let columns: Vec<Option<&Values>> = attribute.runs.iter().map(|run| Some(&run.values)).collect();
            return Ok(Column::gathered(
                &columns,
                &self.picks_as_of(&attribute.runs, as_of)?,
                read,
            ));
        }
        let rows_of = |run: &ChangeRun| run.rows_of_block(task.block());
        let runs = attribute.runs.iter().map(|run| read(&run.values, rows_of(run)));
        let runs: Vec<Column> = runs.collect();
        for run in &attribute.runs {
            let rows = rows_of(run).len();
            // Each change has a person (2 bytes) and a time (4 bytes).
            self.touched.add(rows, range_masks::bytes(&run.values, rows) + 6 * rows);
        }
        let changes = self.changes_as_of(&attribute.runs, as_of);
        gather(self.rows(), &runs.iter().collect::<Vec<_>>(), |row| changes[row])
    }

    /// Returns the latest change before the as-of of each selected person.
    fn picks_as_of(&self, runs: &[Arc<ChangeRun>], as_of: i64) -> Result<Vec<Pick>> {
        let texts = &self.query.version.texts;
        let of_person = |position: usize| {
            let ordinal = self.scope.task.ordinal(position);
            let mut held = NO_ROW;
            for (number, run) in (0..).zip(runs) {
                let last = run.rows(ordinal)?.rev().find(|&row| run.times.get(row) < as_of);
                let is_later = |row: usize| {
                    let (other, at) = held;
                    held == NO_ROW || run.order(row, &runs[other as usize], at as usize, texts).is_gt()
                };
                if let Some(row) = last.filter(|&row| is_later(row)) {
                    held = (number, row as u32);
                }
            }
            Ok(held)
        };
        (0..self.rows()).map(of_person).collect()
    }

    /// Returns the latest change before the as-of of each person of the block, as (run, row of the block in the run).
    fn changes_as_of(&self, runs: &[Arc<ChangeRun>], as_of: i64) -> Vec<Option<(usize, usize)>> {
        let texts = &self.query.version.texts;
        let block = self.scope.task.block();
        let firsts: Vec<usize> = runs.iter().map(|run| run.rows_of_block(block).start).collect();
        let mut changes: Vec<Option<(usize, usize)>> = vec![None; self.rows()];
        for (number, run) in runs.iter().enumerate() {
            for row in run.rows_of_block(block) {
                let held = &mut changes[usize::from(run.persons[row])];
                // Within a run, changes are in order.
                let is_later = |(other, at): (usize, usize)| {
                    other == number || run.order(row, &runs[other], firsts[other] + at, texts).is_gt()
                };
                if run.times.get(row) < as_of && held.is_none_or(is_later) {
                    *held = Some((number, row - firsts[number]));
                }
            }
        }
        changes
    }

    /// Returns, for each person, the set of channels in which they were seen before the as-of.
    fn channels(&self, as_of: i64) -> Column<'a> {
        let channels = self.scope.task.partition.channels.iter();
        self.touched.add(self.rows(), channels.len() * self.rows() / 8);
        let flags = channels.map(|(&code, firsts)| (code, before(firsts, self.scope.task, as_of)));
        Column {
            known: Bits::all(self.rows()),
            data: Data::Set(Sets::Flags(flags.collect())),
        }
    }

    /// Selects people by a hash of the seed and their id.
    fn sample(&self, seed: &str, below: u128) -> Tri {
        let task = &self.scope.task;
        let mut text = seed.as_bytes().to_vec();
        text.push(0);
        let end = text.len();
        text.extend([0; 8]);
        Tri::known(Bits::from_fn(self.rows(), |row| {
            let person = person_of(task.partition.number, task.ordinal(row));
            text[end..].copy_from_slice(&person.to_le_bytes());
            u128::from(xxh3_64(&text)) < below
        }))
    }
}

/// Returns the latest values of a block if none of them changed at or after the as-of.
fn latest<'a>(attribute: &'a Attribute, task: Task<'a>, as_of: i64) -> Option<&'a Values> {
    let latest = attribute.latest.get(task.block() as usize)?;
    (as_of > latest.changed_until_ms).then_some(&*latest.values)
}

/// Returns the people whose first record occurred before an instant.
fn universe(task: Task, as_of: i64) -> Bits {
    before(&task.partition.first_record, task, as_of)
}

/// Returns the people of a block with a first instant before the as-of.
fn before(firsts: &FirstInstants, task: Task, as_of: i64) -> Bits {
    let len = task.people();
    match (firsts.of_block(task.block(), as_of), task.selected) {
        (None, _) => Bits::none(len),
        (Some((instants, _)), Some(rows)) => Bits::from_fn(len, |position| {
            instants
                .get(usize::from(rows[position]))
                .is_some_and(|&first| first < as_of)
        }),
        (Some((_, Some(some))), None) => Bits::slice(some, 0..len),
        (Some((instants, None)), None) => {
            range_masks::mask(&instants[..len.min(instants.len())], len, |first| first < as_of)
        }
    }
}

impl<'a> Scope<'a> for People<'a> {
    fn rows(&self) -> usize {
        self.task.people()
    }

    fn reserve(&self, bytes: usize) -> Result<()> {
        self.reservation.reserve(bytes as u64)
    }

    fn expr(eval: &Evaluator<'a, Self>, expr: &'a Expr) -> Result<Option<Rc<Column<'a>>>> {
        if let Expr::Measure { scan, measure } = expr {
            return Ok(Some(eval.measures(*scan)?[*measure].column()));
        }
        Ok(Some(Rc::new(match expr {
            Expr::Attribute { name, as_of } => {
                eval.attribute(name, *as_of, |values, rows| Column::slice(values, rows))?
            }
            Expr::Entry { name, key, kind, as_of } => {
                eval.attribute(name, *as_of, |values, rows| Column::entries(values, rows, *key, *kind))?
            }
            Expr::Channels { as_of } => eval.channels(*as_of),
            Expr::Tile(ranking) => eval.rank_result(*ranking)?.tiles(eval.scope.task.selected)?,
            _ => return Ok(None),
        })))
    }

    fn cond(eval: &Evaluator<'a, Self>, cond: &'a Cond) -> Result<Option<Tri>> {
        Ok(Some(match cond {
            Cond::Set { of, among, as_of } => Tri::known(eval.population(*among, *as_of)?.and(&eval.cond(*of)?.t)),
            Cond::Happened { count, min, max } => {
                if let Some(some) = eval.with_any_event(*count, *min, *max)? {
                    return Ok(Some(Tri::known(some)));
                }
                let misplaced = || Error::Invalid("the number of events is not a number".into());
                Self::between(eval, &eval.query.program.exprs[*count], *min, *max)?.ok_or_else(misplaced)?
            }
            Cond::Sequence(steps) => Tri::known(sequence(eval, eval.scope.task, steps)?),
            Cond::Rank(ranking) => eval.rank_result(*ranking)?.tri(eval.scope.task.selected),
            Cond::Sample { seed, below } => eval.sample(seed, *below),
            _ => return Ok(None),
        }))
    }

    fn between(eval: &Evaluator<'a, Self>, expr: &'a Expr, low: i64, high: i64) -> Result<Option<Tri>> {
        match expr {
            Expr::Attribute { name, as_of } => {
                let task = eval.scope.task;
                // Reading the values of a few people is as fast.
                let attribute = task.partition.attributes.get(name).filter(|_| task.selected.is_none());
                let latest = attribute.and_then(|attribute| latest(attribute, task, *as_of));
                Ok(latest.and_then(|values| {
                    eval.touched.add(eval.rows(), range_masks::bytes(values, eval.rows()));
                    between_values(values, 0..eval.rows(), low, high)
                }))
            }
            Expr::Measure { scan, measure } => Ok(eval.measures(*scan)?[*measure].between(low, high)),
            _ => Ok(None),
        }
    }

    fn rows_containing_any(eval: &Evaluator<'a, Self>, expr: &'a Expr, codes: &[u32]) -> Option<Tri> {
        let (task, rows) = (eval.scope.task, eval.rows());
        if task.selected.is_some() {
            return None;
        }
        match expr {
            Expr::Channels { as_of } => {
                let mut found = Bits::none(rows);
                for firsts in codes.iter().filter_map(|code| task.partition.channels.get(code)) {
                    found.or_assign(&before(firsts, task, *as_of));
                    eval.touched.add(rows, rows / 8);
                }
                Some(Tri::known(found))
            }
            Expr::Attribute { name, as_of } => {
                let values = latest(task.partition.attributes.get(name)?, task, *as_of)?;
                let Stored::Flags(flags) = &values.data else {
                    return None;
                };
                let known = Bits::slice(&values.known, 0..rows);
                eval.touched.add(rows, (1 + codes.len()) * rows / 8);
                Some(Tri::of(
                    range_masks::flagged(flags, 0..rows, |code| codes.contains(&code)),
                    &known,
                ))
            }
            _ => None,
        }
    }
}
