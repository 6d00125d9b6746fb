//! Evaluates conditions in Kleene logic: `None` is unknown.

use xxhash_rust::xxh3::xxh3_64;

use super::value::{OracleValue, nfkc};
use super::{Oracle, Row};
use crate::plan::{Cmp, Cond, Expr, Mode, Moment, Side, TextTest, YearDays};

/// The earth's mean radius, in metres.
const EARTH_RADIUS: f64 = 6_371_008.8;

impl Oracle<'_> {
    pub(super) fn cond(&self, cond: &Cond, row: Row) -> Option<bool> {
        match cond {
            Cond::All { of } => not(any(of.iter().map(|of| not(self.cond(of, row))))),
            Cond::Any { of } => any(of.iter().map(|of| self.cond(of, row))),
            Cond::Not { of } => not(self.cond(of, row)),
            Cond::OrUnknown { of } => Some(self.cond(of, row) != Some(false)),
            Cond::Set { of, among } => Some(self.is_in_set(of, among.as_deref(), row.person)),
            Cond::At { as_of, of, among } => {
                let at_instant = Oracle {
                    as_of: as_of.resolve(self.plan_as_of),
                    ..*self
                };
                Some(at_instant.is_in_set(of, among.as_deref(), row.person))
            }
            Cond::Constant { value } => Some(*value),
            Cond::Compare { cmp, left, right } => self.compare(*cmp, left, right, row),
            Cond::In { expr, items } => self.in_items(expr, items, row),
            Cond::Has { mode, expr, items } => self.has(*mode, expr, items, row),
            Cond::Text { test, expr, value } => {
                let text = self.expr(expr, row)?.into_text()?;
                Some(match test {
                    TextTest::Contains => text.contains(&nfkc(value)),
                    TextTest::StartsWith => text.starts_with(&nfkc(value)),
                    TextTest::EndsWith => text.ends_with(&nfkc(value)),
                    TextTest::Matches => regex::Regex::new(value).unwrap().is_match(&text),
                })
            }
            Cond::Known { expr } => Some(self.expr(expr, row).is_some()),
            Cond::Unknown { expr } => Some(self.expr(expr, row).is_none()),
            Cond::Within { expr, from, to } => {
                let value = self.expr(expr, row)?.into_int()?;
                let is_before = |moment: &Moment| value < moment.resolve(self.plan_as_of);
                Some(!from.as_ref().is_some_and(is_before) && to.as_ref().is_none_or(is_before))
            }
            Cond::Anniversary { expr, years } => self.anniversary(expr, years, row),
            Cond::Near { expr, point, metres } => {
                let (from, to) = (self.expr(expr, row)?, self.expr(point, row)?);
                Some(haversine(from.into_point()?, to.into_point()?) <= *metres)
            }
            Cond::Happened { events, min, max } => {
                let count = self.events(events, row.person).len() as u64;
                Some(*min <= count && max.is_none_or(|max| count <= max))
            }
            Cond::Sequence { .. } => Some(self.sequence(cond, row.person)),
            Cond::Rank { .. } => self.rank(cond, row),
            Cond::Sample { seed, below } => {
                let mut bytes = seed.as_bytes().to_vec();
                bytes.push(0);
                bytes.extend(row.person.id().to_le_bytes());
                Some(u128::from(xxh3_64(&bytes)) < below.0)
            }
        }
    }

    fn compare(&self, cmp: Cmp, left: &Expr, right: &Expr, row: Row) -> Option<bool> {
        let (left, right) = self.pair(left, right, row);
        let order = left?.partial_cmp(&right?)?;
        Some(match cmp {
            Cmp::Less => order.is_lt(),
            Cmp::AtMost => order.is_le(),
            Cmp::More => order.is_gt(),
            Cmp::AtLeast => order.is_ge(),
            Cmp::Equal => order.is_eq(),
            Cmp::Differs => order.is_ne(),
        })
    }

    fn in_items(&self, expr: &Expr, items: &[Expr], row: Row) -> Option<bool> {
        let value = items
            .first()
            .map_or_else(|| self.expr(expr, row), |item| self.pair(expr, item, row).0)?;
        let equals = |item: &Expr| {
            self.expr(item, row).map(|item| match (&value, &item) {
                (OracleValue::Set(set), OracleValue::Text(text)) => set.contains(text),
                _ => value == item,
            })
        };
        any(items.iter().map(equals))
    }

    fn has(&self, mode: Mode, expr: &Expr, items: &[Expr], row: Row) -> Option<bool> {
        let set = self.expr(expr, row)?.into_set()?;
        let contains = |item: &Expr| Some(set.contains(&self.expr(item, row)?.into_text()?));
        match mode {
            Mode::Any => any(items.iter().map(contains)),
            Mode::None => not(any(items.iter().map(contains))),
            Mode::All => not(any(items.iter().map(|item| not(contains(item))))),
        }
    }

    fn anniversary(&self, expr: &Expr, years: &[YearDays], row: Row) -> Option<bool> {
        let value = self.expr(expr, row)?.into_int()?;
        let is_date = matches!(expr, Expr::Attribute { name, .. } if name == "born");
        let (year, day) = if is_date {
            calendar_day(value)
        } else {
            (i64::MIN, value)
        };
        let falls_in = |days: &YearDays| {
            i64::from(days.year) > year && days.month_days.iter().any(|&month_day| i64::from(month_day) == day)
        };
        Some(years.iter().any(falls_in))
    }

    fn rank(&self, cond: &Cond, row: Row) -> Option<bool> {
        let Cond::Rank {
            expr,
            side,
            percent,
            count,
            population,
        } = cond
        else {
            panic!("the condition is not a rank")
        };
        if !self.is_in_population(population.as_deref(), row.person) {
            return Some(false);
        }
        let own = self.expr(expr, row)?;
        let values = self.known_values(expr, population.as_deref());
        let is_better = |value: &&OracleValue| match side {
            Side::Top => **value > own,
            Side::Bottom => **value < own,
        };
        let better = values.iter().filter(is_better).count();
        Some(match (percent, count) {
            (Some(percent), _) => (better as i128) * 1_000_000 < i128::from(percent.0) * values.len() as i128,
            (_, Some(count)) => (better as u64) < *count,
            _ => unreachable!(),
        })
    }
}

