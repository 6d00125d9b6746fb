//! What a scan takes from the totals of a block, so that only the events that they are not of are read.

use std::sync::Arc;

use super::tally::{Taken, Tally};
use crate::eval::evaluator::{Evaluator, Scope};
use crate::eval::kernels::range_masks;
use crate::eval::program::{Expr, ExprId, FilteredType, Measure, Scan};
use crate::eval::task::Task;
use crate::index::summaries::totals::BlockTotals;
use crate::index::view::{EventRun, Events};
use crate::plan::Function;

/// Adds the totals of the block's events of a type to the tallies of the scan's measures, and gives the runs that they are not of. None,
/// and nothing is added, where the events themselves are needed: there is a filter, a border of the window lies among them, or some
/// measure is neither their number nor the sum of a property.
pub fn take<'a, P: Scope<'a>>(
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
    let taken = scan
        .measures
        .iter()
        .map(|measure| taken(people, measure, event_type, total));
    let taken: Vec<Taken> = taken.collect::<Option<_>>()?;
    let read = task.chosen.map_or(total.counts.people(), <[u16]>::len);
    for (taken, tally) in taken.into_iter().zip(tallies) {
        people.touched.add(read, read * taken.width());
        tally.add_taken(taken, task.chosen);
    }
    Some(rest)
}

fn taken<'a, P: Scope<'a>>(
    people: &Evaluator<'a, P>,
    measure: &Measure,
    event_type: &str,
    total: &'a BlockTotals,
) -> Option<Taken<'a>> {
    match (measure.function, measure.value) {
        (Function::Count, None) => Some(Taken::Counts(&total.counts)),
        (Function::Sum, Some((value, _))) => {
            let sums = total.sums.get(property(people, value, event_type)?)?;
            sums.as_ref().map(Taken::Sums)
        }
        _ => None,
    }
}

/// The property that an expression is of events of that type.
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

impl Taken<'_> {
    /// Bytes a person.
    fn width(self) -> usize {
        match self {
            Taken::Counts(_) => size_of::<u8>(),
            Taken::Sums(sums) => range_masks::width(sums),
        }
    }
}
