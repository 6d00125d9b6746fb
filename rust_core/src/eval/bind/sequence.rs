//! Binding of sequences.

use std::collections::BTreeMap;

use super::{At, Binder, Stand, named};
use crate::error::Result;
use crate::eval::kernels::column::Kind;
use crate::eval::program::{Cond, ExprId, Gap, Part, Sequence};
use crate::plan::{self, Moment};

/// Steps of one sequence.
const STEPS: usize = 32;

impl Binder<'_> {
    pub fn sequence(
        &mut self,
        steps: &[plan::SequenceStep],
        by: Option<&plan::Expr>,
        window: (Option<Moment>, Moment),
        at: &At,
    ) -> Result<Cond> {
        let Some((first, rest)) = steps.split_first().filter(|_| steps.len() <= STEPS) else {
            return at.field("steps").invalid(format!("from 1 to {STEPS} steps"));
        };
        if first.after.is_some() || first.within.is_some() {
            return at.item("steps", 0).invalid("the first step has none before it");
        }
        let (from, to) = self.window(window, at)?;
        let mut types: BTreeMap<String, Vec<_>> = BTreeMap::new();
        for (number, step) in (0u8..).zip(steps) {
            let here = at.item("steps", number.into());
            let events = self.filtered_types(&step.events, "events", &here)?;
            let without = self.filtered_types(&step.without, "without", &here)?;
            let parts = [(Part::Step(number), events), (Part::Without(number), without)];
            for (part, (event_type, filter)) in parts
                .into_iter()
                .flat_map(|(part, of)| of.into_iter().map(move |of| (part, of)))
            {
                types.entry(event_type).or_default().push((part, filter));
            }
        }
        let by = by
            .map(|by| self.common(by, types.keys(), &at.field("by")))
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

    /// A value that all events of a sequence have in common.
    fn common<'t>(&mut self, by: &plan::Expr, types: impl Iterator<Item = &'t String>, at: &At) -> Result<ExprId> {
        let step = |event_type: &String| plan::EventFilter {
            event_type: event_type.clone(),
            filter: None,
        };
        let steps: Vec<plan::EventFilter> = types.map(step).collect();
        let (by, kind) = self.expr(by, None, Stand::Events(&steps), at)?;
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
