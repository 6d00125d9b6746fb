//! One pass over a block's events for all measures that ask for the same events.

use std::rc::Rc;

use super::batch::{Batch, batches};
use super::bits::{Bits, Tri};
use super::column::{Column, gather};
use super::kernel::between_values;
use super::program::{Cond, CondId, Expr, Scan};
use super::tally::{Measured, Tally};
use super::task::Task;
use super::vector::{Eval, Scope};
use crate::error::Result;

/// A column over the block's people, whose scope is `people`, for each measure of the scan.
pub fn scan<'a, P: Scope<'a>>(people: &Eval<'a, P>, task: Task<'a>, scan: &'a Scan) -> Result<Vec<Measured<'a>>> {
    let texts = &people.query.version.texts;
    let mut tallies: Vec<Tally> = scan
        .measures
        .iter()
        .map(|measure| Tally::new(measure, people.rows(), texts))
        .collect();
    for (event_type, filter) in &scan.steps {
        let Some(events) = task.partition.events.get(event_type) else {
            continue;
        };
        for batch in batches(events, task.block(), scan.from, scan.to)? {
            let batch = Rc::new(batch);
            let eval = EventRows::of(people, event_type, &batch);
            tally(&eval, scan, *filter, &batch, &mut tallies)?;
        }
    }
    tallies.into_iter().map(Tally::finish).collect()
}

fn tally<'a, P: Scope<'a>>(
    eval: &Eval<'a, EventRows<'a, '_, P>>,
    scan: &'a Scan,
    filter: Option<CondId>,
    batch: &Rc<Batch<'a>>,
    tallies: &mut [Tally<'a>],
) -> Result<()> {
    let mask = eval.fitting(filter, scan.from, scan.to)?;
    if mask.as_ref().is_some_and(Bits::is_none) {
        return Ok(());
    }
    for (measure, tally) in scan.measures.iter().zip(tallies) {
        let Some((value, _)) = measure.value else {
            tally.add(batch, mask.as_ref(), None)?;
            continue;
        };
        let column = eval.expr(value)?;
        if column.known.is_all() {
            tally.add(batch, mask.as_ref(), Some(&column))?;
        } else {
            let known = mask
                .as_ref()
                .map_or_else(|| column.known.clone(), |mask| mask.and(&column.known));
            tally.add(batch, Some(&known), Some(&column))?;
        }
    }
    Ok(())
}

/// The events of a batch, all of one type, as a scope.
pub struct EventRows<'a, 'b, P> {
    people: &'b Eval<'a, P>,
    event_type: &'b str,
    batch: &'b Batch<'a>,
}

impl<'a, 'b, P: Scope<'a>> EventRows<'a, 'b, P> {
    pub fn of(people: &'b Eval<'a, P>, event_type: &'b str, batch: &'b Batch<'a>) -> Eval<'a, Self> {
        let rows = EventRows {
            people,
            event_type,
            batch,
        };
        Eval::new(people.query, rows)
    }
}

impl<'a, P: Scope<'a>> Eval<'a, EventRows<'a, '_, P>> {
    /// The events inside the window for which the filter is true; `None` if all are.
    pub fn fitting(&self, filter: Option<CondId>, from: i64, to: i64) -> Result<Option<Bits>> {
        let inside = self.scope.batch.inside(from, to);
        let Some(filter) = filter else { return Ok(inside) };
        let fits = &self.cond(filter)?.t;
        Ok(Some(inside.map_or_else(|| fits.clone(), |inside| inside.and(fits))))
    }
}

impl<'a, P: Scope<'a>> Scope<'a> for EventRows<'a, '_, P> {
    fn rows(&self) -> usize {
        self.batch.len()
    }

    fn expr(eval: &Eval<'a, Self>, expr: &'a Expr) -> Result<Option<Rc<Column<'a>>>> {
        let batch = eval.scope.batch;
        Ok(Some(Rc::new(match expr {
            Expr::Property(name) => batch.property(name),
            Expr::EventChannel => batch.channels(),
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

    fn cond(_: &Eval<'a, Self>, _: &'a Cond) -> Result<Option<Tri>> {
        Ok(None)
    }

    fn between(eval: &Eval<'a, Self>, expr: &'a Expr, low: i64, high: i64) -> Result<Option<Tri>> {
        let stored = match expr {
            Expr::Property(name) => eval.scope.batch.stored(name),
            Expr::EventChannel => Some(eval.scope.batch.stored_channels()),
            _ => None,
        };
        Ok(stored.and_then(|(values, rows)| between_values(values, rows, low, high)))
    }
}
