//! The people of one block as a scope.

use std::cell::RefCell;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_64;

use super::bits::{Bits, Tri};
use super::column::{Column, Data, Kind, gather};
use super::program::{Cond, Expr};
use super::query::Query;
use super::rank::Placed;
use super::scan::scan;
use super::sets::Sets;
use super::task::Task;
use super::vector::{Eval, Scope};
use crate::error::{Error, Result};
use crate::index::view::{Attribute, Changes, Partition, Values};

pub struct People<'a> {
    pub task: Task<'a>,
    /// Those whose first record occurred before the as-of.
    pub universe: Bits,
    scans: RefCell<Vec<Option<Rc<Vec<Column<'a>>>>>>,
}

impl<'a> People<'a> {
    pub fn of(query: &'a Query<'a>, task: Task<'a>) -> Eval<'a, People<'a>> {
        let as_of = query.program.as_of;
        let firsts = task.partition.first_record.get(task.range()).unwrap_or(&[]);
        let universe = Bits::from_fn(task.range().len(), |row| {
            firsts.get(row).is_some_and(|&first| first < as_of)
        });
        let scans = RefCell::new(vec![None; query.program.scans.len()]);
        Eval::new(query, People { task, universe, scans })
    }
}

impl<'a> Eval<'a, People<'a>> {
    /// The surely true of a condition, within the universe; without one the universe.
    pub fn population(&self, among: Option<usize>) -> Result<Bits> {
        let universe = &self.scope.universe;
        among.map_or(Ok(universe.clone()), |among| Ok(self.cond(among)?.t.and(universe)))
    }

    fn measures(&self, number: usize) -> Result<Rc<Vec<Column<'a>>>> {
        if let Some(columns) = &self.scope.scans.borrow()[number] {
            return Ok(columns.clone());
        }
        let columns = Rc::new(scan(self, self.scope.task, &self.query.program.scans[number])?);
        self.scope.scans.borrow_mut()[number] = Some(columns.clone());
        Ok(columns)
    }

    fn placed(&self, ranking: usize) -> Result<&'a Placed> {
        let placed = self
            .query
            .placed
            .get(ranking)
            .and_then(|blocks| blocks.get(self.scope.task.number));
        placed.ok_or_else(|| Error::Invalid("a rank rests on itself".into()))
    }

    fn attribute(&self, name: &str, read: impl Fn(&'a Values, Range<usize>) -> Column<'a>) -> Result<Column<'a>> {
        let task = &self.scope.task;
        let partition: &'a Partition = task.partition;
        let Some(attribute) = partition.attributes.get(name) else {
            return Ok(Column::unknown(self.rows()));
        };
        if let Some(latest) = self.latest(attribute) {
            return Ok(read(latest, 0..self.rows()));
        }
        let rows_of = |run: &Changes| run.rows_of_block(task.block());
        let runs = attribute.runs.iter().map(|run| read(&run.values, rows_of(run)));
        let runs: Vec<Column> = runs.collect();
        let changes = self.changes_as_of(&attribute.runs);
        gather(self.rows(), &runs.iter().collect::<Vec<_>>(), |row| changes[row])
    }

    /// The block's latest values, where they are those of the as-of.
    fn latest(&self, attribute: &'a Attribute) -> Option<&'a Values> {
        let latest = attribute.latest.get(self.scope.task.block() as usize)?;
        (self.query.program.as_of > latest.changed_until_ms).then_some(&*latest.values)
    }

    /// By person: the change that holds at the as-of: in which of the runs, and which of the block's there.
    fn changes_as_of(&self, runs: &[Arc<Changes>]) -> Vec<Option<(usize, usize)>> {
        let (as_of, texts) = (self.query.program.as_of, &self.query.version.texts);
        let block = self.scope.task.block();
        let firsts: Vec<usize> = runs.iter().map(|run| run.rows_of_block(block).start).collect();
        let mut changes: Vec<Option<(usize, usize)>> = vec![None; self.rows()];
        for (number, run) in runs.iter().enumerate() {
            for row in run.rows_of_block(block) {
                let held = &mut changes[usize::from(run.persons[row])];
                // Within a run they are in order.
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

    fn channels(&self) -> Column<'a> {
        let range = self.scope.task.range();
        let as_of = self.query.program.as_of;
        let flags = self.scope.task.partition.channels.iter().map(|(&code, firsts)| {
            let held = &firsts[range.start.min(firsts.len())..range.end.min(firsts.len())];
            (
                code,
                Bits::from_fn(range.len(), |row| held.get(row).is_some_and(|&first| first < as_of)),
            )
        });
        Column {
            known: Bits::all(range.len()),
            data: Data::Set(Sets::Flags(flags.collect())),
        }
    }

    fn sample(&self, seed: &str, below: u128) -> Tri {
        let task = &self.scope.task;
        let mut text = seed.as_bytes().to_vec();
        text.push(0);
        let end = text.len();
        text.extend([0; 8]);
        Tri::known(Bits::from_fn(self.rows(), |row| {
            let ordinal = u64::from(task.first) + row as u64;
            let person = (u64::from(task.partition.number) << 32) | ordinal;
            text[end..].copy_from_slice(&person.to_le_bytes());
            u128::from(xxh3_64(&text)) < below
        }))
    }
}

impl<'a> Scope<'a> for People<'a> {
    fn rows(&self) -> usize {
        self.task.range().len()
    }

    fn expr(eval: &Eval<'a, Self>, expr: &'a Expr) -> Result<Option<Column<'a>>> {
        Ok(Some(match expr {
            Expr::Attribute(name) => eval.attribute(name, Column::slice)?,
            Expr::Entry { name, key, kind } => eval.entry(name, *key, *kind)?,
            Expr::Channels => eval.channels(),
            Expr::Measure { scan, measure } => eval.measures(*scan)?[*measure].clone(),
            Expr::Tile(ranking) => eval.placed(*ranking)?.tiles(),
            _ => return Ok(None),
        }))
    }

    fn cond(eval: &Eval<'a, Self>, cond: &'a Cond) -> Result<Option<Tri>> {
        Ok(Some(match cond {
            Cond::Set { of, among } => Tri::known(eval.population(*among)?.and(&eval.cond(*of)?.t)),
            Cond::Happened { count, min, max } => {
                let counts = eval.expr(*count)?;
                let times = counts.ints()?;
                Tri::known(Bits::from_fn(eval.rows(), |row| {
                    (*min..=*max).contains(&times.get(row))
                }))
            }
            Cond::Rank(ranking) => eval.placed(*ranking)?.tri(),
            Cond::Sample { seed, below } => eval.sample(seed, *below),
            _ => return Ok(None),
        }))
    }

    fn stored(eval: &Eval<'a, Self>, expr: &'a Expr) -> Option<(&'a Values, Range<usize>)> {
        let Expr::Attribute(name) = expr else { return None };
        let attribute = eval.scope.task.partition.attributes.get(name)?;
        Some((eval.latest(attribute)?, 0..eval.rows()))
    }
}

impl<'a> Eval<'a, People<'a>> {
    fn entry(&self, name: &str, key: u32, kind: Kind) -> Result<Column<'a>> {
        self.attribute(name, |values, rows| Column::entries(values, rows, key, kind))
    }
}
