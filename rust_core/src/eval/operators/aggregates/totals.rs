//! Uses the precomputed totals of a block, so that a scan reads only the events that they do not cover.

use std::sync::Arc;

use super::tally::{BlockTotal, Tally};
use crate::eval::evaluator::{Evaluator, Scope};
use crate::eval::kernels::range_masks;
use crate::eval::program::{Expr, ExprId, FilteredType, Measure, Scan};
use crate::eval::task::Task;
use crate::index::summaries::totals::BlockTotals;
use crate::index::view::{EventRun, Events};
use crate::plan::Function;

/// Adds the totals of the block's events of a type to the tallies of the scan; returns the runs that the totals do not cover.
///
/// Returns `None` and adds nothing if the events are needed: there is a filter, a bound of the window lies among the events, or a
/// measure is neither a count nor the sum of a property.
pub fn take_totals<'a, P: Scope<'a>>(
    people: &Evaluator<'a, P>,
    task: Task<'a>,
    scan: &'a Scan,
    (event_type, filter): &FilteredType,
    events: &'a Events,
    tallies: &mut [Tally<'a>],
) -> Option<&'a [Arc<EventRun>]> {
    let (total, rest) = events.total(task.block())?;
    if filter.is_some() || total.first < scan.from || scan.to <= total.last {
        return None;
    }
    let totals = scan
        .measures
        .iter()
        .map(|measure| total_for(people, measure, event_type, total));
    let totals: Vec<BlockTotal> = totals.collect::<Option<_>>()?;
    let read = task.selected.map_or(total.counts.people(), <[u16]>::len);
    for (totals, tally) in totals.into_iter().zip(tallies) {
        people.touched.add(read, read * totals.width());
        tally.add_block_total(totals, task.selected);
    }
    Some(rest)
}

/// Returns the total that a measure needs, if there is one.
fn total_for<'a, P: Scope<'a>>(
    people: &Evaluator<'a, P>,
    measure: &Measure,
    event_type: &str,
    total: &'a BlockTotals,
) -> Option<BlockTotal<'a>> {
    match (measure.function, measure.value) {
        (Function::Count, None) => Some(BlockTotal::Counts(&total.counts)),
        (Function::Sum, Some((value, _))) => {
            let sums = total.sums.get(property(people, value, event_type)?)?;
            sums.as_ref().map(BlockTotal::Sums)
        }
        _ => None,
    }
}

/// Returns the property that an expression reads from events of a type; `None` if it is not a plain property.
fn property<'a, P: Scope<'a>>(people: &Evaluator<'a, P>, expr: ExprId, event_type: &str) -> Option<&'a str> {
    match &people.query.program.exprs[expr] {
        Expr::Property(name) => Some(name),
        Expr::ByType(of) => {
            let (_, own) = of.iter().find(|(other, _)| other == event_type)?;
            property(people, *own, event_type)
        }
        _ => None,
    }
}

impl BlockTotal<'_> {
    /// Returns the bytes for each person.
    fn width(self) -> usize {
        match self {
            BlockTotal::Counts(_) => size_of::<u8>(),
            BlockTotal::Sums(sums) => range_masks::width(sums),
        }
    }
}
