//! Binds the conditions that compare values of people or events.

use super::{Binder, PlanPath, RowKind, is_month_day, named};
use crate::error::{Error, Result};
use crate::eval::kernels::column::Kind;
use crate::eval::kernels::text_match::TextMatcher;
use crate::eval::program::{Cond, Expr, ExprId, ItemFilter};
use crate::plan;

impl Binder<'_> {
    /// Binds a condition that compares values.
    pub fn leaf(&mut self, cond: &plan::Cond, row_kind: RowKind, at: &PlanPath) -> Result<Cond> {
        match cond {
            plan::Cond::Compare { cmp, left, right } => {
                if let Some(cond) = self.recency(*cmp, left, right, row_kind, at)? {
                    return Ok(cond);
                }
                let (left, right, kind) = self.pair((left, "left"), (right, "right"), None, row_kind, at)?;
                let ordered = matches!(
                    kind,
                    Kind::Number | Kind::Instant | Kind::Date | Kind::MonthDay | Kind::Duration
                );
                let equality = matches!(cmp, plan::Cmp::Equal | plan::Cmp::Differs);
                match kind {
                    Kind::Set | Kind::Any => {
                        at.invalid(format!("{} cannot be compared; use `in` or `has`", named(kind)))
                    }
                    _ if ordered || equality => Ok(Cond::Compare {
                        cmp: *cmp,
                        left,
                        right,
                        kind,
                    }),
                    _ => at.invalid(format!("{} has no order; use = or !=", named(kind))),
                }
            }
            plan::Cond::In { expr, items } => {
                let (expr, items, kind) = self.expr_and_items(expr, items, row_kind, at)?;
                Ok(Cond::In { expr, items, kind })
            }
            plan::Cond::Has { mode, expr, items } => {
                let (expr, items, kind) = self.expr_and_items(expr, items, row_kind, at)?;
                if kind != Kind::Set {
                    return at
                        .field("expr")
                        .invalid(format!("`has` takes a set, not {}", named(kind)));
                }
                Ok(Cond::Has {
                    mode: *mode,
                    expr,
                    items,
                })
            }
            plan::Cond::Text { test, expr, value } => {
                let expr = self.of_kind(expr, Kind::Text, row_kind, &at.field("expr"))?;
                let matcher = TextMatcher::new(*test, value).map_err(|reason| Error::InvalidPattern {
                    place: at.field("value").to_string(),
                    pattern: value.clone(),
                    reason,
                })?;
                Ok(Cond::Text {
                    matcher: self.program.text_matchers.intern(matcher),
                    expr,
                })
            }
            plan::Cond::Known { expr } => Ok(Cond::Known(self.expr(expr, None, row_kind, &at.field("expr"))?.0)),
            plan::Cond::Unknown { expr } => {
                let known = Cond::Known(self.expr(expr, None, row_kind, &at.field("expr"))?.0);
                let known = self.as_item_condition(known);
                Ok(Cond::Not(self.program.conds.intern(known)))
            }
            plan::Cond::Within { expr, from, to } => {
                let (expr, kind) = self.expr(expr, Some(Kind::Instant), row_kind, &at.field("expr"))?;
                if !matches!(kind, Kind::Instant | Kind::Date) {
                    return at
                        .field("expr")
                        .invalid(format!("a window takes an instant or a date, not {}", named(kind)));
                }
                Ok(Cond::Within {
                    expr,
                    from: from.map_or(i64::MIN, |from| self.instant(from)),
                    to: to.map_or(i64::MAX, |to| self.instant(to)),
                })
            }
            plan::Cond::Anniversary { expr, years } => self.anniversary(expr, years, row_kind, at),
            plan::Cond::Near { expr, point, metres } => {
                if !metres.is_finite() {
                    return at
                        .field("metres")
                        .invalid("the distance must be a finite number of metres");
                }
                let expr = self.of_kind(expr, Kind::Point, row_kind, &at.field("expr"))?;
                let point = self.of_kind(point, Kind::Point, row_kind, &at.field("point"))?;
                Ok(Cond::Near {
                    expr,
                    point,
                    metres: metres.to_bits(),
                })
            }
            _ => at.invalid("not a condition on values"),
        }
    }

    /// Binds an anniversary: indexes the wanted days of all years by month and day.
    fn anniversary(
        &mut self,
        expr: &plan::Expr,
        years: &[plan::YearDays],
        row_kind: RowKind,
        at: &PlanPath,
    ) -> Result<Cond> {
        let (expr, kind) = self.expr(expr, Some(Kind::Date), row_kind, &at.field("expr"))?;
        if !matches!(kind, Kind::Date | Kind::MonthDay) {
            return at.field("expr").invalid(format!("{} has no anniversary", named(kind)));
        }
        let mut latest_year = vec![i32::MIN; 1300];
        for (index, year) in years.iter().enumerate() {
            for &day in &year.month_days {
                let Some(latest) = latest_year.get_mut(usize::from(day)).filter(|_| is_month_day(day)) else {
                    return at
                        .item("years", index)
                        .invalid(format!("{day} is not month * 100 + day"));
                };
                *latest = (*latest).max(year.year);
            }
        }
        Ok(Cond::Anniversary {
            expr,
            latest_year,
            of_dates: kind == Kind::Date,
        })
    }

    /// Binds two expressions of the same kind. A map entry takes the kind of the other expression, or else `beside`.
    pub fn pair(
        &mut self,
        (left, left_name): (&plan::Expr, &'static str),
        (right, right_name): (&plan::Expr, &'static str),
        beside: Option<Kind>,
        row_kind: RowKind,
        at: &PlanPath,
    ) -> Result<(ExprId, ExprId, Kind)> {
        let (left_at, right_at) = (at.field(left_name), at.field(right_name));
        let (mut a, mut a_kind) = self.expr(left, beside, row_kind, &left_at)?;
        let (b, b_kind) = self.expr(right, Some(a_kind), row_kind, &right_at)?;
        if a_kind == Kind::Any {
            (a, a_kind) = self.expr(left, Some(b_kind), row_kind, &left_at)?;
        }
        if a_kind != b_kind {
            return at.invalid(format!("{} and {} cannot be combined", named(a_kind), named(b_kind)));
        }
        Ok((a, b, a_kind))
    }

    /// Binds an expression and items of its kind; the items of a set are texts.
    fn expr_and_items(
        &mut self,
        expr: &plan::Expr,
        items: &[plan::Expr],
        row_kind: RowKind,
        at: &PlanPath,
    ) -> Result<(ExprId, Vec<ExprId>, Kind)> {
        let here = at.field("expr");
        let (mut id, mut kind) = self.expr(expr, None, row_kind, &here)?;
        if let (Kind::Any, Some(first)) = (kind, items.first()) {
            let beside = self.expr(first, None, row_kind, &at.item("items", 0))?.1;
            (id, kind) = self.expr(expr, Some(beside), row_kind, &here)?;
            if kind == Kind::Any {
                return at.invalid("the type of the map entries is unknown; put a literal first in `items`");
            }
        }
        let wanted = if kind == Kind::Set { Kind::Text } else { kind };
        let bound = items.iter().enumerate();
        let bound = bound.map(|(index, item)| self.of_kind(item, wanted, row_kind, &at.item("items", index)));
        Ok((id, bound.collect::<Result<_>>()?, kind))
    }

    /// Binds an expression that must have the kind `wanted`.
    pub fn of_kind(&mut self, expr: &plan::Expr, wanted: Kind, row_kind: RowKind, at: &PlanPath) -> Result<ExprId> {
        let (id, kind) = self.expr(expr, Some(wanted), row_kind, at)?;
        if kind != wanted {
            return at.invalid(format!("expected {}, found {}", named(wanted), named(kind)));
        }
        Ok(id)
    }

    /// Turns a condition that reads only attributes of one catalog item into an item filter, which is evaluated once for each item.
    pub fn as_item_condition(&mut self, leaf: Cond) -> Cond {
        let exprs: Vec<ExprId> = match &leaf {
            Cond::Compare { left, right, .. } => vec![*left, *right],
            Cond::In { expr, items, .. } | Cond::Has { expr, items, .. } => [&[*expr], items.as_slice()].concat(),
            Cond::Near { expr, point, .. } => vec![*expr, *point],
            Cond::Text { expr, .. }
            | Cond::Known(expr)
            | Cond::Within { expr, .. }
            | Cond::Anniversary { expr, .. } => {
                vec![*expr]
            }
            _ => return leaf,
        };
        let mut item = None;
        for expr in exprs {
            match &self.program.exprs[expr] {
                Expr::Literal(_) => {}
                Expr::Lookup { catalog, key, .. } if item.is_none_or(|item| item == (*catalog, *key)) => {
                    item = Some((*catalog, *key));
                }
                _ => return leaf,
            }
        }
        let Some((catalog, key)) = item else { return leaf };
        let cond = self.program.conds.intern(leaf);
        Cond::OfItem {
            filter: self.program.item_filters.intern(ItemFilter { catalog, cond }),
            key,
        }
    }
}