fn not(value: Option<bool>) -> Option<bool> {
    value.map(|value| !value)
}

fn any(values: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let values: Vec<Option<bool>> = values.collect();
    if values.contains(&Some(true)) {
        return Some(true);
    }
    if values.contains(&None) { None } else { Some(false) }
}

/// Returns the distance in metres between two points (latitude, longitude) in degrees.
fn haversine(from: [f64; 2], to: [f64; 2]) -> f64 {
    let chord = (((to[0] - from[0]).to_radians() / 2.0).sin().powi(2)
        + from[0].to_radians().cos() * to[0].to_radians().cos() * ((to[1] - from[1]).to_radians() / 2.0).sin().powi(2))
    .sqrt();
    2.0 * EARTH_RADIUS * chord.min(1.0).asin()
}

/// Converts days since 1970-01-01 to the year and month * 100 + day. Steps through the years one by one.
fn calendar_day(days: i64) -> (i64, i64) {
    let leap_day = |year: i64| i64::from((year % 4 == 0 && year % 100 != 0) || year % 400 == 0);
    let (mut year, mut rest) = (1970, days);
    while rest < 0 {
        year -= 1;
        rest += 365 + leap_day(year);
    }
    while rest >= 365 + leap_day(year) {
        rest -= 365 + leap_day(year);
        year += 1;
    }
    let months = [31, 28 + leap_day(year), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 0;
    while rest >= months[month] {
        rest -= months[month];
        month += 1;
    }
    (year, (month as i64 + 1) * 100 + rest + 1)
}
