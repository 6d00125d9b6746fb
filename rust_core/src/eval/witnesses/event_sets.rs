//! Binds the sets of events and the sequences that a condition reads.

use super::found_event::FoundEvent;
use crate::error::{Error, Result};
use crate::eval::bind::{Binder, PlanPath};
use crate::eval::evaluator::Evaluator;
use crate::eval::operators::batch::batches_in_window;
use crate::eval::operators::scan::EventRows;
use crate::eval::people::People;
use crate::eval::program::{CondId, Expr as BoundExpr, ExprId};
use crate::plan::{Cond, EventFilter, EventQuery, Expr, Function, Root};

/// The sets of events and the sequences that one root reads.
#[derive(Default)]
pub struct EventReads {
    pub sets: Vec<EventSet>,
    /// Each is a `Cond::Sequence` of the program.
    pub sequences: Vec<CondId>,
}

/// The events of a `happened` or an `aggregate` node.
pub struct EventSet {
    /// An index into `Program::scans`.
    scan: usize,
    /// Events whose value is unknown do not count (semantics A1).
    value: Option<ExprId>,
    selection: Selection,
}

/// The events of a set that count.
#[derive(Clone, Copy)]
enum Selection {
    All,
    First,
    Last,
}

impl EventSet {
    /// Returns the events of the person that count, in no order.
    pub fn events<'a>(&self, people: &Evaluator<'a, People<'a>>) -> Result<Vec<FoundEvent<'a>>> {
        let (query, task) = (people.query, people.scope.task);
        let scan = &query.program.scans[self.scan];
        let mut found = Vec::new();
        for (event_type, filter) in &scan.steps {
            let Some(events) = task.partition.events.get(event_type) else {
                continue;
            };
            for batch in batches_in_window(events, &events.runs, task, scan.from, scan.to)? {
                let eval = EventRows::of(people, event_type, &batch);
                let mut mask = eval.matching(*filter, scan.from, scan.to)?;
                if let Some(value) = self.value {
                    let known = &eval.expr(value)?.known;
                    mask = Some(mask.map_or_else(|| known.clone(), |mask| mask.and(known)));
                }
                batch.for_each_with_time(mask.as_ref(), |row, _, time| {
                    found.push(FoundEvent::of(&batch, row, time, event_type, query.version));
                });
            }
        }
        let of_one = |one: Option<&FoundEvent<'a>>| one.copied().into_iter().collect();
        Ok(match self.selection {
            Selection::All => found,
            Selection::First => of_one(found.iter().min_by_key(|event| event.key())),
            Selection::Last => of_one(found.iter().max_by_key(|event| event.key())),
        })
    }
}

/// Binds the events that the root number `index` of the plan reads.
pub fn bind_event_reads(binder: &mut Binder, root: &Root, index: usize) -> Result<EventReads> {
    let top = PlanPath::PLAN.item("roots", index);
    let mut walk = Walk {
        binder,
        at: top.field("cond"),
        reads: EventReads::default(),
    };
    walk.cond(&root.cond)?;
    Ok(walk.reads)
}

/// Walks the condition of a root and collects the events that it reads.
struct Walk<'w, 'v> {
    binder: &'w mut Binder<'v>,
    at: PlanPath<'w>,
    reads: EventReads,
}

impl Walk<'_, '_> {
    fn conds<'p>(&mut self, mut of: impl Iterator<Item = &'p Cond>) -> Result<()> {
        of.try_for_each(|cond| self.cond(cond))
    }

    fn exprs<'p>(&mut self, mut of: impl Iterator<Item = &'p Expr>) -> Result<()> {
        of.try_for_each(|expr| self.expr(expr))
    }

    fn cond(&mut self, cond: &Cond) -> Result<()> {
        match cond {
            Cond::All { of } | Cond::Any { of } => self.conds(of.iter()),
            Cond::Not { of } | Cond::OrUnknown { of } => self.cond(of),
            // These contain other conditions or instants.
            Cond::Set { .. } | Cond::At { .. } => Ok(()),
            Cond::Constant { .. } | Cond::Sample { .. } => Ok(()),
            Cond::Compare { left, right, .. } => self.exprs([left, right].into_iter()),
            Cond::In { expr, items } | Cond::Has { expr, items, .. } => self.exprs(std::iter::once(expr).chain(items)),
            Cond::Near { expr, point, .. } => self.exprs([expr, point].into_iter()),
            Cond::Text { expr, .. }
            | Cond::Known { expr }
            | Cond::Unknown { expr }
            | Cond::Within { expr, .. }
            | Cond::Anniversary { expr, .. }
            | Cond::Rank { expr, .. } => self.expr(expr),
            Cond::Happened { events, .. } => self.events(events, None, Selection::All),
            Cond::Sequence { steps, by, from, to } => {
                let sequence = self.binder.sequence(steps, by.as_ref(), (*from, *to), &self.at)?;
                self.reads.sequences.push(self.binder.program.conds.intern(sequence));
                self.filters(steps.iter().flat_map(|step| step.events.iter().chain(&step.without)))?;
                self.exprs(by.iter())
            }
        }
    }

    fn expr(&mut self, expr: &Expr) -> Result<()> {
        match expr {
            Expr::Literal { .. }
            | Expr::Attribute { .. }
            | Expr::Channels {}
            | Expr::Property { .. }
            | Expr::EventChannel {} => Ok(()),
            // Its tiers are other conditions.
            Expr::Case { .. } => Ok(()),
            Expr::Aggregate {
                function,
                events,
                value,
                ..
            } => {
                let selection = match function {
                    Function::Earliest => Selection::First,
                    Function::Latest => Selection::Last,
                    _ => Selection::All,
                };
                self.events(events, value.as_deref(), selection)
            }
            Expr::Elapsed { of } => self.expr(of),
            Expr::Arith { left, right, .. } => self.exprs([&**left, &**right].into_iter()),
            Expr::Default { expr, otherwise } => self.exprs([&**expr, &**otherwise].into_iter()),
            Expr::Tile { expr, .. } | Expr::Person { expr } | Expr::Lookup { key: expr, .. } => self.expr(expr),
            Expr::ByType { of } => self.exprs(of.iter().map(|one| &one.value)),
        }
    }

    fn events(&mut self, events: &EventQuery, value: Option<&Expr>, selection: Selection) -> Result<()> {
        let (count, _) = self.binder.measure(Function::Count, events, value, None, &self.at)?;
        let BoundExpr::Measure { scan, measure } = self.binder.program.exprs[count] else {
            return Err(Error::Invalid(format!(
                "{}: the number of events is not a measure of a scan",
                self.at
            )));
        };
        let value_id = self.binder.program.scans[scan].measures[measure]
            .value
            .map(|(id, _)| id);
        self.reads.sets.push(EventSet {
            scan,
            value: value_id,
            selection,
        });
        self.filters(events.steps.iter())?;
        self.exprs(value.into_iter())
    }

    fn filters<'p>(&mut self, steps: impl Iterator<Item = &'p EventFilter>) -> Result<()> {
        self.conds(steps.filter_map(|step| step.filter.as_deref()))
    }
}
