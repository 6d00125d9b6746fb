//! Computes all measures over the same events of a block in one pass.

use std::borrow::Cow;
use std::ops::Range;
use std::rc::Rc;

use super::aggregates::tally::{Measured, Tally};
use super::aggregates::totals;
use super::batch::{Batch, batches_in_window};
use crate::error::Result;
use crate::eval::evaluator::{Evaluator, Scope};
use crate::eval::kernels::bits::{Bits, Tri};
use crate::eval::kernels::column::Column;
use crate::eval::kernels::gather::gather;
use crate::eval::kernels::range_masks::{self, between_values};
use crate::eval::program::{Cond, CondId, Expr, ExprId, Scan};
use crate::eval::task::Task;
use crate::index::columns::ints::Ints;
use crate::index::view::{Column as Stored, Values};

/// Returns a column over the people of the block for each measure of the scan. `people` is their scope.
pub fn scan<'a, P: Scope<'a>>(people: &Evaluator<'a, P>, task: Task<'a>, scan: &'a Scan) -> Result<Vec<Measured<'a>>> {
    let texts = &people.query.version.texts;
    let mut tallies: Vec<Tally> = scan
        .measures
        .iter()
        .map(|measure| Tally::new(measure, people.rows(), texts))
        .collect();
    let mut held = 0;
    let mut hold = |tallies: &[Tally]| {
        let bytes = tallies.iter().map(Tally::bytes).sum();
        people.scope.reserve(usize::saturating_sub(bytes, held))?;
        held = bytes;
        Ok(())
    };
    for step in &scan.steps {
        let (event_type, filter) = step;
        let Some(events) = task.partition.events.get(event_type) else {
            continue;
        };
        let runs = totals::take_totals(people, task, scan, step, events, &mut tallies).unwrap_or(&events.runs);
        hold(&tallies)?;
        for batch in batches_in_window(events, runs, task, scan.from, scan.to)? {
            let batch = Rc::new(batch);
            people.touched.add(batch.len(), batch.bytes());
            let eval = EventRows::of(people, event_type, &batch);
            tally(&eval, scan, *filter, &batch, &mut tallies)?;
            hold(&tallies)?;
        }
    }
    // The resulting columns take at most as much memory again.
    people.scope.reserve(held)?;
    tallies.into_iter().map(Tally::finish).collect()
}

/// Adds the events of a batch to the tallies.
fn tally<'a, P: Scope<'a>>(
    eval: &Evaluator<'a, EventRows<'a, '_, P>>,
    scan: &'a Scan,
    filter: Option<CondId>,
    batch: &Rc<Batch<'a>>,
    tallies: &mut [Tally<'a>],
) -> Result<()> {
    let mask = eval.matching(filter, scan.from, scan.to)?;
    if mask.as_ref().is_some_and(Bits::is_none) {
        return Ok(());
    }
    for (measure, tally) in scan.measures.iter().zip(tallies) {
        let Some((value, _)) = measure.value else {
            tally.add(batch, mask.as_ref(), None)?;
            continue;
        };
        if let Some((values, ints, rows)) = eval.stored_ints(value) {
            let known = Bits::slice(&values.known, rows.clone());
            if tally.add_stored(batch, with_known_value(mask.as_ref(), &known).as_deref(), ints, rows) {
                eval.touched.add(0, range_masks::bytes(values, batch.len()));
                continue;
            }
        }
        let column = eval.expr(value)?;
        tally.add(
            batch,
            with_known_value(mask.as_ref(), &column.known).as_deref(),
            Some(&column),
        )?;
    }
    Ok(())
}

/// Returns the matching events with a known value; `None` if all are.
fn with_known_value<'b>(matching: Option<&'b Bits>, known: &'b Bits) -> Option<Cow<'b, Bits>> {
    match matching {
        _ if known.is_all() => matching.map(Cow::Borrowed),
        None => Some(Cow::Borrowed(known)),
        Some(matching) => Some(Cow::Owned(matching.and(known))),
    }
}

/// The scope of expressions over the events of a batch, all of one type.
pub struct EventRows<'a, 'b, P> {
    people: &'b Evaluator<'a, P>,
    event_type: &'b str,
    batch: &'b Batch<'a>,
}

impl<'a, 'b, P: Scope<'a>> EventRows<'a, 'b, P> {
    pub fn of(people: &'b Evaluator<'a, P>, event_type: &'b str, batch: &'b Batch<'a>) -> Evaluator<'a, Self> {
        let rows = EventRows {
            people,
            event_type,
            batch,
        };
        Evaluator::new(people.query, rows, people.touched.clone())
    }
}

impl<'a, P: Scope<'a>> Evaluator<'a, EventRows<'a, '_, P>> {
    /// Returns the stored column of an expression that is a number property, its numbers, and the rows of the batch in them.
    fn stored_ints(&self, expr: ExprId) -> Option<(&'a Values, &'a Ints, Range<usize>)> {
        let Expr::Property(name) = &self.query.program.exprs[expr] else {
            return None;
        };
        let (values, rows) = self.scope.batch.stored_property(name)?;
        match &values.data {
            Stored::Ints(_, ints) => Some((values, ints, rows)),
            _ => None,
        }
    }

    /// Returns the events inside the window for which the filter is true; `None` if all are.
    pub fn matching(&self, filter: Option<CondId>, from: i64, to: i64) -> Result<Option<Bits>> {
        let inside = self.scope.batch.inside_window(from, to);
        let Some(filter) = filter else { return Ok(inside) };
        let fits = &self.cond(filter)?.t;
        Ok(Some(inside.map_or_else(|| fits.clone(), |inside| inside.and(fits))))
    }
}

impl<'a, P: Scope<'a>> Scope<'a> for EventRows<'a, '_, P> {
    fn rows(&self) -> usize {
        self.batch.len()
    }

    fn expr(eval: &Evaluator<'a, Self>, expr: &'a Expr) -> Result<Option<Rc<Column<'a>>>> {
        let batch = eval.scope.batch;
        Ok(Some(Rc::new(match expr {
            Expr::Property(name) => {
                let bytes = batch
                    .stored_property(name)
                    .map_or(0, |(values, rows)| range_masks::bytes(values, rows.len()));
                eval.touched.add(0, bytes);
                batch.property(name)
            }
            Expr::EventChannel => {
                let bytes = batch
                    .stored_channels()
                    .map_or(0, |(values, rows)| range_masks::bytes(values, rows.len()));
                eval.touched.add(0, bytes);
                batch.channels()
            }
            Expr::ByType(of) => {
                let own = of.iter().find(|(event_type, _)| event_type == eval.scope.event_type);
                match own {
                    Some(&(_, value)) => return eval.expr(value).map(Some),
                    None => Column::unknown(batch.len()),
                }
            }
            Expr::Person(of) => {
                let persons = batch.persons();
                gather(persons.len(), &[&*eval.scope.people.expr(*of)?], |row| {
                    Some((0, persons[row].into()))
                })?
            }
            _ => return Ok(None),
        })))
    }

    fn cond(_: &Evaluator<'a, Self>, _: &'a Cond) -> Result<Option<Tri>> {
        Ok(None)
    }

    fn between(eval: &Evaluator<'a, Self>, expr: &'a Expr, low: i64, high: i64) -> Result<Option<Tri>> {
        let stored = match expr {
            Expr::Property(name) => eval.scope.batch.stored_property(name),
            Expr::EventChannel => eval.scope.batch.stored_channels(),
            _ => None,
        };
        Ok(stored.and_then(|(values, rows)| {
            eval.touched.add(0, range_masks::bytes(values, rows.len()));
            between_values(values, rows, low, high)
        }))
    }
}
