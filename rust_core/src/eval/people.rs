//! The people of one block as a scope.

use std::cell::RefCell;
use std::ops::Range;
use std::rc::Rc;

use xxhash_rust::xxh3::xxh3_64;

use super::bits::{Bits, Tri};
use super::column::{Column, Data};
use super::program::{Cond, Expr};
use super::query::Query;
use super::rank::Placed;
use super::scan::scan;
use super::sequence::sequence;
use super::sets::Sets;
use super::task::Task;
use super::vector::{Eval, Scope};
use crate::error::{Error, Result};
use crate::index::view::Attribute;

pub struct People<'a> {
    pub task: Task<'a>,
    /// Those whose first record occurred before the as-of.
    pub universe: Bits,
    scans: RefCell<Vec<Option<Rc<Vec<Column<'a>>>>>>,
}

impl<'a> People<'a> {
    pub fn of(query: &'a Query<'a>, task: Task<'a>) -> Eval<'a, People<'a>> {
        let universe = task.universe(query.program.as_of);
        let scans = RefCell::new(vec![None; query.program.scans.len()]);
        Eval::new(query, People { task, universe, scans })
    }
}

impl<'a> Eval<'a, People<'a>> {
    /// The surely true of a condition, within the universe of that instant; without one the universe.
    pub fn population(&self, among: Option<usize>, as_of: i64) -> Result<Bits> {
        let universe = match as_of {
            now if now == self.query.program.as_of => self.scope.universe.clone(),
            past => self.scope.task.universe(past),
        };
        among.map_or(Ok(universe.clone()), |among| Ok(self.cond(among)?.t.and(&universe)))
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

    fn attribute(
        &self,
        name: &str,
        as_of: i64,
        read: impl Fn(&'a crate::index::view::Values, Range<usize>) -> Column<'a>,
    ) -> Result<Column<'a>> {
        let range = self.scope.task.range();
        let Some(attribute) = self.scope.task.partition.attributes.get(name) else {
            return Ok(Column::unknown(range.len()));
        };
        if as_of > attribute.changed_until_ms {
            return Ok(read(&attribute.latest, range));
        }
        let history: &'a [(u32, i64)] = &attribute.history;
        let changes = history_of(history, &range);
        let before = read(&attribute.changes, changes.clone());
        let rows = rows_as_of(attribute, as_of, &range, &changes);
        super::column::gather(range.len(), &[&before], |row| rows[row].map(|change| (0, change)))
    }

    fn channels(&self, as_of: i64) -> Column<'a> {
        let range = self.scope.task.range();
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

/// By person: the change that holds at the as-of, counted from the first of `changes`.
fn rows_as_of(attribute: &Attribute, as_of: i64, range: &Range<usize>, changes: &Range<usize>) -> Vec<Option<usize>> {
    let mut rows = vec![None; range.len()];
    for (change, &(ordinal, occurred_at)) in attribute.history[changes.clone()].iter().enumerate() {
        if occurred_at < as_of {
            rows[ordinal as usize - range.start] = Some(change);
        }
    }
    rows
}

/// The changes of a block's people.
fn history_of(history: &[(u32, i64)], range: &Range<usize>) -> Range<usize> {
    let from = history.partition_point(|&(ordinal, _)| (ordinal as usize) < range.start);
    let to = history.partition_point(|&(ordinal, _)| (ordinal as usize) < range.end);
    from..to
}

impl<'a> Scope<'a> for People<'a> {
    fn rows(&self) -> usize {
        self.task.range().len()
    }

    fn expr(eval: &Eval<'a, Self>, expr: &'a Expr) -> Result<Option<Column<'a>>> {
        Ok(Some(match expr {
            Expr::Attribute { name, as_of } => eval.attribute(name, *as_of, Column::slice)?,
            Expr::Entry { name, key, kind, as_of } => {
                eval.attribute(name, *as_of, |values, rows| Column::entries(values, rows, *key, *kind))?
            }
            Expr::Channels { as_of } => eval.channels(*as_of),
            Expr::Measure { scan, measure } => eval.measures(*scan)?[*measure].clone(),
            Expr::Tile(ranking) => eval.placed(*ranking)?.tiles(),
            _ => return Ok(None),
        }))
    }

    fn cond(eval: &Eval<'a, Self>, cond: &'a Cond) -> Result<Option<Tri>> {
        Ok(Some(match cond {
            Cond::Set { of, among, as_of } => Tri::known(eval.population(*among, *as_of)?.and(&eval.cond(*of)?.t)),
            Cond::Happened { count, min, max } => {
                let counts = eval.expr(*count)?;
                let times = counts.ints()?;
                Tri::known(Bits::from_fn(eval.rows(), |row| {
                    (*min..=*max).contains(&times.get(row))
                }))
            }
            Cond::Sequence(steps) => Tri::known(sequence(eval, eval.scope.task, steps)?),
            Cond::Rank(ranking) => eval.placed(*ranking)?.tri(),
            Cond::Sample { seed, below } => eval.sample(seed, *below),
            _ => return Ok(None),
        }))
    }
}
