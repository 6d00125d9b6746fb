//! Estimates the cost of conditions. Cheap conditions are evaluated first, because they may leave no people for the expensive ones.

use crate::eval::kernels::ratio::UNIT;
use crate::eval::program::{Cond, CondId, Expr, ExprId, Program};
use crate::plan::Function;

/// The cost of a condition, by what it reads.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cost {
    /// A column over people.
    Column,
    /// The first or last event days of people.
    Days,
    /// One update for each event.
    Events,
    /// Several comparisons for each event.
    Comparisons,
}

impl Program {
    /// Returns the parts that must all be true, cheapest first.
    pub fn parts(&self, cond: CondId) -> Vec<CondId> {
        let Cond::All(of) = &self.conds[cond] else {
            return vec![cond];
        };
        let mut parts = of.clone();
        parts.sort_by_key(|&part| self.cost(part));
        parts
    }

    fn cost(&self, cond: CondId) -> Cost {
        let of = |exprs: &[ExprId]| {
            exprs
                .iter()
                .map(|&expr| self.cost_of_value(expr))
                .max()
                .unwrap_or(Cost::Column)
        };
        match &self.conds[cond] {
            Cond::Constant(_) | Cond::Sample { .. } | Cond::Rank(_) => Cost::Column,
            Cond::All(parts) | Cond::Any(parts) => {
                parts.iter().map(|&part| self.cost(part)).max().unwrap_or(Cost::Column)
            }
            Cond::Not(part) | Cond::OrUnknown(part) => self.cost(*part),
            Cond::Given { of, known } => self.cost(*of).max(self.cost(*known)),
            Cond::Set { of, among, .. } => {
                let among = among.map_or(Cost::Column, |among| self.cost(among));
                self.cost(*of).max(among)
            }
            Cond::Compare { left, right, .. } => of(&[*left, *right]),
            Cond::In { expr, items, .. } | Cond::Has { expr, items, .. } => of(&[*expr]).max(of(items)),
            Cond::Near { expr, point, .. } => of(&[*expr, *point]),
            Cond::Text { expr, .. }
            | Cond::Known(expr)
            | Cond::Within { expr, .. }
            | Cond::Anniversary { expr, .. }
            | Cond::OfItem { key: expr, .. } => of(&[*expr]),
            Cond::Happened { min, max, .. } if (*min, *max) == (UNIT, i64::MAX) => Cost::Days,
            Cond::Happened { count, .. } => of(&[*count]),
            Cond::Sequence(_) => Cost::Comparisons,
        }
    }

    fn cost_of_value(&self, expr: ExprId) -> Cost {
        match &self.exprs[expr] {
            Expr::Measure { scan, measure } => match self.scans[*scan].measures[*measure].function {
                Function::Count | Function::Sum | Function::Avg | Function::Min | Function::Max => Cost::Events,
                _ => Cost::Comparisons,
            },
            Expr::Elapsed { of, .. } | Expr::Person(of) | Expr::Lookup { key: of, .. } => self.cost_of_value(*of),
            Expr::Arith { left, right, .. } => self.cost_of_value(*left).max(self.cost_of_value(*right)),
            Expr::Default { expr, otherwise } => self.cost_of_value(*expr).max(self.cost_of_value(*otherwise)),
            Expr::Case { tiers, .. } => {
                let tiers = tiers.iter().map(|&(when, _)| self.cost(when));
                tiers.max().unwrap_or(Cost::Column)
            }
            _ => Cost::Column,
        }
    }
}
