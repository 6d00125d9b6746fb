//! Evaluates expressions; `None` is an unknown value.

use super::value::{Fraction, OracleValue, of_literal, of_val};
use super::{Oracle, Row};
use crate::eval::tests::world::Val;
use crate::plan::{Arith, Expr};

impl Oracle<'_> {
    pub(super) fn expr(&self, expr: &Expr, row: Row) -> Option<OracleValue> {
        match expr {
            Expr::Literal { value } => Some(of_literal(value, self.plan_as_of)),
            Expr::Attribute { name, key } => self.attribute(name, key.as_deref(), row),
            Expr::Channels {} => Some(self.channels(row)),
            Expr::Aggregate {
                function,
                events,
                value,
                day_starts,
            } => self.aggregate(*function, events, value.as_deref(), day_starts.as_deref(), row.person),
            Expr::Elapsed { of } => Some(OracleValue::Int(self.as_of - self.expr(of, row)?.into_int()?)),
            Expr::Arith { function, left, right } => {
                let (left, right) = (self.expr(left, row)?, self.expr(right, row)?);
                arithmetic(*function, left.into_number()?, right.into_number()?).map(OracleValue::Num)
            }
            Expr::Default { expr, otherwise } => {
                let (value, otherwise) = self.pair(expr, otherwise, row);
                value.or(otherwise)
            }
            Expr::Tile { k, expr, population } => {
                if !self.is_in_population(population.as_deref(), row.person) {
                    return None;
                }
                let own = self.expr(expr, row)?;
                let values = self.known_values(expr, population.as_deref());
                let at_or_below = values.iter().filter(|value| **value <= own).count();
                let tile = (*k as usize * at_or_below).div_ceil(values.len());
                Some(OracleValue::Num(Fraction::whole(tile)))
            }
            Expr::Case { tiers, otherwise } => {
                let tier = tiers.iter().find(|tier| self.cond(&tier.when, row) == Some(true));
                tier.map(|tier| &tier.value)
                    .or(otherwise.as_ref())
                    .map(|value| of_literal(value, self.plan_as_of))
            }
            Expr::Property { name } => row.event?.properties.get(name.as_str()).map(of_val),
            Expr::ByType { of } => {
                let event_type = row.event.map_or("", |event| event.kind);
                let of_type = of.iter().find(|one| one.event_type == event_type)?;
                self.expr(&of_type.value, row)
            }
            Expr::EventChannel {} => row.event?.channel.map(|channel| OracleValue::Text(channel.to_string())),
            Expr::Lookup { key, attribute, .. } => {
                let key = self.expr(key, row)?.into_text()?;
                let item = self.world.products.get(key.as_str())?;
                item.get(attribute.as_str()).map(of_val)
            }
            Expr::Person { expr } => self.expr(expr, Row::of_person(row.person)),
        }
    }

    /// Returns both values; a map entry is unknown if the other value has another type.
    pub(super) fn pair(&self, left: &Expr, right: &Expr, row: Row) -> (Option<OracleValue>, Option<OracleValue>) {
        let (left, right) = (self.expr(left, row), self.expr(right, row));
        let is_comparable = match (&left, &right) {
            (Some(left), Some(right)) => {
                std::mem::discriminant(left) == std::mem::discriminant(right) || matches!(left, OracleValue::Set(_))
            }
            _ => true,
        };
        if is_comparable { (left, right) } else { (None, right) }
    }

    fn attribute(&self, name: &str, key: Option<&str>, row: Row) -> Option<OracleValue> {
        let changes = row.person.changes.get(name)?;
        let (_, latest) = changes.iter().rfind(|(occurred_at, _)| *occurred_at < self.as_of)?;
        match (latest.as_ref()?, key) {
            (Val::Map(map), Some(key)) => map.get(key).map(of_val),
            (value, _) => Some(of_val(value)),
        }
    }

    /// Returns the channels of the person's orders: of the types, only `order` counts as seen.
    fn channels(&self, row: Row) -> OracleValue {
        let events = row.person.events.iter();
        let seen = events.filter(|event| event.kind == "order" && event.time < self.as_of);
        let channels = seen.filter_map(|event| event.channel);
        OracleValue::Set(channels.map(str::to_string).collect())
    }
}

/// Calculates exactly; returns `None` for a division by 0.
fn arithmetic(function: Arith, left: Fraction, right: Fraction) -> Option<Fraction> {
    Some(match function {
        Arith::Add => left.plus(right),
        Arith::Subtract => Fraction::new(left.0 * right.1 - right.0 * left.1, left.1 * right.1),
        Arith::Multiply => Fraction::new(left.0 * right.0, left.1 * right.1),
        Arith::Divide if right.0 == 0 => return None,
        Arith::Divide => Fraction::new(left.0 * right.1, left.1 * right.0),
    })
}
