//! Binds sequences of events.

use std::collections::BTreeMap;

use super::{Binder, PlanPath, RowKind, named};
use crate::error::Result;
use crate::eval::kernels::column::Kind;
use crate::eval::program::{Cond, ExprId, Gap, Role, Sequence};
use crate::plan::{self, Moment};

/// The maximum number of steps.
const MAX_STEPS: usize = 32;

impl Binder<'_> {
    /// Binds a sequence: groups the roles of its events by event type.
    pub fn sequence(
        &mut self,
        steps: &[plan::SequenceStep],
        by: Option<&plan::Expr>,
        window: (Option<Moment>, Moment),
        at: &PlanPath,
    ) -> Result<Cond> {
        let Some((first, rest)) = steps.split_first().filter(|_| steps.len() <= MAX_STEPS) else {
            return at
                .field("steps")
                .invalid(format!("a sequence has from 1 to {MAX_STEPS} steps"));
        };
        if first.after.is_some() || first.within.is_some() {
            return at
                .item("steps", 0)
                .invalid("the first step has no step before it; leave out `after` and `within`");
        }
        let (from, to) = self.window(window, at)?;
        let mut types: BTreeMap<String, Vec<_>> = BTreeMap::new();
        for (number, step) in (0u8..).zip(steps) {
            let here = at.item("steps", number.into());
            let events = self.filtered_types(&step.events, "events", &here)?;
            let without = self.filtered_types(&step.without, "without", &here)?;
            let roles = [(Role::Step(number), events), (Role::Without(number), without)];
            for (role, (event_type, filter)) in roles
                .into_iter()
                .flat_map(|(role, types)| types.into_iter().map(move |filtered| (role, filtered)))
            {
                types.entry(event_type).or_default().push((role, filter));
            }
        }
        let by = by
            .map(|by| self.shared_value(by, types.keys(), &at.field("by")))
            .transpose()?;
        let gaps = rest.iter().map(gap).collect();
        Ok(Cond::Sequence(Box::new(Sequence {
            types,
            gaps,
            by,
            from,
            to,
        })))
    }

    /// Binds the value that all events of a sequence must share.
    fn shared_value<'t>(
        &mut self,
        by: &plan::Expr,
        types: impl Iterator<Item = &'t String>,
        at: &PlanPath,
    ) -> Result<ExprId> {
        let step = |event_type: &String| plan::EventFilter {
            event_type: event_type.clone(),
            filter: None,
        };
        let steps: Vec<plan::EventFilter> = types.map(step).collect();
        let (by, kind) = self.expr(by, None, RowKind::Events(&steps), at)?;
        match kind {
            Kind::Set | Kind::Point | Kind::Any => at.invalid(format!("{} is not one value", named(kind))),
            _ => Ok(by),
        }
    }
}

fn gap(step: &plan::SequenceStep) -> Gap {
    let ms = |written: Option<u64>, none: i64| written.map_or(none, |ms| i64::try_from(ms).unwrap_or(i64::MAX));
    Gap {
        least: ms(step.after, 1).max(1),
        most: ms(step.within, i64::MAX),
    }
}
