//! Rewrites the comparison of a recency with a duration to whether an event happened in a window, which needs no events to be read.

use super::{Binder, PlanPath, RowKind};
use crate::error::Result;
use crate::eval::program::Cond;
use crate::plan::{self, Cmp, Function, Moment};

impl Binder<'_> {
    /// Binds `elapsed(latest(...)) > duration` and similar comparisons; returns `None` for all others.
    pub fn recency(
        &mut self,
        cmp: Cmp,
        left: &plan::Expr,
        right: &plan::Expr,
        row_kind: RowKind,
        at: &PlanPath,
    ) -> Result<Option<Cond>> {
        let (RowKind::People, Some((function, events)), Some(duration)) =
            (row_kind, recency_of(left), duration_of(right))
        else {
            return Ok(None);
        };
        let instant = self.as_of.saturating_sub(self.instant(duration));
        let after = instant.saturating_add(1);
        let (first, end) = (events.from.map(|from| self.instant(from)), self.instant(events.to));
        let since = |from: i64| (Some(first.map_or(from, |first| first.max(from))), end);
        let until = |to: i64| (first, end.min(to));
        // `Cmp::More` means longer ago: the last event is before the instant, so no event follows it.
        let (window, is_negated) = match (function, cmp) {
            (Function::Latest, Cmp::More) => (since(instant), true),
            (Function::Latest, Cmp::AtLeast) => (since(after), true),
            (Function::Latest, Cmp::Less) => (since(after), false),
            (Function::Latest, Cmp::AtMost) => (since(instant), false),
            (_, Cmp::More) => (until(instant), false),
            (_, Cmp::AtLeast) => (until(after), false),
            (_, Cmp::Less) => (until(after), true),
            (_, Cmp::AtMost) => (until(instant), true),
            _ => return Ok(None),
        };
        let happened = |(from, to): (Option<i64>, i64)| plan::Cond::Happened {
            events: plan::EventQuery {
                from: from.map(Moment::At),
                to: Moment::At(to),
                ..events.clone()
            },
            min: 1,
            max: None,
        };
        let here = at.field("left");
        let known = self.cond(&happened((first, end)), row_kind, &here)?;
        let mut of = self.cond(&happened(window), row_kind, &here)?;
        if is_negated {
            of = self.program.conds.intern(Cond::Not(of));
        }
        Ok(Some(Cond::Given { of, known }))
    }
}

/// Returns the function and the events of a recency; `None` if a filter makes reading the events cheaper.
fn recency_of(expr: &plan::Expr) -> Option<(Function, &plan::EventQuery)> {
    let plan::Expr::Elapsed { of } = expr else { return None };
    match &**of {
        plan::Expr::Aggregate {
            function: function @ (Function::Latest | Function::Earliest),
            events,
            value: None,
            day_starts: None,
        } if events.steps.iter().all(|step| step.filter.is_none()) => Some((*function, events)),
        _ => None,
    }
}

fn duration_of(expr: &plan::Expr) -> Option<Moment> {
    match expr {
        plan::Expr::Literal {
            value: plan::Value::Duration(duration),
        } => Some(*duration),
        _ => None,
    }
}
